from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import hictkpy
import numpy as np
import pandas as pd
import pytest

from epigx.errors import InputError
from epigx.genome.contacts.contact_matrix import MatrixContacts
from epigx.genome.contacts.contacts import open_contacts

RESOLUTION = 10
SIZES = {"chr1": 95, "chr2": 60}


def matrix(bins: int, seed: int) -> np.ndarray:
    counts = np.triu(np.random.default_rng(seed).integers(0, 9, (bins, bins)))
    return counts + np.triu(counts, 1).T


MATRICES = {"chr1": matrix(10, 0), "chr2": matrix(6, 1)}


@pytest.fixture(params=["cool", "hic", "mcool"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A matrix of two chromosomes, the second of which starts at bin 10."""
    file = tmp_path / f"contacts.{request.param}"
    pixels = []
    for chrom, first in (("chr1", 0), ("chr2", 10)):
        rows, columns = np.nonzero(np.triu(MATRICES[chrom]))
        counts = MATRICES[chrom][rows, columns]
        pixels.append(pd.DataFrame({"bin1_id": rows + first, "bin2_id": columns + first, "count": counts}))
    pixels.append(pd.DataFrame({"bin1_id": [2], "bin2_id": [12], "count": [500]}))
    table = pd.concat(pixels).sort_values(["bin1_id", "bin2_id"])
    if request.param == "hic":
        writer = hictkpy.hic.FileWriter(file, SIZES, [RESOLUTION, 20])
        writer.add_pixels(table)
        writer.finalize()
        return file
    single = tmp_path / "single.cool"
    cooler = hictkpy.cooler.FileWriter(single, SIZES, RESOLUTION)
    cooler.add_pixels(table)
    cooler.finalize()
    return single.rename(file) if request.param == "cool" else zoomify(single, file)


def zoomify(single: Path, file: Path) -> Path:
    """Put a .cool at the place in a .mcool where its resolution belongs."""
    import h5py

    with h5py.File(single) as source, h5py.File(file, "w") as target:
        target.attrs["format"], target.attrs["format-version"] = "HDF5::MCOOL", 2
        source.copy(source, target.create_group("resolutions"), name=str(RESOLUTION))
        for name, value in source.attrs.items():
            target[f"resolutions/{RESOLUTION}"].attrs[name] = value
    return file


def opened(path: Path, **options: object) -> MatrixContacts:
    return MatrixContacts(path, **{"resolution": RESOLUTION, "normalization": "NONE", "band": 30, **options})  # type: ignore[arg-type]


def expected(chrom: str, tss: int, start: int, length: int, band: int) -> list[float]:
    """The contact of each base, looked up one by one."""
    values = []
    for base in range(start, start + length):
        inside = 0 <= base < SIZES[chrom] and abs(base // RESOLUTION - tss // RESOLUTION) <= -(-band // RESOLUTION)
        values.append(float(MATRICES[chrom][tss // RESOLUTION, base // RESOLUTION]) if inside else 0.0)
    return values


@pytest.mark.parametrize("band", [0, 25, 30, 1_000])
def test_profile_is_the_contact_of_each_base(path: Path, band: int) -> None:
    contacts = opened(path, band=band)
    assert contacts.chromosomes == SIZES
    for chrom in ("chr1", "chr2", "chr1"):
        tss = np.array([0, 59, 31, 30, 29, 31])
        starts = np.array([-20, 10, 20, 25, 0, 70])
        for length in (1, 10, 33, 120):
            profile = contacts.profile(chrom, tss, starts, length)
            assert profile.dtype == np.float32
            wanted = [expected(chrom, *pair, length, band) for pair in zip(tss, starts, strict=True)]
            np.testing.assert_array_equal(profile, wanted)


def test_no_genes(path: Path) -> None:
    none = np.empty(0, dtype=np.int64)
    assert opened(path).profile("chr1", none, none, 20).shape == (0, 20)


def test_other_names_and_unknown_chromosomes(path: Path) -> None:
    profile = opened(path).profile("2", np.array([31]), np.array([20]), 30)
    assert profile[0].tolist() == expected("chr2", 31, 20, 30, 30)
    with pytest.raises(InputError, match=r"has no chromosome 'chr3' \(it has 'chr1', 'chr2'\)"):
        opened(path).profile("chr3", np.array([31]), np.array([20]), 30)


@pytest.mark.parametrize("tss", [-1, 95])
def test_a_tss_past_the_end_is_refused(path: Path, tss: int) -> None:
    with pytest.raises(InputError, match=rf"the TSS at base {tss} is outside chr1 \(95 bp\). Use files of the same"):
        opened(path).profile("chr1", np.array([5, tss]), np.array([0, 0]), 10)


def test_contacts_can_be_pickled(path: Path) -> None:
    contacts = opened(path)
    again = pickle.loads(pickle.dumps(contacts))
    places = (np.array([31]), np.array([20]), 30)
    np.testing.assert_array_equal(again.profile("chr1", *places), contacts.profile("chr1", *places))


def test_an_unknown_resolution_or_normalization_is_refused(path: Path) -> None:
    with pytest.raises(
        InputError, match=r"has no contacts at a resolution of 25 bp. Set the resolution to one of: 10(, 20)?"
    ):
        opened(path, resolution=25)
    with pytest.raises(InputError, match=r"has no normalization 'KR'. Choose from: NONE"):
        opened(path, normalization="KR")


@pytest.mark.parametrize("kind", ["hic", "cool", "mcool"])
def test_a_file_that_is_not_a_matrix_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"text.{kind}"
    path.write_text("chr1\t1\t2\n")
    with pytest.raises(
        InputError, match=r"cannot be read as .hic, .cool or .mcool: .* Check its kind, or download it again"
    ):
        open_contacts(path, kind)
    with pytest.raises(InputError, match=r"none does not exist. Check its path"):
        open_contacts(tmp_path / "none", kind)


def test_weights_divide_counts_and_bins_without_one_have_no_contact(tmp_path: Path) -> None:
    file = tmp_path / "weighted.cool"
    writer = hictkpy.cooler.FileWriter(file, {"chr1": 40}, RESOLUTION)
    writer.add_pixels(pd.DataFrame({"bin1_id": [0, 0, 0], "bin2_id": [0, 1, 2], "count": [8, 6, 4]}))
    writer.finalize()
    import h5py

    with h5py.File(file, "r+") as cooler:
        cooler["bins/weight"] = np.array([0.5, 2.0, np.nan, 1.0])
    profile = opened(file, normalization="weight").profile("chr1", np.array([3]), np.array([0]), 40)
    assert profile[0].tolist() == [2.0] * 10 + [6.0] * 10 + [0.0] * 20


def test_damaged_data_is_named_with_its_chromosome(tmp_path: Path, write_cool: Callable[[Path], Path]) -> None:
    path = write_cool(tmp_path / "damaged.cool")
    with pytest.raises(InputError, match=r"cannot be read at chr1: .* The file is damaged; download it again"):
        opened(path).profile("chr1", np.array([3]), np.array([0]), 40)


@pytest.fixture
def write_cool() -> Callable[[Path], Path]:
    """Write a .cool whose packed counts are damaged, and whose frame is whole."""

    def write(file: Path) -> Path:
        import h5py

        writer = hictkpy.cooler.FileWriter(file, {"chr1": 4_000}, RESOLUTION)
        rows = np.arange(399)
        counts = np.random.default_rng(0).integers(1, 1_000_000, len(rows))
        writer.add_pixels(pd.DataFrame({"bin1_id": rows, "bin2_id": rows + 1, "count": counts}))
        writer.finalize()
        with h5py.File(file) as cooler:
            place = cooler["pixels/count"].id.get_chunk_info(0)
        damaged = bytearray(file.read_bytes())
        damaged[place.byte_offset + 10 : place.byte_offset + place.size] = bytes(place.size - 10)
        file.write_bytes(damaged)
        return file

    return write
