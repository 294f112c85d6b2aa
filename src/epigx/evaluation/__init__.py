"""Score, compare and predict with runs."""
