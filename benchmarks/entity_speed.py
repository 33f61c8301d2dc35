"""Entities in a million alert texts, beside polars `extract_all` of one alternation over the same texts.

Both in the same run. The peer only finds places that may name something; ours also says what stands there, with spans.
Texts are templates as alerts are: numbers, times, ids, hosts, pods and traces vary. In `distinct` no two texts are the
same. Each call runs in a program of its own; memory is the most that it held, texts included.

``python -m benchmarks.entity_speed --texts 1000000`` writes and reads 380 MB.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

TEXTS = 100_000
PEER = "polars extract_all"
_HASH = "bcdfghjklmnpqrstvwxz2456789"
_SERVICES = [
    f"{domain}-{part}"
    for domain in (
        "orders",
        "checkout",
        "cart",
        "payments",
        "search",
        "catalog",
        "users",
        "billing",
        "shipping",
        "stock",
    )
    for part in ("api", "worker", "db", "cache", "web", "gateway", "events", "admin", "batch", "proxy")
]
_PROSE = (
    "The monitor was last triggered at {time}. Value {number} was above the threshold of {limit} during the last "
    "{minutes} minutes. Check the graphs of the last hour before paging anybody, then follow the steps for this kind "
    "of alert: restart is safe, failover is not. Evaluated {count} times since the last deploy, {few} of them breached."
)
# What a text says beside its prose, and how often. About a third name something, as in exports of real tools.
_SAID: tuple[tuple[float, str], ...] = (
    (0.28, "High p99 latency on {word}: {number} ms. "),
    (0.16, "Threshold Crossed: {few} out of the last {few} datapoints [{number} ({time})] was greater than {limit}. "),
    (0.14, "Disk usage of a volume is at {limit} %. "),
    (0.10, "CPU above {limit} % of its limit, {count} throttled periods. "),
    (0.06, "Error rate of {{service:{service},env:prod}} is {number}/s. "),
    (0.05, "Pod shop/{pod} is restarting {number} times / 5 minutes. "),
    (0.05, "Alarm on {arn} in account 123456789012. "),
    (0.04, "Instance {instance} failed its status checks. "),
    (0.04, "IllegalStateException: No instances available for {service} trace_id={trace} "),
    (0.03, "connection refused to {service}:5432 after {few} attempts, host {host} "),
    (0.03, "GET https://api.example.com/v1/{word}/{count} returned 503, trace_id={trace} "),
    (0.02, "dial tcp: lookup {service} on 10.0.0.10:53: no such host. "),
)


def write(file: Path, texts: int, *, distinct: bool) -> float:
    """Write `texts` texts as one column of Parquet, and return their megabytes."""
    draw = random.Random(1)
    hosts = [f"ip-10-{n % 7}-{n % 251}-{n % 199}.eu-west-1.compute.internal" for n in range(2_000)]
    pods = [f"{s}-{_drawn(draw, 9)}-{_drawn(draw, 5)}" for s in _SERVICES for _ in range(60)]
    ids = [f"i-{draw.getrandbits(68):017x}" for _ in range(3_000)]
    kinds = ("rds:{}:{}:db:{}", "sqs:{}:{}:{}", "lambda:{}:{}:function:{}", "ecs:{}:{}:service/prod/{}")
    arns = [f"arn:aws:{kind.format('eu-west-1', '123456789012', s)}" for s in _SERVICES for kind in kinds]
    weights = [weight for weight, _ in _SAID]
    count = size = 0
    with pq.ParquetWriter(file, pa.schema([("text", pa.large_string())])) as writer:
        while count < texts:
            block = []
            for _, said in zip(range(min(50_000, texts - count)), _endless(draw, weights), strict=False):
                number = draw.randrange(10**9) if distinct else draw.randrange(200)
                block.append(
                    (said + _PROSE).format(
                        word=draw.choice(("checkout", "the login page", "search", "a queue")),
                        number=number / 10,
                        time=f"2026-03-{number % 28 + 1:02d}T{number % 24:02d}:{number % 60:02d}:00Z",
                        limit=number % 90 + 10,
                        minutes=number % 15 + 1,
                        count=number % 997,
                        few=number % 5 + 1,
                        service=draw.choice(_SERVICES),
                        pod=draw.choice(pods),
                        arn=draw.choice(arns),
                        instance=draw.choice(ids),
                        host=draw.choice(hosts),
                        trace=f"{draw.getrandbits(128):032x}" if "{trace}" in said else "",
                    )
                )
            writer.write_table(pa.table({"text": pa.array(block, pa.large_string())}))
            count += len(block)
            size += sum(map(len, block))
    return size / 1e6


def _drawn(draw: random.Random, length: int) -> str:
    return "4" + "".join(draw.choices(_HASH, k=length - 2)) + "x"


def _endless(draw: random.Random, weights: list[float]) -> Iterator[str]:
    while True:
        yield from draw.choices([said for _, said in _SAID], weights, k=1_000)


def table(texts: int = TEXTS) -> pd.DataFrame:
    """Return seconds, peak memory and the ratio to the peer, for texts that repeat and for texts that never do."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("templates", "distinct"):
            file = Path(folder) / f"{name}.parquet"
            megabytes = write(file, texts, distinct=name == "distinct")
            rows += [
                (name, call, texts, megabytes, *_measured(call, file))
                for call in (PEER, "extract_entities", "find_entities")
            ]
    columns = ["texts as", "call", "texts", "MB", "seconds", "CPU seconds", "found", "peak MB"]
    frame = pd.DataFrame(rows, columns=columns)
    peers = frame[["seconds", "CPU seconds"]].where(frame["call"] == PEER).ffill()
    return frame.assign(
        **{"times the peer": frame["seconds"] / peers["seconds"], "in CPU": frame["CPU seconds"] / peers["CPU seconds"]}
    )


def _measured(call: str, file: Path) -> tuple[float, float, int, float]:
    """Return seconds, CPU seconds, how much was found and peak MB of a call in a program of its own, imports apart."""
    program = [sys.executable, "-m", "benchmarks.entity_speed", "--call", call, str(file)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        peak = 0.0
        while process.poll() is None:
            with suppress(psutil.NoSuchProcess):
                peak = max(peak, psutil.Process(process.pid).memory_info().rss / 1e6)
            time.sleep(0.02)
        if process.returncode or process.stdout is None:
            raise RuntimeError(f"{call} failed with {process.returncode}")
        seconds, cpu, found = process.stdout.read().split()[-3:]
    return float(seconds), float(cpu), int(found), peak


def _peer(texts: pd.Series) -> Callable[[], int]:
    import polars as pl

    from stanza_lab.entities.extraction.scan import pattern

    series = pl.from_pandas(texts)
    return lambda: int(series.str.extract_all(pattern()).list.len().sum())


def _extract(texts: pd.Series) -> Callable[[], int]:
    from stanza_lab.entities.extraction.scan import extract_entities

    extract_entities("warm")  # imports
    return lambda: len(extract_entities(texts))


def _find(texts: pd.Series) -> Callable[[], int]:
    from stanza_lab import find_entities

    alerts = pd.DataFrame({"alert_id": texts.index.astype("str"), "summary": texts})
    find_entities(alerts[:1])
    return lambda: len(find_entities(alerts)[1])


def _timed(call: str, file: str) -> None:
    texts = pd.Series(pq.read_table(file)["text"].to_pandas().astype("str"))
    work = {PEER: _peer, "extract_entities": _extract, "find_entities": _find}[call](texts)
    start, cpu = time.perf_counter(), time.process_time()
    found = work()
    print(time.perf_counter() - start, time.process_time() - cpu, found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--texts", type=int, default=TEXTS, help="how many texts to write and read")
    parser.add_argument("--call", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.call:
        _timed(*given.call)
    else:
        print(table(given.texts).to_string(index=False, float_format=lambda value: f"{value:.2f}"))
