"""Peaks and candidate enhancers."""
