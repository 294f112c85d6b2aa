"""Names of the weights in Prism's official checkpoints, and in epigx."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["caduceus_names", "mamba_names", "prism_names", "weight_and_bias"]

_OUTER = {
    "seq_input_layer": "model.sequence_encoder",
    "signal_input_layer": "model.signal_encoder",
    "pToExpr.0": "model.head.layers.0",
    "pToExpr.2": "model.head.layers.2",
    "pToExpr.4": "model.head.layers.4",
}
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
    """Yield each official name, without the prefix ``model.``, with that of epigx.

    Two official names belong to one weight where the two reading directions share a projection.
    """
    for official, own in _OUTER.items():
        yield from weight_and_bias(official, own)
    if intervention:
        yield from _confounder_encoder("weight_generator", "objective.confounder_encoder")
    yield from caduceus_names("caduceus.backbone", "model.backbone", n_layers)


def caduceus_names(official: str, own: str, n_layers: int) -> Iterator[tuple[str, str]]:
    """Yield the names of a Caduceus stack; ``official`` and ``own`` are its prefixes there and here."""
    yield f"{official}.norm_f.weight", f"{own}.norm.weight"
    for layer in range(n_layers):
        yield from _block(f"{official}.layers.{layer}", f"{own}.blocks.{layer}")


def mamba_names(official: str, own: str, n_layers: int) -> Iterator[tuple[str, str]]:
    """Yield the names of a stack that reads in one direction."""
    yield f"{official}.norm_f.weight", f"{own}.norm.weight"
    for layer in range(n_layers):
        theirs, ours = f"{official}.layers.{layer}", f"{own}.blocks.{layer}"
        yield f"{theirs}.norm.weight", f"{ours}.norm.weight"
        yield from _mixer(f"{theirs}.mixer", f"{ours}.mixer", "forward_scan")


def weight_and_bias(official: str, own: str) -> Iterator[tuple[str, str]]:
    """Yield the names of a layer's weight and bias."""
    return _each(official, own, "weight", "bias")


def _confounder_encoder(official: str, own: str) -> Iterator[tuple[str, str]]:
    for theirs, ours in _CONFOUNDER.items():
        yield from weight_and_bias(f"{official}.{theirs}", f"{own}.{ours}")
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
