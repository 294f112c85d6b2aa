"""A prediction of the native kernel depends on its window alone: not on others, nor on the number of threads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from epigx.backbones import Caduceus, Mamba
from epigx.batch import Batch
from epigx.models import PredictorModel

pytestmark = pytest.mark.native

MODELS = {
    "caduceus": PredictorModel(backbone=Caduceus(n_layers=2), pool=50),
    "mamba": PredictorModel(backbone=Mamba(n_layers=1), pool=0),
    "several bases a position": PredictorModel(backbone=Caduceus(n_layers=1, d_model=24), pool=64, resolution=4),
}


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def windows(n: int, length: int) -> Batch:
    source = torch.Generator().manual_seed(length)
    bases = torch.randint(4, (n, length), generator=source)
    return Batch(
        sequence=torch.nn.functional.one_hot(bases, 4).float(),
        signals=torch.randn(n, length, 3, generator=source),
        features=torch.randn(n, 9, generator=source),
    )


def first(batch: Batch, n: int) -> Batch:
    return Batch(batch.sequence[:n], batch.signals[:n], batch.features[:n])


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", MODELS)
@given(length=st.sampled_from([13, 64, 77, 200, 333, 501, 1000]))
@settings(deadline=None, max_examples=5)
def test_bits_depend_on_the_window_alone(name: str, precision: torch.dtype, length: int) -> None:
    torch.manual_seed(0)
    length -= length % MODELS[name].resolution
    model = MODELS[name].build(3, 9, length).eval()
    whole = windows(24, length)

    def predict(n: int, threads: int) -> Tensor:
        torch.set_num_threads(threads)
        with torch.inference_mode(), torch.autocast("cpu", precision, enabled=precision != torch.float32):
            return model(first(whole, n)).expression

    expected = predict(24, 1)
    assert len(expected.unique()) == 24
    for n in (1, 2, 3, 8, 24):
        for threads in (1, 2):
            assert torch.equal(predict(n, threads), expected[:n]), (n, threads)
