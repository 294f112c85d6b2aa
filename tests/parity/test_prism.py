"""Outputs, losses, gradients and three training steps of the official classes, from the official weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from epigx.training.optim import parameter_groups

NAMES = [
    pytest.param("prism_L2000_seed0", marks=pytest.mark.slow),
    "prism_L500_seed0",
    "prism_small_nctx4_softmax",
    "prism_small_nctx1",
    "prism_small_nointervention",
]
OUTPUT = {"atol": 2e-5, "rtol": 1e-4}
LOSS = {"atol": 1e-6, "rtol": 1e-5}
NOISE = 1e-7
"""What rounding leaves of a gradient that is 0: that of a convolution's bias before batch normalisation."""


def close(actual: Any, expected: Any, **tolerance: float) -> None:
    torch.testing.assert_close(torch.as_tensor(actual).double(), torch.as_tensor(expected).double(), **tolerance)


def inputs_of(module: nn.Module) -> list[tuple[Tensor, ...]]:
    seen: list[tuple[Tensor, ...]] = []
    module.register_forward_pre_hook(lambda _, args: seen.append(args))
    return seen


def outputs_of(module: nn.Module) -> list[Tensor]:
    seen: list[Tensor] = []
    module.register_forward_hook(lambda _, __, output: seen.append(output))
    return seen


@pytest.mark.parametrize("name", NAMES)
def test_evaluation(name: str, case: Callable[[str], Any]) -> None:
    expected, networks, batch = case(name)
    model, objective = networks.model.eval(), networks.objective.eval()
    assert sum(networks.parameters().values()) == expected["n_params"]
    hidden, head = outputs_of(model.backbone), inputs_of(model.head)
    with torch.no_grad():
        prediction, loss = objective(model, batch)
    want = expected["eval"]
    close(hidden[0][:, :: want["backbone_out_stride"]], want["backbone_out_strided"], **OUTPUT)
    close(prediction.expression, want["logits"].squeeze(1), **OUTPUT)
    head_inputs = torch.cat(head[0], dim=-1).view(len(batch), -1, want["head_input_original"].shape[1])
    close(head_inputs[:, 0], want["head_input_original"], **OUTPUT)
    if "intervention_logits" in want:
        close(head_inputs[:, 1], want["head_input_intervention"], **OUTPUT)
        close(prediction.interventional, want["intervention_logits"].squeeze(1), **OUTPUT)
        close(prediction.patterns.transpose(1, 2), want["context_weights"], **OUTPUT)
        close(loss.terms["diversity"], want["uniform_loss"], **LOSS)
    else:
        assert prediction.interventional is None


@pytest.mark.parametrize("name", NAMES[:2])
def test_one_arm_gives_the_same_prediction(name: str, case: Callable[[str], Any]) -> None:
    expected, networks, batch = case(name)
    with torch.no_grad():
        close(networks.model.eval()(batch).expression, expected["eval"]["logits"].squeeze(1), **OUTPUT)


@pytest.mark.parametrize("name", NAMES)
def test_training_step(name: str, case: Callable[[str], Any]) -> None:
    loaded = case(name)
    expected, networks, batch = loaded
    model, objective = networks.model.train(), networks.objective.train()
    prediction, loss = objective(model, batch)
    loss.total.backward()
    want = expected["train"]
    close(prediction.expression.detach(), want["logits"].squeeze(1), **OUTPUT)
    close(loss.total.detach(), want["total_loss"], **LOSS)
    close(loss.terms["prediction"], want["pred_loss"], **LOSS)
    if loaded.intervention:
        close(prediction.interventional.detach(), want["aux_intervention_logits"].squeeze(1), **OUTPUT)
        close(loss.terms["intervention"], want["intervention_loss"], **LOSS)
        close(loss.terms["diversity"], want["uniform_loss"], **LOSS)
    compare_gradients(loaded.parameters(), want)
    compare_statistics(objective, want["bn_after"])


def compare_gradients(parameters: dict[str, Tensor], want: dict[str, Any]) -> None:
    assert parameters.keys() == want["grad_norm"].keys()
    for name, parameter in parameters.items():
        close(parameter.grad.norm(), want["grad_norm"][name], rtol=1e-3, atol=NOISE)
    for name, gradient in want["grads_full"].items():
        bound = max(1e-3 * gradient.abs().max().item(), NOISE)
        close(parameters[name].grad.view(gradient.shape), gradient, rtol=0, atol=bound)
    total = torch.stack([parameter.grad.norm() for parameter in parameters.values()]).norm()
    close(total, want["grad_total_norm"], rtol=1e-3, atol=0)


def compare_statistics(objective: nn.Module, want: dict[str, Tensor]) -> None:
    own = dict(objective.named_buffers())
    assert len(own) == len(want)
    for name, statistic in want.items():
        stage = {"1": "0", "5": "1", "9": "2"}[name.split(".")[2]]
        close(own[f"confounder_encoder.convolutions.{stage}.1.{name.split('.')[3]}"], statistic, **OUTPUT)


@pytest.mark.slow
def test_trajectory(case: Callable[[str], Any]) -> None:
    expected, networks, batch = case("prism_L500_seed0")
    want = expected["trajectory"]
    model, objective = networks.model.train(), networks.objective.train()
    groups = parameter_groups(model, objective, weight_decay=want["weight_decay"])
    parameters = [parameter for group in groups for parameter in group["params"]]
    optimizer = torch.optim.AdamW(groups, lr=want["lr"], betas=tuple(want["betas"]))
    for step in want["steps"]:
        optimizer.zero_grad()
        prediction, loss = objective(model, batch)
        loss.total.backward()
        norm = nn.utils.clip_grad_norm_(parameters, want["clip"])
        optimizer.step()
        close(loss.total.detach(), step["total_loss"], rtol=1e-3, atol=0)
        close(loss.terms["prediction"], step["pred_loss"], rtol=1e-3, atol=0)
        close(loss.terms["intervention"], step["intervention_loss"], rtol=1e-3, atol=0)
        close(loss.terms["diversity"], step["uniform_loss"], rtol=1e-3, atol=0)
        close(prediction.expression.detach(), step["logits"].squeeze(1), rtol=1e-3, atol=1e-4)
        close(norm, step["grad_norm_before_clip"], rtol=1e-3, atol=0)
    with torch.no_grad():
        close(model.eval()(batch).expression, want["eval_logits_after"].squeeze(1), rtol=1e-3, atol=1e-4)


def test_parameter_groups_are_the_official_ones(case: Callable[[str], Any]) -> None:
    loaded = case("prism_L500_seed0")
    want = loaded.expected["trajectory"]
    names = {id(parameter): name for name, parameter in loaded.parameters().items()}
    decayed, undecayed = parameter_groups(*loaded.networks, weight_decay=1e-6)
    assert {names[id(p)] for p in decayed["params"]} == set(want["decay_params"])
    assert {names[id(p)] for p in undecayed["params"]} == set(want["no_decay_params"])
