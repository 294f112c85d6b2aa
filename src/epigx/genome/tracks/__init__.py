"""Genomic tracks: bigWig, bedGraph and narrowPeak."""
