"""Tensor blocks that backbones are made of."""
