"""The manifest: which file holds what."""
