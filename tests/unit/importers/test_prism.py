from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from epigx.backbones import Caduceus
from epigx.errors import InputError, RunError
from epigx.importers.keys import prism_names
from epigx.importers.prism import read_prism
from epigx.models import PredictorModel
from epigx.objectives import Backdoor, Regression
from epigx.runs.folder import open_run


def official(n_layers: int = 1, *, d_model: int = 8, n_patterns: int = 2, n_signals: int = 3) -> dict[str, Tensor]:
    """Weights as the official code names and shapes them; no patterns, no confounder encoder."""
    torch.manual_seed(0)
    model = PredictorModel(backbone=Caduceus(d_model=d_model, n_layers=n_layers))
    own = {f"model.{name}": tensor for name, tensor in model.build(n_signals, 9, 2000).state_dict().items()}
    if n_patterns:
        objective = Backdoor(n_patterns=n_patterns).build(model, n_signals)
        own |= {f"objective.{name}": tensor for name, tensor in objective.state_dict().items()}
    weights = {name: own[place].clone() for name, place in prism_names(n_layers, intervention=n_patterns > 0)}
    return {name: tensor.unsqueeze(1) if name.endswith("conv1d.weight") else tensor for name, tensor in weights.items()}


def save(weights: dict[str, Tensor], folder: Path) -> Path:
    torch.save(weights, folder / "prism.pt")
    return folder / "prism.pt"


@pytest.mark.parametrize("n_patterns", [0, 1, 4])
@pytest.mark.parametrize("n_layers", [1, 3])
def test_the_configuration_is_inferred(n_layers: int, n_patterns: int, tmp_path: Path) -> None:
    path = save(official(n_layers, n_patterns=n_patterns), tmp_path)
    prism = read_prism(path, cell_type="GM12878", pool=500, activation="softmax")
    assert prism.config.method.model == PredictorModel(backbone=Caduceus(d_model=8, n_layers=n_layers), pool=500)
    assert prism.config.data.cell_types == ("GM12878",)
    if n_patterns:
        assert prism.config.method.objective == Backdoor(
            n_patterns=n_patterns, distance="smooth_l1", average="hidden", diagonal=True, activation="softmax"
        )
    else:
        assert prism.config.method.objective == Regression(distance="smooth_l1")


def test_what_the_official_model_reads(tmp_path: Path) -> None:
    inputs = read_prism(save(official(), tmp_path)).inputs
    assert inputs.window == 2_000
    assert [(signal.name, signal.transform) for signal in inputs.signals] == [
        ("h3k27ac", "none"),
        ("dnase", "none"),
        ("hic", "log10p1"),
    ]
    assert len(inputs.features) == 9
    assert {feature.transform for feature in inputs.features} == {"none"}
    fewer = read_prism(save(official(n_signals=1), tmp_path)).inputs
    assert [signal.name for signal in fewer.signals] == ["h3k27ac"]


def test_a_cell_type_that_nobody_tells(tmp_path: Path) -> None:
    run = read_prism(save(official(), tmp_path)).write(tmp_path / "run")
    assert run.provenance.cell_types == ()
    assert run.config.data.cell_types == ("unknown",)


def test_lightning_prefix_and_bfloat16(tmp_path: Path) -> None:
    weights = official()
    wrapped = {
        f"model.{name}": tensor.bfloat16() if tensor.is_floating_point() else tensor for name, tensor in weights.items()
    }
    torch.save({"state_dict": wrapped, "epoch": 3}, tmp_path / "lightning.ckpt")
    model = read_prism(tmp_path / "lightning.ckpt").networks.model
    assert model.sequence_encoder.weight.dtype == torch.float32
    torch.testing.assert_close(
        model.sequence_encoder.weight, weights["seq_input_layer.weight"].bfloat16().float(), rtol=0, atol=0
    )


def test_a_run_is_written_that_loads_without_the_checkpoint(tmp_path: Path) -> None:
    path = save(official(), tmp_path)
    run = read_prism(path, cell_type="K562").write(tmp_path / "run")
    path.unlink()
    run = open_run(run.path)
    assert run.provenance.cell_types == ("K562",)
    assert run.provenance.origin == "imported from prism.pt"
    assert len(run.provenance.chromosomes_trained) == 19
    assert not {"chr3", "chr21", "chr22", "chrX"} & set(run.provenance.chromosomes_trained)
    weights = official()
    assert torch.equal(run.model().head.layers[4].weight, weights["pToExpr.4.weight"])
    assert torch.equal(
        run.objective().confounder_encoder.projection.bias, weights["weight_generator.weight_projector.0.bias"]
    )
    with pytest.raises(InputError, match="already exists"):
        read_prism(save(weights, tmp_path)).write(tmp_path / "run")
    read_prism(tmp_path / "prism.pt").write(tmp_path / "run", force=True)


def changed(**changes: Tensor | None) -> dict[str, Tensor]:
    weights = official()
    for name, tensor in changes.items():
        name = name.replace("__", ".")
        if tensor is None:
            del weights[name]
        else:
            weights[name] = tensor
    return weights


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (changed(pToExpr__0__bias=None), r"is not a Prism checkpoint: it has no 'pToExpr\.0\.bias'"),
        (changed(generator__weight=torch.ones(1)), "it has an unexpected 'generator.weight'"),
        (
            changed(seq_input_layer__bias=torch.ones(3)),
            r"belongs to another model: 'seq_input_layer\.bias' has the shape \(3,\), and \(8,\) was expected",
        ),
        (
            changed(caduceus__backbone__layers__0__mixer__mamba_rev__in_proj__weight=torch.zeros(32, 8)),
            r"'caduceus.*mamba_rev\.in_proj\.weight' differs from the weight that it is shared with",
        ),
        (changed(pToExpr__0__weight=torch.ones(8, 8 + 5)), "reads 3 signals and 5 features"),
        (official(n_signals=4), "reads 4 signals and 9 features. A checkpoint of this code reads up to 3"),
        (changed(signal_input_layer__weight=torch.ones(3)), "belongs to another model: 'signal_input_layer.weight'"),
        ({"a": torch.ones(1)}, "is not a Prism checkpoint: it has an unexpected 'a'"),
        ({}, "is not a Prism checkpoint: it has no"),
    ],
)
def test_a_checkpoint_of_another_model(weights: dict[str, Tensor], message: str, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=message):
        read_prism(save(weights, tmp_path)).write(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_nothing_is_built_that_the_file_does_not_fill(tmp_path: Path) -> None:
    wide = 50_000  # channels: the network would take 100 GB
    weights = changed(signal_input_layer__weight=torch.zeros(wide, 1), pToExpr__0__weight=torch.zeros(1, wide + 9))
    with pytest.raises(RunError, match=rf"and \(({wide}|\d+, {wide}).* was expected"):
        read_prism(save(weights, tmp_path))


@pytest.mark.parametrize(
    "name", ["caduceus_signals_L600", "mamba_2layer_L600", "hyena_1layer_L600", "seq2exp_soft_L600", "epinformer_v2"]
)
def test_official_checkpoints_of_other_models_are_refused(name: str, shared_fixtures: Path) -> None:
    with pytest.raises(RunError, match=r"is not a Prism checkpoint: it has (no|an unexpected) '"):
        read_prism(shared_fixtures / f"{name}.weights.pt")
