"""Import speed of a Datadog export, beside ``duckdb.read_json`` with a fixed schema on the same file in the same run.

The peer does less: it types the columns it is told about and writes them to Parquet. Ours also tells vendors apart,
normalises, deduplicates, accounts for every record and keeps each one as it came. Ratios matter; seconds depend on the
machine.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

import stanza_lab as sl

EVENTS = 40_000
_COLUMNS = {
    "id": "VARCHAR",
    "type": "VARCHAR",
    "attributes": (
        "STRUCT(timestamp TIMESTAMP, message VARCHAR, tags VARCHAR[], attributes STRUCT(title VARCHAR, status VARCHAR, "
        "timestamp BIGINT, service VARCHAR, hostname VARCHAR, monitor_id BIGINT, monitor_groups VARCHAR[], "
        "monitor STRUCT(name VARCHAR, transition STRUCT(trans_name VARCHAR))))"
    ),
}


def table(events: int = EVENTS) -> pd.DataFrame:
    """Return seconds, MB/s and the ratio to DuckDB for reading one generated NDJSON file of `events` events."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "datadog_events.ndjson"
        with file.open("w") as stream:
            stream.writelines(json.dumps(event) + "\n" for event in _events(events))
        megabytes = file.stat().st_size / 1e6
        seconds = {
            "duckdb.read_json to Parquet": _seconds(lambda: _duckdb(file, Path(folder) / "peer.parquet")),
            "stanza_lab: read_alerts": _seconds(lambda: sl.read_alerts(file)),
            "stanza_lab: History.ingest": _seconds(lambda: sl.History(Path(folder) / "history").ingest(file)),
        }
    peer = seconds["duckdb.read_json to Parquet"]
    rows = [(name, megabytes, s, megabytes / s, peer / s) for name, s in seconds.items()]
    return pd.DataFrame(rows, columns=["reader", "MB", "seconds", "MB/s", "ratio to duckdb"])


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
        event["id"] = str(number)
        later = number // len(found) * 31 * 86_400_000
        inner = event["attributes"]["attributes"]
        inner["timestamp"] += later
        event["attributes"]["timestamp"] = pd.Timestamp(inner["timestamp"], unit="ms", tz="UTC").isoformat()
        yield event


def _duckdb(file: Path, out: Path) -> None:
    with duckdb.connect() as connection:
        connection.read_json(str(file), columns=_COLUMNS, format="newline_delimited").write_parquet(str(out))


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    print(table().to_string(index=False, float_format=lambda value: f"{value:.2f}"))
