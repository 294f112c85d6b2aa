"""The paper as code."""
