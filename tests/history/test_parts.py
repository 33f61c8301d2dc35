from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab import schema
from stanza_lab.errors import HistoryError
from stanza_lab.history import parts
from stanza_lab.history.folding import merge_shapes
from stanza_lab.history.parts import Keys, KnownEvents, PartWriter, read, to_arrow

if TYPE_CHECKING:
    from stanza_lab.history.manifest import Part

COLUMNS = schema.arrow(schema.EVENTS)


def events(*told: tuple[str, str, str]) -> pd.DataFrame:
    """Build events of (source, event id, raw)."""
    rows = [
        {"source": s, "event_id": e, "native_ids": [e], "at": 0, "kind": "fired", "has_recovery": True, "raw": r}
        for s, e, r in told
    ]
    return schema.build(rows, schema.EVENTS)


def stored(directory: Path, frame: pd.DataFrame) -> Part:
    with PartWriter(directory / "events", COLUMNS) as writer:
        writer.write(to_arrow(frame, COLUMNS))
        [part] = writer.finish()
    return part


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    frame = events(("a", "1", "x"), ("b", "2", "y"))
    part = stored(tmp_path, frame)
    assert part.rows == 2
    pd.testing.assert_frame_equal(schema.check(read(tmp_path, [part], COLUMNS), schema.EVENTS), frame)


def test_same_rows_give_the_same_part(tmp_path: Path) -> None:
    frame = events(("a", "1", "x"))
    (tmp_path / "other").mkdir()
    assert stored(tmp_path, frame) == stored(tmp_path / "other", frame)


def test_no_rows_make_no_part(tmp_path: Path) -> None:
    with PartWriter(tmp_path / "events", COLUMNS) as writer:
        writer.write(to_arrow(events(), COLUMNS))
        assert writer.finish() == ()
    assert list((tmp_path / "events").iterdir()) == []
    assert len(read(tmp_path, [], COLUMNS)) == 0


def test_small_batches_share_a_row_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "ROW_GROUP", 3)
    with PartWriter(tmp_path / "events", COLUMNS) as writer:
        for n in range(7):
            writer.write(to_arrow(events(("a", str(n), "x")), COLUMNS))
        [part] = writer.finish()
    assert pq.read_metadata(tmp_path / part.name).num_row_groups == 3
    assert read(tmp_path, [part], COLUMNS)["event_id"].tolist() == list("0123456")


def test_new_facts_and_new_tellings_are_told_apart(tmp_path: Path) -> None:
    part = stored(tmp_path, events(("a", "1", "x")))
    known = KnownEvents([tmp_path / part.name], temporary=tmp_path)
    batch = events(("a", "1", "x"), ("a", "1", "y"), ("a", "1", "y"), ("b", "1", "x"), ("b", "1", "x"), ("a", "2", "x"))
    keys = Keys().of(to_arrow(batch, COLUMNS))
    assert np.flatnonzero(known.lacks(keys)).tolist() == [3, 4, 5]
    new, worth = known.add(keys)
    assert np.flatnonzero(new).tolist() == [3, 5]
    assert np.flatnonzero(worth).tolist() == [1, 3, 5]
    new, worth = known.add(keys)
    assert not new.any()
    assert not worth.any()
    known.close()


@given(st.lists(st.tuples(st.sampled_from("12"), st.sampled_from(["", "arn1:", "arn2:", "arn3:"])), max_size=9))
@settings(max_examples=30)
def test_new_facts_are_as_many_as_merging_finds_in_any_split(told: list[tuple[str, str]]) -> None:
    rows = [
        {"source": "a", "event_id": e, "native_ids": [k], "kind": "fired", "has_recovery": True, "raw": k}
        | {"alertname": "cpu", "rule_key": f"{k}cpu"}
        for e, k in told
    ]
    frame = schema.build(rows, schema.EVENTS)
    for size in (1, 2, 9):
        known = KnownEvents([], temporary=Path())
        batches = [frame.iloc[start : start + size] for start in range(0, len(frame), size)]
        new = sum(int(known.add(Keys().of(to_arrow(batch, COLUMNS)))[0].sum()) for batch in batches)
        known.close()
        facts = merge_shapes(frame)
        # A bare telling of one of several is a row of its own there, but counts as a duplicate.
        alone = facts["rule_key"].eq("cpu") & facts["event_id"].isin([e for e, k in told if k])
        assert new == len(facts) - alone.sum()


def test_part_with_other_rows_is_told(tmp_path: Path) -> None:
    part = stored(tmp_path, events(("a", "1", "x")))
    parts.check(tmp_path, [part])
    with pytest.raises(HistoryError, match="has 1 rows instead of 2"):
        parts.check(tmp_path, [replace(part, rows=2)])


def test_damaged_part_is_told(tmp_path: Path) -> None:
    part = stored(tmp_path, events(("a", "1", "x")))
    (tmp_path / part.name).write_bytes(b"damaged")
    with pytest.raises(HistoryError, match="cannot be read"):
        read(tmp_path, [part], COLUMNS)
    with pytest.raises(HistoryError, match="cannot be read"):
        KnownEvents([tmp_path / part.name], temporary=tmp_path)


@pytest.mark.parametrize(
    "error",
    [
        duckdb.OutOfMemoryException("could not allocate\nPossible solutions"),
        OSError("Out of Memory Error: failed to pin"),
    ],
)
def test_too_little_memory_is_no_damage(error: Exception) -> None:
    with pytest.raises(HistoryError, match="needs more memory"), parts.damage_told(Path("h")):
        raise error
