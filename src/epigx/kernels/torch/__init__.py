"""The operations in plain PyTorch, for any device."""
