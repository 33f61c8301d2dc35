"""What telling of a growing incident costs per alert, beside the table's function on the same alerts.

``python -m benchmarks.telling`` prints it. A production of 120 services is simulated; the first 70 % of its alerts are
the history, and each incident of the rest comes in alert by alert, at most 12 of each. Each call is timed by itself,
after everything was asked once (the first look at a service costs more: `first_us`).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import stanza_lab as sl
from stanza_lab.patterns.kinds import alert_kinds
from stanza_lab.patterns.streaming import PatternTeller, ReactionTeller, kind_of
from stanza_lab.production.spread.streaming import OriginTeller

if TYPE_CHECKING:
    from stanza_lab.patterns.reactions import Reactions

SEED = 4200
_LONG, _BATCH = 12, 25  # alerts of an incident that are looked at; calls of a table's function, which is slow
_REACTIONS = """
team: ops
for: ["*"]
reactions:
  - {name: Restart, action: restart, when: {symptom: errors, team: "*", service: "%s"}, command: restart, risk: low}
"""
_Call = Callable[[], Any]


def table(seed: int = SEED) -> pd.DataFrame:
    """Return microseconds per call: what, calls, us (median), p99_us, first_us (median of the first), batch_us."""
    made = sl.simulate_production(services=120, teams=12, days=120, incidents=250, random_state=seed)
    known = made.alerts.assign(incident_id=pd.factorize(made.labels["incident_id"])[0])
    known = known.sort_values("starts_at", ignore_index=True)
    split = known["starts_at"].quantile(0.7)
    past, later = known[known["starts_at"] <= split], known[known["starts_at"] > split]
    production = sl.ProductionMap(sl.DependencyModel().fit(past).edges_, past)
    patterns = sl.mine_patterns(past)
    grown = [
        whole.head(seen)
        for _, whole in later[later["incident_id"] >= 0].groupby("incident_id")
        for seen in range(1, min(len(whole), _LONG) + 1)
        if whole["service"].nunique() <= _LONG
    ]
    told = [(table, _rows(table)) for table in grown]
    begun = [[(kind_of(row), row["starts_at"]) for row in rows] for _, rows in told]
    origin, pattern = OriginTeller(production), PatternTeller(patterns)
    with tempfile.TemporaryDirectory() as folder:
        every, never = (_read(Path(folder, f"{name}.yaml"), service) for name, service in _SERVICES.items())
    some, none = (ReactionTeller(one, production, patterns, None) for one in (every, never))
    asked = {
        "kind": ([_call(kind_of, rows[-1]) for _, rows in told], [_call(alert_kinds, one.tail(1)) for one in grown]),
        "origin": (
            [_call(origin.tell, rows) for _, rows in told],
            [_call(sl.rank_origins, production, alerts=one, top=1) for one in grown],
        ),
        f"pattern, of {len(patterns.table)}": (
            [_call(pattern.tell, kinds) for kinds in begun],
            [_call(patterns.recognise, one) for one in grown],
        ),
        "reaction, one may apply": (
            [_call(some.tell, rows) for _, rows in told],
            [_call(sl.propose, every, production, alerts=one) for one in grown],
        ),
        "reaction, none can": (
            [_call(none.tell, rows) for _, rows in told],
            [_call(sl.propose, never, production, alerts=one) for one in grown],
        ),
    }
    return pd.DataFrame([_timed(what, *calls) for what, calls in asked.items()])


_SERVICES = {"every": "*", "never": "nowhere"}


def _timed(what: str, ours: list[_Call], batch: list[_Call]) -> dict[str, Any]:
    first, then = _micros(ours), _micros(ours)
    slow = _micros(batch[:: max(len(batch) // _BATCH, 1)])
    median, last = np.percentile(then, [50, 99])
    return {
        "what": what,
        "calls": len(then),
        "us": median,
        "p99_us": last,
        "first_us": np.median(first),
        "batch_us": np.median(slow),
    }


def _micros(calls: list[_Call]) -> list[float]:
    took = []
    for call in calls:
        start = time.perf_counter_ns()
        call()
        took.append((time.perf_counter_ns() - start) / 1000)
    return took


def _call(function: Callable[..., Any], *given: Any, **named: Any) -> _Call:
    return lambda: function(*given, **named)


def _read(path: Path, service: str) -> Reactions:
    path.write_text(_REACTIONS % service, encoding="utf-8")
    return sl.read_reactions(path)


def _rows(alerts: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): _plain(value) for name, value in row.items()} for row in alerts.to_dict("records")]


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return value
    if isinstance(value, pd.Timestamp):
        return value.value // 1000
    return None if pd.isna(value) else value


if __name__ == "__main__":
    print(table().to_string(index=False, float_format=lambda value: f"{value:,.1f}"))
