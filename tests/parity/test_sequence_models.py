"""Mamba, HyenaDNA and Caduceus with and without signals: outputs and gradients of the official classes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from epigx.backbones import Backbone, Caduceus, HyenaDNA, Mamba
from epigx.batch import Batch
from epigx.models import PredictorModel
from epigx.objectives import Regression

OUTPUT = {"atol": 2e-5, "rtol": 1e-4}
HEAD = {f"pToExpr.{place}": f"head.layers.{place}" for place in (0, 2, 4)}
SCAN = {
    "conv1d.weight": "conv_weight", "conv1d.bias": "conv_bias", "x_proj.weight": "x_proj",
    "dt_proj.weight": "dt_weight", "dt_proj.bias": "dt_bias", "A_log": "A_log", "D": "D",
}  # fmt: skip
MAMBA = {
    **HEAD,
    r"model\.embedding": "sequence_encoder",
    r"model\.norm_f": "backbone.norm",
    r"model\.layers\.(\d+)\.norm": r"backbone.blocks.\1.norm",
    r"model\.layers\.(\d+)\.mixer\.(in|out)_proj": r"backbone.blocks.\1.mixer.\2_proj",
    **{rf"model\.layers\.(\d+)\.mixer\.{re.escape(their)}": rf"backbone.blocks.\1.mixer.forward_scan.{our}"
       for their, our in SCAN.items()},
}  # fmt: skip
CADUCEUS = {
    **HEAD,
    "input_layer": "sequence_encoder",
    r"caduceus\.backbone\.norm_f": "backbone.norm",
    r"caduceus\.backbone\.layers\.(\d+)\.norm": r"backbone.blocks.\1.norm",
    r"caduceus\.backbone\.layers\.(\d+)\.mixer\.mamba_fwd\.(in|out)_proj": r"backbone.blocks.\1.mixer.\2_proj",
    **{rf"caduceus\.backbone\.layers\.(\d+)\.mixer\.mamba_{side}\.{re.escape(their)}":
       rf"backbone.blocks.\1.mixer.{scan}.{our}"
       for side, scan in (("fwd", "forward_scan"), ("rev", "reverse_scan")) for their, our in SCAN.items()},
}  # fmt: skip
HYENA_BLOCK = {
    "norm1": "mixer_norm", r"norm2": "perceptron_norm", r"mlp\.fc1": "perceptron.0", r"mlp\.fc2": "perceptron.2",
    r"mixer\.(in|out)_proj": r"mixer.\2_proj", r"mixer\.short_filter\.(weight|bias)": r"mixer.conv_\2",
    r"mixer\.filter_fn\.bias": "mixer.skip_bias", r"mixer\.filter_fn\.implicit_filter\.1\.freq":
    "mixer.filter.sine.frequency",
    **{rf"mixer\.filter_fn\.implicit_filter\.{2 * n}": f"mixer.filter.layers.{n}" for n in range(4)},
}  # fmt: skip
HYENA = {
    **HEAD,
    r"model\.embeddings\.word_embeddings": "sequence_encoder",
    r"model\.ln_f": "backbone.norm",
    **{rf"model\.layers\.(\d+)\.{their}": rf"backbone.blocks.\1.{our}" for their, our in HYENA_BLOCK.items()},
}
REPEATED = re.compile(r"mamba_rev\.(in|out)_proj|implicit_filter\.[35]\.freq")
"""Second names of shared weights."""
COMPUTED = re.compile(r"pos_emb\.[tz]|modulation\.deltas")
"""What we compute from the position instead of keeping it."""


class System(NamedTuple):
    fixture: str
    backbone: Backbone
    names: dict[str, str]
    signals: bool = False


SYSTEMS = [
    System("mamba_2layer_L600", Mamba(n_layers=2), MAMBA),
    System("hyena_1layer_L600", HyenaDNA(n_layers=1, longest=600), HYENA),
    System("caduceus_nosignal_1layer_L600", Caduceus(n_layers=1), CADUCEUS),
    System("caduceus_signals_L600", Caduceus(n_layers=4), CADUCEUS, signals=True),
]


@pytest.fixture(params=SYSTEMS, ids=lambda system: system.fixture)
def system(request: pytest.FixtureRequest) -> System:
    return request.param


def translate(name: str, names: dict[str, str]) -> str:
    found = [re.sub(rf"^{their}", our, name) for their, our in names.items() if re.match(rf"{their}(\.|$)", name)]
    assert len(found) == 1, f"{name}: {found}"
    return found[0]


def load(system: System, folder: Path) -> tuple[nn.Module, Batch, dict[str, Any]]:
    expected = torch.load(folder / f"{system.fixture}.pt", weights_only=True)
    official = torch.load(folder / expected["weights_file"], weights_only=True)
    model = PredictorModel(backbone=system.backbone, signals=system.signals, pool=expected["config"]["center_len"])
    network = model.build(n_signals=3, n_features=9, window=600)
    weights = {
        translate(name, system.names): tensor.float()
        for name, tensor in official.items()
        if not REPEATED.search(name) and not COMPUTED.search(name)
    }
    if system.signals:  # one layer on bases and signals there, the sum of two layers here
        together = weights["sequence_encoder.weight"]
        weights |= {
            "sequence_encoder.weight": together[:, :4],
            "signal_encoder.weight": together[:, 4:],
            "signal_encoder.bias": torch.zeros(len(together)),
        }
    own = network.state_dict()
    network.load_state_dict({name: tensor.reshape(own[name].shape) for name, tensor in weights.items()})
    inputs = expected["inputs"]
    batch = Batch(inputs["seqs"].float(), inputs["signals"], inputs["rna_feat"], inputs["y"].squeeze(1))
    return network.eval(), batch, expected


def close(actual: Tensor, expected: Any, **tolerance: float) -> None:
    torch.testing.assert_close(actual.detach().double(), torch.as_tensor(expected).double(), **tolerance)


def test_prediction_loss_and_gradients(system: System, shared_fixtures: Path) -> None:
    network, batch, expected = load(system, shared_fixtures)
    want, head_inputs = expected["eval"], []
    network.head.register_forward_pre_hook(lambda _, args: head_inputs.append(torch.cat(args, dim=-1)))
    objective = Regression(distance="smooth_l1").build(PredictorModel(), 3)
    prediction, loss = objective(network, batch)
    loss.total.backward()
    close(head_inputs[0], want["head_input"], **OUTPUT)
    close(prediction.expression, want["logits"].squeeze(1), **OUTPUT)
    close(loss.total, want["total_loss"], rtol=1e-5, atol=1e-6)
    gradients = {name: parameter.grad for name, parameter in network.named_parameters()}
    if system.signals:
        gradients["sequence_encoder.weight"] = torch.cat(
            [gradients["sequence_encoder.weight"], gradients.pop("signal_encoder.weight")], dim=1
        )
        close(gradients.pop("signal_encoder.bias"), gradients["sequence_encoder.bias"], rtol=1e-5, atol=1e-7)
    want_norms = {translate(name, system.names): norm for name, norm in want["grad_norm"].items()}
    assert want_norms.keys() == gradients.keys()
    for name, norm in want_norms.items():
        close(gradients[name].norm(), norm, rtol=1e-3, atol=1e-7)


def test_the_number_of_parameters(system: System, shared_fixtures: Path) -> None:
    network, _, expected = load(system, shared_fixtures)
    beyond = 128 if system.signals else 0  # the bias of the second linear layer
    assert sum(parameter.numel() for parameter in network.parameters()) == expected["n_params"] + beyond
