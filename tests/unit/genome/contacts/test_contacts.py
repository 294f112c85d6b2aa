from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from epigx.errors import ConfigError, InputError
from epigx.genome.contacts.contacts import open_contacts
from epigx.genome.contacts.powerlaw import power_law


def test_the_power_law_needs_no_file() -> None:
    contacts = open_contacts(None, "powerlaw")
    profile = contacts.profile("chr1", np.array([500]), np.array([0]), 1_000)
    np.testing.assert_allclose(profile, np.full((1, 1_000), power_law(0)), rtol=1e-6)


def test_the_pseudocount_is_added_to_every_base(tmp_path: Path) -> None:
    path = tmp_path / "loops.bedpe"
    path.write_text("chr1\t100\t110\tchr1\t150\t160\ta\t7\n")
    places = (np.array([100]), np.array([95]), 10)
    plain = open_contacts(path, "bedpe").profile("chr1", *places)
    contacts = open_contacts(path, "bedpe", pseudocount=True)
    assert contacts.path == path
    assert contacts.chromosomes == {"chr1": None}
    raised = contacts.profile("chr1", *places)
    assert raised.dtype == np.float32
    np.testing.assert_allclose(raised, plain + power_law(1_000_000), rtol=1e-6)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("cool", {"resolution": 0}, "resolution is 0. Choose 1 bp or more"),
        ("hic", {"band": -1}, "band is -1. Choose 0 bp or more"),
        ("bedpe", {"slack": -5}, "slack is -5. Choose 0 bp or more"),
        ("bedpe", {"column": 6}, r"column is 6. Choose 7 or higher \(counted from 1\): columns 1 to 6 are the anchors"),
    ],
)
def test_numbers_out_of_range_are_refused(kind: str, options: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        open_contacts("a.file", kind, **options)


def test_a_format_without_its_file_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"The format mcool needs a file. Give its path"):
        open_contacts(None, "mcool")


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError, match=r"a\.hic: unknown file format 'hicc'. Did you mean 'hic'?"):
        open_contacts("a.hic", "hicc")
