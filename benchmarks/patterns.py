"""Recurring sequences: are planted ones found among noise, are the simulator's own, and is chance left alone.

``python -m benchmarks.patterns ../shared`` prints three tables. Stated before measuring: a planted sequence is *found*
when a mined pattern and it have at least half of all their occurrences in common (Jaccard >= .5, an incident being an
occurrence when it holds at least half of its alerts); a mined pattern is *right* when it is so of a sequence that does
recur. Constants were chosen on seeds 100 to 115 (`--seeds 100 116`); what is printed is of other seeds.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

import stanza_lab as sl
from benchmarks.planted import Planted, planted, shifted

SEEDS = range(2000, 2012)
RECORDINGS = ("petshop_low", "nezha_tt_0129")
SAME = 0.5
LEAST = 4  # occurrences of what should be found


def held(alerts: pd.DataFrame) -> dict[int, set[str]]:
    """Return per incident the true ones of which it holds at least half."""
    known = alerts.dropna(subset=["true"])
    size = known.groupby("true").size()
    inside = known[known["incident_id"] != sl.schema.NOISE]
    counts = inside.groupby(["true", "incident_id"]).size().reset_index(name="n")
    counts = counts[2 * counts["n"] >= counts["true"].map(size)]
    return {int(str(number)): set(some["true"]) for number, some in counts.groupby("incident_id")}


def overlaps(patterns: sl.Patterns, alerts: pd.DataFrame, name: dict[str, str]) -> pd.DataFrame:
    """Return the Jaccard of occurrences of each mined pattern (rows) and each true one (columns)."""
    holds = held(alerts)
    true = pd.Series(name).rename("name").rename_axis("true").reset_index()
    true = true[true["true"].isin(alerts["true"].dropna().unique())]
    whole = true.groupby("name")["true"].agg(set)
    rows = {}
    for pattern, some in patterns.occurrences.groupby("pattern"):
        each = [holds.get(int(number), set()) for number in some["incident_id"]]
        got = set().union(*each)
        rows[pattern] = {
            label: len(got & members) / (len(members) + sum(not one & members for one in each))
            for label, members in whole.items()
            if got & members
        }
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(whole.index)).fillna(0.0).astype("float64")


def measured(case: Planted, alerts: pd.DataFrame, *, recurring: bool) -> dict[str, float]:
    """Return recall of planted sequences and of the simulator's own, and precision."""
    patterns = sl.mine_patterns(alerts)
    both = overlaps(patterns, alerts, case.pattern)
    many = pd.Series(case.pattern).value_counts()
    kinds = alerts.assign(kind=alerts["service"].astype("str") + alerts["alertname"].astype("str"))
    several = kinds.groupby("true")["kind"].nunique()
    told = pd.Series(case.pattern)[lambda of: of.index.map(several).fillna(0) >= 2].value_counts()
    sown = [name for name in both.columns if name.startswith("planted") and many[name] >= LEAST]
    own = [name for name in both.columns if not name.startswith("planted") and told.get(name, 0) >= LEAST]
    best = both.max(axis=0)
    found: dict[str, float] = {"planted": len(sown), "planted_found": int((best[sown] >= SAME).sum())}
    found |= {"own": len(own), "own_found": int((best[own] >= SAME).sum())}
    right = both if recurring else both[sown]
    found |= {"mined": len(both), "right": int((right.max(axis=1) >= SAME).sum()) if len(both) else 0}
    if recurring and len(both):
        by_root = overlaps(patterns, alerts, case.root).reindex(both.index, fill_value=0.0)
        right_root = np.maximum(by_root.max(axis=1), both.max(axis=1))
        found["right_root"] = int((right_root >= SAME).sum())
    return found


def accuracy(seeds: Iterable[int]) -> pd.DataFrame:
    """Return recall and precision, counted over all productions, with true incidents and with those found."""
    rows = []
    for recurring in (False, True):
        for seed in seeds:
            case = planted(seed, recurring=recurring)
            for name, alerts in (("true", case.truly()), ("found", case.clustered())):
                own = "recur" if recurring else "do not recur"
                rows.append({"own incidents": own, "incidents": name} | measured(case, alerts, recurring=recurring))
    sums = pd.DataFrame(rows).groupby(["own incidents", "incidents"], sort=False).sum()
    return sums.assign(
        recall=sums["planted_found"] / sums["planted"],
        precision=sums["right"] / sums["mined"],
        precision_root=(sums["right_root"] / sums["mined"]).where(sums["right_root"] > 0),
        recall_own=sums["own_found"] / sums["own"],
    ).reset_index()


def by_chance(seeds: Iterable[int], *, each: int = 4) -> pd.DataFrame:
    """Return in how many shuffled histories anything was found."""
    rows = []
    for seed in seeds:
        alerts = planted(seed, recurring=True).alerts.drop(columns="true")
        for i in range(each):
            rng = np.random.default_rng([seed, i])
            moved = sl.cluster_incidents(shifted(alerts, rng, whole_days=i % 2 == 1))
            some = len(sl.mine_patterns(moved).table)
            rows.append({"shifted": "whole days" if i % 2 else "any time", "histories": 1, "with any": int(some > 0)})
    sums = pd.DataFrame(rows).groupby("shifted").sum().reset_index()
    return sums.assign(share=sums["with any"] / sums["histories"])


def recordings(shared: Path) -> pd.DataFrame:
    """Return what is found in the recordings, with their true incidents; their patterns only measure."""
    rows = []
    for name in RECORDINGS:
        alerts = sl.resolve_entities(sl.read_alerts(shared / "data" / name / "alerts"))
        truth = pd.read_csv(shared / "data" / name / "truth" / "alert_labels.csv", dtype="str")
        labels = truth[(truth["kind"] == "firing") & truth["incident_id"].notna()]
        of = dict(zip(labels["native_id"], labels["incident_id"], strict=True))
        true = alerts["event_ids"].map(lambda ids, of=of: next((of[one] for one in ids if one in of), None))
        alerts = alerts.assign(true=true.astype("str"), incident_id=pd.factorize(true)[0].astype("int64"))
        incidents = pd.read_csv(shared / "data" / name / "truth" / "incidents.csv", dtype="str")
        pattern = dict(zip(incidents["incident_id"], incidents["pattern_id"], strict=True))
        patterns = sl.mine_patterns(alerts)
        both = overlaps(patterns, alerts, pattern)
        many = pd.Series(pattern).value_counts()
        recur = [column for column in both.columns if many[column] >= 3]
        rows.append(
            {
                "data": name,
                "incidents": alerts["true"].nunique(),
                "recur 3 times": len(recur),
                "found": int((both[recur].max(axis=0) >= SAME).sum()),
                "mined": len(both),
                "right": int((both.max(axis=1) >= SAME).sum()) if len(both) else 0,
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path, nargs="?", default=Path("../shared"))
    parser.add_argument("--seeds", type=int, nargs=2, default=(SEEDS.start, SEEDS.stop), help="first, and behind last")
    arguments = parser.parse_args()
    seeds = range(*arguments.seeds)
    for found in (accuracy(seeds), by_chance(seeds), recordings(arguments.shared)):
        print(found.to_string(index=False, float_format=lambda value: f"{value:.3f}"), flush=True)


if __name__ == "__main__":
    main()
