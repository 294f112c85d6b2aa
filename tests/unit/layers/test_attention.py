from __future__ import annotations

import pytest
import torch

from epigx.layers.attention import RelativeAttention, relative_features, shift_to_pairs


@pytest.mark.parametrize("n", [1, 2, 5])
def test_pairs_are_found_by_their_distance(n: int) -> None:
    distances = torch.arange(1.0 - n, n)
    by_distance = 100 * torch.arange(float(n))[:, None] + distances  # query and distance in one number
    pairs = shift_to_pairs(by_distance[None, None])[0, 0]
    place = torch.arange(float(n))
    assert torch.equal(pairs, 100 * place[:, None] + (place - place[:, None]))


def test_features_of_the_absolute_distance_and_the_same_with_its_sign() -> None:
    features = relative_features(16, 24)
    assert features.shape == (31, 24)
    assert features.isfinite().all()
    plain, signed = features.chunk(2, dim=-1)
    torch.testing.assert_close(plain, plain.flip(0))
    torch.testing.assert_close(signed, -signed.flip(0))
    torch.testing.assert_close(signed[16:], plain[16:])


def test_each_family_of_curves() -> None:
    features = relative_features(64, 12)[63:]  # distances 0 to 63; two decays, two windows, two gamma densities
    torch.testing.assert_close(features[8, 0].item(), 0.5)
    torch.testing.assert_close(features[:, 2], (torch.arange(64) < 1).float())
    torch.testing.assert_close(features[:, 3], (torch.arange(64) < 3).float())
    assert features[:, 4:6].amax(-1).eq(1).all()
    assert features[20, 4] > features[20, 5]
    assert features[60, 5] > features[60, 4]


def test_a_fresh_block_adds_nothing_and_learns() -> None:
    torch.manual_seed(0)
    attention = RelativeAttention(24, 2, d_key=4)
    x = torch.randn(2, 9, 24)
    assert attention(x, relative_features(9, 12)).eq(0).all()
    torch.nn.init.normal_(attention.out.weight)
    attention(x, relative_features(9, 12)).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in attention.parameters())


def test_attention_written_out() -> None:
    torch.manual_seed(0)
    attention = RelativeAttention(12, 2, d_key=4)
    torch.nn.init.normal_(attention.out.weight)
    x, features = torch.randn(1, 5, 12), relative_features(5, 6)
    query, key = ((project(x)[0]).view(5, 2, 4) for project in (attention.query, attention.key))
    value, distance = attention.value(x)[0].view(5, 2, 6), attention.distance(features).view(9, 2, 4)
    rows = []
    for i in range(5):
        heads = []
        for h in range(2):
            q = query[i, h] / 2
            u, v = attention.content_bias[h, 0], attention.position_bias[h, 0]
            logits = torch.stack([(q + u) @ key[j, h] + (q + v) @ distance[j - i + 4, h] for j in range(5)])
            heads.append(logits.softmax(0) @ value[:, h])
        rows.append(torch.cat(heads))
    torch.testing.assert_close(attention(x, features)[0], attention.out(torch.stack(rows)))
