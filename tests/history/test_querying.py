from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from stanza_lab import History, schema
from stanza_lab.errors import HistoryError, ParameterError
from stanza_lab.history import facts
from stanza_lab.history import manifest as manifests
from stanza_lab.history.manifest import FileEntry, Manifest
from stanza_lab.history.parts import PartWriter, to_arrow

COLUMNS = schema.arrow(schema.EVENTS)
HOUR = 3_600_000_000


def event(event_id: str, kind: str = "fired", hour: int = 0, **more: Any) -> dict[str, Any]:
    base = {"source": "datadog", "alertname": "cpu", "rule_key": "cpu", "has_recovery": True, "severity": "error"}
    told = {"event_id": event_id, "native_ids": [event_id], "kind": kind, "at": hour * HOUR, "raw": event_id}
    return base | told | more


def keep(path: Path, *rows: dict[str, Any]) -> History:
    path.mkdir()
    with PartWriter(path / "events", COLUMNS) as writer:
        writer.write(to_arrow(schema.build(rows, schema.EVENTS), COLUMNS))
        parts = writer.finish()
    number = len({row["event_id"] for row in rows})
    files = (FileEntry("x.json", "0" * 64, records=number, events=number),)
    manifests.write(path, Manifest(events=parts, files=files, facts={"datadog": number}))
    return History(path)


@pytest.fixture
def history(tmp_path: Path, changes: Path) -> History:
    history = History(tmp_path / "history")
    history.ingest(changes)
    return history


@pytest.fixture
def levels(tmp_path: Path) -> History:
    """Return a history of four alerts, one of each severity, an hour apart, the last one still open."""
    rows = [
        event(word, hour=hour, severity=word, rule_key=word, alertname="error", labels='{"error": "yes"}')
        for hour, word in enumerate(schema.SEVERITIES)
    ]
    ends = [event(f"{row['event_id']}-", "resolved", 9, rule_key=row["rule_key"], severity=None) for row in rows[:3]]
    return keep(tmp_path / "levels", *rows, *ends)


@pytest.mark.parametrize("table", ["events", "alerts", "rejected", "files"])
def test_tables_are_what_the_methods_return(history: History, items: Path, table: str) -> None:
    history.ingest(items)  # the same facts in another shape
    expected = getattr(history, table)()
    found = history.sql(f"select * from {table}")
    words = {column: "str" for column in expected if expected[column].dtype == "category" and column != "severity"}
    pd.testing.assert_frame_equal(found.astype(words), expected.astype(words))
    assert all(found[column].dtype in ("category", expected[column].dtype) for column in words)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("severity >= 'error'", ["error", "critical"]),
        ("severity>='error'", ["error", "critical"]),
        ("severity < 'error'", ["info", "warning"]),
        ("'warning' < severity", ["error", "critical"]),
        ("severity between 'warning' and 'error'", ["warning", "error"]),
        ("severity in ('info', 'critical')", ["info", "critical"]),
        ("severity = 'error'", ["error"]),
        ("severity <> 'error'", ["info", "warning", "critical"]),
        ("severity >= (select severity from alerts where rule_key = 'error')", ["error", "critical"]),
        ("severity >= 'error' -- and severity >= 'info'", ["error", "critical"]),
        ("alertname = 'error' and severity > 'error'", ["critical"]),
        ("labels->>'error' = 'yes' and severity > 'error'", ["critical"]),
        ("alertname || ' > ''error''' = 'error > ''error''' and severity > 'error'", ["critical"]),
        ("ends_at is null", ["critical"]),
        ("starts_at >= '1970-01-01 02:00'", ["error", "critical"]),
        (
            "alert_id in (select alert_id from events join alerts using (rule_key) where at > '1970-01-01 08:00')",
            ["info", "warning", "error"],
        ),
    ],
)
def test_conditions(levels: History, where: str, found: list[str]) -> None:
    told = levels.sql(f"select severity from alerts where {where}\n order by starts_at")
    assert told["severity"].tolist() == found
    assert told["severity"].dtype == schema.SEVERITY_DTYPE


def test_severities_sort_and_group_by_their_order(levels: History) -> None:
    told = levels.sql("select severity, count(*) as n from alerts group by all order by severity desc")
    assert told["severity"].tolist() == list(schema.SEVERITIES)[::-1]
    assert levels.sql("select max(severity) as worst from alerts")["worst"].tolist() == ["critical"]
    assert len(levels.sql("select rule_key from alerts group by all having max(severity) > 'error'")) == 1


def test_parameters_stand_for_values(levels: History) -> None:
    asked = "select count(*) as n from alerts where severity >= $least and starts_at < $until and alertname = $name"
    assert levels.sql(asked, least="warning", until=pd.Timestamp("1970-01-01T03:00Z"), name="error")["n"].tolist() == [
        2
    ]
    with pytest.raises(ParameterError, match="cannot be run"):
        levels.sql(asked, least="error")


def test_the_column_at_needs_no_quotes(levels: History) -> None:
    for asked in (
        "select max(at) as last from events where at >= '1970-01-01' and events.at < '1971-01-01'",
        "select max(\"at\") as last from events /* at */ where 'at' = 'at' order by last",
        "select max(at) as last from events where at at time zone 'UTC' > '1970-01-01'",
    ):
        assert levels.sql(asked)["last"].tolist() == [pd.Timestamp("1970-01-01T09:00Z")]


@pytest.mark.parametrize(
    ("expression", "dtype", "value"),
    [
        ("sum(1)", "int64", 1),
        ("1.5", "float64", 1.5),
        ("avg(2)", "float64", 2.0),
        ("date '2026-03-01'", "datetime64[s]", pd.Timestamp("2026-03-01")),
        ("timestamptz '2026-03-01 00:00:00+01'", "datetime64[us, UTC]", pd.Timestamp("2026-02-28T23:00Z")),
        ("interval 1 month + interval 2 hour", "timedelta64[us]", pd.Timedelta(days=30, hours=2)),
        ("['a', null]", "object", ["a", None]),
        ("{'a': 1}", "object", {"a": 1}),
        ("'a'", "str", "a"),
        ("true", "bool", True),
        ("9007199254740993::bigint", "int64", 9007199254740993),
        ("(2::hugeint ** 70)::hugeint", "float64", 2.0**70),
    ],
)
def test_results_have_our_dtypes(history: History, expression: str, dtype: str, value: object) -> None:
    column = history.sql(f"select {expression} as x")["x"]
    assert str(column.dtype) == dtype
    assert column.tolist() == [value]


def test_whole_numbers_with_nulls_stay_whole(history: History) -> None:
    told = history.sql("select * from (values (1, true), (null, null)) t(n, b)")
    assert told.dtypes.astype(str).tolist() == ["Int32", "boolean"]


def test_a_name_that_stands_twice_gets_a_number(history: History) -> None:
    assert history.sql("select 1 as a, 2 as a, 3 as a").columns.tolist() == ["a", "a_1", "a_2"]


OUTSIDE = [
    "select * from read_csv('/etc/passwd')",
    "select * from read_text('/etc/hostname')",
    "select * from read_blob('{parts}')",
    "select * from '/etc/passwd'",
    "select * from glob('/*')",
    "select * from read_parquet('https://example.com/a.parquet')",
    "copy (select 1) to '{out}'",
    "copy events to '{part}'",
    "copy events from '{part}'",
    "attach '{out}' as other",
    "install httpfs",
    "load httpfs",
    "pragma database_list",
    "call pragma_version()",
    "set lock_configuration=false",
    "set enable_external_access=true",
    "reset memory_limit",
    "create table t as select 1",
    "drop view events",
    "delete from files",
    "export database '{out}'",
    "explain analyze copy (select 1) to '{out}'",
    "select 1; select 2",
    "select 1; copy (select 1) to '{out}'",
    "select * from query('copy (select 1) to ''{out}''')",
    "select * from secret",
    "",
    ")",
    "select nope from alerts",
    "select * from alert",
    "select $name",
]


@pytest.mark.parametrize("query", OUTSIDE)
def test_what_is_no_select_or_reaches_outside_is_refused(history: History, tmp_path: Path, query: str) -> None:
    secret = pd.DataFrame({"a": [1]})  # a local variable is no table
    [part] = history.path.glob("events/*")
    content = part.read_bytes()
    query = query.format(out=tmp_path / "out", part=part, parts=part.parent / "*")
    with pytest.raises(ParameterError, match=r"cannot be run: .*; pass one SELECT over these tables: events \(source"):
        history.sql(query)
    assert not (tmp_path / "out").exists()
    assert part.read_bytes() == content
    assert len(secret) == 1


def test_the_refusal_says_why_in_one_line_and_names_the_columns(history: History) -> None:
    with pytest.raises(ParameterError) as caught:
        history.sql("select nope from alerts")
    assert 'Binder Error: Referenced column "nope" not found' in str(caught.value)
    assert "alerts (alert_id, source, origin" in str(caught.value)
    assert "files (file, records, events" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_wrong_parameters_are_refused(history: History) -> None:
    with pytest.raises(ParameterError, match=r"severity 'bad' is not known; use one of \['info'"):
        history.sql("select * from alerts where severity >= 'bad'")
    with pytest.raises(ParameterError, match="memory_limit='1MB' is too little"):
        history.sql("select 1", memory_limit="1MB")
    with pytest.raises(ParameterError, match="query=7 is no text"):
        history.sql(7)  # type: ignore[arg-type]
    with pytest.raises(HistoryError, match="no history at"):
        History(history.path / "nowhere").sql("select 1")


def test_facts_told_once_are_read_from_the_parts(history: History) -> None:
    assert history.sql("select count(*) as n from events")["n"].tolist() == [5]
    assert list(history.path.glob("cache/facts-*")) == []


def test_facts_told_twice_are_written_once_and_go_with_the_next_ingest(
    history: History, items: Path, export: Callable[..., Path], sns: Callable[..., dict]
) -> None:
    history.ingest(items)
    for _ in range(2):
        assert history.sql("select count(*) as n from events")["n"].tolist() == [5]
        [made] = history.path.glob("cache/facts-*")
    history.ingest(items)
    assert made.exists()
    history.ingest(export("more.json", sns("memory", "ALARM", 90)))
    assert not made.exists()


@pytest.mark.parametrize("group", [1, 3, 50_000])
def test_facts_of_many_shapes_are_what_merging_them_at_once_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group: int
) -> None:
    shapes = [("arn1:cpu", ["b"]), ("cpu", ["a"]), ("arn2:cpu", ["c"])]
    rows = [
        event(str(n), hour=n, rule_key=key, native_ids=ids, raw=f"{n}{key}", service=None if n % 3 else "s")
        for n in range(12)
        for key, ids in shapes[: 1 + n % 3]
    ]
    rows += [event("lone", hour=20, rule_key="disk", alertname="disk"), event("none", rule_key=None, alertname=None)]
    rows += [event("full", hour=21, rule_key="arn:disk", alertname="disk")]
    history = keep(tmp_path / "h", *rows)
    monkeypatch.setattr(facts, "ROW_GROUP", group)
    found = history.sql("select * from events")
    words = {c.name: "str" for c in schema.EVENTS.columns if c.dtype == "category"}
    pd.testing.assert_frame_equal(found.astype(words), history.events().astype(words))
    assert "arn:disk" in found["rule_key"].tolist()
    assert "disk" not in found["rule_key"].tolist()


def test_a_history_that_may_only_be_read_can_be_asked(
    history: History, items: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.ingest(items)
    shutil.rmtree(history.path / "cache", ignore_errors=True)
    monkeypatch.setattr(Path, "mkdir", _refuse(Path.mkdir, history.path))
    monkeypatch.setattr(os, "access", lambda path, _: not str(path).startswith(str(history.path)))
    assert history.sql("select count(*) as n from events join alerts on true")["n"].tolist() == [15]
    assert not list(history.path.glob("cache/*.parquet"))


def _refuse(real: Callable[..., None], where: Path) -> Callable[..., None]:
    def mkdir(path: Path, *args: Any, **kwargs: Any) -> None:
        if path.is_relative_to(where):
            raise PermissionError(path)
        real(path, *args, **kwargs)

    return mkdir


@pytest.mark.parametrize("name", ["it's", "h[1]", "a*b?"])
def test_any_name_of_a_directory_will_do(tmp_path: Path, changes: Path, items: Path, name: str) -> None:
    history = History(tmp_path / name)
    history.ingest(changes)
    history.ingest(items)
    asked = "select (select count(*) from events) e, (select count(*) from alerts) a, (select count(*) from rejected) r"
    assert history.sql(asked).values.tolist() == [[5, 3, 1]]


def test_missing_part_is_told(history: History) -> None:
    shutil.rmtree(history.path / "events")
    with pytest.raises(HistoryError, match=r"a part of the history in .* cannot be read"):
        history.sql("select * from events")


def test_a_history_without_events_has_its_tables(tmp_path: Path, export: Callable[..., Path]) -> None:
    history = History(tmp_path / "h")
    history.ingest(export("nothing.json", "[]"))
    for table in ("events", "alerts", "rejected"):
        assert len(history.sql(f"select * from {table}")) == 0


def test_memory_is_bounded_and_what_exceeds_it_goes_to_the_disk(tmp_path: Path) -> None:
    rows = [event(f"{n:06}", raw=f"{n:06}" * 500) for n in range(60_000)]
    history = keep(tmp_path / "h", *rows)
    asked = "select count(*) as n from (select raw, count(*) from events group by raw)"
    assert history.sql(asked, memory_limit="128MB")["n"].tolist() == [60_000]


def test_bar_of_a_long_query_does_not_go_to_stdout(tmp_path: Path) -> None:
    with closing(facts.connect(tmp_path)) as run:
        assert run.execute("SELECT current_setting('enable_progress_bar')").fetchall() == [(False,)]
