"""How fast the scorer answers, how that grows with the stream, and whether memory does.

    python -m benchmarks.scoring [ALERTS]

A bundle of the first half of a simulated production (120 services) scores its second half, one alert at a time, with
everything: incident, why, origin, team, pattern, reaction. The second half comes again and again, later each time,
until so many alerts were scored (200,000 unless said). Beside it, on the same alerts: `predict` of all at once, and
parsing them as JSON lines, which is what any scorer of lines must do first.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
import psutil

import stanza_lab as sl
from stanza_lab.artefacts.scoring.scorer import _rows

ALERTS = 200_000
_SEED = 4100
_STEP = 50_000  # alerts after which memory is told
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
    made = sl.simulate_production(services=120, teams=12, days=120, incidents=120, random_state=_SEED)
    alerts = made.alerts.sort_values("starts_at", ignore_index=True)
    half = alerts["starts_at"].quantile(0.5)
    past, future = alerts[alerts["starts_at"] <= half], alerts[alerts["starts_at"] > half]
    with tempfile.TemporaryDirectory() as folder:
        bundle = _bundle(past, Path(folder))
        rows = [row for _, row in _rows(future)]
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
    asked = int(sys.argv[1]) if len(sys.argv) > 1 else ALERTS
    print(table(asked, told=True).round(0).to_string(index=False))
