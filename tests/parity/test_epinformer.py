"""EPInformer v2 against the official class."""

from __future__ import annotations

from typing import NamedTuple

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from epigx.batch import Batch, Elements
from epigx.models import EPInformerModel
from epigx.models.epinformer import EPInformer


class Official(NamedTuple):
    expected: dict
    model: EPInformer
    batch: Batch
    names: dict[str, str]
    """Official name by epigx's."""


def _names() -> dict[str, str]:
    """Return the official modules by epigx's."""
    names = {"encoder.stem": "seq_encoder.stem_conv.0", "encoder.summarise.0": "conv_out.12"}
    for stage in range(4):
        for part in (0, 1):
            names[f"encoder.stages.{stage}.0.{part}"] = f"seq_encoder.conv_tower.{2 * stage}.{part}"
        names[f"encoder.mixers.{stage}"] = f"seq_encoder.conv_tower.{2 * stage + 1}.0"
        for part in (0, 1):
            names[f"encoder.refine.{stage}.{part}"] = f"conv_out.{3 * stage + part}"
    for layer in range(3):
        theirs = f"attn_encoder.{layer}"
        names |= {
            f"layers.{layer}.attention": f"{theirs}.self_attn",
            f"layers.{layer}.before_attention": f"{theirs}.norm1",
            f"layers.{layer}.before_perceptron": f"{theirs}.norm2",
            f"layers.{layer}.perceptron": f"{theirs}.ff",
        }
    return names | {"join": "add_pos_conv", "head.layers": "pToExpr"}


def _official_name(own: str) -> str:
    prefix = max((prefix for prefix in _names() if own.startswith(f"{prefix}.")), key=len)
    return _names()[prefix] + own.removeprefix(prefix)


def _squeezed(official: Tensor, like: Tensor) -> Tensor:
    """Return official weights, some of which have axes of length 1 more, float32."""
    values = official.float() if official.is_floating_point() else official
    return values.reshape(like.shape) if values.numel() == like.numel() else values


@pytest.fixture(scope="module")
def official(shared_fixtures) -> Official:
    expected = torch.load(shared_fixtures / "epinformer_v2.pt", weights_only=True)
    weights = torch.load(shared_fixtures / expected["weights_file"], weights_only=True)
    model = EPInformerModel().build(0, 9, 2_000)
    own = model.state_dict()
    names = {name: _official_name(name) for name in own}
    assert set(names.values()) == set(weights)
    model.load_state_dict({name: _squeezed(weights[names[name]], tensor) for name, tensor in own.items()})
    inputs = expected["inputs"]
    bases = functional.one_hot(inputs["pe_index"].long(), 5)[..., :4].float()
    batch = Batch(
        sequence=torch.zeros(2, 2, 4),
        signals=torch.zeros(2, 2, 0),
        features=inputs["rna_feat"],
        expression=inputs["y"].squeeze(1),
        elements=Elements(sequence=bases, features=inputs["extraFeat"]),
    )
    return Official(expected, model.eval(), batch, names)


def test_outputs(official):
    given = official.expected["eval"]
    with torch.no_grad():
        promoter = official.model.promoter(official.batch.elements)
        expression = official.model(official.batch).expression
    torch.testing.assert_close(
        torch.cat([promoter, official.batch.features], dim=1), given["head_input"], atol=2e-5, rtol=1e-4
    )
    torch.testing.assert_close(expression, given["logits"].squeeze(1), atol=2e-5, rtol=1e-4)


def test_gradients(official):
    given = official.expected["eval"]
    official.model.zero_grad()
    loss = functional.smooth_l1_loss(official.model(official.batch).expression, official.batch.expression)
    assert loss.item() == pytest.approx(given["losses"]["pred_loss"], rel=1e-5)
    loss.backward()
    norms = {official.names[name]: float(p.grad.norm()) for name, p in official.model.named_parameters()}
    assert norms == pytest.approx(given["grad_norm"], rel=1e-3, abs=1e-7)


def test_size(official):
    assert sum(p.numel() for p in official.model.parameters()) == official.expected["n_params"] == 447_341
