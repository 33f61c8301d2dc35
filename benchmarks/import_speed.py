"""Import of a Datadog export, beside ``duckdb.read_json`` with a fixed schema on the same file in the same run.

The peer does less: it types the columns it is told about and writes them to Parquet. Ours also tells vendors apart,
normalises, redacts, deduplicates, accounts for every record and keeps each one. Ratios matter; seconds depend on the
machine. Each reader runs in a process of its own; memory is the most that it and the processes it started held at once.

``python -m benchmarks.import_speed --events 1000000`` writes and reads a file of about 1 GB. With ``--fold`` it grows a
history instead, a file of a million events at a time, and folds it: what time and memory take as a history grows.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import psutil

import stanza_lab as sl

EVENTS = 40_000
_FILE = 1_000_000
_COLUMNS = {
    "id": "VARCHAR",
    "type": "VARCHAR",
    "attributes": (
        "STRUCT(timestamp TIMESTAMP, message VARCHAR, tags VARCHAR[], attributes STRUCT(title VARCHAR, status VARCHAR, "
        "timestamp BIGINT, service VARCHAR, hostname VARCHAR, aggregation_key VARCHAR, monitor_id BIGINT, "
        "monitor_groups VARCHAR[], evt STRUCT(id VARCHAR), monitor STRUCT(id BIGINT, name VARCHAR, type VARCHAR, "
        "query VARCHAR, tags VARCHAR[], transition STRUCT(trans_name VARCHAR, trans_type VARCHAR))))"
    ),
}
PEER = "duckdb.read_json to Parquet"


def table(events: int = EVENTS) -> pd.DataFrame:
    """Return seconds, MB/s, peak memory and the ratio to DuckDB for reading one generated file of `events` events."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        file = place / "datadog_events.ndjson"
        _write(file, _events(events))
        megabytes = file.stat().st_size / 1e6
        calls = {
            PEER: ["peer", file, place / "peer.parquet"],
            "History.ingest, 1 process reads": ["ingest", file, place / "one", 1],
            "History.ingest, all cores read": ["ingest", file, place / "all", -1],
            "folding into alerts": ["fold", place / "all"],
        }
        rows = [(name, events, megabytes, *_measured(call)) for name, call in calls.items()]
    found = pd.DataFrame(rows, columns=["reader", "events", "MB", "seconds", "peak MB"])
    peer = found.loc[found["reader"] == PEER, "seconds"].iloc[0]
    return found.assign(**{"MB/s": found["MB"] / found["seconds"], "ratio to duckdb": peer / found["seconds"]})


def growth(events: int) -> pd.DataFrame:
    """Return seconds and peak memory of ingesting `events` events, a million at a time, and of folding them all."""
    rows = []
    generated = _events(events)
    with tempfile.TemporaryDirectory() as folder:
        file, history = Path(folder, "datadog_events.ndjson"), Path(folder, "history")
        for start in range(0, events, _FILE):
            count = min(_FILE, events - start)
            _write(file, islice(generated, count))
            rows.append((f"History.ingest, to {start + count:,}", count, *_measured(["ingest", file, history, 1])))
            file.unlink()
        rows.append(("folding into alerts", events, *_measured(["count", history])))
    found = pd.DataFrame(rows, columns=["step", "events", "seconds", "peak MB"])
    return found.assign(**{"events/s": found["events"] / found["seconds"]})


def _write(file: Path, events: Iterable[dict[str, Any]]) -> None:
    with file.open("w") as stream:
        stream.writelines(json.dumps(event, separators=(",", ":")) + "\n" for event in events)


def _events(count: int) -> Iterator[dict[str, Any]]:
    """Yield `count` Datadog events: the simulator's, repeated under new ids at later times."""
    with tempfile.TemporaryDirectory() as folder:
        sl.simulate_production(services=40, teams=8, days=30, incidents=30, random_state=1).export(folder)
        found = [
            event
            for file in sorted((Path(folder) / "exports").glob("datadog*"))
            for line in file.read_text().splitlines()
            for event in json.loads(line)["data"]
        ]
    for number in range(count):
        event = json.loads(json.dumps(found[number % len(found)]))
        event["id"] = f"AgAAAZ{number:026d}"
        later = number // len(found) * 31 * 60_000
        inner = event["attributes"]["attributes"]
        inner["timestamp"] += later
        inner["evt"] = {**inner.get("evt", {}), "id": str(7 * 10**18 + number)}
        event["attributes"]["timestamp"] = pd.Timestamp(inner["timestamp"], unit="ms", tz="UTC").isoformat()
        yield event


def _peer(file: str, out: str) -> None:
    with duckdb.connect() as connection:
        connection.read_json(file, columns=_COLUMNS, format="newline_delimited").write_parquet(out, compression="zstd")


def _ingest(file: str, history: str, n_jobs: str) -> None:
    report = sl.History(history).ingest(file, n_jobs=int(n_jobs))
    if report.duplicates or len(report.rejected):
        raise RuntimeError(f"events were lost: {report!r}")


def _fold(history: str) -> None:
    sl.History(history).alerts()


def _count(history: str) -> None:
    sl.History(history).sql("select count(*) from alerts")  # the alerts are not loaded


def _measured(call: list[Any]) -> tuple[float, float]:
    """Return seconds and peak MB of a call in a program of its own; its start and imports do not count as time."""
    program = [sys.executable, "-m", "benchmarks.import_speed", "--call", *map(str, call)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        peak = 0.0
        while process.poll() is None:
            with suppress(psutil.NoSuchProcess):
                root = psutil.Process(process.pid)
                peak = max(peak, sum(p.memory_info().rss for p in [root, *root.children(recursive=True)]) / 1e6)
            time.sleep(0.05)
        if process.returncode or process.stdout is None:
            raise RuntimeError(f"{call[0]} failed with {process.returncode}")
        return float(process.stdout.read().split()[-1]), peak


def _timed(name: str, *arguments: str) -> None:
    calls: dict[str, Callable[..., None]] = {"peer": _peer, "ingest": _ingest, "fold": _fold, "count": _count}
    start = time.perf_counter()
    calls[name](*arguments)
    print(time.perf_counter() - start)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=EVENTS, help="how many events to write and read")
    parser.add_argument("--fold", action="store_true", help="grow a history a million events at a time, and fold it")
    parser.add_argument("--call", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.call:
        _timed(*given.call)
    else:
        found = growth(given.events) if given.fold else table(given.events)
        print(found.to_string(index=False, float_format=lambda value: f"{value:.2f}"))
