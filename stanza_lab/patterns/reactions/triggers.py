"""When each reaction would have fired, from what had fired by then."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from stanza_lab.patterns.recognising import unfolding
from stanza_lab.production import words
from stanza_lab.production.door.pattern import Pattern, applies

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from stanza_lab.patterns.found import Patterns
    from stanza_lab.patterns.reactions.cases import Cases
    from stanza_lab.patterns.reactions.places import Places
    from stanza_lab.patterns.reactions.reaction import Reaction

LOOKED_FROM = 0.5  # less sure, and a pattern is no trigger, not even a blocked one
_LIKE = 2.0  # triggers that what is known of less is worth


@dataclass(frozen=True)
class Trigger:
    """A reaction and the case it would have fired in.

    `service`: where its `when` fits; `pattern`: the id of the one recognised; `became`: whether the case came to be the
    pattern (None for a `when`); `confidence` of a `when` is NaN here, it takes its earlier triggers.
    """

    reaction: Reaction
    case: int
    at: pd.Timestamp
    confidence: float
    service: str
    pattern: str
    became: bool | None
    why: str


class Recognised:
    """Which cases begin like which pattern, and which became it, remembered between reactions."""

    def __init__(self, cases: Cases, patterns: Patterns) -> None:
        self.patterns = patterns
        self._shown = cases.alerts.drop(columns=["incident_id", "until"]).rename(columns={"case": "incident_id"})
        self._at: dict[float, pd.DataFrame] = {}

    def at(self, least: float) -> pd.DataFrame:
        """Return a row per case and pattern at the moment it was at least so sure; see `Patterns.recognise`."""
        if least not in self._at:
            self._at[least] = self.patterns.recognise(self._shown, min_confidence=least)
        return self._at[least]

    @cached_property
    def whole(self) -> set[tuple[str, int]]:
        """Patterns and the cases that came to be them in the end, by the rule that mined them."""
        shown = unfolding(self._shown, steps=self.patterns.steps, by=self.patterns.by)
        became = shown[shown["whole"]]
        return set(zip(became["pattern"].astype("str"), became["incident_id"], strict=True))


def of_patterns(reaction: Reaction, recognised: Recognised) -> list[Trigger]:
    """Return when a reaction bound to mined patterns would have fired: a trigger per case, the first.

    A case that never gets as sure as the reaction asks but at least `LOOKED_FROM` is a trigger too; the guardrail on
    confidence blocks it.
    """
    patterns = recognised.patterns
    ids = reaction.patterns_in(patterns)
    names = dict(zip(patterns.table["pattern"], patterns.table["name"], strict=True))
    asked = reaction.guardrails.min_confidence
    found: dict[int, Trigger] = {}
    for least in dict.fromkeys((asked, min(asked, LOOKED_FROM))) if ids else ():
        rows = recognised.at(least)
        rows = rows[rows["pattern"].isin(ids)].sort_values(["at", "confidence"], ascending=[True, False], kind="stable")
        for row in rows.to_dict("records"):
            case, pattern = int(row["incident_id"]), str(row["pattern"])
            if case in found:
                continue
            became = (pattern, case) in recognised.whole
            why = f"{words.listing(row['seen'])} came, as in {str(names[pattern])!r}"
            found[case] = Trigger(reaction, case, row["at"], float(row["confidence"]), "", pattern, became, why)
    return list(found.values())


def of_when(reaction: Reaction, cases: Cases, places: Places) -> list[Trigger]:
    """Return when a reaction bound to a `when` would have fired: the first moment in each case that all of it held.

    Asked is at the start of every alert of the case, at the services with an open alert of it, with all that fires.
    """
    when = reaction.when
    if when is None:
        return []
    table = cases.alerts
    names = table["service"].astype("str")
    there = [name for name in names.dropna().unique() if when.of(name, places.team(name))]
    mine = table[names.isin(there)]
    mine = when.select(mine) if when.asks_alerts else mine
    found = []
    everything = dict(iter(table[table["case"].isin(mine["case"])].groupby("case")))
    for case, rows in mine.groupby("case", sort=True):
        trigger = _first(reaction, when, int(rows["case"].iloc[0]), rows, everything[case], cases, places)
        if trigger is not None:
            found.append(trigger)
    return found


def of_now(reaction: Reaction, alerts: pd.DataFrame, places: Places, at: pd.Timestamp) -> Iterator[tuple[str, str]]:
    """Yield each service where the `when` of a reaction holds on what fires now, and why."""
    when = reaction.when
    if when is None:
        return
    for service in sorted(alerts["service"].dropna().astype("str").unique()):
        if when.of(service, places.team(service)):
            fit = applies(places.around(at), when, service=service, alerts=alerts)
            if fit.holds:
                yield service, fit.words if when.asks_alerts or when.near else _alerts(when, service)


def confidence(everywhere: list[bool], here: list[bool]) -> float:
    """Return how sure a `when` is at a service, from which of its earlier triggers were right, everywhere and here.

    The share of those everywhere is drawn to a half by `_LIKE` triggers, that of those here to the share everywhere.
    """
    usual = (sum(everywhere) + _LIKE / 2) / (len(everywhere) + _LIKE)
    return (sum(here) + _LIKE * usual) / (len(here) + _LIKE)


def _first(
    reaction: Reaction,
    when: Pattern,
    case: int,
    mine: pd.DataFrame,
    alerts: pd.DataFrame,
    cases: Cases,
    places: Places,
) -> Trigger | None:
    for at in alerts.loc[alerts["starts_at"] >= mine["starts_at"].iloc[0], "starts_at"].drop_duplicates():
        live = mine[(mine["starts_at"] <= at) & (mine["until"] > at)]
        if live.empty:
            continue
        for service in live["service"].astype("str").drop_duplicates():
            near = [near.fit(places.around(at), service, cases.loud(at)) for near in when.near]
            if all(fit.holds for fit in near):
                why = "; ".join([_alerts(when, service), *(fit.words for fit in near)])
                return Trigger(reaction, case, at, float("nan"), service, "", None, why)
    return None


def _alerts(when: Pattern, service: str) -> str:
    return f"{service} has {when.words}" if when.asks_alerts else f"{service} alerts"
