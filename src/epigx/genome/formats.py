"""The file formats of signals: one table, which other packages extend through entry points.

A package adds a format with an entry point in the group ``epigx.tracks`` or ``epigx.contacts``, such as ::

    [project.entry-points."epigx.tracks"]
    wig = "mypackage.wig:Wig"

which names a class or an object::

    class Wig:
        kind = "wig"            # `kind:` in the manifest
        suffixes = (".wig",)    # the format of files with these suffixes, also with .gz
        options = ("span",)     # optional: further keys that a signal of this kind takes in the manifest

        def open(self, path, **options):
            return ...          # see epigx.genome.tracks.tracks.Track

``open`` of a contact format also gets ``band``, the largest distance from the TSS in bp that will be read, and returns
a :class:`~epigx.genome.contacts.contacts.Contacts`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from epigx.errors import ConfigError, InputError, did_you_mean

__all__ = ["Content", "Format", "find_format", "format_kinds", "format_of_file", "load_plugins", "require_format"]

Content = Literal["track", "contacts"]
"""Values along the genome, or contacts with a TSS."""

_GROUPS: dict[str, Content] = {"epigx.tracks": "track", "epigx.contacts": "contacts"}
_CALLED: dict[Content, str] = {"track": "a genomic track", "contacts": "a contact map"}


@dataclass(frozen=True)
class Format:
    """One row of the table.

    Attributes
    ----------
    opener : str or callable
        ``opener(path, **options)`` opens a file; as ``"module:function"`` it is imported when first used.
    suffixes : tuple of str
        File name endings in lower case, before ``.gz`` or ``.bgz``.
    options : tuple of str
        Options of the opener that can be set in the manifest.
    sparse : bool
        Whether files usually have values for a small fraction of the genome only, as files of peaks do.
    """

    kind: str
    content: Content
    opener: str | Callable[..., Any]
    suffixes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    needs_file: bool = True
    sparse: bool = False

    def open(self, path: str | Path | None, **options: Any) -> Any:
        """Open a file of this format; ``ConfigError`` if the format needs a file and ``path`` is ``None``."""
        if path is None and self.needs_file:
            raise ConfigError(f"The format {self.kind} needs a file. Give its path.")
        opener = self.opener
        if isinstance(opener, str):
            module, _, name = opener.partition(":")
            opener = getattr(import_module(module), name)
        return opener(None if path is None else Path(path), **options)


_INTERVALS, _CONTACTS = "epigx.genome.tracks.interval_track", "epigx.genome.contacts.contacts"
_MATRIX_OPTIONS = ("resolution", "normalization", "pseudocount")
_LOOP_OPTIONS = ("column", "slack", "pseudocount")

_BUILT_IN = {
    row.kind: row
    for row in (
        Format("bigwig", "track", "epigx.genome.tracks.bigwig:BigWigTrack", (".bigwig", ".bw")),
        Format("bedgraph", "track", f"{_INTERVALS}:open_bedgraph", (".bedgraph", ".bdg")),
        Format("narrowpeak", "track", f"{_INTERVALS}:open_narrowpeak", (".narrowpeak",), sparse=True),
        Format("hic", "contacts", f"{_CONTACTS}:open_matrix", (".hic",), _MATRIX_OPTIONS),
        Format("cool", "contacts", f"{_CONTACTS}:open_matrix", (".cool",), _MATRIX_OPTIONS),
        Format("mcool", "contacts", f"{_CONTACTS}:open_matrix", (".mcool",), _MATRIX_OPTIONS),
        Format("bedpe", "contacts", f"{_CONTACTS}:open_loops", (".bedpe",), _LOOP_OPTIONS),
        Format("powerlaw", "contacts", f"{_CONTACTS}:open_power_law", needs_file=False),
    )
}


def find_format(kind: str) -> Format | None:
    """Return the format of a kind, or ``None`` if there is none. Plug-ins are loaded only if no built-in one fits."""
    return _BUILT_IN.get(kind) or load_plugins().get(kind)


def format_of_file(file: str | Path) -> Format | None:
    """Return the format of a file by its suffix, or ``None``; built-in formats come first.

    Examples
    --------
    >>> format_of_file("K562.bedGraph.gz").kind
    'bedgraph'
    """
    name = str(file).lower().removesuffix(".gz").removesuffix(".bgz")

    def search(table: dict[str, Format]) -> Format | None:
        return next((row for row in table.values() if name.endswith(row.suffixes)), None)

    return search(_BUILT_IN) or search(load_plugins())


def format_kinds(content: Content | None = None) -> list[str]:
    """Return the kinds of all formats, or of those with one content, sorted."""
    return sorted(row.kind for row in {**_BUILT_IN, **load_plugins()}.values() if content in (None, row.content))


def require_format(path: str | Path | None, kind: str | None, content: Content) -> Format:
    """Return the format of a file by its kind, or by its suffix if ``kind`` is ``None``.

    It is an ``InputError`` if there is no such format, or if its files do not contain what is wanted.
    """
    row = find_format(kind) if kind is not None else format_of_file(path or "")
    if row is not None and row.content == content:
        return row
    if row is not None:
        raise InputError(f"{path} is {_CALLED[row.content]} ({row.kind}), not {_CALLED[content]}. Use another file.")
    kinds = format_kinds(content)
    if kind is None:
        raise InputError(f"{path}: the suffix matches no known format. Set its kind to one of {', '.join(kinds)}.")
    raise InputError(f"{path}: unknown file format {kind!r}.{did_you_mean(kind, kinds)}")


@cache
def load_plugins() -> dict[str, Format]:
    """Return the formats of other packages by kind. They are loaded once per process.

    An entry point that cannot be imported, lacks an attribute, or uses the kind of another format is a ``ConfigError``.
    """
    import importlib.metadata

    found: dict[str, Format] = {}
    for group, content in _GROUPS.items():
        for entry in importlib.metadata.entry_points(group=group):
            source = f"The entry point {entry.name!r} ({entry.value}) in the group {group}"
            try:
                loaded = entry.load()
                plugin = loaded() if isinstance(loaded, type) else loaded
                row = Format(
                    kind=plugin.kind,
                    content=content,
                    opener=plugin.open,
                    suffixes=tuple(suffix.lower() for suffix in plugin.suffixes),
                    options=tuple(getattr(plugin, "options", ())),
                    needs_file=getattr(plugin, "needs_file", True),
                    sparse=getattr(plugin, "sparse", False),
                )
            except Exception as error:
                raise ConfigError(
                    f"{source} cannot be used: {error}. A file format needs kind, suffixes and open(path, **options); "
                    "update or uninstall the package."
                ) from error
            if row.kind in _BUILT_IN or row.kind in found:
                raise ConfigError(f"{source} has the kind {row.kind!r}, which another file format uses. Uninstall one.")
            found[row.kind] = row
    return found
