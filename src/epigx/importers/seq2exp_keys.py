"""Names of the weights in checkpoints of the Seq2Exp code, and in epigx."""

from __future__ import annotations

from collections.abc import Iterator

from epigx.importers.prism_keys import caduceus_names, mamba_names, weight_and_bias

__all__ = ["caduceus_system", "mamba_system", "peak_mask_system", "seq2exp_system"]

_HEAD = {f"pToExpr.{layer}": f"model.head.layers.{layer}" for layer in (0, 2, 4)}
_EMBEDDING = {"seq_input_layer": "model.sequence_encoder", "signal_input_layer": "model.signal_encoder"}


def seq2exp_system(n_encoder: int, n_generator: int, *, hard: bool) -> Iterator[tuple[str, str]]:
    """Yield the official names of Seq2Exp, without the prefix ``model.``, with those of epigx.

    In the hard variant both networks share their weights, so two official names belong to one weight.

    Parameters
    ----------
    n_encoder, n_generator : int
        Caduceus blocks of the network that predicts, and of the network that proposes the mask.
    hard : bool
        Whether it is the hard variant.
    """
    yield from peak_mask_system(n_encoder)
    yield from caduceus_names("generator.backbone", "model.backbone" if hard else "model.generator", n_generator)
    yield from weight_and_bias("mask_output", "model.posterior.readout")
    yield "prior_weights", "model.posterior.log_shares"
    yield "signal_betas", "model.posterior.against"
    if hard:
        yield "pos_emb", "model.positions"


def peak_mask_system(n_layers: int) -> Iterator[tuple[str, str]]:
    """Yield the names of the model that is masked by peaks; Seq2Exp has them, too."""
    for official, own in (_EMBEDDING | _HEAD).items():
        yield from weight_and_bias(official, own)
    yield from caduceus_names("encoder.backbone", "model.backbone", n_layers)


def caduceus_system(n_layers: int, *, signals: bool) -> Iterator[tuple[str, str]]:
    """Yield the names of Caduceus with or without signals, after its input layer was split in two."""
    for official, own in _HEAD.items():
        yield from weight_and_bias(official, own)
    for official, own in list(_EMBEDDING.items())[: 1 + signals]:
        yield from weight_and_bias(official, own)
    yield from caduceus_names("caduceus.backbone", "model.backbone", n_layers)


def mamba_system(n_layers: int) -> Iterator[tuple[str, str]]:
    """Yield the names of Mamba."""
    for official, own in _HEAD.items():
        yield from weight_and_bias(official, own)
    yield "model.embedding.weight", "model.sequence_encoder.weight"
    yield from mamba_names("model", "model.backbone", n_layers)
