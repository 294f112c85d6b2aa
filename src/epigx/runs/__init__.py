"""A run: its configuration, its method and its folder."""
