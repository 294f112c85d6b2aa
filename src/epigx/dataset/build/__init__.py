"""Builds datasets from manifests."""
