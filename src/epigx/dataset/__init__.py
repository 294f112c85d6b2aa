"""From a manifest to batches: check, build, the dataset on disk, splits, windows, loader."""
