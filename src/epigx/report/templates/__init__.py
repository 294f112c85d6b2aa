"""Templates of the pages."""

from __future__ import annotations

import jinja2

__all__ = ["template"]


def template(name: str) -> jinja2.Template:
    """Return a template of this folder; an undefined variable in it is an error."""
    loader = jinja2.PackageLoader("epigx.report")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(name)
