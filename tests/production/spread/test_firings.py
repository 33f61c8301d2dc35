"""Who fired around the firings of a service, and how often that is chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from stanza_lab.production.spread.firings import Firings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAMES = pd.Index(["a", "b", "c"])
MINUTE = 60_000_000
START = pd.Timestamp("2026-03-01T00:00Z")


def firings(*rows: tuple[str | None, float | None]) -> Firings:
    at = [None if minute is None else START + pd.Timedelta(minutes=minute) for _, minute in rows]
    table = pd.DataFrame({"service": [name for name, _ in rows], "starts_at": pd.to_datetime(at, utc=True)})
    return Firings.of(table.astype({"service": "category"}), NAMES)


def minutes(times: NDArray[np.int64]) -> list[float]:
    return ((times - START.value // 1000) / MINUTE).tolist()


def test_an_episode_begins_after_quiet() -> None:
    found = firings(("a", 0), ("a", 10), ("a", 20), ("a", 60), ("b", 30))
    assert minutes(found.episodes(0, window=15 * MINUTE)) == [0, 60]
    assert minutes(found.episodes(2, window=15 * MINUTE)) == []


def test_around_counts_each_service_once_with_its_first_alert() -> None:
    found = firings(("a", 100), ("b", 98), ("b", 104), ("c", 114), ("c", 200))
    around = found.around(found.episodes(0, window=15 * MINUTE), window=15 * MINUTE)
    assert around.counts(3).tolist() == [1, 1, 1]
    delays = dict(zip(around.service.tolist(), (around.delay / MINUTE).tolist(), strict=True))
    assert delays == {0: 0.0, 1: -2.0, 2: 14.0}


def test_too_early_and_too_late_do_not_follow() -> None:
    found = firings(("a", 100), ("b", 96), ("c", 116))
    around = found.around(found.episodes(0, window=15 * MINUTE), window=15 * MINUTE)
    assert around.counts(3).tolist() == [1, 0, 0]


def test_chance_is_the_share_of_moments_it_fires_around() -> None:
    found = firings(("a", 0), *[("b", 1000 + 100 * k) for k in range(90)], ("c", 10_000))
    chance = found.chance(found.episodes(0, window=15 * MINUTE), window=15 * MINUTE)
    assert chance[1] == pytest.approx(90 * 18 / 10_000, rel=0.01)
    assert chance[0] == 0.0


def test_alerts_without_time_or_service_are_left_out() -> None:
    assert len(firings(("a", 1), (None, 2), ("b", None), ("elsewhere", 3)).times) == 1


def test_no_alerts_no_chance() -> None:
    found = firings()
    assert found.chance(found.episodes(0, window=MINUTE), window=MINUTE).tolist() == [0.0, 0.0, 0.0]
