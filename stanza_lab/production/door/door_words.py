"""The front door in sentences: what stands there, how loud it is, what could not be seen. Nobody is blamed in them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab.production import neighbours
from stanza_lab.production import words as wording
from stanza_lab.production.door.pattern import span_days

if TYPE_CHECKING:
    from stanza_lab.production.contents import MapContents

_REFIRED, _LEAST = 0.5, 4  # share of recoveries that did not last, of recoveries at least: worth a sentence

NO_FILES = "no files of the teams were given (contributed=, --contributed)"
NOTHING_CONTRIBUTED = f"runbooks, diagnostics, mitigations and SLOs: {NO_FILES}"
NO_ALERTS = "its alerts and incidents: pass alerts= to the map"


def words(
    production: MapContents,
    name: str,
    kind: str,
    members: Collection[str],
    facts: Mapping[str, Any],
    door: Mapping[str, Any],
) -> list[str]:
    """Return what to know first, each a sentence with how many and over how long."""
    many = kind != "service"
    who = f"team {facts['owner']} owns {name}" if facts["owner"] else f"no team is known that owns {name}"
    if many:
        named = name if wording.cluster(name) != name else f"of {name}"
        who = f"{wording.count(len(members), 'service')} {named}"
    on_call = f"on call is {facts['on_call']}" if facts["on_call"] else "who is on call is not known"
    said = [f"{who}; {on_call}", *_hits(door["does"], door["suffers"], door["linked"], many=many)]
    said += _caution(production, door)
    said += _loud(production, door["alerts"], many=many) + _lately(production, door["incidents"], many=many)
    return [wording.sentence(text) for text in said]


def linked(row: Mapping[Any, Any], way: str, *, named: bool) -> str:
    """Return one link of the door in words; `named`: which of its services, where it has several."""
    here, other, lag = str(row["through"]) if named else "it", row["service"], row["lag_s"]
    said = {
        "does": f"{other} depends on {here}",
        "suffers": f"{here} depends on {other}",
        "linked": f"{other} and {here} are linked, which way is not known",
    }[way]
    sure = str(row["seen"]) or wording.probability(float(row["probability"]))
    if not row["support"] or pd.isna(lag):
        return f"{said} ({sure})"
    later = lag > 0 if way == "does" else lag < 0
    when = "at the same moment as" if abs(lag) < 1 else f"{wording.span(lag)} {'after' if later else 'before'}"
    times = wording.count(int(row["support"]), "time")
    return f"{said} ({sure}); {other} usually alerts {when} {here}, {times} together"


def noise(production: MapContents, rules: pd.DataFrame, *, many: bool) -> list[str]:
    """Return the chronic noise: rules that fire on a quarter of the days, and those whose recoveries do not last."""
    days = span_days(production.whole.alerts)
    if rules.empty:
        return []
    said = []
    chronic, total = rules[rules["chronic"]], int(rules["count"].sum())
    if len(chronic):
        share = 100 * int(chronic["count"].sum()) / total
        said.append(
            f"{wording.count(len(chronic), 'rule')} fired on a quarter of the {days} days or more: {share:.0f} % of "
            f"{wording.count(total, 'alert')}, {_named(chronic, many=many)}"
        )
    back = rules[(rules["refired"] >= _REFIRED) & (rules["count"] >= _LEAST)]
    if len(back):
        said.append(
            f"{wording.count(len(back), 'rule')} fired again within 24 h after half of the recoveries or more, in "
            f"{wording.count(days, 'day')}: {_named(back, many=many)}"
        )
    return [wording.sentence(text) for text in said]


def unseen(
    production: MapContents, view: MapContents, members: Collection[str], *, contributed: bool, linked: pd.DataFrame
) -> list[str]:
    """Return what could not be seen, and what to pass so that it can."""
    one = next(iter(members)) if len(members) == 1 else "1 service"
    said = [str(gap).replace("1 service", one) for gap in view.unseen["words"]]
    lost = [name for name in members if name not in set(production.services["service"])]
    said += [f"anything but the catalogue's word of {', '.join(lost)}: no alert, no link"] if lost else []
    if len(linked):
        said.append(f"which way the link with {wording.listing(linked['service'])} points")
    alerts = production.whole.alerts
    if alerts is None:
        said.append(NO_ALERTS)
    else:
        if "incident_id" not in alerts.columns:
            said.append("its incidents: pass alerts through cluster_incidents first")
        if "acked_at" not in alerts.columns or alerts["acked_at"].isna().all():
            said.append("which alerts recovered without anybody: no alert of this history was acknowledged")
    if production.ownership is None:
        said.append("on-call, tier and repository: no catalogue was given (ownership=, --ownership)")
    if not contributed:
        said.append(NOTHING_CONTRIBUTED)
    return said


def _hits(does: pd.DataFrame, suffers: pd.DataFrame, linked: pd.DataFrame, *, many: bool) -> list[str]:
    """Return whom it hits and what hits it."""
    callers, called, other = (list(dict.fromkeys(rows["service"])) for rows in (does, suffers, linked))
    it, depends = ("its services", "its services depend") if many else ("it", "it depends")
    said = []
    if callers:
        verb = "depends" if len(callers) == 1 else "depend"
        size = wording.count(len(callers), "service")
        said.append(f"{size} {verb} on {it}, the surest first: {wording.listing(callers)}")
    if called:
        size = wording.count(len(called), "service")
        said.append(f"{depends} on {size}, the surest first: {wording.listing(called)}")
    if other:
        said.append(f"linked, which way is not known: {wording.listing(other)}")
    return said or ["no dependency is known, either way"]


def _caution(production: MapContents, door: Mapping[str, Any]) -> list[str]:
    shown = pd.concat([door[way][["strength"]] for way in ("does", "suffers", "linked")])
    said = neighbours.caution(shown, production.usual_confidence)
    return [said] if said else []


def _loud(production: MapContents, rules: pd.DataFrame, *, many: bool) -> list[str]:
    days = span_days(production.whole.alerts)
    if not days:
        return []
    if rules.empty:
        whose = "its services" if many else "it"
        return [f"no alert of {whose} in {wording.count(days, 'day')}: trouble there shows only in others"]
    total, last = int(rules["count"].sum()), rules["last"].max()
    said = (
        f"{wording.count(total, 'alert')} of {wording.count(len(rules), 'rule')} in {wording.count(days, 'day')}, the "
        f"last at {last:%Y-%m-%d %H:%M} UTC; loudest: {_named(rules, many=many)}"
    )
    still = rules["open"].dropna()
    opened = int(still.sum())
    return [said, *([f"{wording.count(opened, 'alert')} had no recovery by the end of the history"] if opened else [])]


def _lately(production: MapContents, incidents: pd.DataFrame, *, many: bool) -> list[str]:
    days = span_days(production.whole.alerts)
    if incidents.empty or not days:
        return []
    first = int(incidents["first"].sum())
    said = (
        f"in {wording.count(len(incidents), 'incident')} in {wording.count(days, 'day')}, the last on "
        f"{incidents['starts_at'].iloc[0]:%Y-%m-%d}; {'one of its services' if many else 'it'} alerted first in "
        f"{f'{first:,}' if first else 'none'} (order within a minute means little)"
    )
    return [said]


def _named(rules: pd.DataFrame, *, many: bool) -> str:
    """Return the loudest rules by name, and how often they fired; of several services each with its own."""
    top = rules.head(2).to_dict("records")
    named = []
    for row in top:
        whose = f" of {row['service']}" if many else ""
        named.append(f"{row['rule'][:70]}{whose} ({wording.count(row['count'], 'time')})")
    return wording.listing([*named, *[""] * (len(rules) - len(named))], top=2)
