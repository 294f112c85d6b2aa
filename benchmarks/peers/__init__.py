"""What else runs a Mamba block on a CPU, each made from the weights of one of our blocks, so that outputs are equal."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from benchmarks.peers.bidirectional import BothWays, both_ways
from benchmarks.peers.libraries import mambapy_mixer, transformers_mixer
from benchmarks.peers.written_out import indexed_mixer, unbound_mixer
from epigx.layers.mamba import BiMamba

__all__ = ["PEERS", "peer"]

PEERS: dict[str, Callable[[BiMamba], nn.Module]] = {
    "mambapy": mambapy_mixer,
    "transformers + mambapy": lambda block: transformers_mixer(block, use_mambapy=True),
    "loop, unbind": unbound_mixer,
    "transformers": lambda block: transformers_mixer(block, use_mambapy=False),
    "loop, indexed": indexed_mixer,
}
"""The rivals by name: what reads one direction, with fresh weights, of a block's sizes.

``transformers + mambapy`` is transformers' block with the scan of mambapy (``use_mambapy=True``), ``transformers`` the
one that it takes otherwise. The two loops are the recurrence in plain PyTorch: ``loop, indexed`` as reference code has
it, which picks each step by its index, and ``loop, unbind``, which takes all steps apart at once.
"""


def peer(name: str, block: BiMamba) -> BothWays:
    """Return a rival of a block, with the block's own weights."""
    return both_ways(PEERS[name], block)
