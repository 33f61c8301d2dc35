"""Recognising a pattern while it unfolds: how sure one can be after each alert, counted on the history.

A prefix is the set of a pattern's members that fired first in an incident, whatever their order. Of the incidents of
the history with the same prefix some were the pattern and others were not; the share, drawn towards what was known one
member earlier (`BACK_OFF`), is the probability. Counting prefixes and not sets that fired at any time keeps it honest:
what fires later is not known yet. Chosen on simulated productions (benchmarks/early_warning.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab import _params, schema
from stanza_lab.incidents.paging import paged_at
from stanza_lab.patterns.found import PREFIXES
from stanza_lab.patterns.kinds import alert_kinds
from stanza_lab.patterns.mining.members import MATCH, quorum
from stanza_lab.production import words

if TYPE_CHECKING:
    from collections.abc import Hashable

    from stanza_lab.patterns.found import Patterns

DEPTH = 6  # members of a prefix: what fires after that is not counted apart
BACK_OFF = 4.0  # incidents that what was known one member earlier is worth
_BITS = 62  # members that a prefix can tell apart
RECOGNISED: dict[str, Any] = {
    "incident_id": "int64",
    "pattern": "str",
    "at": "datetime64[us, UTC]",
    "confidence": "float64",
    "seen": object,
    "whole": "bool",
    "page_at": "datetime64[us, UTC]",
    "lead_s": "float64",
    "words": "str",
}


def unfolding(alerts: pd.DataFrame, *, steps: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return how each pattern unfolded in each incident: a row per incident, pattern and member, as they fired.

    Columns: incident_id, pattern, kind, at (first alert of the kind there), seen (members so far), prefix (which they
    are, as bits), match (share of the pattern so far, 0 to 1), whole (bool: from here on it is the pattern).
    """
    inside = alerts[(alerts["incident_id"] != schema.NOISE) & alerts["starts_at"].notna()]
    kinds = alert_kinds(inside, by=by)["kind"].astype("str")
    first = pd.DataFrame({"incident_id": inside["incident_id"], "kind": kinds, "at": inside["starts_at"]})
    first = first.sort_values(["incident_id", "at", "kind"], kind="stable").drop_duplicates(["incident_id", "kind"])
    member = steps[["pattern", "kind", "position", "core", "share"]].astype({"pattern": "str", "kind": "str"})
    found = first.merge(member, on="kind").sort_values(["pattern", "incident_id", "at", "kind"], ignore_index=True)
    one = found.groupby(["pattern", "incident_id"], sort=False)
    place = found["position"].to_numpy("int64")
    bit = np.where(place < _BITS, np.left_shift(np.int64(1), np.minimum(place, _BITS - 1)), 0)
    parts = member.groupby("pattern").agg(share=("share", "sum"), core=("core", "sum"))
    need = found["pattern"].map(parts["core"].map(lambda core: quorum(int(core)))).astype("float64")
    match = one["share"].cumsum() / found["pattern"].map(parts["share"]).astype("float64")
    return found.assign(
        seen=one.cumcount() + 1,
        prefix=pd.Series(bit, index=found.index).groupby([found["pattern"], found["incident_id"]], sort=False).cumsum(),
        match=match.clip(upper=1.0),
        whole=(match >= MATCH - 1e-9) & (one["core"].cumsum() >= need),
    ).drop(columns=["position", "core", "share"])


def learn_prefixes(alerts: pd.DataFrame, *, steps: pd.DataFrame, occurrences: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return how each pattern began in the history, and how many incidents that began so were none.

    Parameters
    ----------
    alerts : DataFrame
        The history the patterns were mined from.
    steps, occurrences : DataFrame
        Of `Patterns`.
    by : str
        What made a kind.

    Returns
    -------
    DataFrame
        `PREFIXES`, sorted by pattern, then length. Prefixes that only one incident showed, and that was no occurrence,
        are left out.
    """
    shown = unfolding(alerts, steps=steps, by=by)
    known = alerts.loc[alerts["starts_at"].notna() & (alerts["incident_id"] != schema.NOISE), "incident_id"]
    whole = known.nunique()
    was = pd.MultiIndex.from_frame(shown[["pattern", "incident_id"]]).isin(
        pd.MultiIndex.from_frame(occurrences[["pattern", "incident_id"]].astype({"pattern": "str"}))
    )
    shown = shown.assign(was=was)
    counted = shown[shown["seen"] <= DEPTH].groupby(["pattern", "prefix", "seen"])["was"].agg(["size", "sum"])
    counted = counted[(counted["size"] > 1) | (counted["sum"] > 0)].reset_index()
    order = steps.sort_values(["pattern", "position"])
    members = {str(pattern): some["kind"].astype("str").tolist() for pattern, some in order.groupby("pattern")}
    rows = [
        {"pattern": pattern, "kinds": _named(prefix, members[pattern]), "whole": False, "showed": size, "were": times}
        for pattern, prefix, _, size, times in counted.itertuples(index=False)
    ]
    happened = occurrences["pattern"].astype("str").value_counts()
    ends = shown[shown["whole"]].drop_duplicates(["pattern", "incident_id"]).groupby("pattern")["was"]
    complete = ends.agg(["size", "sum"])
    for pattern in members:
        size, times = complete.loc[pattern] if pattern in complete.index else (0, 0)
        start = {"pattern": pattern, "kinds": [], "showed": whole, "were": happened.get(pattern, 0), "whole": False}
        rows += [start, {**start, "whole": True, "showed": size, "were": times}]
    table = pd.DataFrame(rows, columns=list(PREFIXES)).astype(PREFIXES)
    length = table["kinds"].str.len()
    return table.assign(length=length).sort_values(["pattern", "whole", "length"], kind="stable", ignore_index=True)[
        list(PREFIXES)
    ]


def _named(prefix: int, members: list[str]) -> list[str]:
    return [kind for place, kind in enumerate(members[:_BITS]) if prefix >> place & 1]


def recognise(
    patterns: Patterns, alerts: pd.DataFrame, *, min_confidence: float, pages: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the table that `Patterns.recognise` documents."""
    sure = _params.fraction(min_confidence, "min_confidence")
    alerts = schema.check(alerts, schema.ALERTS, need=["starts_at", "incident_id"])
    told = judged(patterns, unfolding(alerts, steps=patterns.steps, by=patterns.by))
    enough = told["seen"].where(told["confidence"] >= sure)
    reached = enough.groupby([told["pattern"], told["incident_id"]], sort=False).transform("min")
    seen = told[told["seen"] <= reached].groupby(["pattern", "incident_id"], sort=False)["kind"].agg(list)
    paged = paged_at(alerts, pages=pages)
    page = paged.groupby(alerts["incident_id"]).min().rename("page_at")
    found = told[told["seen"] == reached]
    found = found.assign(seen=pd.Series(seen.tolist(), index=found.index, dtype=object)).join(page, on="incident_id")
    found["lead_s"] = (found["page_at"] - found["at"]).dt.total_seconds()
    found = found.sort_values(["at", "incident_id", "pattern"], ignore_index=True)
    names = patterns.table.set_index("pattern")["name"]
    found["words"] = [_words(row, names.get(row["pattern"], row["pattern"])) for row in found.to_dict("records")]
    table = found[list(RECOGNISED)].astype(RECOGNISED)
    table.attrs = {"definition": paged.attrs["definition"]}
    return table


def judged(patterns: Patterns, shown: pd.DataFrame) -> pd.DataFrame:
    """Return what `unfolding` tells with, after each member, how likely the incident is the pattern.

    Adds confidence (float64), and showed and were (float64): the incidents of the history that it rests on; null where
    none began so and what was known before stands.
    """
    told = shown.assign(**_counts(patterns, shown))
    happened = patterns.table.set_index("pattern")["support"].astype("float64")
    start, complete = _ends(patterns, whole=False), _ends(patterns, whole=True)
    support = told["pattern"].map(happened).to_numpy("float64")
    base = told["pattern"].map(start["were"] / start["showed"].clip(lower=1)).fillna(0.0).to_numpy("float64")
    confidence = np.zeros(len(told))
    seen = told["seen"].to_numpy()
    for place in range(1, int(seen.max(initial=0)) + 1):  # rows of one incident and pattern stand together, in order
        now = np.flatnonzero(seen == place)
        earlier = base[now] if place == 1 else confidence[now - 1]
        showed, were = told["showed"].to_numpy()[now], told["were"].to_numpy()[now]
        confidence[now] = (np.nan_to_num(were) + BACK_OFF * earlier) / (np.nan_to_num(showed) + BACK_OFF)
    showed = told["pattern"].map(complete["showed"]).to_numpy("float64")
    were = told["pattern"].map(complete["were"]).to_numpy("float64")
    showed, were = np.where(showed > 0, showed, support), np.where(showed > 0, were, support)
    whole = told["whole"].to_numpy("bool")
    return told.assign(
        confidence=np.where(whole, np.maximum((were + 1) / (showed + 2), confidence), confidence),
        showed=np.where(whole, showed, told["showed"]),
        were=np.where(whole, were, told["were"]),
    )


def _counts(patterns: Patterns, shown: pd.DataFrame) -> dict[str, pd.Series]:
    """Return for each row of `shown` how many incidents of the history showed its prefix, and how many were it."""
    blank = pd.Series(np.nan, index=shown.index)
    if patterns.prefixes is None or shown.empty:
        return {"showed": blank, "were": blank}
    place = patterns.steps.astype({"pattern": "str", "kind": "str"}).set_index(["pattern", "kind"])["position"]
    known = patterns.prefixes[~patterns.prefixes["whole"]]
    bits = [
        sum(1 << int(place[pattern, kind]) for kind in kinds if place[pattern, kind] < _BITS)
        for pattern, kinds in zip(known["pattern"], known["kinds"], strict=True)
    ]
    table = known.assign(prefix=np.array(bits, dtype="int64")).drop_duplicates(["pattern", "prefix"])
    mine = shown[["pattern", "prefix", "seen"]].merge(table, on=["pattern", "prefix"], how="left")
    deep = mine["seen"] > DEPTH
    return {name: mine[name].astype("float64").mask(deep).set_axis(shown.index) for name in ("showed", "were")}


def _ends(patterns: Patterns, *, whole: bool) -> pd.DataFrame:
    """Return by pattern what the history says before anything fired, or once all had."""
    if patterns.prefixes is None:
        return pd.DataFrame({"showed": [], "were": []}, dtype="float64")
    rows = patterns.prefixes[patterns.prefixes["whole"] == whole]
    return rows[rows["kinds"].str.len() == 0].set_index("pattern")[["showed", "were"]].astype("float64")


def _words(row: dict[Hashable, Any], name: str) -> str:
    """Say what was recognised, when, from what and how sure."""
    said = [f"{name}: {words.probability(row['confidence'])} at {row['at']:%Y-%m-%d %H:%M:%S} UTC"]
    said.append(f"after {words.listing(row['seen'])}")
    if pd.notna(row["showed"]):
        like = "had all that makes it" if row["whole"] else "began so"
        said.append(f"of {words.count(int(row['showed']), 'past incident')} that {like}, {row['were']:.0f} were it")
    else:
        said.append("no past incident began just so; what was known before counts")
    if pd.isna(row["lead_s"]):
        said.append("nobody was paged")
    elif row["lead_s"] >= 0:
        said.append(f"{words.span(row['lead_s'])} before the first page")
    else:
        said.append(f"{words.span(row['lead_s'])} after the first page")
    return "; ".join(said)
