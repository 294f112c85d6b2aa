from __future__ import annotations

import math

import pytest
from benchmarks.bound import SCAN_BACKWARD, SCAN_FORWARD, Rates, block_bound, step_bound

from epigx.backbones import Caduceus

PRODUCTS = ("in_proj.weight", "out_proj.weight", "x_proj", "dt_weight")


def test_products_are_those_of_the_weights_of_caduceus() -> None:
    stack = Caduceus(d_model=128, n_layers=4).build()
    weights = sum(p.numel() for name, p in stack.named_parameters() if name.endswith(PRODUCTS))
    bound = block_bound(10, Rates(product=1.0, vector=math.inf), layers=4)
    assert bound.core == bound.whole == 10 * 6 * weights


def test_recurrence_is_that_of_the_states_of_caduceus() -> None:
    stack = Caduceus(d_model=128, n_layers=4).build()
    states = sum(p.numel() for name, p in stack.named_parameters() if name.endswith("A_log"))
    bound = block_bound(10, Rates(product=math.inf, vector=1.0), layers=4)
    assert bound.core == 10 * states * (SCAN_FORWARD + SCAN_BACKWARD)
    assert bound.core < bound.whole < 1.5 * bound.core


def test_the_document_has_the_counts_of_a_step() -> None:
    products = step_bound(8, 3, 2000, Rates(product=1.0, vector=math.inf)).core
    operations = step_bound(8, 3, 2000, Rates(product=math.inf, vector=1.0))
    assert round(products / 1e9) == 113 + 28 + 1  # rounded apart: 113.2 and 28.3
    assert round(operations.core / 1e9) == 47
    assert operations.whole - operations.core == pytest.approx(13.2e9, rel=0.01)


def test_shares_are_of_the_time_measured() -> None:
    bound = block_bound(
        1000, Rates.of({"float32_gflops": 90.0, "float32_kernel_gflops": 100.0, "bfloat16_gflops": 400.0})
    )
    shares = bound.shares(2 * bound.core)
    assert shares["core_share"] == 0.5
    assert shares["whole_share"] == pytest.approx(bound.whole / bound.core / 2)


def test_bfloat16_speeds_up_products_alone() -> None:
    limits = {"float32_gflops": 90.0, "float32_kernel_gflops": 100.0, "bfloat16_gflops": 400.0}
    assert Rates.of(limits) == Rates(100e9, 50e9)
    assert Rates.of(limits, "bf16") == Rates(400e9, 50e9)
