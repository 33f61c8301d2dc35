"""The smallest inputs of what fuzzing found."""

from __future__ import annotations

import gzip
import io
import json
import struct
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from stanza_lab.loaders import read_files
from tests.loaders.exports_all import counted

ROWS = {"title": ["cpu", "disk"], "time": ["2026-03-01T14:02:11Z", "2026-03-01T14:03:11Z"], "status": ["firing"] * 2}


def outcome(path: Path, data: bytes) -> list[tuple[int, list[str]]]:
    path.write_bytes(data)
    return [(batch.table.num_rows, batch.rejected["reason"].tolist()) for batch in map(counted, read_files(path))]


@pytest.mark.parametrize("written", [pa.ipc.new_file, pa.ipc.new_stream])
def test_arrow_whose_lengths_are_wrong_does_not_end_the_process(tmp_path: Path, written: Any) -> None:
    out, rows = io.BytesIO(), pa.table(ROWS)
    with written(out, rows.schema) as writer:
        writer.write_table(rows)
    assert outcome(tmp_path / "export", out.getvalue()) == [(2, [])]
    ends = struct.pack("<3i", 0, 3, 7)  # of the titles
    assert out.getvalue().count(ends) == 1
    spoiled = out.getvalue().replace(ends, struct.pack("<3i", 0, 3, 2**31 - 1))
    assert outcome(tmp_path / "export", spoiled) == [(0, ["broken_table"])]


def test_json_in_utf16_that_names_columns_is_no_table(tmp_path: Path) -> None:
    incident = {"number": "INC1", "short_description": "x", "state": "1", "opened_at": "2026-03-01 14:02:11"}
    assert outcome(tmp_path / "export.json", json.dumps([incident]).encode("utf-16")) == [(1, [])]


def test_blanks_without_end_are_a_bomb_and_no_empty_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stanza_lab.loaders._unpacking.BOMB_SIZE", 2**18)
    assert outcome(tmp_path / "export.gz", gzip.compress(b"\n" * 2**21)) == [(0, ["archive_bomb"])]


def test_duration_beyond_all_time_is_a_record_that_cannot_be_used(tmp_path: Path) -> None:
    incident = {
        "account_id": 1,
        "condition_name": "CPU",
        "current_state": "closed",
        "event_type": "INCIDENT",
        "incident_id": 1,
        "policy_name": "Hosts",
        "timestamp": 1772373731000,
        "duration": 1772373731000000000,
    }
    [(events, reasons)] = outcome(tmp_path / "export.json", json.dumps(incident).encode())
    assert events + len(reasons) == 1


@pytest.mark.parametrize("zone", ["America", "x" * 300])
def test_zone_that_is_no_file_of_zones_is_a_record_that_cannot_be_used(tmp_path: Path, zone: str) -> None:
    row = {"id": "Q1", "incident_number": 1, "description": "x", "created_at": "2026-03-01T14:02:11"}
    row |= {"service_id": "P", "service_name": "x", "seconds_to_resolve": 5, "seconds_to_first_ack": 5}
    page = {"data": [row], "more": False, "time_zone": zone}
    assert outcome(tmp_path / "export.json", json.dumps(page).encode()) == [(0, ["bad_time"])]


def test_blanks_for_a_name_take_little_work(tmp_path: Path) -> None:
    silenced = {"labels": {"alertname": "x"}, "status": {"state": "active", "silencedBy": " \t" * 2_000}}
    silenced |= {"startsAt": "2026-03-01T14:02:11Z", "annotations": {}, "fingerprint": "1", "receivers": []}
    start = time.process_time()
    outcome(tmp_path / "export.json", json.dumps(silenced).encode())
    assert time.process_time() - start < 2
