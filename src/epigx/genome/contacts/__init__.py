"""Contacts of each base with the TSS: Hi-C, loops, or a power law of distance."""
