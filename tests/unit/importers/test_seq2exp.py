from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from epigx.backbones import Caduceus, Mamba
from epigx.errors import ConfigError, RunError
from epigx.importers.keys import caduceus_system, mamba_system, peak_mask_system, seq2exp_system
from epigx.importers.seq2exp import read_seq2exp
from epigx.models import Model, PredictorModel, Seq2ExpHard, Seq2ExpSoft
from epigx.models.mask_posterior import MaskEvidence
from epigx.objectives import Bottleneck, Regression
from epigx.runs.folder import open_run

ONE, TWO = Caduceus(d_model=8, n_layers=1), Caduceus(d_model=8, n_layers=2)
SHARES = (0.4, 0.4, 0.2)
SOFT = Seq2ExpSoft(backbone=ONE, generator=TWO, pool=500, evidence=MaskEvidence(weights=SHARES, scale=10.0, floor=1.0))
HARD = Seq2ExpHard(backbone=ONE, pool=500, packing="batch", evidence=MaskEvidence(weights=SHARES, scale=1.0, floor=0.0))
PEAKS = PredictorModel(backbone=TWO, pool=500, mask="peaks")
SIGNALS = PredictorModel(backbone=TWO, pool=500)
DNA = PredictorModel(backbone=ONE, pool=500, signals=False)
MAMBA = PredictorModel(backbone=Mamba(d_model=8, n_layers=2), pool=500, signals=False)
WINDOW = 600


def official(model: Model) -> dict[str, Tensor]:
    """Weights of a model as the official code names and shapes them."""
    torch.manual_seed(0)
    own = {f"model.{name}": tensor for name, tensor in model.build(3, 9, WINDOW).state_dict().items()}
    names = {
        id(SOFT): lambda: seq2exp_system(1, 2, hard=False),
        id(HARD): lambda: seq2exp_system(1, 1, hard=True),
        id(PEAKS): lambda: peak_mask_system(2),
        id(SIGNALS): lambda: caduceus_system(2, signals=True),
        id(DNA): lambda: caduceus_system(1, signals=False),
        id(MAMBA): lambda: mamba_system(2),
    }[id(model)]()
    weights = {name: own[place].clone() for name, place in names}
    if model in (SIGNALS, DNA):
        parts = [weights.pop(f"{part}_input_layer.weight", torch.zeros(8, 0)) for part in ("seq", "signal")]
        weights["input_layer.weight"] = torch.cat(parts, dim=1)
        weights["input_layer.bias"] = weights.pop("seq_input_layer.bias")
        weights.pop("signal_input_layer.bias", None)
    return {name: tensor.unsqueeze(1) if name.endswith("conv1d.weight") else tensor for name, tensor in weights.items()}


def save(weights: dict[str, Tensor], folder: Path) -> Path:
    torch.save(weights, folder / "official.pt")
    return folder / "official.pt"


@pytest.mark.parametrize("model", [SOFT, HARD, PEAKS, SIGNALS, DNA, MAMBA])
@pytest.mark.parametrize("lightning", [False, True])
def test_the_system_is_recognised_by_its_names(model: Model, lightning: bool, tmp_path: Path) -> None:
    weights = official(model)
    if lightning:
        torch.save({"state_dict": {f"model.{name}": tensor for name, tensor in weights.items()}}, tmp_path / "a.ckpt")
    imported = read_seq2exp(tmp_path / "a.ckpt" if lightning else save(weights, tmp_path), cell_type="K562", pool=500)
    assert imported.config.method.model == model
    assert imported.config.data.cell_types == ("K562",)
    signals = [signal.name for signal in imported.inputs.signals]
    assert signals == ([] if model in (DNA, MAMBA) else ["h3k27ac", "dnase", "hic"])
    assert imported.inputs.window == (WINDOW if model is HARD else 200_000)
    torch.manual_seed(0)
    expected = model.build(3, 9, WINDOW).state_dict()
    found = imported.networks.model.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


def test_the_objectives_are_the_official_ones(tmp_path: Path) -> None:
    objectives = [
        read_seq2exp(save(official(model), tmp_path), pool=500).config.method.objective for model in (SOFT, HARD)
    ]
    assert objectives == [Bottleneck(mean=0.1, scale=10.0), Bottleneck(mean=0.45, scale=0.1)]
    assert read_seq2exp(save(official(PEAKS), tmp_path)).config.method.objective == Regression(distance="smooth_l1")


def test_the_evidence_of_signals_is_that_of_the_file(tmp_path: Path) -> None:
    weights = official(SOFT)
    weights["prior_weights"] = torch.tensor([0.5, 0.25, 0.25]).log()
    weights["signal_betas"] = torch.tensor([1.0, 2.0, 3.0])
    imported = read_seq2exp(save(weights, tmp_path), pool=500)
    evidence = imported.config.method.model.evidence
    assert (evidence.weights, evidence.against, evidence.scale) == ((0.5, 0.25, 0.25), (1.0, 2.0, 3.0), 10.0)
    torch.testing.assert_close(imported.networks.model.posterior.log_shares, weights["prior_weights"])


def test_a_run_is_written_that_loads_without_the_checkpoint(tmp_path: Path) -> None:
    path = save(official(HARD), tmp_path)
    read_seq2exp(path, pool=500).write(tmp_path / "run")
    path.unlink()
    run = open_run(tmp_path / "run")
    assert run.provenance.origin == "imported from official.pt"
    assert run.provenance.cell_types == ()
    assert run.config.method.model == HARD
    assert run.model().positions.shape == (1, WINDOW, 8)


def changed(model: Model, change: Callable[[dict[str, Tensor]], object]) -> dict[str, Tensor]:
    weights = official(model)
    change(weights)
    return weights


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (
            changed(SOFT, lambda w: w.pop("mask_output.bias")),
            "is not a Seq2Exp checkpoint: it has no 'mask_output.bias'",
        ),
        (changed(HARD, lambda w: w.update(a=torch.ones(1))), "is not a Seq2Exp checkpoint: it has an unexpected 'a'"),
        (changed(MAMBA, lambda w: w.update(a=torch.ones(1))), "is not a Mamba checkpoint: it has an unexpected 'a'"),
        ({"a": torch.ones(1)}, "is not a checkpoint of Seq2Exp, a mask of peaks, Caduceus or Mamba: it has"),
        (
            changed(HARD, lambda w: w.update({"encoder.backbone.norm_f.weight": torch.zeros(8)})),
            r"'(en|gen)\w+\.backbone\.norm_f\.weight' differs from the weight that it is shared with",
        ),
        (changed(PEAKS, lambda w: w.update({"pToExpr.0.weight": torch.ones(8, 8)})), "reads 3 signals and 0 features"),
        (
            changed(DNA, lambda w: w.update({"input_layer.weight": torch.ones(8, 12)})),
            "it has (no|an unexpected) 'signal_input_layer|reads 8 signals and 9 features",
        ),
        (
            changed(SOFT, lambda w: w.update({"signal_input_layer.weight": torch.ones(8)})),
            r"belongs to another model: 'signal_input_layer\.weight' has the shape \(8,\)",
        ),
    ],
)
def test_a_checkpoint_of_another_model(weights: dict[str, Tensor], message: str, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=message):
        read_seq2exp(save(weights, tmp_path), pool=500).write(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_centre_that_leaves_nothing_to_select(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"shape \(1, 600, 8\), so a pooled centre of 2,000 bp leaves nothing.*\(pool\)"
    ):
        read_seq2exp(save(official(HARD), tmp_path))


@pytest.mark.parametrize("name", ["hyena_1layer_L600", "epinformer_v2", "prism_seed0"])
def test_official_checkpoints_of_other_models_are_refused(name: str, shared_fixtures: Path) -> None:
    with pytest.raises(RunError, match="is not a checkpoint of Seq2Exp, a mask of peaks, Caduceus or Mamba: it has"):
        read_seq2exp(shared_fixtures / f"{name}.weights.pt")
