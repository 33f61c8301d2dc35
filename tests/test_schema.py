from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab import schema
from stanza_lab.errors import SchemaError

TABLES = [value for value in vars(schema).values() if isinstance(value, schema.Table)]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_empty_table_passes_its_own_check(table: schema.Table) -> None:
    frame = schema.empty(table)
    assert list(frame.columns) == table.names
    pd.testing.assert_frame_equal(schema.check(frame, table), frame)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_table_survives_arrow(table: schema.Table) -> None:
    frame = schema.empty(table)
    back = pa.Table.from_pandas(frame, schema=schema.arrow(table), preserve_index=False).to_pandas()
    pd.testing.assert_frame_equal(schema.check(back, table), frame)


def test_check_changes_nothing_and_keeps_other_columns() -> None:
    frame = pd.DataFrame({"starts_at": ["2026-03-01T14:02:00Z"], "cost": [3]}, index=["a"])
    before = frame.copy(deep=True)
    checked = schema.check(frame, schema.ALERTS, need=["starts_at"])
    pd.testing.assert_frame_equal(frame, before)
    assert checked.loc["a", "starts_at"] == pd.Timestamp("2026-03-01T14:02:00Z")
    assert checked.loc["a", "cost"] == 3


def test_check_lists_every_problem_at_once() -> None:
    frame = pd.DataFrame({"startsAt": [1], "severity": ["page"]})
    with pytest.raises(SchemaError) as caught:
        schema.check(frame, schema.ALERTS, need=["starts_at", "service"])
    message = str(caught.value)
    assert "column 'starts_at' is missing; columns are ['startsAt', 'severity']; did you mean 'startsAt'?" in message
    assert "frame.rename(columns={'startsAt': 'starts_at'})" in message
    assert "column 'service' is missing" in message
    assert "column 'severity': 1 of 1 values are not known, first 'page'; use one of ['info'" in message


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("starts_at", pd.to_datetime(["2026-03-01 14:02"]), "times have no zone"),
        ("starts_at", ["yesterday"], "not all values are times"),
        ("resources", ["i-0abc"], r"'i-0abc' is not a list of text; pass a list, for example \['i-0abc'\]"),
        ("incident_id", [None], "1 of 1 values are null"),
    ],
)
def test_check_names_the_value_that_does_not_fit(column: str, values: list, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        schema.check(pd.DataFrame({column: values}), schema.ALERTS, need=[column])


def test_words_of_a_list_are_checked() -> None:
    with pytest.raises(SchemaError, match=r"'guessed' is not known; use some of \['declared', 'inferred', 'traced'\]"):
        schema.check(pd.DataFrame({"provenance": [["inferred", "guessed"]]}), schema.EDGES, need=["provenance"])


def test_check_refuses_a_column_that_stands_there_twice() -> None:
    frame = pd.DataFrame([["a", "b"]], columns=["service", "service"])
    with pytest.raises(SchemaError, match="'service' stands there more than once"):
        schema.check(frame, schema.ALERTS, need=["service"])


def test_check_wants_a_frame() -> None:
    with pytest.raises(SchemaError, match="alerts must be a pandas DataFrame, not list"):
        schema.check([], schema.ALERTS)


def test_build_reads_microseconds_and_leaves_what_is_missing_null() -> None:
    alerts = schema.build([{"starts_at": 1_674_981_695_723_000, "incident_id": 1}, {"incident_id": -1}], schema.ALERTS)
    assert alerts["starts_at"].tolist() == [pd.Timestamp("2023-01-29T08:41:35.723Z"), pd.NaT]
    assert alerts["resources"].tolist() == [[], []]
    assert alerts["service"].isna().all()


def test_severities_are_ordered() -> None:
    alerts = schema.build([{"severity": s, "incident_id": -1} for s in ("critical", "info", "error")], schema.ALERTS)
    assert alerts["severity"].max() == "critical"
    assert (alerts["severity"] >= "error").tolist() == [True, False, True]


def test_lists_read_back_from_parquet_are_lists_again(tmp_path) -> None:
    alerts = schema.build([{"resources": ["i-1", "i-2"], "incident_id": 0}], schema.ALERTS)
    alerts.to_parquet(tmp_path / "a.parquet")
    assert schema.check(pd.read_parquet(tmp_path / "a.parquet"), schema.ALERTS)["resources"].tolist() == [
        ["i-1", "i-2"]
    ]


@given(st.lists(st.none() | st.integers(0, 4_000_000_000_000_000), max_size=8))
def test_times_of_any_mix_keep_their_microsecond(times: list[int | None]) -> None:
    column = schema.convert(pd.Series(times, dtype=object), schema.ALERTS["starts_at"])
    assert str(column.dtype) == "datetime64[us, UTC]"
    assert [None if pd.isna(t) else t.value // 1000 for t in column] == times


def test_check_is_idempotent() -> None:
    once = schema.build([{"starts_at": 5, "service": "a", "severity": "info", "incident_id": 2}], schema.ALERTS)
    pd.testing.assert_frame_equal(schema.check(once, schema.ALERTS), once)
