"""Gene expression from the DNA and the epigenomic signals around a TSS, with background signals adjusted for."""

__version__ = "0.1.0"
