from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab import History, fold_events, schema
from stanza_lab.errors import HistoryError, ParameterError
from stanza_lab.history import manifest as manifests
from stanza_lab.history.manifest import FileEntry, Manifest
from stanza_lab.history.parts import PartWriter, to_arrow
from stanza_lab.history.retaining import plan_retention, rewritten
from stanza_lab.history.verifying import count_facts

SINCE = "2026-03-01T01:00Z"
GAP = pd.Timedelta("30min")
COLUMNS = schema.arrow(schema.EVENTS)
MINUTE = 60_000_000
START = 1_772_323_200_000_000  # 2026-03-01T00:00Z


def event(event_id: str, kind: str, minute: int | None, **more: Any) -> dict[str, Any]:
    """Return an event of a rule; recoveries are reported."""
    at = None if minute is None else START + minute * MINUTE
    rule = {"source": "datadog", "alertname": "cpu", "rule_key": "cpu", "has_recovery": True}
    return {**rule, "event_id": event_id, "native_ids": [event_id], "kind": kind, "at": at, "raw": event_id, **more}


def keep(path: Path, *rows: dict[str, Any], parts: int = 1) -> History:
    """Make a history of events, as an ingest leaves it."""
    path.mkdir()
    stored = []
    for number in range(parts):
        with PartWriter(path / "events", COLUMNS) as writer:
            writer.write(to_arrow(schema.build(rows[number::parts], schema.EVENTS), COLUMNS))
            stored += writer.finish()
    facts = count_facts([path / part.name for part in stored], path)
    brought = sum(facts.values())
    files = (FileEntry("x.json", "0" * 64, records=brought, events=brought),)
    manifests.write(path, Manifest(events=tuple(dict.fromkeys(stored)), files=files, facts=facts))
    return History(path)


def left(history: History) -> list[str]:
    return sorted(history.events()["event_id"])


def wrong(history: History) -> list[str]:
    found = history.verify()
    return found.loc[(found["state"] != "ok") & (found["kind"] != "export file"), "item"].tolist()


def test_ended_alerts_go_and_what_went_on_stays_whole(tmp_path: Path) -> None:
    history = keep(
        tmp_path / "h",
        event("a", "fired", 0),
        event("b", "resolved", 5),
        event("c", "fired", 30),
        event("d", "acknowledged", 31),
        event("e", "resolved", 60),
        event("f", "fired", 1, rule_key="disk", alertname="disk"),
        parts=3,
    )
    report = history.retain(SINCE)
    assert left(history) == ["c", "d", "e", "f"]
    assert (report.events_before, report.events_after, report.removed) == (6, 4, {"datadog": 2})
    assert (report.alerts_before, report.alerts_after) == (3, 2)
    assert report.bytes_freed > 0
    assert history.alerts()["event_ids"].tolist() == [["f"], ["c", "d", "e"]]
    manifest = manifests.read(history.path)
    assert manifest is not None
    assert (manifest.facts, manifest.removed) == ({"datadog": 4}, {"datadog": 2})
    assert (manifest.first, manifest.last) == ("2026-03-01T00:01:00.000000Z", "2026-03-01T01:00:00.000000Z")
    assert manifest.kept_from == "2026-03-01T01:00:00.000000Z"
    assert wrong(history) == []


@pytest.mark.parametrize(("minute", "stays"), [(29, []), (30, ["a"]), (59, ["a"])])
def test_an_alert_whose_end_nobody_reports_goes_on_for_the_quiet_gap(
    tmp_path: Path, minute: int, stays: list[str]
) -> None:
    history = keep(tmp_path / "h", event("a", "fired", minute, has_recovery=False))
    history.retain(SINCE)
    assert left(history) == stays


@pytest.mark.parametrize(
    ("row", "stays"),
    [
        (event("x", "changed", 59), False),
        (event("x", "changed", 60), True),
        (event("x", "note", 59, rule_key=None), False),
        (event("x", "note", 60, rule_key=None), True),
        (event("x", "changed", None), True),
        (event("x", "note", 1), True),  # defines a rule of which an alert stays
        (event("x", "note", 1, rule_key="cpu|host", alertname="other"), False),
        (event("x", "note", 1, occurrence_key="k"), False),
        (event("x", "fired", None, rule_key="r", alertname="r", ends_at=START), True),
        (event("x", "resolved", 5, rule_key="r", alertname="r", starts_at=START), False),
        (event("x", "resolved", 5, rule_key="r", alertname="r", ends_at=START + 60 * MINUTE), True),
    ],
)
def test_events_of_no_alert_go_by_their_own_time(tmp_path: Path, row: dict[str, Any], stays: bool) -> None:
    history = keep(tmp_path / "h", event("open", "fired", 0), row)
    history.retain(SINCE)
    assert ("x" in left(history)) == stays


def test_lines_of_a_burst_that_went_on_stay(tmp_path: Path) -> None:
    def lines(name: str, first: int, last: int) -> list[dict[str, Any]]:
        more = {"source": "logs", "rule_key": name, "alertname": name, "has_recovery": False}
        return [event(f"{name}{m}-{n}", "note", m, **more) for m in range(first, last) for n in range(9)]

    history = keep(tmp_path / "h", *lines("old", 0, 3), *lines("on", 50, 62))
    alerts = history.alerts()
    report = history.retain(SINCE)
    stays = alerts[alerts["alertname"] == "on"].reset_index(drop=True)
    pd.testing.assert_frame_equal(history.alerts().astype(str), stays.astype(str))
    assert (report.events_after, report.alerts_before, report.alerts_after) == (12 * 9, 2, 1)


def test_a_fact_goes_in_all_its_shapes_or_in_none(tmp_path: Path) -> None:
    history = keep(
        tmp_path / "h",
        event("a", "fired", 0, rule_key="arn1:cpu"),
        event("a", "fired", 0, rule_key="arn2:cpu", raw="other"),
        event("b", "resolved", 5, rule_key="arn1:cpu"),
        event("c", "resolved", 70, rule_key="arn2:cpu"),
    )
    alerts = history.alerts()
    assert history.retain(SINCE).removed == {"datadog": 1}
    assert len(history.events()) == 3
    pd.testing.assert_series_equal(history.alerts()["alert_id"], alerts["alert_id"])
    assert wrong(history) == []


def test_full_rule_keys_known_from_what_goes_are_kept(tmp_path: Path) -> None:
    history = keep(
        tmp_path / "h",
        event("a", "fired", 0, rule_key="arn:cpu"),
        event("b", "resolved", 5, rule_key="arn:cpu"),
        event("c", "fired", 50, rule_key="cpu"),
    )
    assert history.alerts()["rule_key"].tolist() == ["arn:cpu", "arn:cpu"]
    history.retain(SINCE)
    assert history.alerts()["rule_key"].tolist() == ["arn:cpu"]
    assert wrong(history) == []


@pytest.mark.parametrize("at_once", [1, 200_000])
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_alerts_that_stay_are_the_same_as_before(
    tmp_path_factory: pytest.TempPathFactory, at_once: int, data: st.DataObject
) -> None:
    kinds = st.sampled_from(["fired", "resolved", "acknowledged", "renotified", "changed"])
    rules = st.sampled_from(["cpu", "arn:cpu", "disk", None])
    drawn = data.draw(
        st.lists(
            st.tuples(kinds, st.integers(0, 12), rules, st.booleans(), st.sampled_from([None, None, "k", "l"])),
            max_size=14,
        )
    )
    rows = [
        event(
            str(n),
            kind,
            10 * step,
            rule_key=rule,
            alertname=rule and rule[-4:].strip(":"),
            has_recovery=recovers,
            occurrence_key=key,
            severity="error",
        )
        for n, (kind, step, rule, recovers, key) in enumerate(drawn)
    ]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("stanza_lab.history.bins.AT_ONCE", at_once)
        history = keep(tmp_path_factory.mktemp("h") / "h", *rows, parts=2)
        whole = fold_events(schema.build(rows, schema.EVENTS))
        planned = history.retain(SINCE, dry_run=True)
        report = history.retain(SINCE)
    assert (planned.events_after, planned.alerts_after) == (report.events_after, report.alerts_after)
    kept = history.alerts()
    before = whole[whole["alert_id"].isin(kept["alert_id"])].reset_index(drop=True)
    words = {c: "str" for c in kept if kept[c].dtype == "category" and c != "severity"}
    pd.testing.assert_frame_equal(kept.astype(words), before.astype(words))
    gone = whole[~whole["alert_id"].isin(kept["alert_id"])]
    assert (gone[["starts_at", "acked_at", "ends_at"]].max(axis=1) < pd.Timestamp(SINCE)).all()
    assert wrong(history) == []


def test_dry_run_changes_nothing(tmp_path: Path) -> None:
    history = keep(tmp_path / "h", event("a", "fired", 0), event("b", "resolved", 5), event("c", "fired", 50))
    history.alerts()
    before = {path: path.read_bytes() for path in history.path.rglob("*") if path.is_file()}
    report = history.retain(SINCE, dry_run=True)
    assert {path: path.read_bytes() for path in history.path.rglob("*") if path.is_file()} == before
    assert str(report).splitlines()[:2] == [
        "2 events of 3 would be removed, 1 kept",
        "1 alert of 2 would be removed, 1 kept",
    ]
    assert report.bytes_freed > 0


def test_what_was_removed_does_not_come_back(changes: Path, items: Path, tmp_path: Path) -> None:
    history = History(tmp_path / "history")
    history.ingest(changes)
    report = history.retain("2026-03-01T00:30Z")
    assert report.removed == {"cloudwatch": 2}
    alerts = history.alerts()
    for path in (changes, items, changes):
        again = history.ingest(path)
        assert again.events == 0
        assert again.ignored["event older than what the history keeps"] == 2
        assert again.duplicates == 3
    both = history.ingest([changes, items])
    assert (both.events, both.ignored["event older than what the history keeps"]) == (0, 4)
    assert history.alerts()["starts_at"].tolist() == alerts["starts_at"].tolist()
    assert history.files()[["records", "events", "duplicates", "ignored", "rejected"]].values.tolist() == [
        [7, 5, 0, 1, 1],
        [5, 0, 3, 2, 0],
    ]
    manifest = manifests.read(history.path)
    assert manifest is not None
    assert manifest.first == "2026-03-01T00:03:00.000000Z"
    assert wrong(history) == []


def test_what_is_removed_in_one_step_or_two_is_the_same(changes: Path, tmp_path: Path) -> None:
    once, twice = History(tmp_path / "once"), History(tmp_path / "twice")
    for history in (once, twice):
        history.ingest(changes)
    twice.retain("2026-03-01T00:30Z")
    for history in (once, twice):
        history.retain("2026-03-02")
    twice.retain("2026-01-01")
    assert manifests.read(once.path) == manifests.read(twice.path)
    assert left(once) == left(twice)


def test_everything_may_go(tmp_path: Path, changes: Path) -> None:
    history = keep(tmp_path / "h", event("a", "fired", 0), event("b", "resolved", 5))
    assert history.retain("2030-01-01").events_after == 0
    assert (len(history.events()), len(history.alerts())) == (0, 0)
    assert repr(history).endswith("0 events from 1 file")
    assert list((history.path / "events").iterdir()) == []
    assert wrong(history) == []
    assert history.ingest(changes).ignored["event older than what the history keeps"] == 5


def test_wrong_use_is_refused(tmp_path: Path, changes: Path) -> None:
    with pytest.raises(HistoryError, match="no history at"):
        History(tmp_path / "nowhere").retain(SINCE)
    assert not (tmp_path / "nowhere").exists()
    history = History(tmp_path / "h")
    history.ingest(changes)
    with pytest.raises(ParameterError, match="since='soon' is not a time"):
        history.retain("soon")


@pytest.mark.parametrize("step", range(1, 8))
def test_killed_at_any_step_is_as_before_or_done(tmp_path: Path, changes: Path, step: int) -> None:
    history, done = History(tmp_path / "cut"), History(tmp_path / "done")
    for each in (history, done):
        each.ingest(changes)
    before = left(history)
    done.retain("2026-03-01T00:30Z")
    child = os.fork()
    if child == 0:
        calls = []
        real = os.fsync

        def counted(descriptor: int) -> None:
            calls.append(descriptor)
            if len(calls) == step:
                os.kill(os.getpid(), signal.SIGKILL)
            real(descriptor)

        os.fsync = counted
        history.retain("2026-03-01T00:30Z")
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status)
    assert left(history) in (before, left(done))
    assert wrong(history) == []
    history.retain("2026-03-01T00:30Z")
    assert manifests.read(history.path) == manifests.read(done.path)
    assert sorted(path.name for path in history.path.glob("events/*")) == sorted(
        path.name for path in done.path.glob("events/*")
    )


def test_manifest_lost_after_a_cut_off_retention_is_told(
    tmp_path: Path, changes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History(tmp_path / "h")
    history.ingest(changes)
    with monkeypatch.context() as patched:
        patched.setattr("stanza_lab.history.manifest.write", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            history.retain("2026-03-01T00:30Z")
    (history.path / "manifest.json").unlink()
    held = sorted(path.name for path in history.path.glob("*/part*"))
    with pytest.raises(HistoryError, match=r"does not list .*restore"):
        history.ingest(changes)
    assert sorted(path.name for path in history.path.glob("*/part*")) == held


def test_parts_are_rewritten_a_few_events_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [event(f"{n:03}", "fired" if n % 2 else "resolved", n, rule_key=f"r{n // 2}") for n in range(1, 100)]
    history = keep(tmp_path / "h", *pairs)
    manifest = manifests.read(history.path)
    assert manifest is not None
    plan = plan_retention(history.path, manifest, pd.Timestamp("2026-03-01T00:50Z"), GAP)
    monkeypatch.setattr("stanza_lab.history.retaining._ROWS", 7)
    [part] = rewritten(history.path, manifest.events[0], plan)
    assert part.rows == 99 - sum(plan.removed.values())


def test_untouched_parts_stay_as_they_are(tmp_path: Path, changes: Path, export: Callable, sns: Callable) -> None:
    history = History(tmp_path / "h")
    history.ingest(changes)
    [old] = history.path.glob("events/*")
    later = export("later.json", sns("memory", "ALARM", 90))
    history.ingest(later)
    [new] = set(history.path.glob("events/*")) - {old}
    history.retain("2026-03-01T00:30Z")
    assert new.exists()
    assert not old.exists()
    assert json.loads((history.path / "manifest.json").read_text())["removed"] == {"cloudwatch": 2}
