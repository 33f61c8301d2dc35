"""Folding in bins gives what folding at once gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab import History, schema
from stanza_lab.errors import HistoryError
from stanza_lab.history import bins, facts
from stanza_lab.history.folding import ALERT_COLUMNS, ALERTING, fold_events, fold_facts
from stanza_lab.history.parts import to_arrow

COLUMNS = schema.arrow(schema.EVENTS)
NAMES = [None, "cpu", "disk", "a|b"]
HOUR = 3_600_000_000


def tangled(chance: Random, size: int) -> pd.DataFrame:
    """Return events of which names, rules, occurrences and ids cross one another; some define rules, some are lines."""
    rows = []
    for number in range(size):
        source, name = chance.choice(["a", "b", "logs"]), chance.choice(NAMES)
        kind = chance.choice([*schema.KINDS, "fired", "resolved"])
        row = {
            "source": source,
            "alertname": name,
            "rule_key": chance.choice([None, "shared", name, f"arn:{name}", f"arn:{name}|p", f"{name}|p"]),
            "event_id": chance.choice(["x", "y", "z", *[str(number)] * 20]),
            "occurrence_key": chance.choice([None] * 5 + ["o1", "o2", "cpu"]),
            "kind": kind,
            "has_recovery": chance.random() < 0.5,
            "at": chance.choice([None, *[HOUR] * 9, *range(0, 20 * HOUR, HOUR // 2)]),
            "starts_at": chance.choice([None, None, None, HOUR]),
            "service": chance.choice([None, "shop", "pay"]),
            "resources": chance.choice([[], ["i-1"]]),
            "labels": chance.choice([None, '{"a":1}', '{"b":2}']),
            "severity": chance.choice([None, "error", "info"]),
        }
        lines = chance.randint(1, 7) if source == "logs" and kind == "note" else 1
        rows += [
            row | {"event_id": f"{row['event_id']}{line or ''}", "native_ids": [f"{number}-{line}"], "raw": str(number)}
            for line in range(lines)
        ]
    return schema.build(rows, schema.EVENTS)


def busy(chance: Random, size: int) -> pd.DataFrame:
    """Return events of a few rules that fire, are acknowledged and recover, often several times at one instant."""
    rules = {rule: (chance.random() < 0.7, chance.choice([HOUR // 6, HOUR])) for rule in "pqrstuvw"}
    rows = []
    for number in range(size):
        rule, (recovers, step) = chance.choice(list(rules.items()))
        row = {"source": "a", "event_id": str(number), "native_ids": [str(number)], "rule_key": rule}
        row |= {"kind": chance.choice(ALERTING), "at": chance.randint(0, size // 4) * step}
        rows.append(row | {"has_recovery": recovers if chance.random() < 0.9 else not recovers})
    return schema.build(rows, schema.EVENTS)


def assert_folds_alike(frame: pd.DataFrame, place: Path, *, at_once: int, slots: int) -> None:
    """Fold the events at once, and in bins."""
    half = len(frame) // 2
    parts = [place / "1.parquet", place / "2.parquet"]
    for path, rows in zip(parts, (frame[:half], frame[half:]), strict=True):
        pq.write_table(to_arrow(rows, COLUMNS), path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bins, "AT_ONCE", at_once)
        patch.setattr(bins, "_SLOTS", slots)
        patch.setattr(bins, "TOGETHER", 2)
        patch.setattr(facts, "TOGETHER", 2)
        bins.fold_parts(parts, place, place / "alerts.parquet")
    found = schema.check(pq.read_table(place / "alerts.parquet").to_pandas(), schema.ALERTS, need=ALERT_COLUMNS)
    expected = fold_events(frame)
    plain = {name: "str" for name in ALERT_COLUMNS if expected[name].dtype == "category"}
    pd.testing.assert_frame_equal(found.astype(plain), expected.astype(plain))


@given(
    chance=st.randoms(use_true_random=True),
    make=st.sampled_from([tangled, busy]),
    size=st.integers(1, 200),
    at_once=st.integers(1, 30),
    slots=st.sampled_from([2, 3, 8]),
)
@settings(max_examples=25, deadline=None)
def test_bins_give_the_alerts_of_one_fold(
    tmp_path_factory, chance: Random, make: Callable[[Random, int], pd.DataFrame], size: int, at_once: int, slots: int
) -> None:
    assert_folds_alike(make(chance, size), tmp_path_factory.mktemp("bins"), at_once=at_once, slots=slots)


def test_rule_of_many_facts_is_folded_in_pieces(tmp_path: Path, monkeypatch) -> None:
    kinds = ["fired", "resolved"] * 30
    rows = [{"source": "a", "event_id": str(n), "native_ids": [str(n)], "kind": kind} for n, kind in enumerate(kinds)]
    rows = [row | {"rule_key": "r", "has_recovery": True, "at": n * HOUR} for n, row in enumerate(rows)]
    sizes = []

    def fold(facts: pd.DataFrame, *others: object) -> pd.DataFrame:
        sizes.append(len(facts))
        return fold_facts(facts, *others)

    monkeypatch.setattr(bins, "fold_facts", fold)
    assert_folds_alike(schema.build(rows, schema.EVENTS), tmp_path, at_once=6, slots=4096)
    assert sum(sizes) == 60
    assert max(sizes) <= 12


def test_history_of_many_events_is_folded_in_bins(tmp_path: Path, monkeypatch, export, sns) -> None:
    lines = [sns(f"alarm {n % 7}", "ALARM" if n % 2 else "OK", n) for n in np.arange(60).tolist()]
    whole = History(tmp_path / "whole")
    whole.ingest(export("a.ndjson", *lines))
    expected = whole.alerts()
    monkeypatch.setattr("stanza_lab.history.directory.AT_ONCE", 5)
    monkeypatch.setattr(bins, "AT_ONCE", 5)
    binned = History(tmp_path / "binned")
    report = binned.ingest(tmp_path / "a.ndjson")
    pd.testing.assert_frame_equal(binned.alerts(), expected)
    assert report.alerts_after == len(expected)
    assert [path.suffix for path in (binned.path / "cache").iterdir()] == [".parquet"]


def test_damaged_part_is_told(tmp_path: Path) -> None:
    (tmp_path / "part.parquet").write_bytes(b"damaged")
    with pytest.raises(HistoryError, match="cannot be read"):
        bins.fold_parts([tmp_path / "part.parquet"], tmp_path / "place", tmp_path / "alerts.parquet")
