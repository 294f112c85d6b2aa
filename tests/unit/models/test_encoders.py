from __future__ import annotations

import pytest
import torch

from epigx.errors import ConfigError
from epigx.models import ConfounderEncoder, SignalEncoder
from epigx.models.encoders import MotifEncoder


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_confounder_encoder_has_the_papers_size() -> None:
    assert count(ConfounderEncoder(n_signals=3, n_patterns=2, n_encoded=128)) == 10_960  # Table 8


def test_patterns_are_weights_between_0_and_1() -> None:
    patterns = ConfounderEncoder(3, n_patterns=4, n_encoded=16)(torch.randn(5, 100, 3))
    assert patterns.shape == (5, 4, 16)
    assert patterns.min() > 0
    assert patterns.max() < 1


def test_softmax_shares_one_out_over_the_channels() -> None:
    patterns = ConfounderEncoder(3, n_patterns=4, n_encoded=16, activation="softmax")(torch.randn(5, 100, 3))
    torch.testing.assert_close(patterns.sum(-1), torch.ones(5, 4))


def test_patterns_belong_to_the_gene_alone_in_evaluation() -> None:
    encoder = ConfounderEncoder(3).eval()
    signals = torch.rand(4, 128, 3)
    torch.testing.assert_close(encoder(signals)[2:3], encoder(signals[2:3]))


def test_rows_of_the_projection_alternate_between_patterns() -> None:
    encoder = ConfounderEncoder(3, n_patterns=2, n_encoded=4).eval()
    encoder.projection.weight.data.zero_()
    encoder.projection.bias.data = torch.tensor([-9.0, 9.0] * 4)
    patterns = encoder(torch.rand(1, 64, 3))[0]
    assert (patterns[0] < 0.01).all()
    assert (patterns[1] > 0.99).all()


def test_windows_that_pooling_would_leave_nothing_of() -> None:
    encoder = ConfounderEncoder(3)
    assert encoder(torch.rand(2, 64, 3)).shape == (2, 2, 128)
    with pytest.raises(ConfigError, match=r"at least 64 bp, but this one has 63 bp.*data\.window"):
        encoder(torch.rand(2, 63, 3))


def test_patterns_are_float32_under_autocast() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert ConfounderEncoder(3)(torch.rand(2, 64, 3)).dtype == torch.float32


def test_the_signal_encoder_is_one_linear_layer_per_position() -> None:
    encoder = SignalEncoder(3, 128)
    assert count(encoder) == 3 * 128 + 128
    signals = torch.rand(2, 7, 3)
    torch.testing.assert_close(encoder(signals), signals @ encoder.weight.T)  # the bias starts at zero


def test_stretches_without_a_known_base_are_embedded_as_if_they_had_been_searched() -> None:
    torch.manual_seed(0)
    encoder = MotifEncoder(8, resolution=16)
    torch.nn.init.normal_(encoder.convolution.bias)
    sequence = torch.nn.functional.one_hot(torch.randint(0, 4, (3, 96)), 4).float()
    sequence[:, 20:70] = 0
    sequence[2] = 0
    matches = torch.nn.functional.max_pool1d(encoder.convolution(sequence.transpose(1, 2)), 16)
    torch.testing.assert_close(encoder(sequence), encoder.projection(torch.relu(matches).transpose(1, 2)))
    torch.testing.assert_close(encoder(sequence[2:]), encoder(sequence)[2:])
