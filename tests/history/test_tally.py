from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from stanza_lab import schema
from stanza_lab.history.tally import Tally
from stanza_lab.loaders import Batch


def batch(file: Path | str, *sources: str, rejected: int = 0, **ignored: int) -> Batch:
    rows = [{"source": s, "event_id": str(n), "at": n, "has_recovery": True} for n, s in enumerate(sources)]
    refused = schema.build([{"file": str(file), "reason": "bad"}] * rejected, schema.REJECTED)
    records = len(sources) + rejected + sum(ignored.values())
    return Batch(str(file), schema.build(rows, schema.EVENTS), refused, Counter(ignored), records)


def test_batches_of_a_file_add_up(tmp_path: Path) -> None:
    file = tmp_path / "a!b.json"
    file.write_text("x")
    tally = Tally()
    tally.count(batch(file, "datadog", "sentry", rejected=1), np.array([True, False]))
    tally.count(batch(file, "datadog", note=2), np.array([True]))
    report = tally.report(3, 5)
    assert report.by_file.drop(columns="file").values.tolist() == [[6, 2, 1, 2, 1]]
    assert report.by_source.values.tolist() == [["datadog", 2, 2, 0], ["sentry", 1, 0, 1]]
    assert (report.ignored, len(report.rejected), report.new_alerts) == ({"note": 2}, 1, 2)
    assert tally.facts == {"datadog": 2}


def test_content_is_the_file_and_the_member(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        (tmp_path / name).write_text("x")
    tally = Tally()
    for name in ("a.zip!m", "a.zip!n", "b.zip!m", "nowhere"):
        tally.count(batch(tmp_path / name, rejected=1), np.array([], dtype=bool))
    assert [entry.content[64:] for entry in tally.entries()] == ["!m", "!n", "!m", ""]
    assert len(set(tally.contents)) == 3
    assert [len(rows) for rows in tally.rejected.values()] == [1, 1, 1]
