"""Import the weights of other programs as runs."""
