"""Columns of alerts become sorted codes, whatever kind of column they are."""

from __future__ import annotations

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from stanza_lab.dependencies.statistics import Firings
from stanza_lab.errors import SchemaError

TIMES = pd.Series(pd.to_datetime(["2026-03-01T10:02Z", "2026-03-01T10:00Z", "2026-03-01T10:01Z"]))


def names(values: list, dtype: str = "str") -> pd.Series:
    return pd.Series(values, dtype=dtype)


@pytest.mark.parametrize("dtype", ["str", "object", "category", "string"])
def test_names_of_any_kind_are_sorted_codes(dtype: str) -> None:
    firings = Firings.of(TIMES, names(["web", "db", "web"], dtype))
    assert (firings.nodes.tolist(), list(firings.node_names)) == ([0, 1, 1], ["db", "web"])


def test_categories_that_do_not_occur_or_read_alike_are_no_names_of_their_own() -> None:
    column = pd.Series(pd.Categorical([1, "1", 2], categories=[2, "x", "1", 1]))
    assert list(Firings.of(TIMES, column).node_names) == ["1", "2"]


def test_round_trip_keeps_what_is_there() -> None:
    frame = pd.DataFrame(
        {
            "starts_at": TIMES.sort_values(ignore_index=True),
            "node": names(["a", "b", "a"]),
            "place": names(["p", None, "q"]),
            "inner": [True, False, None],
            "ends_at": [TIMES[0], pd.NaT, pd.NaT],
        }
    )
    again = Firings.from_frame(frame).to_frame()
    expected = frame.fillna({"place": "", "inner": False})
    assert_frame_equal(
        again.astype({"node": "str", "place": "str"}), expected.astype({"inner": bool}), check_dtype=False
    )
    assert list(Firings.of(TIMES, names(["a", "b", "a"])).to_frame().columns) == ["starts_at", "node"]


def test_adding_sorts_and_unites_the_names() -> None:
    both = Firings.of(TIMES, names(["c", "a", "c"])) + Firings.of(TIMES[:1], names(["b"]))
    assert [str(both.node_names[code]) for code in both.nodes] == ["a", "c", "c", "b"]
    assert len(Firings.none() + Firings.none()) == 0


def test_other_zones_and_units_are_the_same_instants() -> None:
    other = TIMES.dt.tz_convert("Asia/Tokyo").dt.as_unit("ns")
    assert (
        Firings.of(other, names(["a", "b", "c"])).times.tolist()
        == Firings.of(TIMES, names(["a", "b", "c"])).times.tolist()
    )


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"times": TIMES.dt.tz_localize(None)}, "with a zone"),
        ({"times": TIMES.where([True, False, True])}, "1 of 3 alerts have no time"),
        ({"names": names(["a", None, "b"])}, "1 of 3 alerts have no name"),
        ({"places": names(["p"])}, "'places'. must have as many rows"),
    ],
)
def test_columns_that_are_not_complete_are_refused(columns: dict, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        Firings.of(**({"times": TIMES, "names": names(["a", "b", "c"])} | columns))


def test_a_frame_without_nodes_is_refused() -> None:
    with pytest.raises(SchemaError, match=r"'node'. are missing"):
        Firings.from_frame(pd.DataFrame({"starts_at": TIMES}))
