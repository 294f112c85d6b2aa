"""Signals along the genome."""
