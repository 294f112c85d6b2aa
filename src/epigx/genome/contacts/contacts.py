"""Contact of each base of a window with the TSS: Hi-C matrices, loops, or the power law of distance."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol, get_args, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int64

from epigx.errors import ConfigError, InputError, did_you_mean
from epigx.genome.contacts.contact_matrix import MatrixContacts
from epigx.genome.contacts.loops import LoopContacts
from epigx.genome.contacts.powerlaw import PowerLawContacts, capped

__all__ = ["Contacts", "ContactsKind", "open_contacts"]

ContactsKind = Literal["hic", "cool", "mcool", "bedpe", "powerlaw"]


@runtime_checkable
class Contacts(Protocol):
    """What the TSS of a gene is in contact with.

    Attributes
    ----------
    path : Path or None
        The file (``None`` for the power law, which needs none).
    chromosomes : dict of str to int or None, or None
        The chromosomes by the file's names, with their length in bp (``None``: the format does not know it); ``None``
        altogether for the power law, which holds for every chromosome.
    """

    path: Path | None
    chromosomes: dict[str, int | None] | None

    def profile(
        self, chrom: str, tss: Int64[np.ndarray, " n"], starts: Int64[np.ndarray, " n"], length: int
    ) -> Float32[np.ndarray, "n length"]:
        """Return the contact of each base of some windows with their genes' TSS.

        Parameters
        ----------
        chrom : str
            The chromosome as the genes name it (``chr1`` finds ``1``).
        tss : ndarray of int64, shape (n,)
            0-based TSSs.
        starts : ndarray of int64, shape (n,)
            0-based starts of the windows.
        length : int, bp
            The length of every window.

        Returns
        -------
        ndarray of float32, shape (n, length)
            0 where there is no contact and past the chromosome's ends.

        Raises
        ------
        InputError
            The file is damaged or has no such chromosome, or a TSS lies past the chromosome's end.
        """
        ...

    def close(self) -> None:
        """Close the file."""
        ...


def open_contacts(
    path: str | Path | None,
    kind: ContactsKind,
    *,
    resolution: int = 5_000,
    normalization: str = "NONE",
    band: int = 100_000,
    pseudocount: bool = False,
    column: int | None = None,
    slack: int = 0,
) -> Contacts:
    """Open a source of contacts.

    Parameters
    ----------
    path : str, Path or None
        The file; ``None`` for the power law.
    kind : {"hic", "cool", "mcool", "bedpe", "powerlaw"}
        Its format.
    resolution : int, bp
        The bin size of a matrix.
    normalization : str
        A matrix' normalisation as the file names it: ``NONE``, ``VC``, ``KR``, ``SCALE``, ``weight``, …
    band : int, bp
        How far from the TSS a matrix is read; contacts beyond are 0.
    pseudocount : bool
        Whether min(pl(d), pl(1 Mb)) is added, as the ABC model does; pl is the power law of :mod:`~.powerlaw`.
    column : int or None
        The 1-based column of a loop's value in a bedpe; ``None`` takes the last column that holds numbers alone.
    slack : int, bp
        How far outside an anchor of a loop a TSS may lie and still count as inside.

    Raises
    ------
    InputError
        The file is missing, damaged or not of that kind, or lacks the resolution or normalisation.
    ConfigError
        A number is out of range, or there is no path for a kind that needs one.
    """
    for name, value, least in (("resolution", resolution, 1), ("band", band, 0), ("slack", slack, 0)):
        if value < least:
            raise ConfigError(f"{name} is {value}. Choose {least} bp or more.")
    if column is not None and column < 7:
        raise ConfigError(f"column is {column}. A loop's value stands in column 7 or later, counted from 1.")
    if kind not in get_args(ContactsKind):
        raise InputError(f"{path}: unknown kind of contacts {kind!r}.{did_you_mean(str(kind), get_args(ContactsKind))}")
    contacts: Contacts
    if kind == "powerlaw":
        contacts = PowerLawContacts()
    elif path is None:
        raise ConfigError(f"Contacts of kind {kind!r} need a file. Only the power law needs none.")
    elif kind == "bedpe":
        contacts = LoopContacts(Path(path), column=column, slack=slack)
    else:
        contacts = MatrixContacts(Path(path), resolution=resolution, normalization=normalization, band=band)
    return _WithPseudocount(contacts) if pseudocount else contacts


class _WithPseudocount:
    """Contacts with the ABC model's pseudocount added."""

    def __init__(self, contacts: Contacts) -> None:
        self._contacts, self._law = contacts, PowerLawContacts()
        self.path, self.chromosomes = contacts.path, contacts.chromosomes

    def profile(
        self, chrom: str, tss: Int64[np.ndarray, " n"], starts: Int64[np.ndarray, " n"], length: int
    ) -> Float32[np.ndarray, "n length"]:
        contacts = self._contacts.profile(chrom, tss, starts, length)
        return np.asarray(contacts + capped(self._law.profile(chrom, tss, starts, length)))

    def close(self) -> None:
        self._contacts.close()
