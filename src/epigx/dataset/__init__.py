"""Arrays to batches: manifest, check, build, the folder on disk, splits, windows, loader, simulator."""
