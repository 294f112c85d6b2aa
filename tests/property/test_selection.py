"""Laws of the models that select positions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import one_hot

from epigx.backbones import Caduceus
from epigx.batch import Batch
from epigx.models import Seq2ExpHard, Seq2ExpSoft
from epigx.models.head import centre_of
from epigx.models.mask_posterior import MaskEvidence
from epigx.models.seq2exp import Seq2ExpModel

SMALL = Caduceus(d_model=8, n_layers=1)
LENGTH = 32

cases = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 10_000),
        "genes": st.integers(1, 4),
        "pool": st.integers(1, LENGTH - 1),
        "strength": st.sampled_from([0.0, 0.1, 1.0, 100.0]),
    }
)
law = settings(deadline=None, max_examples=40)


def models(pool: int) -> tuple[Seq2ExpModel, Seq2ExpModel]:
    return Seq2ExpSoft(backbone=SMALL, generator=SMALL, pool=pool), Seq2ExpHard(backbone=SMALL, pool=pool)


def batch_of(case: dict[str, Any]) -> Batch:
    torch.manual_seed(case["seed"])
    genes = case["genes"]
    return Batch(
        sequence=one_hot(torch.randint(0, 4, (genes, LENGTH)), 4).float(),
        signals=case["strength"] * torch.rand(genes, LENGTH, 3),
        features=torch.randn(genes, 2),
        blacklist=torch.rand(genes, LENGTH) < 0.3,
    )


@law
@given(case=cases, training=st.booleans())
def test_a_mask_is_a_share_that_is_one_in_the_centre_and_zero_on_the_blacklist(
    case: dict[str, Any], training: bool
) -> None:
    batch = batch_of(case)
    for model in models(case["pool"]):
        mask = model.build(3, 2, LENGTH).train(training)(batch).mask
        centre = centre_of(LENGTH, case["pool"])
        assert ((mask >= 0) & (mask <= 1)).all()
        assert (mask[:, centre] == 1).all()
        outside = batch.blacklist.clone()
        outside[:, centre] = False
        assert not mask[outside].any()


@law
@given(case=cases)
def test_evaluation_draws_nothing_and_knows_no_neighbours(case: dict[str, Any]) -> None:
    batch = batch_of(case)
    for model in models(case["pool"]):
        network = model.build(3, 2, LENGTH).eval()
        with torch.no_grad():
            together, again = network(batch), network(batch)
            assert torch.equal(together.expression, again.expression)
            for gene in range(len(batch)):
                row = slice(gene, gene + 1)
                alone = network(
                    replace(
                        batch,
                        sequence=batch.sequence[row],
                        signals=batch.signals[row],
                        features=batch.features[row],
                        blacklist=batch.blacklist[row],
                    )
                )
                torch.testing.assert_close(alone.expression, together.expression[row], rtol=1e-5, atol=1e-6)


@law
@given(case=cases, packing=st.sampled_from(["gene", "batch"]))
def test_removing_nothing_is_multiplying_by_the_mask(case: dict[str, Any], packing: str) -> None:
    batch = replace(batch_of(case), blacklist=None)
    everything = MaskEvidence(scale=1e6, floor=1.0, against=(0.0, 0.0, 0.0))  # a mean of at least one half
    shared = {"backbone": SMALL, "generator": SMALL, "pool": case["pool"], "evidence": everything}
    hard = Seq2ExpHard(positions=False, packing=packing, threshold=0.4, **shared).build(3, 2, LENGTH).eval()
    soft = Seq2ExpSoft(generator_signals=True, **shared).build(3, 2, LENGTH).eval()
    soft.load_state_dict(hard.state_dict())
    soft.draw = hard.draw
    with torch.no_grad():
        removed, multiplied = hard(batch), soft(batch)
    assert (removed.mask == 1).all()
    torch.testing.assert_close(removed.expression, multiplied.expression, rtol=1e-5, atol=1e-6)
