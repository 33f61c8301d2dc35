"""Do blast radius and "whom to wake" mean what they say? On simulated productions nobody chose a constant on.

``python -m benchmarks.blast ../shared`` prints six tables; ``--seeds 800 824`` says which productions.

Rules stated beforehand. The constants of `causes` and `blast_radius` (in `stanza_lab.production.spread`) were chosen
on seeds 700 to 723 of `draw`; measured are 800 to 823. The map knows the first six tenths of the time (every other
production has traces too); judged are faults after that which have one root. A service counts as hit when an alert
that belongs to the fault begins within the window of the fault's start. Every service on the map is judged; one that
is not listed was said 0. "whom to wake" is asked for one service of each fault, drawn among those that alert, five
minutes after its first alert, with the alerts up to then. On the recordings every service stands for its own team, and
the map knows what was there when the fault began.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import stanza_lab as sl
from stanza_lab.production.spread.firings import Firings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SEEDS = range(800, 824)
KNOWN = 0.6  # of the time
LATER = pd.Timedelta("5min")  # after its first alert is asked whom to wake
CASES = 25  # faults asked about per production
RECORDINGS = ("petshop_low", "nezha_tt_0129")
ASKED_FROM = 0.4  # of a recording's faults on
BINS = [-0.01, 0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 1.0]


@dataclass(frozen=True)
class Case:
    """A production of which a part is known, and the faults after that."""

    name: str
    alerts: pd.DataFrame  # with `fault`, null for noise
    edges: pd.DataFrame
    ownership: pd.DataFrame
    faults: pd.DataFrame
    cut: pd.Timestamp


def draw(seed: int) -> Case:
    """Draw the size and the nuisances of one production, and learn its edges from the first part."""
    rng = np.random.default_rng([7, seed])
    services = int(rng.choice([20, 40, 40, 80]))
    made = sl.simulate_production(
        services=services,
        teams=max(3, services // 5),
        days=int(rng.choice([30, 91, 91, 150])),
        incidents=int(services * rng.choice([1.5, 4, 8])),
        random_state=seed,
        coverage=round(rng.uniform(0.6, 1), 2),
        noise=round(float(np.exp(rng.uniform(np.log(0.1), np.log(1)))), 2),
        flapping=round(rng.uniform(0, 0.2), 2),
        shared_causes=round(rng.uniform(0, 0.3), 2),
    )
    alerts = made.alerts.assign(fault=made.labels["incident_id"].to_numpy())
    cut = alerts["starts_at"].min() + KNOWN * (alerts["starts_at"].max() - alerts["starts_at"].min())
    edges = sl.DependencyModel().fit(made.alerts[made.alerts["starts_at"] < cut]).edges_
    if seed % 2:
        with tempfile.TemporaryDirectory() as folder:
            made.export(folder)
            edges = sl.overlay_traces(edges, sl.read_traces(Path(folder) / "traces"))
    faults = made.incidents[(made.incidents["start"] >= cut) & made.incidents["root_service"].notna()]
    return Case(f"seed {seed}", alerts, edges, made.services[["service", "team"]], faults, cut)


def judged(case: Case, *, window: str = "15min") -> pd.DataFrame:
    """Return a row per later fault and other service: how likely each method said it is hit, and whether it was."""
    past = case.alerts[case.alerts["starts_at"] < case.cut]
    production = sl.ProductionMap(case.edges, past, ownership=case.ownership)
    blind = sl.ProductionMap(case.edges, ownership=case.ownership)
    names = pd.Index(production.services["service"])
    known = Firings.of(past, names)
    said: dict[str, pd.DataFrame] = {}
    rows = []
    for fault in _rows(case.faults[case.faults["root_service"].isin(names)]):
        root = fault.root_service
        if root not in said:
            said[root] = _said(production, blind, known, root, window)
        there = case.alerts[(case.alerts["fault"] == fault.incident_id)]
        there = there[there["starts_at"] <= fault.start + pd.Timedelta(window)]
        rows.append(said[root].assign(was=names.isin(there["service"]), fault=f"{case.name} {fault.incident_id}"))
    return pd.concat(rows).query("service != root") if rows else pd.DataFrame()


def _said(
    production: sl.ProductionMap, blind: sl.ProductionMap, known: Firings, root: str, window: str
) -> pd.DataFrame:
    names = known.names
    columns = {"service": names, "root": root}
    for method, one in (("links and history", production), ("links only", blind)):
        if root in set(one.services["service"]):
            found = one.blast_radius(root, window=window).set_index("service")["hit"]
        else:
            found = pd.Series(dtype="float64")
        columns[method] = found.reindex(names).fillna(0.0).to_numpy()
    length = pd.Timedelta(window) // pd.Timedelta("1us")
    starts = known.episodes(int(names.get_indexer(pd.Index([root]))[0]), window=length)
    followed = known.around(starts, window=length).counts(len(names))
    columns["fired together"] = followed / max(len(starts), 1)
    return pd.DataFrame(columns)


METHODS = ("links and history", "links only", "fired together", "base rate")


def scores(rows: pd.DataFrame) -> pd.DataFrame:
    """Return Brier score and log loss of each method, and its skill: the part of the base rate's error it removes."""
    was = rows["was"].to_numpy("float64")
    rows = rows.assign(**{"base rate": was.mean()})
    table = []
    for method in METHODS:
        p = np.clip(rows[method].to_numpy("float64"), 0.002, 0.998)
        brier = float(((p - was) ** 2).mean())
        loss = float(-(was * np.log(p) + (1 - was) * np.log(1 - p)).mean())
        table.append({"method": method, "brier": brier, "skill": 1 - brier / float(was.var()), "log_loss": loss})
    return pd.DataFrame(table)


def reliability(rows: pd.DataFrame, *, method: str = METHODS[0]) -> pd.DataFrame:
    """Return for each band of what was said how many, the mean said, and the share that was hit."""
    bands = rows.groupby(pd.cut(rows[method], BINS), observed=True)
    table = bands.agg(n=("was", "size"), said=(method, "mean"), hit=("was", "mean"))
    return table.assign(error=np.sqrt(table["hit"] * (1 - table["hit"]) / table["n"])).reset_index(names="band")


def asked(case: Case, *, cases: int = CASES, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Yield for one service of each later fault where the truth stands in each ranking (99: nowhere)."""
    rng = np.random.default_rng([11, seed])
    team = case.ownership.set_index("service")["team"].astype("str")
    order = case.faults.iloc[rng.permutation(len(case.faults))[:cases]]
    for fault in _rows(order):
        there = case.alerts[(case.alerts["fault"] == fault.incident_id) & case.alerts["service"].notna()]
        if there.empty or fault.root_service not in team.index:
            continue
        service = str(rng.choice(sorted(there["service"].astype("str").unique())))
        at = there.loc[there["service"] == service, "starts_at"].min() + LATER
        yield from answers(case, service, at, fault.root_service, team)


def answers(case: Case, service: str, at: pd.Timestamp, root: str, team: pd.Series) -> Iterator[dict[str, Any]]:
    """Yield a row per method for one question."""
    until = case.alerts[case.alerts["starts_at"] <= at]
    production = sl.ProductionMap(case.edges, until, ownership=case.ownership)
    now = until[until["starts_at"] > at - pd.Timedelta("15min")].sort_values("starts_at", kind="stable")
    teams = now["service"].astype("str").map(team).dropna()
    rankings: dict[str, list[str]] = {
        "whom_to_wake": [],
        "whom_to_wake, no moment": [],
        "own team": [team[service]],
        "first alert's team": list(teams.unique()),
        "most alerts": list(teams.value_counts().index),
    }
    told = {}
    for method, moment in (("whom_to_wake", at), ("whom_to_wake, no moment", None)):
        found = production.whom_to_wake(service, at=moment)
        rankings[method], told[method] = found["team"].tolist(), float(found["probability"].iloc[0])
    for method, ranked in rankings.items():
        rank = ranked.index(team[root]) + 1 if team[root] in ranked else 99
        yield {"method": method, "rank": rank, "own": team[service] == team[root], "said": told.get(method, np.nan)}


def ranked(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how often the team of the root came first, and among the first three; and where it is another's."""
    table = []
    for method, some in rows.groupby("method", sort=False):
        other = some[~some["own"]]
        table.append(
            {
                "method": method,
                "cases": len(some),
                "top1": (some["rank"] == 1).mean(),
                "top3": (some["rank"] <= 3).mean(),
                "said": some["said"].mean(),
                "top1_not_own": (other["rank"] == 1).mean(),
                "top3_not_own": (other["rank"] <= 3).mean(),
            }
        )
    return pd.DataFrame(table)


def recording(shared: Path, name: str) -> Iterator[dict[str, Any]]:
    """Yield the answers for every service that alerts in each later fault of a recording."""
    folder = shared / "data" / name
    alerts = sl.resolve_entities(sl.read_alerts(folder / "alerts")).drop(columns="incident_id", errors="ignore")
    spans = sl.read_traces(folder / "traces") if (folder / "traces").is_dir() else None
    faults = pd.read_csv(folder / "truth" / "incidents.csv", parse_dates=["start", "end"]).sort_values("start")
    for fault in _rows(faults.iloc[int(ASKED_FROM * len(faults)) :]):
        edges = sl.DependencyModel().fit(alerts[alerts["starts_at"] < fault.start]).edges_
        edges = edges if spans is None else sl.overlay_traces(edges, spans)
        services = pd.unique(pd.concat([edges["src"], edges["dst"], alerts["service"].dropna().astype("str")]))
        own = pd.DataFrame({"service": services, "team": services})
        case = Case(name, alerts, edges, own, faults, fault.start)
        there = alerts[alerts["starts_at"].between(fault.start, fault.end) & alerts["service"].notna()]
        first = there.groupby(there["service"].astype("str"))["starts_at"].min()
        team = own.set_index("service")["team"]
        if fault.root_service in team.index:
            for service, began in first.items():
                yield from answers(case, str(service), began + LATER, fault.root_service, team)


def _rows(table: pd.DataFrame) -> Iterator[Any]:
    """Yield the rows as named tuples."""
    yield from table.itertuples()


def tables(seeds: Iterable[int], shared: Path | None) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each table with its title."""
    hits, short, wake = [], [], []
    for seed in seeds:
        case = draw(seed)
        hits.append(judged(case))
        short.append(judged(case, window="5min"))
        wake.append(pd.DataFrame(asked(case, seed=seed)))
    rows = pd.concat(hits)
    yield f"Who is hit, {rows['fault'].nunique():,} faults, {len(rows):,} services judged", scores(rows)
    yield "What hit means: said beside what came", reliability(rows)
    yield "The same within 5 minutes", reliability(pd.concat(short))
    yield "Whose is it: the team of the root", ranked(pd.concat(wake))
    if shared is not None:
        for name in RECORDINGS:
            yield f"Whose is it, {name}: the root service", ranked(pd.DataFrame(recording(shared, name)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("shared", nargs="?", type=Path, help="folder that holds the recordings; without it none")
    parser.add_argument("--seeds", nargs=2, type=int, default=(SEEDS.start, SEEDS.stop), metavar=("FIRST", "STOP"))
    given = parser.parse_args()
    for title, table in tables(range(*given.seeds), given.shared):
        print(f"\n## {title}\n", flush=True)
        print(table.to_string(index=False, float_format=lambda value: f"{value:.3f}"))


if __name__ == "__main__":
    main()
