"""Names of the weights in the official checkpoints of Prism and Seq2Exp, and in epigx."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["caduceus_system", "mamba_system", "peak_mask_system", "prism_names", "seq2exp_system"]

_HEAD = {f"pToExpr.{layer}": f"model.head.layers.{layer}" for layer in (0, 2, 4)}
_EMBEDDING = {"seq_input_layer": "model.sequence_encoder", "signal_input_layer": "model.signal_encoder"}
_CONFOUNDER = {
    "cnn_encoder.0": "convolutions.0.0",
    "cnn_encoder.4": "convolutions.1.0",
    "cnn_encoder.8": "convolutions.2.0",
    "weight_projector.0": "projection",
}
_CONFOUNDER_NORMS = {
    "cnn_encoder.1": "convolutions.0.1",
    "cnn_encoder.5": "convolutions.1.1",
    "cnn_encoder.9": "convolutions.2.1",
}
_SCAN = {
    "A_log": "A_log",
    "D": "D",
    "conv1d.weight": "conv_weight",
    "conv1d.bias": "conv_bias",
    "x_proj.weight": "x_proj",
    "dt_proj.weight": "dt_weight",
    "dt_proj.bias": "dt_bias",
}


def prism_names(n_layers: int, *, intervention: bool) -> Iterator[tuple[str, str]]:
    """Yield each official name of Prism, without the prefix ``model.``, with that of epigx.

    Two official names belong to one weight where the two reading directions share a projection.
    """
    yield from caduceus_system(n_layers, signals=True)
    if intervention:
        yield from _confounder_encoder("weight_generator", "objective.confounder_encoder")


def seq2exp_system(n_encoder: int, n_generator: int, *, hard: bool) -> Iterator[tuple[str, str]]:
    """Yield the official names of Seq2Exp, without the prefix ``model.``, with those of epigx.

    The encoder predicts, and the generator proposes the mask. In the hard variant both share their weights, so two
    official names belong to one weight.
    """
    yield from peak_mask_system(n_encoder)
    yield from _caduceus_names("generator.backbone", "model.backbone" if hard else "model.generator", n_generator)
    yield from _weight_and_bias("mask_output", "model.posterior.readout")
    yield "prior_weights", "model.posterior.log_shares"
    yield "signal_betas", "model.posterior.against"
    if hard:
        yield "pos_emb", "model.positions"


def peak_mask_system(n_layers: int) -> Iterator[tuple[str, str]]:
    """Yield the names of the model that is masked by peaks; Seq2Exp has them, too."""
    for official, own in (_EMBEDDING | _HEAD).items():
        yield from _weight_and_bias(official, own)
    yield from _caduceus_names("encoder.backbone", "model.backbone", n_layers)


def caduceus_system(n_layers: int, *, signals: bool) -> Iterator[tuple[str, str]]:
    """Yield the names of Caduceus with or without signals, after its input layer was split in two."""
    for official, own in _HEAD.items():
        yield from _weight_and_bias(official, own)
    for official, own in list(_EMBEDDING.items())[: 1 + signals]:
        yield from _weight_and_bias(official, own)
    yield from _caduceus_names("caduceus.backbone", "model.backbone", n_layers)


def mamba_system(n_layers: int) -> Iterator[tuple[str, str]]:
    """Yield the names of Mamba."""
    for official, own in _HEAD.items():
        yield from _weight_and_bias(official, own)
    yield "model.embedding.weight", "model.sequence_encoder.weight"
    yield from _mamba_names("model", "model.backbone", n_layers)


def _caduceus_names(official: str, own: str, n_layers: int) -> Iterator[tuple[str, str]]:
    """Yield the names of a Caduceus stack; ``official`` and ``own`` are its prefixes there and here."""
    yield f"{official}.norm_f.weight", f"{own}.norm.weight"
    for layer in range(n_layers):
        yield from _block(f"{official}.layers.{layer}", f"{own}.blocks.{layer}")


def _mamba_names(official: str, own: str, n_layers: int) -> Iterator[tuple[str, str]]:
    """Yield the names of a stack that reads in one direction."""
    yield f"{official}.norm_f.weight", f"{own}.norm.weight"
    for layer in range(n_layers):
        theirs, ours = f"{official}.layers.{layer}", f"{own}.blocks.{layer}"
        yield f"{theirs}.norm.weight", f"{ours}.norm.weight"
        yield from _mixer(f"{theirs}.mixer", f"{ours}.mixer", "forward_scan")


def _weight_and_bias(official: str, own: str) -> Iterator[tuple[str, str]]:
    """Yield the names of a layer's weight and bias."""
    return _each(official, own, "weight", "bias")


def _confounder_encoder(official: str, own: str) -> Iterator[tuple[str, str]]:
    for theirs, ours in _CONFOUNDER.items():
        yield from _weight_and_bias(f"{official}.{theirs}", f"{own}.{ours}")
    for theirs, ours in _CONFOUNDER_NORMS.items():
        statistics = ("running_mean", "running_var", "num_batches_tracked")
        yield from _each(f"{official}.{theirs}", f"{own}.{ours}", "weight", "bias", *statistics)


def _block(official: str, own: str) -> Iterator[tuple[str, str]]:
    yield f"{official}.norm.weight", f"{own}.norm.weight"
    for direction, scan in (("mamba_fwd", "forward_scan"), ("mamba_rev", "reverse_scan")):
        yield from _mixer(f"{official}.mixer.{direction}", f"{own}.mixer", scan)


def _mixer(official: str, own: str, scan: str) -> Iterator[tuple[str, str]]:
    yield from _each(official, own, "in_proj.weight", "out_proj.weight")
    for theirs, ours in _SCAN.items():
        yield f"{official}.{theirs}", f"{own}.{scan}.{ours}"


def _each(official: str, own: str, *names: str) -> Iterator[tuple[str, str]]:
    return ((f"{official}.{name}", f"{own}.{name}") for name in names)
