from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from stanza_lab import History, IngestReport, schema
from stanza_lab.errors import HistoryError


@pytest.fixture
def report(tmp_path: Path, changes: Path, items: Path) -> IngestReport:
    return History(tmp_path / "history").ingest([changes, items])


def test_text_names_every_kind_of_record(report: IngestReport) -> None:
    lines = str(report).splitlines()
    assert lines[0] == "12 records in 2 files = 5 events + 5 duplicates + 1 ignored + 1 rejected"
    assert lines[1] == "ignored: 1 x cloudwatch alarm definition"
    assert lines[2].startswith("rejected: 1 x ")
    assert "sns.ndjson, line 7" in lines[2]
    assert lines[3] == "alerts: 3 (3 new)"


def test_many_reasons_are_shortened(tmp_path: Path, export: Callable[..., Path]) -> None:
    files = [export(f"in/{n:02d}.json", "{broken") for n in range(20)]
    text = str(History(tmp_path / "history").ingest(files))
    assert text.count("rejected: 1 x") == 12
    assert "rejected: 8 more files or reasons" in text


def test_rejected_file_has_no_place_inside(tmp_path: Path, export: Callable[..., Path]) -> None:
    path = export("empty.json")
    assert f"rejected: 1 x empty_file in {path}: the file is empty" in str(History(tmp_path / "history").ingest(path))


def test_repr_is_one_line(report: IngestReport) -> None:
    assert repr(report) == "IngestReport(records=12, events=5, duplicates=5, ignored=1, rejected=1)"


def test_html_has_a_row_per_file_and_is_escaped(tmp_path: Path, export: Callable[..., Path]) -> None:
    page = History(tmp_path / "history").ingest(export("<script>.json", "[]"))._repr_html_()
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert "all files" in page


def test_dict_is_ready_for_json(report: IngestReport) -> None:
    told = json.loads(json.dumps(report.to_dict()))
    assert told["records"] == told["events"] + told["duplicates"] + sum(told["ignored"].values()) + len(
        told["rejected"]
    )
    assert told["by_source"] == [{"source": "cloudwatch", "records": 10, "events": 5, "duplicates": 5}]
    assert [row["records"] for row in told["by_file"]] == [7, 5]
    assert set(told["rejected"][0]) == set(schema.REJECTED.names)


def test_records_that_are_not_accounted_for_are_a_defect() -> None:
    none = pd.DataFrame()
    with pytest.raises(HistoryError, match="3 records read, 2 accounted for"):
        IngestReport(3, 1, 1, {}, schema.empty(schema.REJECTED), {}, (), none, none, lambda: (0, 1))
