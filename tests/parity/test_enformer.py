"""Enformer against enformer-pytorch, layer by layer, with the same weights."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from epigx.models.enformer import EnformerModel, EnformerTrunk

pytestmark = pytest.mark.oracle

SMALL = {"d_model": 48, "n_layers": 2, "n_heads": 4, "d_key": 8, "n_poolings": 4, "multiple": 8}
EXACT = {"atol": 2e-5, "rtol": 1e-4}
NOISE = 1e-5
"""What rounding leaves of a gradient that is 0: that of a bias before batch normalisation."""


@pytest.fixture(scope="module")
def oracle() -> type[nn.Module]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its dependencies' own
        from enformer_pytorch import Enformer
    return Enformer


def pair(oracle: Any, *, target: int = -1, **sizes: float) -> tuple[EnformerTrunk, nn.Module]:
    """Return our trunk and theirs with the same random weights, without dropout."""
    torch.manual_seed(0)
    config = EnformerModel(
        **{**SMALL, **sizes}, dropout=0, attention_dropout=0, position_dropout=0, central_bins=max(target, 0)
    )
    theirs = oracle.from_hparams(
        dim=config.d_model, depth=config.n_layers, heads=config.n_heads, attn_dim_key=config.d_key,
        num_downsamples=config.n_poolings, dim_divisible_by=config.multiple, target_length=target,
        dropout_rate=0, attn_dropout=0, pos_dropout=0, output_heads={},
    )  # fmt: skip
    for parameter in theirs.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)  # so that none is 0 or 1, above all not the way out
    ours = EnformerTrunk(config)
    copy_weights(theirs, ours)
    return ours, theirs


def copy_weights(theirs: Any, ours: EnformerTrunk) -> None:
    own = ours.state_dict()
    official = dict(theirs.state_dict())
    for name in list(own):
        found = official.pop(official_name(name))
        own[name].copy_(found.reshape(own[name].shape))
    assert not [name for name in official if not name.startswith("_trunk.")]  # every weight has its place


def official_name(name: str) -> str:
    """Translate the name of one of our weights."""
    first, *rest = name.split(".")
    if first == "transformer":
        block, part, *rest = rest
        branch = {
            "attention_norm": "0.fn.0",
            "attention": "0.fn.1",
            "perceptron": "1.fn",
        }[part]
        inner = {
            "query": "to_q", "key": "to_k", "value": "to_v", "out": "to_out", "distance": "to_rel_k",
            "content_bias": "rel_content_bias", "position_bias": "rel_pos_bias",
        }  # fmt: skip
        tail = [inner.get(word, word) if part == "attention" else word for word in rest]
        return ".".join(["transformer", block, branch, *tail])
    if first == "pointwise":
        return ".".join(["final_pointwise.1", *rest[1:]])
    where = rest[:2] if first == "tower" else rest[:1]
    inside = rest[len(where) :]
    if inside[0] == "logits":
        inside = ["to_attn_logits", *inside[1:]]
    elif where[-1] == "1":
        inside = ["fn", *inside]
    return ".".join(["conv_tower" if first == "tower" else first, *where, *inside])


def outputs(*modules: nn.Module) -> list[Tensor]:
    seen: list[Tensor] = []
    for module in modules:
        module.register_forward_hook(lambda _, __, output: seen.append(output))
    return seen


@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
@pytest.mark.parametrize("length", [16 * 12, 16 * 9 + 5], ids=["whole bins", "a part of a bin"])
def test_each_layer(oracle: Any, length: int, training: bool) -> None:
    ours, theirs = pair(oracle)
    ours.train(training), theirs.train(training)
    own = outputs(ours.stem, *ours.tower, *ours.transformer, ours.pointwise)
    official = outputs(theirs.stem, *theirs.conv_tower, *theirs.transformer, theirs.final_pointwise)
    sequence = torch.nn.functional.one_hot(torch.randint(0, 5, (2, length)), 5)[..., :4].float()
    ours(sequence), theirs(sequence, return_only_embeddings=True)
    assert len(own) == len(official) == 1 + 3 + 2 + 1
    for place, (mine, their) in enumerate(zip(own, official, strict=True)):
        their = their.transpose(1, 2) if place == len(own) - 1 else their
        torch.testing.assert_close(mine, their, **EXACT, msg=lambda text, place=place: f"layer {place}: {text}")


def test_gradients_and_statistics(oracle: Any) -> None:
    ours, theirs = pair(oracle)
    ours.train(), theirs.train()
    sequence = torch.nn.functional.one_hot(torch.randint(0, 4, (2, 192)), 4).float()
    weights = torch.randn(96)
    (ours(sequence) @ weights).square().mean().backward()
    (theirs(sequence, return_only_embeddings=True) @ weights).square().mean().backward()
    official = {**dict(theirs.named_parameters()), **dict(theirs.named_buffers())}
    for name, parameter in ours.named_parameters():
        expected = official[official_name(name)].grad.reshape(parameter.shape)
        torch.testing.assert_close(
            parameter.grad, expected, rtol=1e-3, atol=max(1e-3 * expected.abs().max().item(), NOISE)
        )
    for name, statistic in ours.named_buffers():
        torch.testing.assert_close(statistic, official[official_name(name)], **EXACT)


def test_outer_bins_are_cut_off(oracle: Any) -> None:
    ours, theirs = pair(oracle, target=8)
    sequence = torch.nn.functional.one_hot(torch.randint(0, 4, (2, 16 * 14)), 4).float()
    mine = ours.train()(sequence)
    assert mine.shape == (2, 8, 96)
    torch.testing.assert_close(mine, theirs.train()(sequence, return_only_embeddings=True), **EXACT)


@pytest.mark.parametrize(("d_model", "n_poolings", "multiple"), [(1536, 7, 128), (768, 5, 64), (96, 3, 8)])
def test_sizes_for_many_widths(oracle: Any, d_model: int, n_poolings: int, multiple: int) -> None:
    config = EnformerModel(d_model=d_model, n_poolings=n_poolings, multiple=multiple, n_layers=1)
    with torch.device("meta"):
        theirs = oracle.from_hparams(
            dim=d_model, depth=1, num_downsamples=n_poolings, dim_divisible_by=multiple, output_heads={}
        )
        ours = EnformerTrunk(config)
    assert {name: p.numel() for name, p in ours.named_parameters()} == {
        name: dict(theirs.named_parameters())[official_name(name)].numel() for name, _ in ours.named_parameters()
    }
    assert sum(p.numel() for p in ours.parameters()) == sum(p.numel() for p in theirs.parameters())
