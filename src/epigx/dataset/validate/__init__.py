"""Checks of a manifest and its files before any work."""
