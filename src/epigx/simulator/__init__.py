"""Simulated genomes, from DNA motifs to expression; see ``docs/simulator.md``."""
