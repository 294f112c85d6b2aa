from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from epigx.dataset.store import digest, open_dataset
from epigx.errors import DatasetError


@pytest.fixture
def folder(tiny_dataset, tmp_path):
    return shutil.copytree(tiny_dataset, tmp_path / "data")


def _change(folder, **values):
    path = folder / "dataset.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_what_it_holds(folder):
    dataset = open_dataset(folder)
    assert len(dataset) == 60
    assert dataset.window == 128
    assert dataset.cell_types == ("alpha", "beta", "bare")
    assert dataset.sequence.shape == (60, 128)
    assert dataset.signal_values("beta").shape == (60, 128, 3)
    assert dataset.feature_values("alpha").shape == (60, 2)
    assert dataset.expression("alpha").dtype == np.float32
    assert np.isnan(dataset.expression("bare")).all()
    assert dataset.split.test == ("chr4",)
    dataset.verify()


def test_arrays_are_read_only_and_on_disk(folder):
    dataset = open_dataset(folder)
    assert isinstance(dataset.sequence, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        dataset.signal_values("alpha")[0] = 1


def test_per_cell_features_differ(folder):
    dataset = open_dataset(folder)
    alpha, beta = dataset.feature_values("alpha"), dataset.feature_values("beta")
    np.testing.assert_array_equal(alpha[:, 0], beta[:, 0])
    np.testing.assert_array_equal(beta[:, 1], dataset.genes["promoter:beta"])
    assert (alpha[:, 1] != beta[:, 1]).any()


def test_it_says_what_it_is(folder):
    text = repr(open_dataset(folder))
    assert "60 genes · 3 signals · 2 features · 128 bp · alpha, beta, bare · toy" in text


def test_it_opens_again_where_it_is_unpickled(folder):
    dataset = open_dataset(folder)
    packed = pickle.dumps(dataset)
    assert len(packed) < 1000
    np.testing.assert_array_equal(pickle.loads(packed).sequence, dataset.sequence)


def test_hash_changes_with_the_content(folder):
    before = open_dataset(folder).hash
    assert open_dataset(folder).hash == before
    codes = np.load(folder / "sequence.npy")
    codes[0, 0] ^= 1
    np.save(folder / "sequence.npy", codes)
    files = json.loads((folder / "dataset.json").read_text())["files"]
    _change(folder, files=files | {"sequence.npy": digest(folder / "sequence.npy").model_dump()})
    assert open_dataset(folder).hash != before


def test_cell_type_that_is_not_there(folder):
    dataset = open_dataset(folder)
    for read in (dataset.signal_values, dataset.expression, dataset.feature_values):
        with pytest.raises(DatasetError, match=r"data has no cell type 'alfa'\. Did you mean 'alpha'\?"):
            read("alfa")


def test_folder_that_is_none(tmp_path):
    with pytest.raises(DatasetError, match=r"is not a dataset: it has no dataset\.json\. Make one with `epigx build`"):
        open_dataset(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["sequence.npy", "signals/beta.npy", "genes.parquet"])
def test_file_that_is_missing(folder, name):
    (folder / name).unlink()
    with pytest.raises(DatasetError, match=rf"{name} is missing\. Build the dataset again, or copy it again"):
        open_dataset(folder)


@pytest.mark.parametrize("name", ["sequence.npy", "signals/beta.npy", "genes.parquet"])
def test_file_that_is_cut_off(folder, name):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-10])
    with pytest.raises(DatasetError, match=rf"{name} is .* bytes long instead of"):
        open_dataset(folder)


@pytest.mark.parametrize("name", ["sequence.npy", "genes.parquet"])
def test_file_of_rubbish(folder, name):
    size = (folder / name).stat().st_size
    (folder / name).write_bytes(b"x" * size)
    files = json.loads((folder / "dataset.json").read_text())["files"]
    _change(folder, files=files | {name: digest(folder / name).model_dump()})
    with pytest.raises(DatasetError, match=rf"{name} cannot be read"):
        open_dataset(folder)


def test_labels_that_were_changed_are_found_at_once(folder):
    table = folder / "genes.parquet"
    content = bytearray(table.read_bytes())
    content[len(content) // 2] ^= 1
    table.write_bytes(content)
    with pytest.raises(
        DatasetError, match=r"genes\.parquet is damaged: its checksum differs from the one in dataset\.json"
    ):
        open_dataset(folder)


def test_array_that_is_a_pickle(folder):
    content = (folder / "sequence.npy").read_bytes()
    np.save(folder / "sequence.npy", np.array([object()]), allow_pickle=True)
    raw = (folder / "sequence.npy").read_bytes()
    (folder / "sequence.npy").write_bytes(raw + b"\0" * (len(content) - len(raw)))
    with pytest.raises(DatasetError, match=r"sequence\.npy cannot be read"):
        open_dataset(folder)


@pytest.mark.parametrize("name", ["sequence.npy", "signals/beta.npy", "genes.parquet"])
def test_one_wrong_byte_is_found_by_the_checksum(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(DatasetError):
        open_dataset(folder).verify()


def test_message_of_the_checksum(folder):
    codes = np.load(folder / "sequence.npy")
    codes[0, 0] ^= 1
    np.save(folder / "sequence.npy", codes)
    with pytest.raises(
        DatasetError, match=r"sequence\.npy is damaged: its checksum differs from the one in dataset\.json"
    ):
        open_dataset(folder).verify()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"format_version": 2}, r"has format 2, but this epigx reads format 1\. Build the dataset again\."),
        ({"window": 100}, r"sequence\.npy is uint8 \(60, 128\) instead of uint8 \(60, 100\)"),
        ({"dtype": "float32"}, r"is float16 \(60, 128, 3\) instead of float32"),
        ({"extra": 1}, r"dataset\.json is damaged: unknown key 'extra'"),
        ({"cell_types": ["alpha", "gamma"]}, r"signals/gamma\.npy cannot be read"),
        ({"features": [{"name": "gone"}]}, r"genes\.parquet has no column 'gone'"),
    ],
)
def test_description_that_does_not_fit(folder, values, message):
    _change(folder, **values)
    with pytest.raises(DatasetError, match=message):
        open_dataset(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00"])
def test_description_that_is_none(folder, text):
    (folder / "dataset.json").write_text(text)
    with pytest.raises(DatasetError, match=r"dataset\.json (cannot be read|has format None)"):
        open_dataset(folder)


def test_table_of_other_length(folder):
    pd.read_parquet(folder / "genes.parquet").iloc[:-1].to_parquet(folder / "genes.parquet", index=False)
    files = json.loads((folder / "dataset.json").read_text())["files"]
    _change(folder, files=files | {"genes.parquet": digest(folder / "genes.parquet").model_dump()})
    with pytest.raises(DatasetError, match=r"genes\.parquet has 59 genes instead of 60"):
        open_dataset(folder)


def test_one_gene_by_symbol_or_id(folder):
    dataset = open_dataset(folder)
    window = dataset["S007"]
    assert window.gene["gene_id"] == "G007"
    assert dataset["G007"].gene["symbol"] == "S007"
    assert window.gene["tss"] == 4500
    assert type(window.gene["tss"]) is int
    assert len(window.bases) == 128
    assert set(window.bases) <= set("ACGTN")
    assert ["ACGT".index(base) for base in window.bases] == dataset.sequence[7].tolist()
    assert window.signal_names == ("h3k27ac", "dnase", "hic")
    assert list(window.signals) == list(window.features) == list(window.labels) == ["alpha", "beta", "bare"]
    np.testing.assert_array_equal(window.signals["beta"], dataset.signal_values("beta")[7])
    assert window.features["beta"] == {
        "length": dataset.genes["length"][7],
        "promoter": dataset.genes["promoter:beta"][7],
    }
    assert window.labels["alpha"] == dataset.expression("alpha")[7]
    assert np.isnan(window.labels["bare"])
    assert repr(window) == ("GeneWindow(S007, G007): chr1:4,501 (-) · 128 bp · h3k27ac, dnase, hic · alpha, beta, bare")


def test_several_genes_in_the_order_asked_for(folder):
    dataset = open_dataset(folder)
    assert dataset.find(["S007", "G003", "S007"]).tolist() == [7, 3, 7]
    assert dataset.find("S007").tolist() == [7]
    assert dataset.find([]).dtype == np.int64


def test_html_for_notebooks(folder):
    html = open_dataset(folder)._repr_html_()
    assert html.startswith("<table>")
    assert "<td>60 (36 train, 12 valid, 12 test)</td>" in html
    assert "alpha (60 labels), beta (33 labels), bare (0 labels)" in html
    assert "h3k27ac (foreground), dnase (background), hic (background)" in html
    assert "length, promoter" in html


def test_reading_a_dataset_needs_no_torch():
    code = "import sys, epigx.dataset.store, epigx.dataset.inputs; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout == "False\n"
