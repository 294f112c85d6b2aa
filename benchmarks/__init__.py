"""Benchmarks: CPU seconds of one thread, compared in turns within one run. Start with `python -m benchmarks`."""
