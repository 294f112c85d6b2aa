from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from epigx.backbones import Caduceus
from epigx.batch import Batch
from epigx.errors import ConfigError, DatasetError
from epigx.models import PredictorModel


def batch_of(genes: int, length: int, n_signals: int = 3, n_features: int = 9) -> Batch:
    bases = torch.randint(0, 5, (genes, length))
    return Batch(
        sequence=torch.nn.functional.one_hot(bases, 5)[..., :4].float(),
        signals=torch.rand(genes, length, n_signals),
        features=torch.randn(genes, n_features),
        expression=torch.rand(genes),
    )


@pytest.mark.parametrize(
    ("model", "n_parameters"),
    [
        (PredictorModel(), 574_721),  # Table 8: Caduceus with signals, "574K"
        (PredictorModel(signals=False), 574_209),
    ],
)
def test_sizes(model: PredictorModel, n_parameters: int) -> None:
    network = model.build(n_signals=3, n_features=9, window=2000)
    assert sum(parameter.numel() for parameter in network.parameters()) == n_parameters


def test_prediction_adds_bases_and_signals() -> None:
    torch.manual_seed(0)
    network = PredictorModel(backbone=Caduceus(d_model=16, n_layers=1), pool=10).build(3, 9, 40).eval()
    batch = batch_of(4, 40)
    prediction = network(batch)
    embedded = batch.sequence @ network.sequence_encoder.weight.T + batch.signals @ network.signal_encoder.weight.T
    hidden = network.backbone(embedded)[:, 15:25].mean(1)
    torch.testing.assert_close(prediction.expression, network.head(hidden, batch.features))
    assert prediction.interventional is None
    assert prediction.patterns is None


def test_unknown_bases_embed_as_the_bias() -> None:
    network = PredictorModel(backbone=Caduceus(d_model=8, n_layers=1)).build(3, 9, 40)
    network.sequence_encoder.bias.data.normal_()
    batch = replace(batch_of(1, 40), sequence=torch.zeros(1, 40, 4))
    torch.testing.assert_close(network.encode_sequence(batch)[0, 0], network.sequence_encoder.bias)


def test_dna_alone_ignores_signals() -> None:
    network = PredictorModel(backbone=Caduceus(d_model=8, n_layers=1), signals=False).build(3, 9, 40).eval()
    batch = batch_of(2, 40)
    other = replace(batch, signals=batch.signals + 1)
    assert torch.equal(network(batch).expression, network(other).expression)
    with pytest.raises(ConfigError, match=r"model\.signals is false"):
        network.encode_signals(batch)


def test_a_model_of_signals_needs_signals() -> None:
    with pytest.raises(ConfigError, match=r"inputs have no signals.*model\.signals to false"):
        PredictorModel().build(n_signals=0, n_features=9, window=2000)
    assert PredictorModel().n_encoded == 128
    assert PredictorModel(signals=False).n_encoded == 0


def test_predictions_are_float32_under_autocast() -> None:
    network = PredictorModel(backbone=Caduceus(d_model=16, n_layers=1)).build(3, 9, 64).eval()
    batch = batch_of(3, 64)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = network(batch).expression
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, network(batch).expression, atol=0.05, rtol=0.05)


def test_a_coarse_position_reads_the_mean_of_its_signals() -> None:
    torch.manual_seed(0)
    network = PredictorModel(backbone=Caduceus(d_model=8, n_layers=1), resolution=8, pool=16).build(3, 9, 64).eval()
    batch = batch_of(2, 64)
    spread = replace(batch, signals=batch.signals.unflatten(1, (8, 8)).mean(2).repeat_interleave(8, dim=1))
    assert network.encode_signals(batch).shape == (2, 8, 8)
    torch.testing.assert_close(network(batch).expression, network(spread).expression)
    hidden = network.hidden(network.encode_sequence(batch) + network.encode_signals(batch))
    torch.testing.assert_close(network(batch).expression, network.head(hidden[:, 3:5].mean(1), batch.features))


def test_a_coarse_position_reads_a_motif_wherever_it_lies_within() -> None:
    torch.manual_seed(0)
    network = PredictorModel(backbone=Caduceus(d_model=8, n_layers=1), resolution=32).build(3, 9, 96)
    motif = torch.nn.functional.one_hot(torch.tensor([0, 1, 2, 3, 0, 1, 2]), 4).float()
    embedded = []
    for start in (40, 49):
        sequence = torch.zeros(1, 96, 4)
        sequence[:, start : start + 7] = motif
        embedded.append(network.encode_sequence(replace(batch_of(1, 96), sequence=sequence)))
    torch.testing.assert_close(embedded[0], embedded[1])
    assert not torch.allclose(embedded[0][:, 1], embedded[0][:, 0])


def test_a_window_is_a_whole_number_of_positions() -> None:
    model = PredictorModel(backbone=Caduceus(d_model=8, n_layers=1), resolution=32)
    with pytest.raises(ConfigError, match=r"window of 100 bp is not a multiple of the resolution of 32 bp"):
        model.build(3, 9, 100)
    with pytest.raises(ConfigError, match=r"window of 40 bp"):  # a shorter one at evaluation
        model.build(3, 9, 64)(batch_of(1, 40))


def test_outside_of_peaks_nothing_is_read() -> None:
    network = PredictorModel(backbone=Caduceus(d_model=8, n_layers=1), mask="peaks").build(3, 9, 40).eval()
    network.sequence_encoder.bias.data.normal_()
    peaks = torch.zeros(2, 40, dtype=torch.bool)
    peaks[:, 5:20] = True
    batch = replace(batch_of(2, 40), peaks=peaks)
    prediction = network(batch)
    assert torch.equal(prediction.mask, peaks.float())
    outside = replace(batch, sequence=batch.sequence * peaks[..., None], signals=batch.signals + ~peaks[..., None])
    assert torch.equal(network(outside).expression, prediction.expression)
    inside = replace(batch, signals=batch.signals + peaks[..., None])
    assert not torch.equal(network(inside).expression, prediction.expression)
    assert not network.encode_signals(batch)[:, 20:].any()


def test_a_position_of_several_bases_counts_by_its_share_in_peaks() -> None:
    model = PredictorModel(backbone=Caduceus(d_model=8, n_layers=1), mask="peaks", resolution=4)
    network = model.build(3, 9, 40).eval()
    peaks = torch.zeros(1, 40, dtype=torch.bool)
    peaks[:, 1:4] = True
    batch = batch_of(1, 40)
    everywhere = network.encode_signals(replace(batch, peaks=torch.ones_like(peaks)))
    masked = network.encode_signals(replace(batch, peaks=peaks))
    torch.testing.assert_close(masked[:, 0], 0.75 * everywhere[:, 0])
    assert not masked[:, 1:].any()


def test_a_mask_of_peaks_needs_peaks() -> None:
    model = PredictorModel(backbone=Caduceus(d_model=8, n_layers=1), mask="peaks")
    assert model.needs == {"peaks"}
    assert PredictorModel().needs == set()
    with pytest.raises(DatasetError, match=r"masked by peaks.*the dataset has none.*model\.mask to none"):
        model.build(3, 9, 40)(batch_of(2, 40))
