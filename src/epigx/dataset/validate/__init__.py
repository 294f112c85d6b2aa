"""Checks of a manifest and its files before a build."""
