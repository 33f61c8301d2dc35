from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from stanza_lab.errors import SchemaError, UnknownNameError
from stanza_lab.reliability.objectives import tables
from stanza_lab.reliability.objectives.counts import select
from tests.reliability.objectives.tables_of import START, counts, promised


def micros(text: str) -> np.ndarray:
    return np.array([(START + pd.Timedelta(text)).value // 1000])


def test_a_window_adds_what_lies_in_it() -> None:
    (one,), _ = select(tables.checked(counts([1, 2, 4, 8])), [promised()])
    sums = one.over(micros("20min"), 600_000_000)
    assert (sums.bad[0], sums.total[0], sums.seen[0]) == (12, 2000, 1)
    assert sums.ratio[0] == pytest.approx(0.006)


def test_what_no_interval_covers_was_not_seen() -> None:
    (one,), _ = select(tables.checked(counts([1, 2, 4, 8]).drop(index=[1, 2])), [promised()])
    assert one.over(micros("20min"), 1_200_000_000).seen[0] == 0.5


def test_an_interval_longer_than_the_window_does_not_answer_for_it() -> None:
    (one,), _ = select(tables.checked(counts([1, 2], step="1h")), [promised()])
    assert not one.over(micros("2h"), 300_000_000).fine[0]


def histogram(le: list[float], below: list[float]) -> pd.DataFrame:
    table = counts([math.nan], indicator="latency", total=below[-1])
    return table.assign(le=[le], below=[below])


def test_slower_than_the_threshold_is_bad() -> None:
    table = tables.checked(histogram([0.5, 0.8, math.inf], [90, 97, 100]))
    (one,), _ = select(table, [promised(99, kind="latency", within="800ms")])
    assert (one.bad[0], one.least[0], one.notes) == (3, 3, ())


def test_a_threshold_inside_a_bucket_counts_against_the_service_and_says_so() -> None:
    table = tables.checked(histogram([0.5, 1.0, math.inf], [90, 97, 100]))
    (one,), _ = select(table, [promised(99, kind="latency", within="800ms")])
    assert (one.bad[0], one.least[0]) == (10, 3)
    assert one.notes[0].startswith("no bucket ends at 0.8 s: from 0.5 to 1 s")


def test_globs_take_every_service_and_unknown_ones_are_named() -> None:
    both = tables.checked(pd.concat([counts([1]), counts([2], service="shop-db")]))
    found, _ = select(both, [promised(service="shop*")])
    assert [one.service for one in found] == ["shop", "shop-db"]
    with pytest.raises(UnknownNameError, match="did you mean 'shop'"):
        select(both, [promised(service="shopp")])


def test_what_measures_nothing_is_said_and_what_is_ambiguous_is_asked() -> None:
    table = tables.checked(counts([1]))
    _, unseen = select(table, [promised(), promised(99, name="Fast", kind="latency", within="1s")])
    assert "Fast: shop has no a histogram of latencies" not in unseen[0]
    assert unseen[0].startswith("Fast: shop has no histogram of latencies")
    two = tables.checked(pd.concat([counts([1], indicator="grpc"), counts([1], indicator="http")]))
    with pytest.raises(SchemaError, match="pass indicator= one of them"):
        select(two, [promised()])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"good": -1.0}, "good is no count"),
        ({"good": 2000.0}, "more good than total"),
        ({"covers_s": 0.0}, "covers_s is no length"),
        ({"covers_s": 900.0}, "overlap"),
        ({"at": START}, "add them up first"),
        ({"le": [[1.0, 0.5, math.inf]] * 2, "below": [[1.0, 2.0, 3.0]] * 2}, "must rise"),
        ({"le": [[0.5, math.inf]] * 2, "below": [[3.0, 2.0]] * 2}, "must not fall"),
        ({"le": [[0.5, math.inf]] * 2, "below": [[3.0]] * 2}, "as many counts"),
    ],
)
def test_a_table_that_cannot_be_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(SchemaError, match=said):
        tables.checked(counts([1, 2]).assign(**change))


def test_the_table_is_not_changed_and_its_order_does_not_matter() -> None:
    table = counts([1, 2, 3])
    before = table.copy()
    sorted_one = tables.checked(table.iloc[::-1])
    pd.testing.assert_frame_equal(table, before)
    pd.testing.assert_frame_equal(sorted_one, tables.checked(table))
