"""Raw genome files to arrays: intervals, sequence, genes, tracks, contacts, expression. No torch."""
