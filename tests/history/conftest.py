"""Small CloudWatch exports, in two shapes that tell the same facts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def _sns(alarm: str, state: str, minute: int) -> dict[str, Any]:
    """Return a state change as an alarm publishes it to SNS."""
    return {
        "AlarmName": alarm,
        "AlarmArn": f"arn:aws:cloudwatch:eu-west-1:1:alarm:{alarm}",
        "AWSAccountId": "1",
        "NewStateValue": state,
        "OldStateValue": "OK" if state == "ALARM" else "ALARM",
        "StateChangeTime": f"2026-03-01T{minute // 60:02d}:{minute % 60:02d}:00.000+0000",
    }


def _item(alarm: str, state: str, minute: int) -> dict[str, Any]:
    """Return the same state change as an item of the alarm history, which knows no ARN."""
    return {
        "AlarmName": alarm,
        "HistoryItemType": "StateUpdate",
        "Timestamp": f"2026-03-01T{minute // 60:02d}:{minute % 60:02d}:00.000Z",
        "HistorySummary": f"Alarm updated from {'OK to ALARM' if state == 'ALARM' else 'ALARM to OK'}",
    }


DEFINITION = {"AlarmName": "cpu", "EvaluationPeriods": 1}
CHANGES = [("cpu", "ALARM", 0), ("disk", "ALARM", 3), ("cpu", "OK", 5), ("cpu", "ALARM", 60), ("disk", "OK", 61)]


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes records to a file, one a line; text is written as it is."""

    def write(name: str, *records: dict[str, Any] | str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{r if isinstance(r, str) else json.dumps(r)}\n" for r in records))
        return path

    return write


@pytest.fixture
def sns() -> Callable[..., dict[str, Any]]:
    """Return the function that makes a state change as SNS tells it."""
    return _sns


@pytest.fixture
def item() -> Callable[..., dict[str, Any]]:
    """Return the function that makes a state change as the alarm history tells it."""
    return _item


@pytest.fixture
def changes(export: Callable[..., Path]) -> Path:
    """Return a file of five state changes, a definition and a broken line."""
    return export("sns.ndjson", *(_sns(*change) for change in CHANGES), DEFINITION, "{broken")


@pytest.fixture
def items(export: Callable[..., Path]) -> Path:
    """Return a file that tells the same state changes in the other shape."""
    return export("history.ndjson", *(_item(*change) for change in CHANGES))
