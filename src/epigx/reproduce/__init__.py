"""The paper's exhibits, from a plan of runs to a page."""
