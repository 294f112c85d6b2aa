"""Read genome files into arrays: sequence, genes, tracks, contacts, peaks, expression. Does not use torch."""
