"""Sequence networks (batch, length, channel) to the same; one file per family."""
