"""Has this happened before? The patterns that one incident looks like, and what happened each time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab import schema
from stanza_lab.errors import ParameterError
from stanza_lab.incidents.paging import NO_PAGER
from stanza_lab.patterns.found import ENDINGS
from stanza_lab.patterns.recognising import unfolding
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.patterns.found import Patterns

SEEN_BEFORE: dict[str, Any] = {
    "pattern": "str",
    "name": "str",
    "match": "float64",
    "times": "int64",
    "last": "datetime64[us, UTC]",
    "words": "str",
    "next": object,
}
_MOST_SAID = 3
_MOST_NAMED = 8  # incidents
_LEAST_THERE = 0.5  # of the core members: with fewer here it is another thing


def seen_before(patterns: Patterns, alerts: pd.DataFrame) -> pd.DataFrame:
    """Return the table that `Patterns.seen_before` documents."""
    given = alerts if "incident_id" in alerts.columns else alerts.assign(incident_id=0)
    given = schema.check(given, schema.ALERTS, need=["starts_at", "incident_id"])
    several = given["incident_id"].nunique()
    if several > 1:
        raise ParameterError(
            f"the alerts are of {several} incidents; pass those of one: alerts[alerts.incident_id == 3]"
        )
    shown = unfolding(given.assign(incident_id=0), steps=patterns.steps, by=patterns.by)
    began = given["starts_at"].min()
    names = patterns.table.set_index("pattern")["name"]
    pager = not str(patterns.known.get("page", "")).startswith(NO_PAGER)
    rows = []
    for pattern, here in shown.groupby("pattern", sort=True):
        past = patterns.occurrences[patterns.occurrences["pattern"] == pattern]
        past = past[past["starts_at"] < began].sort_values("starts_at")
        steps = patterns.steps[patterns.steps["pattern"] == pattern].sort_values("position")
        coming = steps[steps["core"] & ~steps["kind"].isin(here["kind"])]
        core = int(steps["core"].sum())
        if past.empty or core - len(coming) < _LEAST_THERE * core:
            continue
        rows.append(
            {
                "pattern": pattern,
                "name": names.get(pattern, pattern),
                "match": here["match"].iloc[-1],
                "times": len(past),
                "last": past["starts_at"].iloc[-1],
                "words": _words(here, past, steps, coming, pager=pager),
                "next": coming["kind"].astype("str").tolist(),
            }
        )
    table = pd.DataFrame(rows, columns=list(SEEN_BEFORE)).astype(SEEN_BEFORE)
    order = ["match", "times", "pattern"]
    return table.sort_values(order, ascending=[False, False, True], ignore_index=True)


def _words(here: pd.DataFrame, past: pd.DataFrame, steps: pd.DataFrame, coming: pd.DataFrame, *, pager: bool) -> str:
    """Say how often it was seen, when last, how it went each time, and how much of it is there now."""
    times = len(past)
    said = [
        f"seen before: {'once' if times == 1 else words.count(times, 'time')} ({_which(past)}), last on {_when(past)}"
    ]
    each = "that time" if times == 1 else "each time"
    paged = past["lead_s"].dropna()
    if paged.empty:
        said.append(f"{each} {'nobody was paged' if pager else 'nothing came that would page'}")
    else:
        usual = paged.median()
        way = "after" if usual >= 0 else "before"
        often = each if len(paged) == times else f"{len(paged)} of {times} times"
        near = "some" if len(paged) == 1 else "about"
        who = "somebody was paged" if pager else "an alert came that would page"
        said.append(f"{often} {who}, {near} {words.span(usual)} {way} its first alert")
    ended = past["ended"].value_counts()
    endings = [f"{ending} ({ended[ending]} of {times})" for ending in ENDINGS if ended.get(ending, 0)]
    if endings:
        said.append(f"it ended: {', '.join(endings)}")
    lasted = (past["half_at"] - past["starts_at"]).dt.total_seconds().dropna()
    if len(lasted):
        known = "" if len(lasted) == times else f", known of {len(lasted)}"
        said.append(f"half of its alerts had recovered after {words.span(lasted.median())} (median{known})")
    core = int(steps["core"].sum())
    found = core - len(coming)
    there = f"{found} of its {words.count(core, 'core member')} {'is' if found == 1 else 'are'} here"
    if not here["whole"].any():
        there += ", too few to call it the same"
    said.append(there)
    said += [
        f"{step['kind']} came in {step['share']:.0%} of all times, {words.span(step['after_s'])} after the first alert"
        for step in coming.head(_MOST_SAID).to_dict("records")
    ]
    return "; ".join(said)


def occurrence_of(patterns: Patterns, incident: int) -> list[str]:
    """Say of which patterns an incident is itself an occurrence, which of them it is, and which the others are."""
    own = patterns.occurrences[patterns.occurrences["incident_id"] == incident]
    names = patterns.table.set_index("pattern")["name"]
    said = []
    for pattern, began in own[["pattern", "starts_at"]].itertuples(index=False):
        of = patterns.occurrences[patterns.occurrences["pattern"] == pattern].sort_values("starts_at", kind="stable")
        before, after = of[of["starts_at"] < began], of[of["starts_at"] > began]
        which = (
            f"time {len(before) + 1} of {len(of)}" if len(before) else f"the first of {words.count(len(of), 'time')}"
        )
        then = f"; it came again later ({_which(after)})" if len(after) else ""
        said.append(f"it is an occurrence of {pattern} ({names.get(pattern, pattern)}), {which}{then}")
    return said


def _which(past: pd.DataFrame) -> str:
    """Name the incidents of some occurrences, the last ones of many."""
    numbers = past["incident_id"].tolist()
    shown = ", ".join(map(str, numbers[-_MOST_NAMED:]))
    named = f"incident {shown}" if len(numbers) == 1 else f"incidents {shown}"
    return named if len(numbers) <= _MOST_NAMED else f"{named} and {len(numbers) - _MOST_NAMED} earlier"


def _when(past: pd.DataFrame) -> str:
    return f"{past['starts_at'].iloc[-1]:%Y-%m-%d %H:%M} UTC"
