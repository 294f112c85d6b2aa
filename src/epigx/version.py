"""The version of epigx, in its own module so that every layer can import it."""

__all__ = ["__version__"]

__version__ = "0.2.0"
