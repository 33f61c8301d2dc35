from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa

from stanza_lab.history.pieces import FileRead, Reading
from stanza_lab.history.tally import EXPIRED, Tally


def reading(*files: FileRead, lines: int = 0, digest: str = "d") -> Reading:
    return Reading(Path(), list(files), lines, None, None, digest)


def told(file: Path | str, events: int = 0, *, rejected: tuple[str, ...] = (), **ignored: int) -> FileRead:
    refused = [{"file": str(file), "locator": place, "reason": "bad"} for place in rejected]
    records = events + len(refused) + sum(ignored.values())
    return FileRead(str(file), events, records, Counter(ignored), Counter(), refused)


def mask(*rows: int) -> np.ndarray:
    return np.array(rows, dtype=bool)


def test_pieces_of_a_file_add_up(tmp_path: Path) -> None:
    file = tmp_path / "a!b.json"
    file.write_text("x")
    tally = Tally()
    tally.count(reading(told(file, 2, rejected=("",))), mask(1, 0), mask(0, 0))
    tally.count(reading(told(file, 2, note=2)), mask(1, 0), mask(0, 1))
    at = pa.array([1, 0, 2_500_000], pa.timestamp("us", "UTC"))
    keys = pa.table({"source": ["datadog", "sentry", "datadog"], "at": at})
    tally.count_sources(keys, mask(1, 0, 1))
    report = tally.report(lambda: (3, 5))
    assert report.by_file.drop(columns="file").values.tolist() == [[7, 2, 1, 3, 1]]
    assert report.by_source.values.tolist() == [["datadog", 2, 2, 0], ["sentry", 1, 0, 1]]
    assert (report.ignored, len(report.rejected), report.new_alerts) == ({EXPIRED: 1, "note": 2}, 1, 2)
    assert tally.facts == {"datadog": 2}
    assert tally.times == ["1970-01-01T00:00:00.000001Z", "1970-01-01T00:00:02.500000Z"]


def test_lines_of_a_later_part_are_numbered_in_the_whole(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text("x")
    tally = Tally()
    for _ in range(2):
        tally.count(reading(told(file, rejected=("line 3 $.x",)), lines=10), mask(), mask())
    assert [row for rows in tally.rejected.values() for row in rows["locator"]] == ["line 3 $.x", "line 13 $.x"]


def test_content_is_the_file_and_the_member(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        (tmp_path / name).write_text("x")
    tally = Tally()
    for name in ("a.zip!m", "a.zip!n", "b.zip!m", "nowhere"):
        tally.count(reading(told(tmp_path / name, rejected=("",))), mask(), mask())
    assert [entry.content[64:] for entry in tally.entries()] == ["!m", "!n", "!m", ""]
    assert len(set(tally.contents)) == 3
    assert [len(rows) for rows in tally.rejected.values()] == [1, 1, 1]


def test_what_came_in_by_standard_input_is_told_apart_by_what_it_held() -> None:
    tally = Tally()
    tally.count(reading(told("<stdin>!m"), digest="d1"), mask(), mask())
    assert tally.contents == ["d1!m"]
