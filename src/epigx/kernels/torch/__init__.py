"""The kernels in plain PyTorch, for any device."""
