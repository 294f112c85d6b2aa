"""Seq2Exp, soft and hard, and the mask of peaks: outputs, masks, losses and gradients of the official classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from epigx.batch import Batch
from epigx.importers.keys import peak_mask_system, seq2exp_system
from epigx.importers.seq2exp import read_seq2exp
from epigx.models.seq2exp import Seq2Exp
from epigx.objectives import Bottleneck, Regression
from epigx.training.weights import Networks

SOFT, HARD, PEAKS = "seq2exp_soft_L600", "seq2exp_hard_L600", "peakmask_macs3_1layer_L600"
OUTPUT = {"atol": 2e-5, "rtol": 1e-4}
LOSS = {"atol": 1e-6, "rtol": 1e-5}


class Case(NamedTuple):
    expected: dict[str, Any]
    networks: Networks
    batch: Batch

    def gradients(self) -> dict[str, Tensor | None]:
        """Gradients by official name, without the second name of a shared weight."""
        n_layers = self.expected["config"]["n_layer"]
        if "z_alpha" in self.expected["eval"]:
            hard = self.expected["config"]["enc_prd_ps"]
            names = seq2exp_system(n_layers, self.expected["config"]["gen_n_layer"], hard=hard)
        else:
            names = peak_mask_system(n_layers)
        own = dict(self.networks.model.named_parameters())
        wanted = self.expected["eval"]["grad_norm"].keys() | set(self.expected["eval"]["grad_none"])
        return {name: own[place.removeprefix("model.")].grad for name, place in names if name in wanted}


def load(name: str, folder: Path) -> Case:
    expected = torch.load(folder / f"{name}.pt", weights_only=True)
    imported = read_seq2exp(folder / expected["weights_file"], pool=expected["config"]["center_len"])
    inputs = expected["inputs"]
    batch = Batch(
        sequence=inputs["seqs"].float(),
        signals=inputs["signals"],
        features=inputs["rna_feat"],
        expression=inputs["y"].squeeze(1),
        peaks=inputs["peak_mask"].bool(),
        blacklist=inputs["mask_regions"][..., 1],
    )
    imported.networks.model.eval()
    return Case(expected, imported.networks, batch)


def close(actual: Tensor, expected: Any, **tolerance: float) -> None:
    torch.testing.assert_close(actual.detach().double(), torch.as_tensor(expected).double(), **tolerance)


@pytest.mark.parametrize("name", [SOFT, HARD, PEAKS])
def test_prediction_mask_losses_and_gradients(name: str, shared_fixtures: Path) -> None:
    case = load(name, shared_fixtures)
    want, head_inputs = case.expected["eval"], []
    model, objective = case.networks
    model.head.register_forward_pre_hook(lambda _, args: head_inputs.append(torch.cat(args, dim=-1)))
    prediction, loss = objective(model, case.batch)
    loss.total.backward()
    close(head_inputs[0], want["head_input"], **OUTPUT)
    close(prediction.expression, want["logits"].squeeze(1), **OUTPUT)
    close(prediction.mask, want["mask"], atol=1e-6, rtol=1e-5)
    close(loss.total, want["total_loss"], **LOSS)
    close(loss.terms["prediction"], want["losses"]["pred_loss"], **LOSS)
    gradients = case.gradients()
    for official, norm in want["grad_norm"].items():
        gradient = gradients[official]
        assert gradient is not None, official
        close(gradient.norm(), norm, rtol=1e-3, atol=1e-7)
    assert all(gradients[official] is None for official in want["grad_none"])


@pytest.mark.parametrize("name", [SOFT, HARD])
def test_the_distribution_of_the_mask(name: str, shared_fixtures: Path) -> None:
    case = load(name, shared_fixtures)
    model, want = case.networks.model, case.expected["eval"]
    assert isinstance(model, Seq2Exp)
    with torch.no_grad():
        posterior = model.select(case.batch).posterior
        _, loss = case.networks.objective(model, case.batch)
    close(posterior.concentration1, want["z_alpha"], **OUTPUT)
    close(posterior.concentration0, want["z_beta"], **OUTPUT)
    close(loss.terms["kl"], want["kl_loss"], **LOSS)
    close(loss.terms["continuity"], want["continuity_loss"], **LOSS)
    close(0.01 * loss.terms["kl"], want["losses"]["kl_loss"], **LOSS)


@pytest.mark.parametrize("name", [SOFT, HARD])
def test_the_sequences_part_of_it(name: str, shared_fixtures: Path) -> None:
    case = load(name, shared_fixtures)
    model, config, want = case.networks.model, case.expected["config"], case.expected["eval"]
    silent = torch.full_like(case.batch.signals, -1.0)  # a signal below zero counts as none
    seen: list[Tensor] = []
    model.posterior.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    with torch.no_grad():
        model(case.batch)
        without = model.posterior(seen[0], silent)
    floor, scale = config["beta_min"], config["prior_scale_factor"]
    against = torch.tensor([1.5, 0.2, 1.0]) + floor
    shares = torch.tensor([0.4, 0.4, 0.2])
    close(without.concentration1 - floor * scale, want["seq_alpha"], **OUTPUT)
    close(without.concentration0 - scale * (against * shares).sum(), want["seq_beta"], **OUTPUT)


@pytest.mark.parametrize("name", [SOFT, HARD, PEAKS])
def test_sizes_and_settings(name: str, shared_fixtures: Path) -> None:
    case = load(name, shared_fixtures)
    parameters = list(case.networks.model.parameters())
    assert sum(parameter.numel() for parameter in parameters) == case.expected["n_params"]
    trained = sum(parameter.numel() for parameter in parameters if parameter.requires_grad)
    assert trained == case.expected["n_trainable"]
    config = read_seq2exp(shared_fixtures / f"{name}.weights.pt", pool=200).config
    official = case.expected["config"]
    if name == PEAKS:
        assert config.method.objective == Regression(distance="smooth_l1")
        return
    assert config.method.objective == Bottleneck(mean=official["marginal_mean"], scale=official["marginal_scale"])
    evidence = config.method.model.evidence
    assert (evidence.scale, evidence.floor) == (official["prior_scale_factor"], official["beta_min"])
    assert (evidence.against, evidence.weights) == ((1.5, 0.2, 1.0), (0.4, 0.4, 0.2))


@pytest.mark.parametrize("name", ["caduceus_signals_L600", "caduceus_nosignal_1layer_L600", "mamba_2layer_L600"])
def test_the_systems_that_it_was_compared_with(name: str, shared_fixtures: Path) -> None:
    case = load(name, shared_fixtures)
    with torch.no_grad():
        prediction = case.networks.model(case.batch)
    close(prediction.expression, case.expected["eval"]["logits"].squeeze(1), **OUTPUT)
