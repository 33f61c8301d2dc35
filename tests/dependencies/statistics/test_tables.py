"""Tables and back; what no counting gives is refused."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest
from hypothesis import given, settings

from stanza_lab.dependencies.statistics import CoFiringStatistics
from stanza_lab.errors import SchemaError
from tests.dependencies.statistics.test_statistics import COUNTING, PLACED, alerts_anywhere, count, count_placed

TABLE = [(600, "a", "p", True), (601, "b", "q", False), (5000, "b", "r", False), (5001, "a", "q", False)]


@given(alerts_anywhere)
@settings(max_examples=20)
def test_round_trip_in_any_order_of_rows(table: list) -> None:
    statistics = count_placed(table)
    frames = {name: frame[::-1] for name, frame in statistics.to_frames().items()}
    assert CoFiringStatistics.from_frames(frames, settings=statistics.settings()).equals(statistics)


def test_round_trip_through_parquet(tmp_path) -> None:
    statistics = count_placed(TABLE)
    for name, frame in statistics.to_frames().items():
        frame.to_parquet(tmp_path / f"{name}.parquet")
    frames = {name: pd.read_parquet(tmp_path / f"{name}.parquet") for name in statistics.to_frames()}
    assert CoFiringStatistics.from_frames(frames, settings=statistics.settings()).equals(statistics)


def test_names_as_plain_text_and_wide_counts_are_read_as_well() -> None:
    statistics = count_placed(TABLE)
    kinds = {"a": "str", "b": "str", "node": "object", "place": "str", "cofirings": "int64", "lag+0": "Int32"}
    frames = {
        name: frame.astype({c: kind for c, kind in kinds.items() if c in frame.columns})
        for name, frame in statistics.to_frames().items()
    }
    assert CoFiringStatistics.from_frames(frames, settings=statistics.settings()).equals(statistics)


def test_without_places_there_are_two_tables() -> None:
    statistics = count([(600, "a"), (601, "b")])
    frames = statistics.to_frames()
    assert list(frames) == ["firings", "cofirings"]
    assert frames["firings"]["place"].tolist() == ["", ""]
    assert CoFiringStatistics.from_frames(frames, settings=COUNTING.settings()).equals(statistics)


def test_every_alert_is_an_arrival_even_when_it_flaps() -> None:
    arrivals = count_placed([(601, "a", "p", False), (602, "a", "p", False)]).to_frames()["arrivals"]
    assert arrivals["starts_at"].dt.minute.tolist() == [1, 2]
    assert arrivals["ends_at"].isna().tolist() == [False, True]


@pytest.mark.parametrize("name", ["firings", "cofirings", "arrivals", "near"])
def test_a_missing_table_is_named(name: str) -> None:
    frames = count_placed(TABLE).to_frames()
    del frames[name]
    with pytest.raises(SchemaError, match=f"{name!r} lacks"):
        CoFiringStatistics.from_frames(frames, settings=PLACED.settings())


def doubled(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame[:1]])


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("firings", lambda t: t.drop(columns="inner"), "'firings' lacks ..inner"),
        ("firings", lambda t: t.assign(firings=-1), "below 0"),
        ("firings", lambda t: t.assign(firings=2**62), "beyond belief"),
        ("firings", lambda t: t.assign(firings=1.5), "'firings' has nulls or values of another kind"),
        ("firings", lambda t: t.assign(node=1), "'node' has nulls or values of another kind"),
        ("firings", lambda t: t.assign(node=pd.Series(["a", None, "b", "c"], dtype="str")), "'node' has nulls"),
        ("firings", lambda t: t.assign(block="2026-03-01"), "'block' has nulls or values of another kind"),
        ("firings", lambda t: t.assign(block=t["block"] + pd.Timedelta("1min")), "start no block"),
        ("firings", doubled, "rows of the same time and names"),
        ("cofirings", doubled, "rows of the same time and names"),
        ("cofirings", lambda t: t.rename(columns={"a": "b", "b": "a"}), "a is not before b"),
        ("cofirings", lambda t: t.assign(cofirings=7), "lags must add up"),
        ("cofirings", lambda t: pd.concat([t, t[["a"]]], axis=1), "'a' has nulls or values of another kind"),
        ("arrivals", lambda t: t.assign(starts_at=pd.NaT), "'starts_at' has nulls or values of another kind"),
        ("near", doubled, "names a pair twice"),
    ],
)
def test_what_no_counting_gives_is_refused(
    table: str, change: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    frames = count_placed(TABLE).to_frames()
    frames[table] = change(frames[table])
    with pytest.raises(SchemaError, match=message):
        CoFiringStatistics.from_frames(frames, settings=PLACED.settings())


def test_places_without_their_tables_are_refused() -> None:
    frames = count_placed(TABLE).to_frames()
    del frames["near"], frames["arrivals"]
    with pytest.raises(SchemaError, match="no tables 'arrivals' and 'near'"):
        CoFiringStatistics.from_frames(frames, settings=PLACED.settings())
