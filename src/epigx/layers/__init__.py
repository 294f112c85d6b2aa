"""Layers that backbones and models are built from."""
