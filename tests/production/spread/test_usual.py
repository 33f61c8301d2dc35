"""What is usual: counted by hand on a few alerts."""

from __future__ import annotations

import pandas as pd
import pytest

from stanza_lab.production import ProductionMap
from stanza_lab.production.spread.usual import Rates, Usual

START = pd.Timestamp("2026-03-01T00:00Z")
HOUR = 3_600_000_000


def history(*rows: tuple[str, float]) -> ProductionMap:
    table = pd.DataFrame(rows, columns=["service", "hour"])
    edges = pd.DataFrame({"src": ["a"], "dst": ["b"], "confidence": [0.9]})
    return ProductionMap(edges, table.assign(starts_at=START + pd.to_timedelta(table.pop("hour"), unit="h")))


ROWS = (("a", 0.0), ("a", 0.1), ("a", 10.0), ("b", 48.0), ("b", 48.05), ("b", 96.0))


def test_alerts_close_together_are_one_episode() -> None:
    at = START.value // 1000
    rates = Usual.of(history(*ROWS)).around(at + 200 * HOUR, at + 200 * HOUR, until=None)
    assert rates.alerts.tolist() == [3.0, 3.0]
    assert rates.episodes.tolist() == [2.0, 2.0]
    assert rates.span_us == 96 * HOUR
    assert rates.per_episode.tolist() == [4 / 3, 4 / 3]


def test_the_incident_itself_and_what_comes_later_are_not_counted() -> None:
    at = START.value // 1000
    usual = Usual.of(history(*ROWS))
    without = usual.around(at + 47 * HOUR, at + 49 * HOUR, until=None)
    assert without.episodes.tolist() == [2.0, 1.0]
    assert without.span_us == 94 * HOUR
    assert usual.around(at + 47 * HOUR, at + 49 * HOUR, until=at + 49 * HOUR).episodes.tolist() == [2.0, 0.0]


def test_chance_is_that_of_a_negative_binomial_drawn_to_the_mean() -> None:
    rates = Rates(pd.Series([3.0, 1.0]).to_numpy(), pd.Series([3.0, 1.0]).to_numpy(), 100.0)
    # the mean is 2 episodes in 100: worth one episode, 50 more; 1 - (150 / 160) ** 4 and ** 2
    assert rates.chance(10.0).tolist() == pytest.approx([1 - (150 / 160) ** 4, 1 - (150 / 160) ** 2])


def test_it_is_looked_up_once_per_map() -> None:
    whole = history(*ROWS)
    assert Usual.of(whole) is Usual.of(whole.near("a", hops=1))
