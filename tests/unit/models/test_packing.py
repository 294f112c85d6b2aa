from __future__ import annotations

import pytest
import torch
from torch import nn

from epigx.backbones import Caduceus
from epigx.models.head import centre_of
from epigx.models.seq2exp import Packing, pool_packed


def windows() -> tuple[torch.Tensor, torch.Tensor]:
    """Three windows of 20 positions, of which the middle four and some others are kept."""
    keep = torch.rand(3, 20) < torch.tensor([[0.2], [0.5], [0.8]])
    keep[:, centre_of(20, 4)] = True
    return torch.randn(3, 20, 6), keep


@pytest.mark.parametrize("packing", ["gene", "batch"])
def test_the_centre_is_found_behind_what_was_removed(packing: Packing) -> None:
    embedded, keep = windows()
    pooled = pool_packed(nn.Identity(), embedded, keep, 4, packing)
    torch.testing.assert_close(pooled, embedded[:, 8:12].mean(1))


def test_the_backbone_sees_what_is_kept_and_nothing_else() -> None:
    embedded, keep = windows()
    seen: list[torch.Tensor] = []
    backbone = Caduceus(d_model=6, n_layers=1).build()
    backbone.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    pool_packed(backbone, embedded, keep, 4, "gene")
    assert [states.shape[1] for states in seen] == keep.sum(1).tolist()
    assert all(torch.equal(states[0], embedded[gene][keep[gene]]) for gene, states in enumerate(seen))
    seen.clear()
    pool_packed(backbone, embedded, keep, 4, "batch")
    longest = int(keep.sum(1).max())
    assert seen[0].shape == (3, longest, 6)
    shortest = int(keep.sum(1).argmin())
    assert not seen[0][shortest, keep[shortest].sum() :].any()


def test_the_longest_gene_of_a_batch_is_read_alike_in_both_forms() -> None:
    embedded, keep = windows()
    backbone = Caduceus(d_model=6, n_layers=1).build()
    alone = pool_packed(backbone, embedded, keep, 4, "gene")
    together = pool_packed(backbone, embedded, keep, 4, "batch")
    longest, shortest = int(keep.sum(1).argmax()), int(keep.sum(1).argmin())
    torch.testing.assert_close(alone[longest], together[longest])
    assert not torch.allclose(alone[shortest], together[shortest], atol=1e-6)
