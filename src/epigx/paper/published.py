"""The paper's numbers, by table; where its tables contradict each other they are kept as printed."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "BETWEEN_LENGTHS",
    "CELL_TYPE",
    "DROPPED",
    "LENGTHS",
    "OVERHEAD",
    "PARAMETERS",
    "SIGNALS",
    "SWEEPS",
    "SYSTEMS",
    "Published",
    "of_systems",
    "own_cell_type",
]

CELL_TYPE = "K562"
"""The cell type of all tables except Table 1; results in other cell types are shown next to its numbers."""


@dataclass(frozen=True)
class Published:
    """Scores as the paper prints them.

    Parameters
    ----------
    mse, mae, pearson : float
        Means over seeds if there are standard deviations, otherwise of one run; None where no number is legible.
    mse_sd, mae_sd, pearson_sd : float, optional
        Standard deviations over five seeds.
    """

    mse: float
    mae: float | None = None
    pearson: float | None = None
    mse_sd: float | None = None
    mae_sd: float | None = None
    pearson_sd: float | None = None


def _spread(mse: float, a: float, mae: float, b: float, pearson: float, c: float) -> Published:
    return Published(mse, mae, pearson, a, b, c)


SYSTEMS: dict[str, dict[str, Published]] = {
    "K562": {
        "enformer": _spread(0.2920, 0.0050, 0.4056, 0.0040, 0.7961, 0.0019),
        "hyenadna": _spread(0.2265, 0.0013, 0.3497, 0.0012, 0.8425, 0.0008),
        "mamba": _spread(0.2241, 0.0027, 0.3416, 0.0026, 0.8412, 0.0021),
        "caduceus": _spread(0.2197, 0.0038, 0.3327, 0.0070, 0.8475, 0.0014),
        "caduceus_signals": _spread(0.1959, 0.0036, 0.3187, 0.0036, 0.8630, 0.0008),
        "epinformer": _spread(0.2140, 0.0042, 0.3291, 0.0031, 0.8473, 0.0017),
        "macs3_mask": _spread(0.2195, 0.0023, 0.3455, 0.0018, 0.8435, 0.0013),
        "seq2exp_hard": _spread(0.1863, 0.0051, 0.3074, 0.0036, 0.8682, 0.0045),
        "seq2exp_soft": _spread(0.1856, 0.0032, 0.3054, 0.0024, 0.8723, 0.0012),
        "infer": _spread(0.1789, 0.0041, 0.3000, 0.0058, 0.8751, 0.0036),
    },
    "GM12878": {
        "enformer": _spread(0.2889, 0.0009, 0.4185, 0.0013, 0.8327, 0.0025),
        "hyenadna": _spread(0.2217, 0.0018, 0.3562, 0.0012, 0.8729, 0.0010),
        "mamba": _spread(0.2145, 0.0021, 0.3446, 0.0022, 0.8788, 0.0011),
        "caduceus": _spread(0.2124, 0.0037, 0.3436, 0.0031, 0.8819, 0.0009),
        "caduceus_signals": _spread(0.1942, 0.0058, 0.3269, 0.0048, 0.8928, 0.0017),
        "epinformer": _spread(0.1975, 0.0031, 0.3246, 0.0025, 0.8907, 0.0011),
        "macs3_mask": _spread(0.2340, 0.0028, 0.3654, 0.0017, 0.8634, 0.0020),
        "seq2exp_hard": _spread(0.1890, 0.0045, 0.3199, 0.0040, 0.8916, 0.0027),
        "seq2exp_soft": _spread(0.1873, 0.0044, 0.3137, 0.0028, 0.8951, 0.0038),
        "infer": _spread(0.1759, 0.0054, 0.3054, 0.0048, 0.9016, 0.0024),
    },
}
"""Table 1, by cell type and recipe."""


def of_systems(cell_type: str) -> dict[str, Published]:
    """Return the column of Table 1 for a cell type, ignoring case; K562's for a cell type that the paper lacks."""
    return SYSTEMS[own_cell_type(cell_type) or CELL_TYPE]


def own_cell_type(cell_type: str) -> str | None:
    """Return the paper's name of a cell type, ignoring case; None if the paper lacks it."""
    return {name.lower(): name for name in SYSTEMS}.get(cell_type.lower())


LENGTHS: dict[int, Published] = {
    2_000: Published(0.6183, 0.6485, 0.8084),
    2_100: Published(0.2301, 0.3471, 0.8603),
    2_500: Published(0.1996, 0.3174, 0.8674),
    3_000: Published(0.1943, 0.3134, 0.8698),
    8_000: Published(0.1864, 0.3082, 0.8747),
    10_000: Published(0.1855, 0.3074, 0.8751),
    200_000: Published(0.1856, 0.3054, 0.8723),
}
"""Table 2: Seq2Exp-soft trained on 200 kb, by window length at test time."""

BETWEEN_LENGTHS: dict[str, dict[int, Published]] = {
    "seq2exp_soft": {
        100: Published(0.2233, 0.3394, 0.8441),
        500: Published(0.1879, 0.3096, 0.8744),
        2_000: Published(0.1971, 0.3150, 0.8678),
        5_000: Published(0.1949, 0.3098, 0.8703),
        10_000: Published(0.1897, 0.3088, 0.8719),
    },
    "caduceus_signals": {
        100: Published(0.2200, 0.3385, 0.8449),
        500: Published(0.1889, 0.3096, 0.8716),
        2_000: Published(0.1831, 0.3036, 0.8747),
        5_000: Published(0.1941, 0.3170, 0.8692),
        10_000: Published(0.2029, 0.3235, 0.8550),
    },
}
"""Table 3 and Figure 1 (a): by recipe and window length in training and test."""

SIGNALS: dict[str, Published] = {
    "none": Published(0.2163, 0.3325, 0.8485),
    "h3k27ac": Published(0.1873, 0.3080, 0.8628),
    "dnase": Published(0.2089, 0.3227, 0.8497),
    "hic": Published(0.2135, 0.3264, 0.8530),
    "all": Published(0.1886, 0.3079, 0.8652),
}
"""Table 4 and Figure 1 (b): Caduceus, by the signals that it reads."""

DROPPED: dict[str, Published] = {
    "h3k27ac": Published(0.6115, 0.5653, 0.6964),
    "dnase": Published(0.2962, 0.3890, 0.8189),
    "hic": Published(0.2280, 0.3548, 0.8467),
    "nothing": Published(0.1886, 0.3078, 0.8652),
}
"""Table 5 and Figure 1 (c): Caduceus trained on all signals, by the signal removed at test time."""

SWEEPS: dict[str, dict[float, Published]] = {
    "n_patterns": {
        1: Published(0.1847, 0.3047, 0.8740),
        2: Published(0.1789, 0.3000, 0.8751),
        4: Published(0.1884, 0.3079, 0.8710),
    },
    "alpha": {
        0.0: Published(0.1910, 0.3077, 0.8691),
        0.01: Published(0.1829, 0.3046, 0.8738),
        0.1: Published(0.1843, 0.3055, 0.8750),
        1.0: Published(0.1789, 0.3000, 0.8751),
        10.0: Published(0.1974),
    },
    "beta": {
        0.0: Published(0.1893, 0.3107, 0.8714),
        0.01: Published(0.1854, 0.3039, 0.8741),
        0.1: Published(0.1807, 0.3074, 0.8723),
        1.0: Published(0.1789, 0.3000, 0.8751),
        10.0: Published(0.1860, 0.3019, 0.8725),
    },
}
"""Table 6: InFER, by the setting that differs from the default n = 2, α = β = 1."""

OVERHEAD: dict[str, Published] = {
    "long": _spread(0.1959, 0.0036, 0.3187, 0.0036, 0.8630, 0.0008),
    "short": Published(0.1863, None, 0.8713, 0.0035, None, 0.0023),
    "seq2exp_soft": _spread(0.1856, 0.0032, 0.3054, 0.0024, 0.8723, 0.0012),
    "infer": _spread(0.1789, 0.0041, 0.3000, 0.0058, 0.8751, 0.0036),
}
"""Table 7."""

PARAMETERS: dict[str, str] = {"caduceus_signals": "574K", "seq2exp_soft": "1.1M", "infer": "585K"}
"""Table 8."""
