from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab.reliability.objectives.histograms import quantile

LE = (0.1, 0.5, math.inf)


def test_a_quantile_lies_evenly_spread_inside_its_bucket() -> None:
    # rank 0.5 * 100 = 50; bucket 0.1 to 0.5 holds 20 to 80: 0.1 + 0.4 * (50 - 20) / 60
    assert quantile(LE, (20, 80, 100), 0.5) == (pytest.approx(0.3), 0.1, 0.5)


def test_the_first_bucket_begins_at_zero() -> None:
    assert quantile(LE, (50, 80, 100), 0.25) == (pytest.approx(0.05), 0.0, 0.1)


def test_above_the_last_bound_it_is_at_least_that_bound() -> None:
    assert quantile(LE, (20, 80, 100), 0.99) == (0.5, 0.5, math.inf)


def test_without_a_count_it_is_not_known() -> None:
    assert math.isnan(quantile(LE, (0, 0, 0), 0.5).value)


@given(st.lists(st.integers(0, 50), min_size=3, max_size=3), st.floats(0.01, 0.99))
def test_a_quantile_lies_between_its_bounds(parts: list[int], q: float) -> None:
    below = [sum(parts[: i + 1]) for i in range(3)]
    found = quantile(LE, below, q)
    assert math.isnan(found.value) if not below[-1] else found.low <= found.value <= found.high
