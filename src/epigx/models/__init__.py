"""Batch to prediction."""
