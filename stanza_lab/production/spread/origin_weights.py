"""What each number of `suspects` is worth, as ``python -m benchmarks.origins --fit`` prints it."""

from __future__ import annotations

WEIGHTS: dict[str, float] = {
    "silent": -1.642,
    "silent_noticed": -1.52,
    "share": 0.279,
    "unusual": 0.813,
    "saturation": 1.044,
    "availability": 0.241,
    "earlier": 0.316,
    "explains": 2.675,
    "explains_later": 0.66,
    "fit": 0.063,
    "missing": -1.066,
    "explained": -3.678,
    "explained_before": -3.154,
    "silent_fit": 0.211,
    "deploy": 3.99,
    "outside": 0.786,
    "outside_services": 2.279,
    "outside_unlinked": -0.559,
}
