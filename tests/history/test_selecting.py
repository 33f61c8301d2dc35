from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from stanza_lab import schema
from stanza_lab.errors import ParameterError
from stanza_lab.history.folding import ALERT_COLUMNS
from stanza_lab.history.selecting import select_alerts

HOUR = 3_600_000_000
ROWS = [
    {
        "alert_id": "open",
        "starts_at": 1 * HOUR,
        "severity": "critical",
        "service": "checkout",
        "summary": "it's 'error'",
    },
    {"alert_id": "closed", "starts_at": 2 * HOUR, "ends_at": 9 * HOUR, "severity": "error", "service": "checkout"},
    {"alert_id": "mild", "starts_at": 3 * HOUR, "severity": "warning", "service": "cart", "severity_raw": "error"},
    {"alert_id": "ended", "ends_at": 3 * HOUR, "severity": "info", "service": "error"},
    {"alert_id": "timeless", "resources": ["i-1"]},
]


def ids(**condition: Any) -> list[str]:
    alerts = schema.build([row | {"incident_id": -1} for row in ROWS], schema.ALERTS)[ALERT_COLUMNS]
    found = select_alerts(alerts, **({"since": None, "until": None, "where": None} | condition))
    assert found.index.tolist() == list(range(len(found)))
    assert found.dtypes.equals(alerts.dtypes)
    return found["alert_id"].tolist()


def test_nothing_asked_gives_all() -> None:
    assert len(ids()) == 5


def test_span_is_half_open_and_the_end_counts_where_the_start_is_unknown() -> None:
    assert ids(since="1970-01-01T02:00Z") == ["closed", "mild", "ended"]
    assert ids(until="1970-01-01T02:00Z") == ["open"]
    assert ids(since="1970-01-01T02:00Z", until="1970-01-01T03:00Z") == ["closed"]
    assert ids(since=pd.Timestamp("1970-01-01T04:00", tz="Europe/Berlin")) == ["mild", "ended"]


def test_time_that_is_none_is_refused() -> None:
    with pytest.raises(ParameterError, match="until='soon' is not a time"):
        ids(until="soon")


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("severity >= 'error'", ["open", "closed"]),
        ("severity < 'error'", ["mild", "ended"]),
        ("severity between 'info' and 'warning'", ["mild", "ended"]),
        ("severity in ('info', 'critical')", ["open", "ended"]),
        ("'warning' < severity", ["open", "closed"]),
        ("severity is null", ["timeless"]),
        ("service = 'error'", ["ended"]),
        ("severity_raw = 'error'", ["mild"]),
        ("summary = 'it''s ''error'''", ["open"]),
        ("summary like '%error%'", ["open"]),
        ("service = 'checkout' and ends_at is null", ["open"]),
        ("starts_at >= '1970-01-01 02:00'", ["closed", "mild"]),
        ("ends_at - starts_at > interval 6 hours", ["closed"]),
        ("list_contains(resources, 'i-1')", ["timeless"]),
        ("true", ["open", "closed", "mild", "ended", "timeless"]),
        ("false", []),
    ],
)
def test_condition_over_the_columns(where: str, found: list[str]) -> None:
    assert ids(where=where) == found


@pytest.mark.parametrize(
    "where",
    [
        "nope = 1",
        ")",
        "",
        "starts_at",
        "true; drop table alerts",
        "true) union select 1 --",
        "exists (select * from read_text('/etc/hostname'))",
        "exists (select * from '/etc/hostname')",
        "exists (select * from ROWS)",
    ],
)
def test_what_is_no_condition_or_reaches_outside_is_refused(where: str) -> None:
    with pytest.raises(ParameterError, match=r"is not a condition over the alerts .* columns are \['alert_id'"):
        ids(where=where)


def test_unknown_severity_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"severity 'bad' is not known; use one of \['info', 'warning'"):
        ids(where="service = 'x' and severity >= 'bad'")
