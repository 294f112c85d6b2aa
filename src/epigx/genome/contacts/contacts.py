"""Contact of each base of a window with the TSS: Hi-C matrices, loops, or a power law of distance."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int64

from epigx.genome.contacts.contact_matrix import MatrixContacts
from epigx.genome.contacts.loops import LoopContacts
from epigx.genome.contacts.powerlaw import PowerLawContacts, pseudocount_of
from epigx.genome.formats import require_format

__all__ = ["Contacts", "open_contacts", "open_loops", "open_matrix", "open_power_law"]


@runtime_checkable
class Contacts(Protocol):
    """How strongly each base is in contact with the TSS of a gene.

    Attributes
    ----------
    path : Path or None
        The file (``None`` for the power law, which needs none).
    chromosomes : dict of str to int or None, or None
        The length of each chromosome in bp, by its name in the file (``None``: the format does not record lengths).
        ``None`` instead of a dict for the power law, which applies to every chromosome.
    """

    path: Path | None
    chromosomes: dict[str, int | None] | None

    def profile(
        self, chrom: str, tss: Int64[np.ndarray, " n"], starts: Int64[np.ndarray, " n"], length: int
    ) -> Float32[np.ndarray, "n length"]:
        """Return the contact of each base of some windows with the TSS of their gene; TSSs and starts are 0-based.

        The chromosome is named as in the genes (``chr1`` also matches ``1``). The value is 0 where there is no contact
        and beyond the ends of the chromosome.

        Raises
        ------
        InputError
            The file is damaged or lacks the chromosome, or a TSS lies beyond the end of the chromosome.
        """
        ...


def open_contacts(path: str | Path | None, kind: str | None = None, *, band: int = 100_000, **options: Any) -> Contacts:
    """Open a source of contacts.

    Parameters
    ----------
    path : str, Path or None
        The file; ``None`` for the power law.
    kind : str or None
        Its format (``hic``, ``cool``, ``mcool``, ``bedpe``, ``powerlaw``, or one that a plug-in adds); ``None`` takes
        it from the suffix.
    band : int, bp
        The largest distance from the TSS that is read from a matrix; contacts beyond it are 0.
    **options
        Options of the format: those of :func:`open_matrix` or :func:`open_loops`.

    Raises
    ------
    InputError
        The file is missing, damaged or of another format, or lacks the resolution or normalization.
    ConfigError
        A number is out of range, or the format needs a file and ``path`` is ``None``.
    """
    return cast(Contacts, require_format(path, kind, "contacts").open(path, band=band, **options))


def open_matrix(
    path: Path, *, band: int, resolution: int = 5_000, normalization: str = "NONE", pseudocount: bool = False
) -> Contacts:
    """Open a Hi-C matrix (see :class:`~.contact_matrix.MatrixContacts`).

    Normalizations are ``NONE``, ``VC``, ``KR``, ``SCALE``, ``weight``, …, as named in the file. The pseudocount is
    min(pl(d), pl(1 Mb)), which the ABC model adds; pl is the power law of :mod:`~.powerlaw`.
    """
    contacts = MatrixContacts(path, resolution=resolution, normalization=normalization, band=band)
    return _WithPseudocount(contacts) if pseudocount else contacts


def open_loops(
    path: Path, *, band: int = 0, column: int | None = None, slack: int = 0, pseudocount: bool = False
) -> Contacts:
    """Read chromatin loops (see :class:`~.loops.LoopContacts`); ``band`` is not used, as the whole file is read."""
    contacts = LoopContacts(path, column=column, slack=slack)
    return _WithPseudocount(contacts) if pseudocount else contacts


def open_power_law(path: Path | None = None, *, band: int = 0) -> Contacts:
    """Return the power law of distance; ``path`` and ``band`` are not used."""
    return PowerLawContacts()


class _WithPseudocount:
    """Contacts plus the pseudocount of the ABC model."""

    def __init__(self, contacts: Contacts) -> None:
        self._contacts, self._law = contacts, PowerLawContacts()
        self.path, self.chromosomes = contacts.path, contacts.chromosomes

    def profile(
        self, chrom: str, tss: Int64[np.ndarray, " n"], starts: Int64[np.ndarray, " n"], length: int
    ) -> Float32[np.ndarray, "n length"]:
        contacts = self._contacts.profile(chrom, tss, starts, length)
        return np.asarray(contacts + pseudocount_of(self._law.profile(chrom, tss, starts, length)))
