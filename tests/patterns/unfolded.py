"""A small history with one known pattern, for tests of what is made of patterns."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from stanza_lab.patterns.found import OCCURRENCES, STEPS, Patterns
from stanza_lab.patterns.recognising import learn_prefixes

Row = tuple[int, str, str, str]  # incident, time, service, severity


def alerts(rows: Iterable[Row]) -> pd.DataFrame:
    """Return latency alerts."""
    return pd.DataFrame(
        [
            {"incident_id": number, "starts_at": f"2026-{at}Z", "service": service, "severity": severity}
            for number, at, service, severity in rows
        ],
        columns=["incident_id", "starts_at", "service", "severity"],
    ).assign(
        starts_at=lambda told: pd.to_datetime(told["starts_at"], format="ISO8601", utc=True).astype(
            "datetime64[us, UTC]"
        ),
        alertname="High latency",
    )


def cascade(number: int, day: str, *services: str) -> list[Row]:
    """Return alerts of services two minutes apart; only web pages."""
    return [
        (number, f"{day}T02:{2 * place:02d}", service, "critical" if service == "web" else "warning")
        for place, service in enumerate(services)
    ]


# Four times db, api, web; once db alone reached a batch job; once db and api, but it was no occurrence.
HISTORY = alerts(
    [
        *cascade(0, "03-01", "db", "api", "web"),
        *cascade(1, "03-03", "db", "api", "web"),
        *cascade(2, "03-05", "db", "api", "web"),
        *cascade(3, "03-07", "db", "api", "web"),
        *cascade(4, "03-08", "db", "batch"),
        *cascade(5, "03-09", "db", "api"),
    ]
)
_SERVICES = ["db", "api", "web"]
STEPS_TABLE = pd.DataFrame(
    {
        "pattern": "P-1",
        "position": [0, 1, 2],
        "kind": [f"{service}: latency" for service in _SERVICES],
        "service": _SERVICES,
        "what": "latency",
        "core": True,
        "count": 4,
        "share": 1.0,
        "after_s": [0.0, 120.0, 240.0],
        "low_s": [0.0, 120.0, 240.0],
        "high_s": [0.0, 120.0, 240.0],
    }
).astype(STEPS)
_STARTS = pd.to_datetime([f"2026-03-0{day}T02:00Z" for day in (1, 3, 5, 7)], utc=True)
HAPPENED = pd.DataFrame(
    {
        "pattern": "P-1",
        "incident_id": [0, 1, 2, 3],
        "starts_at": _STARTS,
        "ends_at": [*(_STARTS[:3] + pd.Timedelta("30min")), None],
        "half_at": [*(_STARTS[:3] + pd.Timedelta("10min")), None],
        "page_at": _STARTS + pd.Timedelta("4min"),
        "lead_s": 240.0,
        "match": 1.0,
        "ended": ["by itself", "by itself", "after somebody took it", "open"],
    }
).astype(OCCURRENCES)
TABLE = pd.DataFrame({"pattern": ["P-1"], "name": ["db latency, then api latency"], "support": [4]})


def known(*, learned: bool = True) -> Patterns:
    """Return the pattern of `HISTORY`."""
    learnt = learn_prefixes(HISTORY, steps=STEPS_TABLE, occurrences=HAPPENED, by="symptom") if learned else None
    return Patterns(TABLE, STEPS_TABLE, HAPPENED, pd.DataFrame(), "symptom", {}, (), learnt)


# Later: six times the whole pattern, twice db and api alone, once web first.
LATER = alerts(
    [
        *[row for day in range(1, 7) for row in cascade(10 + day, f"04-0{day}", "db", "api", "web")],
        *cascade(21, "04-11", "db", "api"),
        *cascade(22, "04-12", "db", "api", "batch"),
        *cascade(23, "04-13", "search"),
    ]
)
ALL = pd.concat([HISTORY, LATER], ignore_index=True)
SPLIT = "2026-03-20"
