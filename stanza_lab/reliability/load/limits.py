"""What the SRE book allows, per team: how far it is kept, and what the data cannot tell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from stanza_lab.production import words
from stanza_lab.reliability.load import shifts as shifting

LIMITS: dict[str, Any] = {
    "team": "str",
    "limit": "str",
    "value": "float64",  # null: cannot be told
    "allowed": "float64",
    "verdict": "str",  # one of VERDICTS
    "n": "int64",  # shifts, people or hours that the value is of
    "words": "str",
}
VERDICTS = ("within", "not always", "not within", "not known")
ON_CALL, OPERATIONS, PEOPLE = 0.25, 0.5, 8  # share of time on call, of work spent on operations, people at one site
WORKED_H = 40.0  # a week, of one person
_SURE = 2  # weeks with pages per person seen, from which nobody of the rotation is likely to be unseen


def table(shifts: pd.DataFrame, people: pd.DataFrame, called: pd.DataFrame, *, weeks: float) -> pd.DataFrame:
    """Return `LIMITS`, four rows per team. `called` has who, team and at; `weeks` is how long the history is."""
    asked = called.assign(week=called["at"].dt.floor("7D")).groupby(called["team"].fillna(shifting.NOT_KNOWN))
    seen_of, busy_of = asked["who"].nunique(), asked["week"].nunique()
    engaged_of = people.groupby("team")["engaged_h"].sum()
    rows = []
    for team, mine in shifts.groupby("team", sort=True):
        seen, busy = int(seen_of.get(team, 0)), int(busy_of.get(team, 0))
        engaged = float(engaged_of.get(team, 0.0))
        rows += [_pages(str(team), mine[mine["whole"]]), _on_call(str(team), seen), _enough(str(team), seen, busy)]
        rows.append(_operations(str(team), engaged, seen * weeks * WORKED_H))
    return pd.DataFrame(rows, columns=list(LIMITS)).astype(LIMITS)


def _pages(team: str, whole: pd.DataFrame) -> tuple[Any, ...]:
    name = "paging incidents per shift"
    if whole.empty:
        return team, name, np.nan, shifting.LIMIT, "not known", 0, f"{team}: no whole shift is in the history."
    mean, allowed, over = float(whole["incidents"].mean()), float(whole["limit"].iloc[0]), int(whole["over"].sum())
    verdict = "not within" if mean > allowed else "not always" if over else "within"
    said = (
        f"{team}: {mean:.2f} incidents that paged per shift on average, of at most {allowed:g}; more than that in "
        f"{over:,} of {words.count(len(whole), 'whole shift')}"
    )
    return team, name, mean, allowed, verdict, len(whole), f"{said}."


def _on_call(team: str, seen: int) -> tuple[Any, ...]:
    name = "share of time on call"
    if not seen:
        said = f"{team}: who is on call, and how long, is not told; pass engagements=."
        return team, name, np.nan, ON_CALL, "not known", 0, said
    share = 1 / seen
    verdict = "within" if share <= ON_CALL else "not known"
    said = (
        f"{team}: pages reached {_people(seen)}; if they take turns evenly each is on call {share:.0%} of the "
        f"time or less, of at most {ON_CALL:.0%} (schedules are not in the data, nor is whoever was never paged)."
    )
    return team, name, share, ON_CALL, verdict, seen, said


def _enough(team: str, seen: int, busy: int) -> tuple[Any, ...]:
    name = "people who take turns"
    if not seen:
        return team, name, np.nan, PEOPLE, "not known", 0, f"{team}: how many people take turns is not told."
    verdict = "within" if seen >= PEOPLE else "not within" if busy >= _SURE * seen else "not known"
    said = (
        f"{team}: pages reached {_people(seen)}, in {words.count(busy, 'week')} with pages; round the clock at "
        f"one site needs {PEOPLE} or more, at two sites six each (sites are not in the data)."
    )
    return team, name, float(seen), PEOPLE, verdict, seen, said


def _operations(team: str, engaged: float, worked: float) -> tuple[Any, ...]:
    name = "share of work on operations"
    if not worked or not engaged:
        said = f"{team}: how long people worked on pages is not told; tickets and toil are not in the data."
        return team, name, np.nan, OPERATIONS, "not known", 0, said
    said = (
        f"{team}: people were engaged with pages for {engaged:.1f} h, {toil_share(engaged, worked):.1%} of "
        f"{worked:,.0f} worked hours ({WORKED_H:.0f} a week each); other toil is not in the data, nor whether they "
        f"worked all the time until a page was resolved: whether {OPERATIONS:.0%} is kept cannot be told."
    )
    return team, name, toil_share(engaged, worked), OPERATIONS, "not known", round(worked), said


def toil_share(toil_h: float, worked_h: float) -> float:
    """Return the share of worked hours that toil took; null without worked hours."""
    return toil_h / worked_h if worked_h > 0 else float("nan")


def _people(seen: int) -> str:
    return "1 person" if seen == 1 else f"{seen:,} people"
