"""Operating system: atomic files, locks, shutdown, cores and memory."""
