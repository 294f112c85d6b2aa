"""Weights of other programs as runs."""
