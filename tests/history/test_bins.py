"""Folding in bins gives what folding at once gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab import History, schema
from stanza_lab.errors import HistoryError
from stanza_lab.history import bins
from stanza_lab.history.folding import ALERT_COLUMNS, fold_events
from stanza_lab.history.parts import to_arrow

COLUMNS = schema.arrow(schema.EVENTS)
NAMES = [None, "cpu", "disk", "queue", "slow", "down"]


@st.composite
def events(draw) -> pd.DataFrame:
    """Return events of which names, rules, occurrences and ids cross one another."""
    rows = []
    for number in range(draw(st.integers(1, 25))):
        name = draw(st.sampled_from(NAMES))
        rule = draw(st.sampled_from([name or "r", f"arn:{name}", "shared"]))
        row = {"source": draw(st.sampled_from(["a", "b"])), "event_id": draw(st.sampled_from(["x", "y", str(number)]))}
        row |= {"native_ids": [str(number)], "rule_key": rule, "alertname": name, "at": draw(st.integers(0, 9)) * 10**8}
        row |= {"kind": draw(st.sampled_from(schema.KINDS)), "has_recovery": True, "raw": str(number)}
        rows.append(row | {"occurrence_key": draw(st.sampled_from([None, None, "o1", "o2"]))})
    return schema.build(rows, schema.EVENTS)


def folded(frame: pd.DataFrame, place: Path, *, at_once: int) -> pd.DataFrame:
    half = len(frame) // 2
    parts = [place / "1.parquet", place / "2.parquet"]
    for path, rows in zip(parts, (frame[:half], frame[half:]), strict=True):
        pq.write_table(to_arrow(rows, COLUMNS), path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bins, "AT_ONCE", at_once)
        bins.fold_parts(parts, place, place / "alerts.parquet")
    return schema.check(pq.read_table(place / "alerts.parquet").to_pandas(), schema.ALERTS, need=ALERT_COLUMNS)


@given(frame=events(), at_once=st.sampled_from([1, 5]))
@settings(max_examples=40)
def test_bins_give_the_alerts_of_one_fold(tmp_path_factory, frame: pd.DataFrame, at_once: int) -> None:
    found = folded(frame, tmp_path_factory.mktemp("bins"), at_once=at_once)
    expected = fold_events(frame)
    plain = {name: "str" for name in ALERT_COLUMNS if expected[name].dtype == "category"}
    pd.testing.assert_frame_equal(found.astype(plain), expected.astype(plain))


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
