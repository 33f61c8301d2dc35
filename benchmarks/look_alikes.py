"""Are the incidents most alike really of the same kind? Beside a nearest neighbour over a bag of rule keys.

``python -m benchmarks.look_alikes ../shared`` prints three tables; ``--seeds 1000 1016`` says which productions.

Rules stated beforehand. Incidents are the true ones, and on simulated productions also those of `cluster_incidents`
(each counts as the true incident most of its labelled alerts belong to). Asked is every incident whose `pattern_id`
another one shares: is the most alike of the same pattern (top-1), is one of the three most alike (top-3)? Once among
all others, as in a review, once only among those that began earlier and with what was known then of how usual a kind
is (incidents that have an earlier one of their pattern). Equal similarity: the latest first, for all methods. What each
part is worth was chosen on seeds 0 to 23 of `draw`; measured are 1000 to 1015. The
recordings were measured twice: once by alerts, then once more with every record besides.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import stanza_lab as sl

SEEDS = range(1000, 1016)
RECORDINGS = ("petshop_low", "nezha_tt_0129")
BANDS = [-0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]


@dataclass(frozen=True)
class Case:
    """A history whose incidents are of known patterns."""

    data: str
    alerts: pd.DataFrame  # with incident_id
    pattern: pd.Series  # by incident_id


def draw(seed: int, *, found: bool) -> Case:
    """Draw size, pace and nuisances of one production."""
    rng = np.random.default_rng([13, seed])
    services = int(rng.choice([20, 40, 80]))
    made = sl.simulate_production(
        services=services,
        teams=max(3, services // 5),
        days=int(rng.choice([30, 91])),
        incidents=int(rng.choice([40, 80, 160])),
        random_state=seed,
        coverage=round(rng.uniform(0.5, 1), 2),
        noise=round(float(np.exp(rng.uniform(np.log(0.1), np.log(3)))), 2),
        flapping=round(rng.uniform(0, 0.3), 2),
        shared_causes=round(rng.uniform(0, 0.3), 2),
    )
    name = "simulated, found incidents" if found else "simulated, true incidents"
    return labelled(name, made.alerts, made.labels["incident_id"].to_numpy(), made.incidents, found=found)


def recording(shared: Path, name: str, *, records: bool) -> Case:
    """Return a recording with its true incidents; `records` makes an alert of every record that says something fires.

    A Sentry issue, or a monitor that is open, fires again inside an alert that began in another incident: of such an
    incident little is left among alerts.
    """
    folder = shared / "data" / name
    if records:
        with tempfile.TemporaryDirectory() as place:
            history = sl.History(place)
            history.ingest(folder / "alerts")
            events = history.events()
        fired = events[events["kind"].isin(["fired", "renotified"]) & events["at"].notna()]
        alerts = fired.assign(alert_id=fired["event_id"], event_ids=fired["native_ids"], starts_at=fired["at"])
        alerts = alerts.drop_duplicates("alert_id").drop(columns="incident_id", errors="ignore")
    else:
        alerts = sl.read_alerts(folder / "alerts").drop(columns="incident_id", errors="ignore")
    alerts = sl.resolve_entities(alerts)
    labels = sl.read_labels(folder / "truth" / "alert_labels.csv", alerts=alerts).set_index("alert_id")["incident_id"]
    faults = pd.read_csv(folder / "truth" / "incidents.csv", dtype="str")
    data = f"{name}, every record" if records else name
    return labelled(data, alerts, alerts["alert_id"].map(labels).to_numpy(), faults, found=False)


def labelled(data: str, alerts: pd.DataFrame, fault: np.ndarray, faults: pd.DataFrame, *, found: bool) -> Case:
    """Return the case of alerts that belong to faults (null: to none)."""
    codes, names = pd.factorize(fault)
    pattern = faults.set_index("incident_id")["pattern_id"].reindex(names)
    given = alerts.assign(incident_id=codes)
    if not found:
        return Case(data, given, pattern.reset_index(drop=True))
    grouped = sl.cluster_incidents(alerts)
    told = pd.DataFrame({"incident_id": grouped["incident_id"].to_numpy(), "fault": codes})
    told = told[(told["incident_id"] >= 0) & (told["fault"] >= 0)]
    most = told.groupby("incident_id")["fault"].agg(lambda faults: faults.mode().iloc[0])
    kept = grouped["incident_id"].where(grouped["incident_id"].isin(most.index), -1)
    return Case(data, grouped.assign(incident_id=kept), most.map(pattern.reset_index(drop=True)))


def ours(alerts: pd.DataFrame) -> pd.DataFrame:
    """Return the similarity of all incidents."""
    return sl.incident_similarity(alerts)


def bag_of_rules(alerts: pd.DataFrame) -> pd.DataFrame:
    """Return the cosine of how often each rule fired in two incidents."""
    counts = pd.crosstab(alerts["incident_id"], alerts["rule_key"].astype("str").fillna("none")).drop(
        -1, errors="ignore"
    )
    rows = counts.to_numpy("float64")
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return pd.DataFrame(rows @ rows.T, index=counts.index, columns=counts.index)


def shared_kinds(alerts: pd.DataFrame) -> pd.DataFrame:
    """Return the share of kinds that two incidents share (Jaccard), every kind worth the same."""
    from stanza_lab.patterns.kinds import alert_kinds

    kinds = alert_kinds(alerts)["kind"].astype("str")
    has = (pd.crosstab(alerts["incident_id"], kinds).drop(-1, errors="ignore") > 0).astype("float64")
    both = has.to_numpy() @ has.to_numpy().T
    size = has.sum(axis=1).to_numpy()
    share = both / (size[:, None] + size[None, :] - both)
    return pd.DataFrame(share, index=has.index, columns=has.index)


METHODS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "look_alikes": ours,
    "kinds shared (Jaccard)": shared_kinds,
    "bag of rule keys (cosine)": bag_of_rules,
}


def judged(case: Case, method: str, *, earlier: bool) -> Iterator[dict[str, object]]:
    """Yield for every incident asked about whether the most alike, or one of three, is of its pattern."""
    alike = METHODS[method](case.alerts)
    began = case.alerts.groupby("incident_id")["starts_at"].min().reindex(alike.index)
    pattern = case.pattern.reindex(alike.index).to_numpy()
    for row, incident in enumerate(alike.index):
        among = np.arange(len(alike)) != row
        if earlier:
            among &= (began < began.iloc[row]).to_numpy()
        if not (pattern[among] == pattern[row]).any():
            continue
        scores = alike.to_numpy()[row]
        if earlier and method == "look_alikes":  # the others use nothing of the history
            until = began.iloc[row]
            past = case.alerts[(case.alerts["starts_at"] < until) | (case.alerts["incident_id"] == incident)]
            told = sl.incident_similarity(past, of=[int(incident)]).loc[incident]
            scores = told.reindex(alike.columns).fillna(0.0).to_numpy()
        order = np.lexsort((-began.astype("int64").to_numpy(), -scores.round(9)))
        order = order[among[order]]
        yield {
            "data": case.data,
            "method": method,
            "among": "earlier" if earlier else "all others",
            "top1": pattern[order[0]] == pattern[row],
            "top3": (pattern[order[:3]] == pattern[row]).any(),
            "chance": (pattern[among] == pattern[row]).mean(),
            "similarity": scores[order[0]],
        }


def cases(seeds: Iterable[int], shared: Path | None) -> Iterator[Case]:
    """Yield everything that is measured."""
    if shared is not None:
        yield from (recording(shared, name, records=records) for name in RECORDINGS for records in (False, True))
    for found in (False, True):
        yield from (draw(seed, found=found) for seed in seeds)


def measured(shared: Path | None, *, seeds: Iterable[int] = SEEDS) -> pd.DataFrame:
    """Return one row per incident that was asked about, method and what it was looked for among."""
    rows = [
        row
        for case in cases(seeds, shared)
        for method in METHODS
        for earlier in (False, True)
        for row in judged(case, method, earlier=earlier)
    ]
    return pd.DataFrame(rows)


def accuracy(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how often the most alike, and one of the three most alike, was of the same pattern."""
    groups = rows.groupby(["data", "among", "method"], sort=False)
    return groups.agg(asked=("top1", "size"), top1=("top1", "mean"), top3=("top3", "mean"), chance=("chance", "mean"))


def meaning(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what a similarity means: how often the most alike incident was of the same pattern, in each band."""
    mine = rows[(rows["method"] == "look_alikes") & (rows["among"] == "earlier")]
    bands = mine.groupby(["data", pd.cut(mine["similarity"], BANDS)], sort=False, observed=True)["top1"]
    return bands.agg(["size", "mean"]).rename(columns={"size": "n", "mean": "same"}).sort_index()


def speed(sizes: Iterable[int] = (1_000, 5_000)) -> pd.DataFrame:
    """Return seconds for so many incidents of ten alerts each on 500 services: the whole matrix, and one row."""
    table = []
    for incidents in sizes:
        rng = np.random.default_rng(incidents)
        service = rng.zipf(1.3, 10 * incidents) % 500
        incident = np.repeat(np.arange(incidents), 10)
        minutes = incident * 60 + rng.uniform(0, 20, len(incident))
        alerts = pd.DataFrame(
            {
                "incident_id": incident,
                "starts_at": pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(minutes, unit="min"),
                "service": "s" + pd.Series(service).astype("str"),
                "alertname": rng.choice(["High latency", "Error rate", "CPU high"], len(incident)),
            }
        )
        start = time.perf_counter()
        sl.incident_similarity(alerts)
        middle = time.perf_counter()
        sl.look_alikes(alerts, incident=incidents - 1)
        end = time.perf_counter()
        table.append({"incidents": incidents, "all_s": middle - start, "one_s": end - middle})
    return pd.DataFrame(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("shared", nargs="?", type=Path, help="folder that holds the recordings; without it none")
    parser.add_argument("--seeds", nargs=2, type=int, default=(SEEDS.start, SEEDS.stop), metavar=("FIRST", "STOP"))
    given = parser.parse_args()
    told = measured(given.shared, seeds=range(*given.seeds))
    print("\n## Is the most alike of the same pattern?\n")
    print(accuracy(told).to_string(float_format=lambda value: f"{value:.3f}"))
    print("\n## What similarity means: the most alike earlier incident\n")
    print(meaning(told).to_string(float_format=lambda value: f"{value:.3f}"))
    print("\n## Speed\n")
    print(speed().to_string(index=False, float_format=lambda value: f"{value:.2f}"))


if __name__ == "__main__":
    main()
