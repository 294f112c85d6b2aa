"""The hot loops, one interface over several implementations."""
