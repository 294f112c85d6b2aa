"""Contact of each base with the TSS."""
