"""The least CPU time of a block and of a training step, from counts of operations and two measured rates.

Matrix products are counted in flops and divided by the rate of a large product, by PyTorch's library or by our kernel,
whichever is the faster. All else is counted in vector operations (one instruction on a register of float32; a
multiplication fused with an addition is one), at one half of the float32 product's flops: a large product issues its
fused multiply-adds, of two flops a lane, as fast as the core takes any vector operation.
Neither loads and stores nor shuffles and reductions are counted, and the two rates are not reached at once, so no
program reaches the bound.

``core`` counts what cannot be left out of any Mamba: matrix products and recurrence. ``whole`` has the
convolution, the activations, the step's softplus, the gate, the norm and the residual sum too.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Bound", "Rates", "block_bound", "step_bound"]

D_MODEL, INNER, STATE, RANK, TAPS, DIRECTIONS = 128, 256, 16, 8, 4, 2

EXP = 8
"""A product, its fraction, a polynomial of degree 5, scaling by a power of two: AVX-512, which needs the fewest."""
INVERSE = 3
"""An estimate and a Newton step."""
SIGMOID = EXP + 1 + INVERSE
SOFTPLUS = EXP + 2 + INVERSE + 7 + 2
"""Absolute value and denominator 2, log(1 + e) as a series in e / (2 + e) 7, max and sum 2."""

SCAN_FORWARD = EXP + 2 + 1
"""For each state of each channel: the decay (its product is the range reduction's first), h = a h + x B, y += h C."""
SCAN_BACKWARD = SCAN_FORWARD + 8
"""The states again, then the gradients: of h 2 (with C, and with the decay), C, B and x 1 each, the decay's exponent 1,
Δ and A 1 each.

To store decays and states instead takes 8 bytes written and 8 read for each: ten times the price of doing it again.
"""

FORWARD_REST = TAPS + (SIGMOID + 1) + SOFTPLUS + 3
"""For each channel and direction: convolution, SiLU, softplus, Δ u, D u, and the sum over directions."""
BACKWARD_REST = FORWARD_REST + 4 + 3 + 12 + 2 * TAPS + 2
"""The same again; the derivatives of SiLU and softplus; gradients of u, Δ, D and biases; those of the convolution."""
GATE = (SIGMOID + 2) + (SIGMOID + 1 + 4 + 4)
"""For each channel, forward and backward: SiLU of the gate, its product with y, and both gradients."""
NORM = 5 + 10
"""For each channel of the model, forward and backward: RMSNorm and the residual sum."""


@dataclass(frozen=True)
class Rates:
    """What one thread of the machine reaches."""

    product: float
    """Flops a second of a large product, in the precision of the projections."""
    vector: float
    """Lanes that vector operations fill a second: half of the float32 product's flops."""

    @classmethod
    def of(cls, limits: dict[str, float], precision: str = "fp32") -> Rates:
        """Take them from the measured limits (GFLOP/s) of :func:`benchmarks.machine.limits`."""
        float32 = max(limits["float32_gflops"], limits["float32_kernel_gflops"])
        product = {"fp32": float32, "bf16": limits["bfloat16_gflops"]}[precision]
        return cls(product=product * 1e9, vector=float32 * 1e9 / 2)


@dataclass(frozen=True)
class Bound:
    """The least CPU seconds of one thread."""

    core: float
    """Matrix products and recurrence only."""
    whole: float
    """All operations of a block."""

    def shares(self, seconds: float) -> dict[str, float]:
        """Return the bounds, and the share of a measured time that each is."""
        return {
            "core_seconds": self.core,
            "whole_seconds": self.whole,
            "core_share": self.core / seconds,
            "whole_share": self.whole / seconds,
        }


def block_bound(bases: int, rates: Rates, layers: int = 1) -> Bound:
    """Bound a forward and backward pass of some layers over all bases of windows and arms.

    A product costs 2 flops for each weight and base forward, and twice that backward.
    """
    shared = D_MODEL * 2 * INNER + INNER * D_MODEL
    own = DIRECTIONS * (INNER * (RANK + 2 * STATE) + RANK * INNER)
    scan = DIRECTIONS * INNER * STATE * (SCAN_FORWARD + SCAN_BACKWARD)
    rest = INNER * (DIRECTIONS * (FORWARD_REST + BACKWARD_REST) + GATE) + D_MODEL * NORM
    core = 6 * (shared + own) / rates.product + scan / rates.vector
    return Bound(core=bases * layers * core, whole=bases * layers * (core + rest / rates.vector))


def step_bound(genes: int, arms: int, length: int, rates: Rates, layers: int = 4) -> Bound:
    """Bound a training step: the layers over all arms. Encoders, head and optimizer are below one per cent of it."""
    return block_bound(genes * arms * length, rates, layers)
