"""The manifest: the input files of a dataset."""
