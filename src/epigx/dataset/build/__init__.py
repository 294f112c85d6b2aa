"""From a manifest to a dataset folder."""
