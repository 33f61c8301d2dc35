"""Indicators as monitoring keeps them: counts in CSV, coarser where they are old, and an answer of Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab.simulate.exports.joined import dump

if TYPE_CHECKING:
    from stanza_lab.simulate.production import Production

FOLDER = "indicators"
SERVICES = 2
FINE_DAYS = 28  # longer ago only hours are kept, as stores of metrics do
_LOST = 0.004  # of the scrapes


def render(production: Production) -> Iterator[tuple[str, str]]:
    """Yield path and text: requests per hour and per 5 minutes, latencies, sessions."""
    known = production.indicators
    requests = known[known["indicator"] == "requests"]
    services = list(dict.fromkeys(requests["service"]))[:SERVICES]
    requests = requests[requests["service"].isin(services)]
    border = max(requests["at"].max() - pd.Timedelta(days=FINE_DAYS), requests["at"].min()).floor("1h")
    hourly, recent = _hourly(requests[requests["at"] <= border]), requests[requests["at"] > border]
    for name, part in (("requests_1h", hourly), ("requests_5m", recent)):
        if len(part):
            yield f"{FOLDER}/{name}.csv", _csv(part)
    yield f"{FOLDER}/sessions.csv", _csv(known[known["indicator"] == "sessions"], "indicator")
    rng = np.random.default_rng([production.parameters["random_state"], 41])
    yield f"{FOLDER}/latency.json", dump(_answer(rng, recent[recent["service"] == services[0]])) + "\n"


def _csv(rows: pd.DataFrame, *more: str) -> str:
    table = pd.DataFrame({"at": rows["at"].dt.strftime("%Y-%m-%dT%H:%MZ"), "service": rows["service"]})
    table = table.assign(**{name: rows[name] for name in more})
    table = table.assign(**{name: rows[name].astype("int64") for name in ("good", "total")})
    return table.to_csv(index=False, lineterminator="\n")


def _hourly(rows: pd.DataFrame) -> pd.DataFrame:
    sums = rows.groupby(["service", rows["at"].dt.ceil("1h")], sort=True)[["good", "total"]].sum()
    return sums.reset_index()


def _answer(rng: np.random.Generator, rows: pd.DataFrame) -> dict[str, Any]:
    """Return what query_range says of the buckets of one service: counters that began again once, scrapes lost."""
    hours = rows[rows["at"].dt.minute == 0]
    counts = np.cumsum(np.array(rows["below"].tolist(), dtype=np.float64), axis=0)[
        (rows["at"].dt.minute == 0).to_numpy()
    ]
    restart = int(rng.integers(len(counts) // 3, max(len(counts) // 3 + 1, 2 * len(counts) // 3)))
    counts = np.where(np.arange(len(counts))[:, None] > restart, counts - counts[restart], counts)
    kept = rng.random(len(counts)) >= _LOST
    seconds = (hours["at"].astype("int64") // 1_000_000).to_numpy()[kept].tolist()
    series = []
    for place, bound in enumerate(rows["le"].iloc[0]):
        labels = {
            "__name__": "http_request_duration_seconds_bucket",
            "job": "gateway",
            "service": rows["service"].iloc[0],
        }
        values = [[at, f"{count:.0f}"] for at, count in zip(seconds, counts[kept, place].tolist(), strict=True)]
        series.append({"metric": labels | {"le": "+Inf" if np.isinf(bound) else f"{bound:g}"}, "values": values})
    return {"status": "success", "data": {"resultType": "matrix", "result": series}}
