"""Do warnings come true, how much do they catch, how early? On the later part of productions nobody chose on.

``python -m benchmarks.early_warning`` prints two tables; ``--seeds 1000 1012`` says which productions.

Rules stated beforehand. Patterns and how they begin are learned from the first six tenths of the time, judged are
incidents that began later (those astride count for neither). An incident is the pattern when enough of it fired
(`mining.members`: MATCH, QUORUM), whatever the simulator calls it. A warning is true when its incident became the
pattern. Beside it: to warn whenever the pattern's usual first step comes first, and the base rate, the precision of
warning always. `BACK_OFF`, and to count prefixes rather than sets that fired at any time, were chosen on seeds 0 to 23
of `benchmarks.look_alikes`, the usual confidence on 0 to 9 of `draw`; measured are 1000 to 1011. The recordings hold
two to four incidents of a kind: too few to learn from one part and judge on the other. In "planted" productions
sequences with an order and usual gaps stand among the simulator's own incidents (`benchmarks.planted`).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import stanza_lab as sl
from benchmarks.planted import planted
from stanza_lab.dependencies.judging import wilson
from stanza_lab.patterns.recognising import judged, unfolding

if TYPE_CHECKING:
    from stanza_lab.patterns.warned import EarlyWarnings

SEEDS = range(1000, 1012)
CONFIDENCES = (0.3, 0.5, 0.7)
SPLIT = 0.6
PLANTED = 4_000  # added to the seed, so that no production is one that mining was chosen on
BANDS = [-0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0]


def draw(seed: int, *, found: bool) -> pd.DataFrame:
    """Draw a production in which patterns come often enough to learn from, with its true or found incidents."""
    rng = np.random.default_rng([17, seed])
    services = int(rng.choice([15, 30, 60]))
    made = sl.simulate_production(
        services=services,
        teams=max(3, services // 5),
        days=180,
        incidents=int(rng.choice([150, 250, 400])),
        random_state=seed,
        coverage=round(rng.uniform(0.6, 1), 2),
        noise=round(float(np.exp(rng.uniform(np.log(0.05), np.log(1)))), 2),
        flapping=round(rng.uniform(0, 0.2), 2),
        shared_causes=round(rng.uniform(0, 0.2), 2),
    )
    if found:
        return sl.cluster_incidents(made.alerts)
    return made.alerts.assign(incident_id=pd.factorize(made.labels["incident_id"])[0])


CASES: dict[str, Callable[[int], pd.DataFrame]] = {
    "true": lambda seed: draw(seed, found=False),
    "found": lambda seed: draw(seed, found=True),
    "planted, true": lambda seed: planted(PLANTED + seed, recurring=True).truly(),
    "planted, found": lambda seed: planted(PLANTED + seed, recurring=True).clustered(),
}


def told(alerts: pd.DataFrame, about: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield counts and leads per confidence, and of warning whenever the usual first step comes first."""
    first = sl.early_warnings(alerts, split=SPLIT, min_confidence=CONFIDENCES[0])
    for sure in CONFIDENCES:
        found = sl.early_warnings(alerts, split=SPLIT, min_confidence=sure, patterns=first.patterns)
        given = found.warnings
        yield {
            **about,
            "method": f"at {sure}",
            "patterns": len(found.table),
            "warnings": int(given["at"].notna().sum()),
            "came": int(given["came"].sum()),
            "happened": int(given["whole_at"].notna().sum()),
            "asked": len(found.table) * found.known["later"],
            "leads": given.loc[given["came"], "lead_s"].tolist(),
            "page_leads": given.loc[given["came"], "page_lead_s"].dropna().tolist(),
        }
    shown = later(alerts, first)
    starts = first.patterns.steps.query("position == 0").set_index("pattern")["kind"]
    one = shown.drop_duplicates(["pattern", "incident_id"])
    warned = one[(one["kind"] == one["pattern"].map(starts)) & ~one["whole"]]
    whole = shown[shown["whole"]].drop_duplicates(["pattern", "incident_id"])
    ends = whole.set_index(["pattern", "incident_id"])["at"].rename("whole_at")
    came = warned.join(ends, on=["pattern", "incident_id"])
    leads = (came["whole_at"] - came["at"]).dropna().dt.total_seconds()
    yield {
        **about,
        "method": "first step came first",
        "patterns": len(first.table),
        "warnings": len(warned),
        "came": len(leads),
        "happened": len(whole),
        "asked": len(first.table) * first.known["later"],
        "leads": leads.tolist(),
        "page_leads": [],
    }


def later(alerts: pd.DataFrame, found: EarlyWarnings) -> pd.DataFrame:
    """Return how each pattern unfolded in the later incidents, with the probability after each member."""
    began = alerts.groupby("incident_id")["starts_at"].transform("min")
    there = alerts[(began >= found.split) & (alerts["incident_id"] >= 0)]
    patterns = found.patterns
    return judged(patterns, unfolding(there, steps=patterns.steps, by=patterns.by))


def pooled(rows: pd.DataFrame) -> pd.DataFrame:
    """Return precision, recall and lead of each method over all productions."""
    table = []
    for (incidents, method), some in rows.groupby(["incidents", "method"], sort=False):
        counts = some[["patterns", "warnings", "came", "happened", "asked"]].sum()
        precision, recall = counts["came"] / max(counts["warnings"], 1), counts["came"] / max(counts["happened"], 1)
        low, high = wilson(
            np.array([precision, recall]), counts[["warnings", "happened"]].clip(lower=1).to_numpy("float64")
        )
        leads, pages = (some[name].explode().dropna().astype("float64") for name in ("leads", "page_leads"))
        table.append(
            {
                "incidents": incidents,
                "method": method,
                **counts.drop("asked").to_dict(),
                "precision": precision,
                "p_low": low[0],
                "p_high": high[0],
                "recall": recall,
                "r_low": low[1],
                "r_high": high[1],
                "base": counts["happened"] / max(counts["asked"], 1),
                "lead_s": leads.median(),
                "lead_90_s": leads.quantile(0.9),
                "page_lead_s": pages.median(),
                "before_page": (pages > 0).mean(),
            }
        )
    return pd.DataFrame(table)


def calibration(shown: pd.DataFrame) -> pd.DataFrame:
    """Return what was said after each member, before the pattern was whole, beside how often it became the pattern."""
    became = shown.groupby(["incidents", "seed", "pattern", "incident_id"])["whole"].transform("any")
    open_ = shown.assign(became=became)[~shown["whole"]]
    bands = open_.groupby(["incidents", pd.cut(open_["confidence"], BANDS)], observed=True)
    return bands.agg(n=("became", "size"), said=("confidence", "mean"), was=("became", "mean")).reset_index()


def measured(seeds: Iterable[int]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of `told` and of `later` over productions."""
    rows, shown = [], []
    for name, make in CASES.items():
        for seed in seeds:
            alerts = make(seed)
            about: dict[str, Any] = {"incidents": name, "seed": seed}
            rows += list(told(alerts, about))
            unfolded = later(alerts, sl.early_warnings(alerts, split=SPLIT)).assign(**about)
            shown.append(unfolded[["incidents", "seed", "pattern", "incident_id", "confidence", "whole"]])
    return pd.DataFrame(rows), pd.concat(shown)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", nargs=2, type=int, default=(SEEDS.start, SEEDS.stop), metavar=("FIRST", "STOP"))
    rows, shown = measured(range(*parser.parse_args().seeds))
    print("\n## Early warnings on later data, all patterns of all productions\n")
    print(pooled(rows).to_string(index=False, float_format=lambda value: f"{value:.3f}"))
    print("\n## What a probability means before the pattern is whole\n")
    print(calibration(shown).to_string(index=False, float_format=lambda value: f"{value:.3f}"))


if __name__ == "__main__":
    main()
