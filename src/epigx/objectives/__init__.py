"""Prediction to loss."""
