"""How fast the scorer answers, how that grows with the stream, and whether memory does.

    python -m benchmarks.scoring [ALERTS | lines]

A bundle of the first half of a simulated production (120 services) scores its second half, one alert at a time, with
everything: incident, why, origin, team, pattern, reaction. The second half comes again and again, later each time,
until so many alerts were scored (200,000 unless said). Beside it, on the same alerts: `predict` of all at once, and
parsing them as JSON lines, which is what any scorer of lines must do first.

`lines`: the verb `score` in a process of its own, fed through a pipe with the same alerts as rows of our table, as
Datadog events (each with its recovery) and as webhooks of Alertmanager with one alert each, from the first answer to
the last.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
import zlib
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import orjson
import pandas as pd
import psutil

import stanza_lab as sl
from stanza_lab.artefacts.scoring import tables

ALERTS = 200_000
LINES = 20_000
_SEED = 4100
_STEP = 50_000  # alerts after which memory is told
_SCORED = ("alone", "new", "joined", "merged", "late")
_DAY_US = 86_400_000_000
_REACTIONS = """
team: {team}
reviewed: {{by: somebody, on: 2026-06-01}}
for: ["*"]
reactions:
  - {{name: Restart, action: restart, when: {{symptom: errors}}, command: restart, risk: low}}
  - {{name: Scale, action: scale, params: {{to: "+2"}}, when: {{symptom: saturation}}, command: scale, risk: medium}}
"""


def table(most: int = ALERTS, *, told: bool = False) -> pd.DataFrame:
    """Return alerts a second and microseconds per alert, with memory before and after; `told`: print it on the way."""
    past, future = _halves()
    with tempfile.TemporaryDirectory() as folder:
        bundle = _bundle(past, Path(folder))
        rows = [row for _, row in tables.rows(future)]
        span = rows[-1]["starts_at"] - rows[0]["starts_at"] + _DAY_US
        start = time.perf_counter()
        bundle.clusterer.predict(future)
        batch = len(rows) / (time.perf_counter() - start)
        lines = [orjson.dumps(row) for row in rows]
        start = time.perf_counter()
        for _ in range(10):
            for line in lines:
                orjson.loads(line)
        parsed = 10 * len(lines) / (time.perf_counter() - start)
        took, memory = _stream(bundle, rows, span, most, told=told)
    whole = {"what": "scorer", "alerts/s": most / took.sum(), "mean us": took.mean() * 1e6}
    shares = dict(zip(("p50", "p99", "p99.9", "max"), np.percentile(took * 1e6, [50, 99, 99.9, 100]), strict=True))
    peers = [
        {"what": "predict of all at once", "alerts/s": batch},
        {"what": "parsing the JSON alone", "alerts/s": parsed},
    ]
    return pd.DataFrame([whole | shares | {"MB at first": memory[0], "MB at last": memory[-1]}, *peers])


def lines(most: int = LINES) -> pd.DataFrame:
    """Return lines a second of the verb, for each way they are written."""
    past, future = _halves()
    rows = [row for _, row in tables.rows(future)]
    span = rows[-1]["starts_at"] - rows[0]["starts_at"] + _DAY_US
    later = [
        {
            **row,
            "alert_id": f"{turn}-{row['alert_id']}",
            "starts_at": row["starts_at"] + span * turn,
            "ends_at": None if row["ends_at"] is None else row["ends_at"] + span * turn,
        }
        for turn in range(most // len(rows) + 1)
        for row in rows
    ][:most]
    with tempfile.TemporaryDirectory() as folder:
        path = _bundle(past, Path(folder)).path
        ways = {"our table": _own, "Datadog events": _datadog, "Alertmanager webhooks": _alertmanager}
        told = [
            {"lines": name} | _piped(path, [one for row in later for one in way(row)]) for name, way in ways.items()
        ]
    return pd.DataFrame(told)


def _piped(bundle: Path, content: list[bytes]) -> dict[str, float]:
    """Return how many lines the verb answers in a second, once it is up, and how many of them were new alerts."""
    command = [sys.executable, "-m", "stanza_lab", "score", str(bundle)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        source, answers = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        source.write(content[0] + b"\n")
        source.flush()
        answers.readline()
        start = time.perf_counter()
        writer = threading.Thread(target=lambda: (source.write(b"\n".join(content[1:])), source.close()))
        writer.start()
        found = [orjson.loads(line)["status"] for line in answers]
        took = time.perf_counter() - start
        writer.join()
    return {
        "lines/s": len(found) / took,
        "alerts/s": sum(status in _SCORED for status in found) / took,
        "rejected": found.count("rejected"),
    }


def _iso(at: int) -> str:
    return pd.Timestamp(at, unit="us", tz="UTC").isoformat()


def _own(row: dict[str, Any]) -> list[bytes]:
    times = {name: _iso(row[name]) for name in ("starts_at", "ends_at") if row[name] is not None}
    return [orjson.dumps(row | times)]


def _datadog(row: dict[str, Any]) -> list[bytes]:
    """Return the alert, and its recovery a minute later: without it the next of its monitor would be the same."""
    event = {
        "id": row["alert_id"],
        "date_happened": row["starts_at"] // 1_000_000,
        "title": f"[Triggered] {row['alertname']}",
        "alert_type": "error",
        "alert_transition": "Triggered",
        "alert_cycle_key": row["alert_id"],
        "monitor_id": zlib.crc32(str(row["rule_key"]).encode()),
        "tags": [f"service:{row['service']}", "monitor"],
        "source": "alert",
        "text": row["summary"] or "",
    }
    over = {"alert_transition": "Recovered", "alert_type": "success", "title": f"[Recovered] {row['alertname']}"}
    end = {"id": f"{row['alert_id']}-end", "date_happened": event["date_happened"] + 60}
    return [orjson.dumps(event), orjson.dumps(event | over | end)]


def _alertmanager(row: dict[str, Any]) -> list[bytes]:
    alert = {
        "status": "firing",
        "labels": {"alertname": row["alertname"], "service": row["service"], "severity": "critical"},
        "annotations": {"summary": row["summary"]},
        "startsAt": _iso(row["starts_at"]),
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": f"{zlib.crc32(str(row['rule_key']).encode()):016x}",
    }
    about = {"version": "4", "groupKey": "{}", "status": "firing", "receiver": "x", "externalURL": "x"}
    return [orjson.dumps(about | {"alerts": [alert]})]


def _halves() -> tuple[pd.DataFrame, pd.DataFrame]:
    made = sl.simulate_production(services=120, teams=12, days=120, incidents=120, random_state=_SEED)
    alerts = made.alerts.sort_values("starts_at", ignore_index=True)
    half = alerts["starts_at"].quantile(0.5)
    return alerts[alerts["starts_at"] <= half], alerts[alerts["starts_at"] > half]


def _stream(
    bundle: sl.Bundle, rows: list[dict[str, Any]], span: int, most: int, *, told: bool
) -> tuple[np.ndarray, list[float]]:
    """Return the seconds of each alert, and the memory in MB along the way."""
    scorer, process = sl.Scorer(bundle), psutil.Process()
    for row in rows[:200]:  # compiled, and the first look at every service, before it counts
        scorer.push({**row, "starts_at": row["starts_at"] - 2 * span, "alert_id": f"warm-{row['alert_id']}"})
    took, memory, done = np.zeros(most), [], 0
    while done < most:
        turn = done // len(rows)
        for row in rows[: most - done]:
            alert = {**row, "starts_at": row["starts_at"] + span * turn, "alert_id": f"{turn}-{row['alert_id']}"}
            if alert["ends_at"] is not None:
                alert["ends_at"] += span * turn
            start = time.perf_counter()
            scorer.push(alert)
            took[done] = time.perf_counter() - start
            done += 1
            if done % _STEP == 0:
                memory.append(process.memory_info().rss / 1e6)
                if told:
                    print(f"after {done:,} alerts: {memory[-1]:,.0f} MB in memory", flush=True)
    memory.append(process.memory_info().rss / 1e6)
    return took, memory


def _bundle(past: pd.DataFrame, folder: Path) -> sl.Bundle:
    clusterer = sl.IncidentClusterer().fit(past)
    grouped = past.assign(incident_id=clusterer.labels_)
    model = sl.DependencyModel().fit(grouped)
    production = sl.ProductionMap(model.edges_, grouped)
    (folder / "reactions.yaml").write_text(_REACTIONS.format(team=production.teams[0]))
    path = sl.save_bundle(
        folder / "bundle",
        clusterer=clusterer,
        dependencies=model,
        production=production,
        alerts=grouped,
        patterns=sl.mine_patterns(grouped),
        reactions=sl.read_reactions(folder / "reactions.yaml"),
    )
    return sl.load_bundle(path)


if __name__ == "__main__":
    asked = sys.argv[1] if len(sys.argv) > 1 else str(ALERTS)
    found = lines() if asked == "lines" else table(int(asked), told=True)
    print(found.round(0).to_string(index=False))
