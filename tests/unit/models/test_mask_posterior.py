from __future__ import annotations

import pytest
import torch
from torch.nn.functional import softplus

from epigx.errors import ConfigError
from epigx.models.mask_posterior import MaskEvidence, MaskPosterior


def test_sequence_and_signals_by_hand() -> None:
    config = MaskEvidence(against=(1.5, 0.5), weights=(3.0, 1.0), scale=10.0, floor=1.0, concentration=2.0)
    posterior = MaskPosterior(config, d_model=4, n_signals=2)
    hidden, signals = torch.randn(1, 1, 4), torch.tensor([[[2.0, 0.0]]])
    against, in_favour = softplus(posterior.readout(hidden))[0, 0]
    found = posterior(hidden, signals)
    torch.testing.assert_close(found.concentration1[0, 0], 2 * (in_favour + 1 + 0.75 * 30 + 0.25 * 10))
    torch.testing.assert_close(found.concentration0[0, 0], 2 * (against + 1 + 0.75 * 25 + 0.25 * 15))


def test_a_signal_speaks_for_its_position_and_one_below_zero_counts_as_none() -> None:
    posterior = MaskPosterior(MaskEvidence(scale=1.0, floor=0.0), d_model=4, n_signals=3)
    hidden = torch.zeros(1, 4, 4)
    signals = torch.zeros(1, 4, 3)
    signals[0, :, 1] = torch.tensor([-3.0, 0.0, 1.0, 5.0])
    below, none, some, much = posterior(hidden, signals).mean[0].tolist()
    assert below == none < some < much


def test_it_is_computed_in_float32_under_autocast() -> None:
    posterior = MaskPosterior(MaskEvidence(scale=1.0, floor=0.0), d_model=4, n_signals=3)
    hidden, signals = torch.randn(1, 5, 4), torch.rand(1, 5, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = posterior(hidden, signals)
    assert torch.equal(mixed.mean, posterior(hidden, signals).mean)
    assert mixed.mean.dtype == torch.float32


def test_nothing_trains_the_evidence_of_signals() -> None:
    posterior = MaskPosterior(MaskEvidence(scale=1.0, floor=0.0), d_model=4, n_signals=3)
    frozen = {name for name, parameter in posterior.named_parameters() if not parameter.requires_grad}
    assert frozen == {"log_shares", "against"}
    torch.testing.assert_close(posterior.log_shares.exp(), torch.tensor([0.4, 0.4, 0.2]))


def test_one_number_per_signal() -> None:
    with pytest.raises(
        ConfigError, match=r"has weights for 3 signals, but the run's inputs have 2.*model\.evidence\.weights"
    ):
        MaskPosterior(MaskEvidence(scale=1.0, floor=0.0), d_model=4, n_signals=2)
    with pytest.raises(ConfigError, match="against has 1 numbers and weights has 3; give one per signal"):
        MaskEvidence.parse({"against": [1.0], "scale": 1.0, "floor": 0.0})
