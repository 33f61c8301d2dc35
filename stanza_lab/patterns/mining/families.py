"""Families: patterns that begin alike or have mostly the same members, under a name in words."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from stanza_lab.patterns.found import ENDINGS, FAMILIES
from stanza_lab.patterns.mining import naming
from stanza_lab.patterns.mining.describing import typed
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.patterns.mining.describing import Described

SAME_MEMBERS = 0.5  # of the core members of two patterns in common: they are of one family


def with_families(described: Described) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the patterns with their `family`, and the families, the most frequent first."""
    table, steps = described.table, described.steps
    if table.empty:
        return table, typed([], FAMILIES)
    core = {str(name): some[some["core"]] for name, some in steps.groupby("pattern", sort=False)}
    labels = _alike([core[name]["kind"].tolist() for name in table["pattern"]])
    times = {str(name): some for name, some in described.occurrences.groupby("pattern", sort=False)}
    families = np.empty(len(table), object)
    rows = []
    for label in dict.fromkeys(labels.tolist()):
        members = np.flatnonzero(labels == label)  # the most frequent first
        row = _family(table.iloc[members], core, times)
        families[members] = row["family"]
        rows.append(row)
    found = typed(rows, FAMILIES).sort_values(["support", "family"], ascending=[False, True], ignore_index=True)
    return table.assign(family=pd.Series(families, dtype="str")), found


def _alike(cores: list[list[str]]) -> np.ndarray:
    """Return the number of each pattern's family."""
    names, code = np.unique(np.concatenate([np.array(core, object) for core in cores]), return_inverse=True)
    sizes = np.array([len(core) for core in cores])
    of = np.repeat(np.arange(len(cores)), sizes)
    has = csr_array((np.ones(len(code)), (of, code)), shape=(len(cores), len(names)))
    shared = (has @ has.T).tocoo()
    union = sizes[shared.row] + sizes[shared.col] - shared.data
    near = shared.data >= SAME_MEMBERS * union
    first = np.flatnonzero(np.diff(of, prepend=-1))
    begins = csr_array((np.ones(len(cores)), (np.arange(len(cores)), code[first])), shape=(len(cores), len(names)))
    alike = csr_array((np.ones(near.sum()), (shared.row[near], shared.col[near])), shape=shared.shape)
    return np.asarray(connected_components(alike + begins @ begins.T, directed=False)[1])


def _family(patterns: pd.DataFrame, core: dict[str, pd.DataFrame], times: dict[str, pd.DataFrame]) -> dict[str, object]:
    names = patterns["pattern"].tolist()
    mine = pd.concat([times[name] for name in names]).drop_duplicates("incident_id")
    first = pd.concat([core[name].head(1) for name in names]).assign(weight=patterns["support"].to_numpy())
    began = Counter[str]()
    for kind, weight in zip(first["kind"], first["weight"], strict=True):
        began[kind] += weight
    movers = sorted(began, key=lambda kind: (-began[kind], kind))
    ended = mine["ended"].value_counts()
    endings = {name: int(ended[name]) for name in ENDINGS if name in ended.index}
    patterns_in_words = words.count(len(names), "pattern")
    name = naming.family_name(first)
    return {
        "family": naming.family_id(first["kind"].iloc[0]),
        "name": name,
        "patterns": names,
        "support": len(mine),
        "services": list(dict.fromkeys(service for listed in patterns["services"] for service in listed)),
        "first_movers": movers,
        "endings": endings,
        "words": (
            f"{name}: {words.count(len(mine), 'incident')} of {patterns_in_words}, last on "
            f"{mine['starts_at'].max():%Y-%m-%d} (UTC); begins with {words.listing(movers)}; ended {_ended(endings)}"
        ),
    }


def _ended(endings: dict[str, int]) -> str:
    """Say how often it ended how."""
    return ", ".join(f"{ending} {words.count(many, 'time')}" for ending, many in endings.items())
