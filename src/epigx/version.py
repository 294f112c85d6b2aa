"""The version of epigx, apart from the package so that every layer can name it."""

__all__ = ["__version__"]

__version__ = "0.1.0"
