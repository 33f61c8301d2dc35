"""Are triggers of reactions right as often as they say? On the later part of productions nobody chose on.

``python -m benchmarks.reactions`` prints a table; ``--seeds 1100 1108`` says which productions.

Rules stated beforehand. Patterns are mined from the first six tenths of the time of productions with planted sequences
(`benchmarks.planted`), in the incidents that `cluster_incidents` finds; every pattern has a reaction, and so has each
of the ten services with most alerts in that part. Counted are triggers in what began later, blocked or not. One bound
to a pattern is right when the incident came to be it, one bound to a service when somebody was paged (no pager is
simulated here: severity error or worse). "said" is the mean confidence at the trigger, "came" the share that was right.
Nothing was chosen on what is measured.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable

import numpy as np
import pandas as pd

import stanza_lab as sl
from benchmarks.planted import planted
from stanza_lab.dependencies.judging import wilson
from stanza_lab.patterns.reactions import Reaction, Reactions
from stanza_lab.production.door.pattern import Pattern

SEEDS = range(1100, 1108)
SPLIT = 0.6
SERVICES = 10
BANDS = [0.0, 0.5, 0.7, 0.8, 0.9, 1.0]


def catalogue(patterns: sl.Patterns, services: Iterable[str]) -> Reactions:
    """Return a reaction per pattern and per service."""
    about = {"team": "bench", "action": "restart", "command": "none", "risk": "low", "shared_with": ("*",)}
    items = [Reaction(name=name, pattern=(name,), **about) for name in patterns.table["pattern"]]  # type: ignore[arg-type]
    items += [Reaction(name=name, when=Pattern(service=(name,)), **about) for name in services]  # type: ignore[arg-type]
    teams = pd.DataFrame({"team": ["bench"], "reviewed_by": [""], "reviewed_on": [pd.NaT], "file": [""]})
    return Reactions(tuple(items), teams)


def triggers(seed: int) -> pd.DataFrame:
    """Return every trigger in the later part of a production."""
    alerts = planted(seed, recurring=True).clustered()
    first, last = alerts["starts_at"].min(), alerts["starts_at"].max()
    cut = first + (last - first) * SPLIT
    earlier = alerts[alerts["starts_at"] < cut]
    patterns = sl.mine_patterns(earlier)
    busy = earlier["service"].astype("str").value_counts().index[:SERVICES]
    found = sl.backtest(catalogue(patterns, busy), alerts, patterns=patterns, since=cut).firings
    kind = np.where(found["became"].notna(), "pattern", "service")
    return found.assign(seed=seed, bound_to=kind)[["seed", "bound_to", "reaction", "confidence", "right"]]


def table(seeds: Iterable[int]) -> pd.DataFrame:
    """Return how often triggers were right, beside what was said, by confidence."""
    found = pd.concat([triggers(seed) for seed in seeds], ignore_index=True)
    bands = pd.cut(found["confidence"], BANDS, include_lowest=True).astype("str")
    both = pd.concat([found.assign(said_band=bands), found.assign(said_band="all")])
    rows = both.groupby(["bound_to", "said_band"]).agg(
        reactions=("reaction", "nunique"),
        triggers=("right", "size"),
        said=("confidence", "mean"),
        came=("right", "mean"),
    )
    low, high = wilson(rows["came"].to_numpy("float64"), rows["triggers"].to_numpy("float64"))
    return rows.assign(low=low, high=high).reset_index()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", nargs=2, type=int, default=(SEEDS.start, SEEDS.stop), metavar=("FIRST", "STOP"))
    found = table(range(*parser.parse_args().seeds))
    print("\n## Triggers of reactions on later data: what was said, what came\n")
    print(found.to_string(index=False, float_format=lambda value: f"{value:.3f}"))


if __name__ == "__main__":
    main()
