"""Measurements: ratios side by side in one run, one thread, CPU seconds. `python -m benchmarks` is the quick one."""
