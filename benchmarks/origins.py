"""Where did it begin? Fit the weights of `sl.rank_origins` to simulated productions, and measure it on others.

``python -m benchmarks.origins --fit`` prints the weights that `stanza_lab.production.spread.origin_weights` holds;
``python -m benchmarks.origins ../shared`` measures held-out productions, then the recordings.

Rules stated beforehand. Productions are drawn widely (`cases`): 12 to 100 services, a day to half a year, few and many
incidents, much and little noise, monitors that see late, names that tell, mislead or say nothing, maps learned from the
alerts alone or with traces of a part of the services, from the whole history or from six tenths of it before the
incidents asked about. An incident has the alerts that its fault raised, in half of the cases those too that fired then
for other reasons; half of the cases are asked about 2 to 15 minutes after the first alert, half know the deploys. Where
the cause is shared, or the origin no suspect, the truth is "none of these". The weights are those of a conditional
logit over the suspects and that outside; one that comes out against its meaning (`FOR`, `AGAINST`) is left out and the
rest fitted again. So were: how many alerts and kinds of alerts, more of them than usual, their severity, other forms of
`fit`. Recordings are measured and nothing is chosen by them.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
from scipy.optimize import minimize

import stanza_lab as sl
from benchmarks import drawn_productions
from stanza_lab.production.spread.origins import probabilities
from stanza_lab.production.spread.suspects import FEATURES, OUTSIDE, Suspects, suspects
from stanza_lab.production.spread.usual import Usual
from stanza_lab.simulate.exports import otlp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FITTED = range(20_000, 20_096)
HELD_OUT = range(30_000, 30_050)
MOST = 25  # incidents asked about per production
FALSE_ALARMS = 3_000  # about, at most, per production
KNOWN = 0.6  # of the time, where the map knows only what was before
WOKEN = 6  # of them whom_to_wake is asked about too, which takes long
RECORDINGS = ("petshop_low", "nezha_tt_0129")
PENALTY = 2.0  # of squared weights, of features with unit variance
AGAINST = ("silent_noticed", "missing", "explained", "explained_before")
FOR = tuple(name for name in FEATURES if name not in (*AGAINST, "silent"))
BINS = [0.0, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1.0]
NOWHERE = 99  # rank of an origin that is not named


@dataclass(frozen=True)
class Case:
    """One incident and its truth."""

    data: str
    production: sl.ProductionMap
    alerts: pd.DataFrame
    root: str | None  # None: no service is behind it
    at: pd.Timestamp | None = None
    events: pd.DataFrame | None = None

    def suspects(self) -> Suspects:
        """Return the suspects, as `rank_origins` looks at them."""
        until = None if self.at is None else self.at.value // 1000
        return suspects(Usual.of(self.production), self.alerts, until=until, deploys=self.events)


class Choice(NamedTuple):
    """What is known of one incident, a row per suspect and the last for none of them, and which of these is true."""

    features: np.ndarray
    truth: int


def cases(seed: int) -> Iterator[Case]:
    """Draw a production, learn its map, and yield some of its incidents."""
    rng = np.random.default_rng([17, seed])
    made = sl.simulate_production(**_setting(rng, seed))
    habit, traced, past = ("telling", "anonymous", "misleading")[seed % 3], rng.random() < 0.5, rng.random() < 0.5
    alerts, names = made.alerts.assign(fault=made.labels["incident_id"].to_numpy()), {}
    if habit != "telling":
        names = drawn_productions._renamed(rng, made.services, anonymous=habit == "anonymous")
        alerts = drawn_productions._rename(alerts.assign(description=None), names)
    if len(alerts) < 20:
        return
    cut = alerts["starts_at"].min() + KNOWN * (alerts["starts_at"].max() - alerts["starts_at"].min())
    known = (alerts[alerts["starts_at"] < cut] if past else alerts).drop(columns="fault")
    edges = sl.DependencyModel().fit(known).edges_
    if traced:
        edges = sl.overlay_traces(edges, _spans(made, names))
    production = sl.ProductionMap(edges, alerts)
    faults = made.incidents[(made.incidents["start"] >= cut) | (not past)]
    deploys = made.deploys.assign(kind="changed", service=made.deploys["service"].replace(names))
    events = deploys if rng.random() < 0.5 else None
    for number in rng.permutation(len(faults))[:MOST]:
        fault: Any = faults.iloc[number]
        own = alerts["fault"] == fault["incident_id"]
        if not own.any():
            continue
        if rng.random() < 0.5:
            during = alerts["starts_at"].between(*alerts.loc[own, "starts_at"].agg(["min", "max"]))
            own |= alerts["fault"].isna() & during
        there, at = alerts[own], None
        if rng.random() < 0.5:
            at = there["starts_at"].min() + pd.Timedelta(minutes=float(rng.uniform(2, 15)))
            there = there[there["starts_at"] <= at]
        root = None if pd.isna(fault["root_service"]) else names.get(fault["root_service"], fault["root_service"])
        yield Case(f"seed {seed}", production, there, root, at, events)


def _setting(rng: np.random.Generator, seed: int) -> dict[str, Any]:
    setting = drawn_productions._setting(rng, seed)
    services, days = min(setting["services"], 100), setting["days"]
    return setting | {
        "services": services,
        "incidents": min(setting["incidents"], 40 * days, 600),
        "noise": min(setting["noise"], FALSE_ALARMS / (2.2 * services * days / 7)),
        "trace_coverage": round(rng.uniform(0.3, 0.9), 2),
    }


def _spans(made: sl.Production, names: dict[str, str]) -> pd.DataFrame:
    """Return the traces of a production, its services called by their new `names`."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in otlp.render(made):
            (Path(folder) / Path(name).name).write_text(text, encoding="utf-8")
        spans = sl.read_traces(folder)
    known = names | dict(zip(made.services["alias"], made.services["service"].map(names), strict=True))
    ends = ("service", "peer") if names else ()
    return spans.assign(**{end: spans[end].map(lambda name: known.get(name, name)).astype("str") for end in ends})


def choices(seed: int) -> list[Choice]:
    """Return the incidents of a production as the fit sees them."""
    return [choice(case.suspects(), case.root) for case in cases(seed)]


def choice(found: Suspects, root: str | None) -> Choice:
    """Return suspects and outside as rows over all features."""
    inside = np.hstack([found.features, np.zeros((len(found.names), len(OUTSIDE)))])
    outside = np.concatenate([np.zeros(len(FEATURES)), found.outside])
    truth = -1 if root is None else int(pd.Index(found.names).get_indexer(pd.Index([root]))[0])
    return Choice(np.vstack([inside, outside]), truth % (len(inside) + 1))


def fit(chosen: list[Choice]) -> dict[str, float]:
    """Return the weights; those that come out against their meaning are 0."""
    names = [*FEATURES, *OUTSIDE]
    rows = np.vstack([one.features for one in chosen])
    scale = rows.std(axis=0)
    free = scale > 0
    while True:
        weights = np.where(free, _logit(chosen, np.where(free, 1 / np.where(free, scale, 1), 0)), 0.0)
        wrong = [(w < 0 and n in FOR) or (w > 0 and n in AGAINST) for n, w in zip(names, weights, strict=True)]
        if not any(wrong):
            return {name: round(float(weight), 3) for name, weight in zip(names, weights, strict=True)}
        free = free & ~np.array(wrong)


def _logit(chosen: list[Choice], scale: np.ndarray) -> np.ndarray:
    rows = np.vstack([one.features for one in chosen]) * scale
    sizes = np.array([len(one.features) for one in chosen])
    first, owner = np.cumsum(sizes) - sizes, np.repeat(np.arange(len(sizes)), sizes)
    true = np.zeros(len(rows))
    true[first + [one.truth for one in chosen]] = 1.0

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        score = rows @ weights
        score = score - np.maximum.reduceat(score, first)[owner]
        log = score - np.log(np.add.reduceat(np.exp(score), first))[owner]
        slope = rows.T @ (np.exp(log) - true) + 2 * PENALTY * weights
        return float(-(log @ true) + PENALTY * weights @ weights), slope

    found = minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 2000})
    return np.asarray(found.x * scale)


def answers(case: Case, *, woken: bool = True) -> Iterator[dict[str, Any]]:
    """Yield a row per method: where the truth stands, and how sure of its first the method was."""
    found = case.suspects()
    share, outside = probabilities(found)
    own = np.arange(found.alerting)
    rankings: dict[str, tuple[np.ndarray, float]] = {
        "rank_origins": (np.argsort(-share, kind="stable"), float(share.max())),
        "most alerts": (np.lexsort((found.first_us[own], -found.alerts[own])), np.nan),  # of equals the first
        "first alert": (own[np.argsort(found.first_us[own], kind="stable")], np.nan),
    }
    if woken:
        rankings["whom_to_wake"] = _likelihood(case, found)
    truth = -1 if case.root is None else int(pd.Index(found.names).get_indexer(pd.Index([case.root]))[0])
    for method, (ranked, said) in rankings.items():
        place = np.flatnonzero(ranked == truth)
        yield {
            "data": case.data,
            "method": method,
            "rank": int(place[0]) + 1 if len(place) else NOWHERE,
            "said": said,
            "outside": outside,
            "none": case.root is None,
            "silent": not 0 <= truth < found.alerting,
            "suspect": truth >= 0,
            "on_map": case.root in set(case.production.services["service"]),
        }


def _likelihood(case: Case, found: Suspects) -> tuple[np.ndarray, float]:
    """Return the ranking of `whom_to_wake`, every service its own team, asked of the one that alerted first."""
    first = str(found.names[int(np.argmin(found.first_us[: found.alerting]))])
    history = case.production.alerts
    if history is None or first not in set(case.production.services["service"]):
        return np.zeros(0, dtype=np.int64), np.nan
    last = case.alerts["starts_at"].max() if case.at is None else case.at
    names = case.production.services["service"]
    past = history[history["starts_at"] <= last]
    teams = pd.DataFrame({"service": names, "team": names})
    told = sl.ProductionMap(case.production.edges, past, ownership=teams).whom_to_wake(first, at=last)
    ranked = pd.Index(found.names).get_indexer(pd.Index(told["team"]))
    return ranked.astype(np.int64), float(told["probability"].iloc[0])


def ranked(rows: pd.DataFrame) -> pd.DataFrame:
    """Return top-1, top-3 and mean reciprocal rank of each method, over incidents that have an origin."""
    rows = rows[~rows["none"]]
    groups = rows.assign(back=1 / rows["rank"].where(rows["rank"] < NOWHERE)).groupby("method", sort=False)
    return groups.agg(
        n=("rank", "size"),
        top1=("rank", lambda rank: (rank == 1).mean()),
        top3=("rank", lambda rank: (rank <= 3).mean()),
        mrr=("back", lambda back: back.fillna(0.0).mean()),
        said=("said", "mean"),
    ).reset_index()


def reliability(rows: pd.DataFrame) -> pd.DataFrame:
    """Return for each band of what was said of the first, and of "none of these", how often it was true."""
    mine = rows[rows["method"] == "rank_origins"]
    beside = {"said": mine["outside"], "true": ~mine["suspect"]}
    parts = []
    for what, said, true in (
        ("the first", mine["said"], mine["rank"] == 1),
        ("none of these", beside["said"], beside["true"]),
    ):
        table = pd.DataFrame({"said": said, "true": true.astype(float)})
        bands = table.groupby(pd.cut(table["said"], BINS), observed=True).agg(
            n=("true", "size"), said=("said", "mean"), true=("true", "mean")
        )
        brier = float(((table["said"] - table["true"]) ** 2).mean())
        parts.append(
            bands.reset_index(names="band").assign(what=what, brier=brier, base=float(table["true"].var(ddof=0)))
        )
    return pd.concat(parts)[["what", "band", "n", "said", "true", "brier", "base"]]


def recording(shared: Path, name: str) -> Iterator[Case]:
    """Yield the incidents of a recording; the map is learned from its whole history, and from traces."""
    folder = shared / "data" / name
    alerts = sl.resolve_entities(sl.read_alerts(folder / "alerts")).drop(columns="incident_id", errors="ignore")
    edges = sl.DependencyModel().fit(alerts).edges_
    if (folder / "traces").is_dir():
        edges = sl.overlay_traces(edges, sl.read_traces(folder / "traces"))
    production = sl.ProductionMap(edges, alerts)
    labels = pd.read_csv(folder / "truth" / "alert_labels.csv", dtype="str").query("kind == 'firing'")
    fault = labels.drop_duplicates("native_id").set_index("native_id")["incident_id"]
    opened = alerts["event_ids"].map(lambda ids: next((one for one in ids if one in fault.index), None))
    of = opened.map(fault)
    for truth in pd.read_csv(folder / "truth" / "incidents.csv").itertuples():
        there = alerts[of == truth.incident_id]
        if len(there):
            yield Case(name, production, there, str(truth.root_service))


def _measured(seed: int) -> list[dict[str, Any]]:
    return [row for number, case in enumerate(cases(seed)) for row in answers(case, woken=number < WOKEN)]


def tables(seeds: Iterable[int], shared: Path | None, jobs: int) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each table with its title."""
    found = joblib.Parallel(n_jobs=jobs)(joblib.delayed(_measured)(seed) for seed in seeds)
    sets = {"held-out simulations": pd.DataFrame([row for rows in found for row in rows])}
    for name in RECORDINGS if shared is not None else ():
        sets[name] = pd.DataFrame([row for case in recording(Path(shared or ""), name) for row in answers(case)])
    for name, rows in sets.items():
        yield f"{name}: where it began", ranked(rows)
        silent = rows[rows["silent"] & ~rows["none"]]
        if len(silent):
            yield f"{name}: where the origin never alerted", ranked(silent)
            yield f"{name}: of these, where it is on the map", ranked(silent[silent["on_map"]])
        yield f"{name}: what is said beside what is true", reliability(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("shared", nargs="?", type=Path, help="folder that holds the recordings; without it none")
    parser.add_argument("--fit", action="store_true", help="print the weights instead")
    parser.add_argument("--seeds", nargs=2, type=int, metavar=("FIRST", "STOP"), help="productions; default: see above")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    given = parser.parse_args()
    seeds = range(*given.seeds) if given.seeds else FITTED if given.fit else HELD_OUT
    if given.fit:
        found = joblib.Parallel(n_jobs=given.jobs)(joblib.delayed(choices)(seed) for seed in seeds)
        for name, weight in fit([one for some in found for one in some]).items():
            print(f'    "{name}": {weight},')
        return
    for title, table in tables(seeds, given.shared, given.jobs):
        print(f"\n## {title}\n", flush=True)
        print(table.to_string(index=False, float_format=lambda value: f"{value:.3f}"))


if __name__ == "__main__":
    main()
