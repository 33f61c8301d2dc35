"""Early warning: which patterns announce themselves, measured on data later than what they were learned from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab import _params, schema
from stanza_lab.errors import ParameterError
from stanza_lab.incidents.paging import paged_at
from stanza_lab.patterns.kinds import BY
from stanza_lab.patterns.recognising import judged, learn_prefixes, unfolding
from stanza_lab.patterns.warned import BEGINNINGS, FORETOLD, LEAST, WARNINGS, EarlyWarnings, share
from stanza_lab.production import words

if TYPE_CHECKING:
    from collections.abc import Hashable

    from stanza_lab.patterns.found import Patterns

_SPLIT = 0.6  # of the time is learned from
_DRAWN = 0.01  # a probability so far from the share counted looks like wrong arithmetic unless it is explained
_BY = ["pattern", "incident_id"]


def early_warnings(
    alerts: pd.DataFrame,
    *,
    split: float | _params.Instant = _SPLIT,
    pages: pd.DataFrame | None = None,
    min_confidence: float = 0.3,
    min_support: int = 3,
    by: str = "symptom",
    patterns: Patterns | None = None,
    random_state: int = 0,
) -> EarlyWarnings:
    """Learn from earlier incidents how each pattern begins, and measure on later ones how well that warns of it.

    Parameters
    ----------
    alerts : DataFrame
        `schema.ALERTS` with `incident_id` (see `cluster_incidents`), without the pager's copies.
    split : float or time, default 0.6
        Where earlier ends and later begins: a time, or a share of the time between first and last alert. Larger learns
        more and judges less. Incidents astride are left out of both.
    pages : DataFrame, optional
        A history that still has the pager's alerts, see `mine_patterns`.
    min_confidence : float, default 0.3
        Probability, from earlier incidents, from which a beginning warns; 0 to 1. Larger warns later and less often. A
        pattern that happened a few times is seldom sure early: at 0.5 most give no warning at all.
    min_support : int, default 3
        Incidents in which a pattern must have happened earlier.
    by : {"symptom", "rule", "service"}, default "symptom"
        What makes two alerts the same kind; that of `patterns` where they are given.
    patterns : Patterns, optional
        Mined beforehand from alerts before `split`. Default: mined here.
    random_state : int, default 0
        For `mine_patterns`.

    Returns
    -------
    EarlyWarnings
        `table` (a row per pattern: its beginning, precision, recall, lead), `beginnings`, `warnings`, `words`.

    Raises
    ------
    SchemaError
        `starts_at` or `incident_id` is missing.
    ParameterError
        `split` leaves nothing on one side, or `patterns` know alerts from after it.

    Notes
    -----
    A warning is given for an incident and a pattern as soon as `Patterns.recognise` has `min_confidence`, but only
    before all that makes it the pattern has fired. Precision: warnings whose incident became the pattern / warnings.
    Recall: occurrences warned of / occurrences. Both with Wilson's 95 % interval, and null with fewer than 5 to divide
    by. Lead: median over warnings that came true. Nothing later than the split is used to learn.

    Examples
    --------
    >>> import stanza_lab as sl
    >>> made = sl.simulate_production(services=12, teams=3, days=60, incidents=60, noise=0.05, random_state=4)
    >>> number = made.labels["incident_id"].str[4:].fillna("-1").astype("int64")
    >>> found = sl.early_warnings(made.alerts.assign(incident_id=number.to_numpy()))
    >>> found.known["earlier"], found.known["later"], found.known["astride"]
    (33, 22, 0)
    """
    _params.choice(by, "by", BY)
    sure = _params.fraction(min_confidence, "min_confidence")
    known = schema.check(alerts, schema.ALERTS, need=["starts_at", "incident_id"])
    known = known[known["starts_at"].notna()]
    cut = _cut(known, split)
    earlier, later, astride = _parts(known, cut)
    counts = {name: int(part["incident_id"][part["incident_id"] != schema.NOISE].nunique()) for name, part in
              (("earlier", earlier), ("later", later))}  # fmt: skip
    if not counts["earlier"] or not counts["later"]:
        raise ParameterError(
            f"split={split!r} leaves {words.count(counts['earlier'], 'incident')} before {cut:%Y-%m-%d %H:%M} UTC and "
            f"{counts['later']:,} after; pass one with incidents on both sides"
        )
    mined = _mined(earlier, cut, pages, patterns, min_support=min_support, by=by, random_state=random_state)
    paged = paged_at(later, pages=pages)
    page = paged.groupby(later["incident_id"]).min().rename("page_at")
    begun = _beginnings(mined, earlier, sure)
    given = _warnings(judged(mined, unfolding(later, steps=mined.steps, by=mined.by)), page, sure)
    rows = [_row(mined, pattern, begun, given, counts["later"]) for pattern in mined.table["pattern"]]
    table = pd.DataFrame(rows, columns=list(FORETOLD)).astype(FORETOLD)
    table["words"] = [_words(row) for row in table.to_dict("records")]
    table = table.sort_values(["judged", "warnings", "happened", "pattern"], ascending=[False, False, False, True])
    about = {"min_confidence": sure, **counts, "astride": astride, "page": paged.attrs["definition"]}
    return EarlyWarnings(
        table=table.reset_index(drop=True),
        beginnings=_fared(begun, given),
        warnings=given.sort_values(["at", "whole_at", "pattern"], ignore_index=True),
        patterns=mined,
        split=cut,
        known={**about, **_measures(given)},
        unseen=tuple(_unseen(table, astride, mined)),
    )


def _cut(alerts: pd.DataFrame, split: float | _params.Instant) -> pd.Timestamp:
    """Return the time that parts earlier from later."""
    if isinstance(split, (int, float)):
        part = _params.fraction(split, "split")
        first, last = alerts["starts_at"].min(), alerts["starts_at"].max()
        return first + (last - first) * part if len(alerts) else pd.Timestamp(0, tz="UTC")
    return _params.instant(split, "split")


def _parts(alerts: pd.DataFrame, cut: pd.Timestamp) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Return the alerts of incidents over before the cut, of those that began later, and how many lie astride."""
    noise = alerts["incident_id"] == schema.NOISE
    span = alerts["starts_at"].groupby(alerts["incident_id"])
    first = span.transform("min").where(~noise, alerts["starts_at"])
    last = span.transform("max").where(~noise, alerts["starts_at"])
    early, late = last < cut, first >= cut
    astride = alerts.loc[~early & ~late, "incident_id"].nunique()
    return alerts[early], alerts[late], int(astride)


def _mined(
    earlier: pd.DataFrame, cut: pd.Timestamp, pages: pd.DataFrame | None, patterns: Patterns | None, **how: Any
) -> Patterns:
    """Return the patterns of the earlier part, with how they began there."""
    if patterns is None:
        from stanza_lab.patterns.mining import mine_patterns

        told = None if pages is None else schema.check(pages, schema.ALERTS, need=["starts_at"])
        told = None if told is None else told[told["starts_at"] < cut]
        patterns = mine_patterns(earlier, pages=told, **how)
    elif len(patterns.occurrences) and patterns.occurrences["starts_at"].max() >= cut:
        raise ParameterError(
            f"patterns know an occurrence of {patterns.occurrences['starts_at'].max():%Y-%m-%d %H:%M} UTC, after the "
            f"split at {cut:%Y-%m-%d %H:%M} UTC; mine them from earlier alerts alone"
        )
    learned = learn_prefixes(earlier, steps=patterns.steps, occurrences=patterns.occurrences, by=patterns.by)
    return replace(patterns, prefixes=learned)


def _first_sure(told: pd.DataFrame, sure: float) -> pd.DataFrame:
    """Return the row of each incident and pattern that warns, with the members seen by then."""
    enough = told["seen"].where((told["confidence"] >= sure) & ~told["whole"])
    reached = enough.groupby([told["pattern"], told["incident_id"]], sort=False).transform("min")
    by_then = told[told["seen"] <= reached].groupby(_BY, sort=False)["kind"].agg(list)
    found = told[told["seen"] == reached]
    return found.assign(kinds=pd.Series(by_then.tolist(), index=found.index, dtype=object))


def _beginnings(mined: Patterns, earlier: pd.DataFrame, sure: float) -> pd.DataFrame:
    """Return every beginning that warned in the earlier part, with how often it did (`times`)."""
    found = _first_sure(judged(mined, unfolding(earlier, steps=mined.steps, by=mined.by)), sure)
    found = found.assign(times=found.groupby(["pattern", "prefix"])["seen"].transform("size"))
    found = found.sort_values(["pattern", "seen", "times", "prefix"], ascending=[True, True, False, True])
    return found.drop_duplicates(["pattern", "prefix"])[
        ["pattern", "prefix", "kinds", "seen", "confidence", "showed", "were", "times"]
    ].fillna({"showed": 0, "were": 0})


def _warnings(told: pd.DataFrame, page: pd.Series, sure: float) -> pd.DataFrame:
    """Return each later incident that was warned of or was the pattern; `prefix` says after which beginning."""
    warned = _first_sure(told, sure)[[*_BY, "at", "confidence", "kinds", "prefix"]].rename(columns={"kinds": "seen"})
    whole = told[told["whole"]].drop_duplicates(_BY)[[*_BY, "at"]].rename(columns={"at": "whole_at"})
    both = warned.merge(whole, on=_BY, how="outer").join(page, on="incident_id")
    both = both.assign(
        came=both["whole_at"].notna() & both["at"].notna(),
        seen=pd.Series([kinds if isinstance(kinds, list) else [] for kinds in both["seen"]], dtype=object),
        lead_s=(both["whole_at"] - both["at"]).dt.total_seconds(),
        page_lead_s=(both["page_at"] - both["at"]).dt.total_seconds(),
    )
    return both[[*WARNINGS, "prefix"]].astype(WARNINGS)


def _measures(given: pd.DataFrame) -> dict[str, Any]:
    """Return counts, shares with their intervals, and leads, over some warnings."""
    from stanza_lab.dependencies.judging import wilson

    true = given[given["came"]]
    counts = {
        "warnings": int(given["at"].notna().sum()),
        "came": len(true),
        "happened": int(given["whole_at"].notna().sum()),
    }
    found: dict[str, Any] = dict(counts)
    for name, whole in (("precision", "warnings"), ("recall", "happened")):
        n = counts[whole]
        part = counts["came"] / n if n >= LEAST else np.nan
        low, high = wilson(np.array([part]), np.array([float(max(n, 1))]))
        found |= {name: part, f"{name}_low": float(low[0]), f"{name}_high": float(high[0])}
    leads = true["lead_s"].quantile([0.1, 0.5, 0.9]) if len(true) else pd.Series(np.nan, index=[0.1, 0.5, 0.9])
    paged = true["page_lead_s"].dropna()
    return found | {
        "lead_low_s": float(leads[0.1]),
        "lead_s": float(leads[0.5]),
        "lead_high_s": float(leads[0.9]),
        "page_lead_s": float(paged.median()) if len(paged) else np.nan,
        "paged": len(paged),
    }


def _row(mined: Patterns, pattern: str, begun: pd.DataFrame, given: pd.DataFrame, later: int) -> dict[str, Any]:
    """Return the row of `FORETOLD` of one pattern, without its words."""
    measures = _measures(given[given["pattern"] == pattern])
    mine = begun[begun["pattern"] == pattern].sort_values(["times", "seen"], ascending=[False, True], kind="stable")
    usual = mine.iloc[0].to_dict() if len(mine) else {"kinds": [], "confidence": np.nan, "showed": 0, "were": 0}
    return {
        "pattern": pattern,
        "name": mined.table.set_index("pattern")["name"][pattern],
        "prefix": usual["kinds"],
        **{name: usual[name] for name in ("confidence", "showed", "were")},
        **measures,
        "base": measures["happened"] / later,
        "judged": measures["precision"] == measures["precision"] or measures["recall"] == measures["recall"],
        "words": "",
    }


def _fared(begun: pd.DataFrame, given: pd.DataFrame) -> pd.DataFrame:
    """Return `BEGINNINGS`: how each fared later."""
    later = given[given["at"].notna()].groupby(["pattern", "prefix"])["came"].agg(warnings="size", came="sum")
    found = begun.join(later, on=["pattern", "prefix"]).fillna({"warnings": 0, "came": 0})
    table = found.sort_values(["pattern", "seen", "times"], ascending=[True, True, False], kind="stable")
    shown: pd.DataFrame = table[list(BEGINNINGS)].astype(BEGINNINGS).reset_index(drop=True)
    return shown


def _words(row: dict[Hashable, Any]) -> str:
    """Say what announces one pattern and how well."""
    if not row["prefix"] and not row["warnings"]:
        later = words.count(row["happened"], "time")
        return f"nothing tells it early: no beginning was sure enough before it was whole; it happened {later} later"
    said = []
    if row["prefix"]:
        of = f"{row['were']:,} of {row['showed']:,} that began so earlier"
        if abs(row["confidence"] - row["were"] / max(row["showed"], 1)) >= _DRAWN:
            of += ", few, so drawn towards what is usual"
        said.append(f"{words.listing(row['prefix'])}: {words.probability(row['confidence'])} ({of})")
    said.append(share("later warnings that came true", row, "came", "warnings", "precision"))
    said.append(share("later occurrences warned of", row, "came", "happened", "recall"))
    if row["came"]:
        said.append(f"{words.span(row['lead_s'])} before it was whole")
    if row["paged"]:
        way = "before" if row["page_lead_s"] >= 0 else "after"
        said.append(f"{words.span(row['page_lead_s'])} {way} the first page")
    return "; ".join(said)


def _unseen(table: pd.DataFrame, astride: int, mined: Patterns) -> list[str]:
    """Say what was left out, and which patterns could not be judged."""
    said = []
    if table.empty:
        said.append("no pattern recurs often enough in the earlier part: nothing to warn of")
    thin = table.loc[~table["judged"], "name"].tolist()
    if thin:
        said.append(
            f"{words.count(len(thin), 'pattern')} had fewer than {LEAST} warnings and {LEAST} later occurrences, not "
            f"judged: {words.listing(thin)}"
        )
    if astride:
        said.append(f"{words.count(astride, 'incident')} astride the split left out")
    return [*said, *mined.unseen]
