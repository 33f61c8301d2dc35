from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stanza_lab import read_alerts
from stanza_lab.errors import LoadError
from stanza_lab.history import RejectedRecordsWarning


def test_exports_become_alerts(items: Path) -> None:
    assert read_alerts(items)["alertname"].tolist() == ["cpu", "disk", "cpu"]


def test_rejected_records_are_told_and_the_rest_is_used(changes: Path) -> None:
    with pytest.warns(RejectedRecordsWarning, match=r"1 of 7 records could not be used\nrejected: 1 x .*sns.ndjson"):
        assert len(read_alerts(changes)) == 3


def test_nothing_usable_names_each_file(export: Callable[..., Path]) -> None:
    files = [export("empty.json"), export("torn.json", '{"a": '), export("other.json", '{"a": 1}')]
    with pytest.raises(LoadError) as caught:
        read_alerts(files)
    assert all(path.name in str(caught.value) for path in files)


def test_known_records_without_alerts_give_an_empty_table(export: Callable[..., Path]) -> None:
    assert len(read_alerts(export("definitions.json", {"AlarmName": "cpu", "EvaluationPeriods": 1}))) == 0


def test_missing_path_is_told(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="no such file or folder"):
        read_alerts(tmp_path / "missing")


@pytest.mark.shared
def test_recordings_are_read(shared: Path) -> None:
    assert len(read_alerts(shared / "data/petshop_low/alerts")) == 309
    assert len(read_alerts(shared / "data/nezha_tt_0129/alerts")) == 300
