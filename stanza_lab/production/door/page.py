"""How a front door shows itself: a card for a notebook, a page's body, text for a terminal.

Read at night: first whom to call, then what helps, then what hits it and whom it hits, then its alerts.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from stanza_lab.production import card, words
from stanza_lab.production.door.door_words import NO_ALERTS, NO_FILES, NOTHING_CONTRIBUTED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stanza_lab.production.door.front_door import FrontDoor

_LINKS, _RULES, _INCIDENTS, _HELP, _SLOS = 8, 8, 6, 8, 8  # rows shown
_SAYS = {
    "rule": "alert", "service": "service", "severity": "severity", "count": "times", "last": "last (UTC)",
    "open": "open", "chronic": "of days", "auto_resolved": "recovered alone", "refired": "back in 24 h",
}  # fmt: skip
_NUMBERS = ("count", "open", "auto_resolved", "refired")
_LINK = {"service": "service", "team": "team", "through": "through", "probability": "probability", "lag": "alerts"}
_INCIDENT = {
    "starts_at": "began (UTC)", "title": "what", "severity": "severity", "services": "services", "first": "order",
}  # fmt: skip


def page(door: FrontDoor) -> str:
    """Return the card for a notebook."""
    return card.card(door.title, _subtitle(door), _parts(door))


def body(door: FrontDoor) -> str:
    """Return the card without its heading."""
    return card.plain(_parts(door))


def text(door: FrontDoor) -> str:
    """Return the door as text for a terminal."""
    lines = [door.title, "=" * len(door.title), *door.cautions, *door.words, *door.noise]
    lines += [
        f"Runbook: {row['name']} ({row['service']}) {row['url']}".rstrip()
        for row in door.runbooks.head(_HELP).to_dict("records")
    ]
    for row in door.actions.head(_HELP).to_dict("records"):
        lines += [f"{row['kind'].capitalize()} ({row['risk']} risk): {row['name']}; {row['why']}"]
        lines += [f"    {line}" for line in row["command"].splitlines()]
    for title, rows in (("Depends on it", door.does), ("It depends on", door.suffers), ("Linked", door.linked)):
        lines += [f"{title}:", *(f"  - {said}" for said in rows["words"].head(_LINKS))] if len(rows) else []
    if len(door.alerts):
        lines.append("Alerts:")
        for row in door.alerts.head(_RULES).to_dict("records"):
            named = f"{row['service']}, {row['rule']}"
            lines.append(f"  - {named}: {words.count(row['count'], 'time')}, last {row['last']:%Y-%m-%d %H:%M}")
    for row in door.incidents.head(_INCIDENTS).to_dict("records"):
        lines.append(f"Incident {_minute(row['starts_at'])}: {row['title']}")
    for row in door.slos.head(_SLOS).to_dict("records"):
        lines.append(f"SLO: {row['name']}, {row['objective']:g} % over {row['window']}")
    lines += ["Could not be seen:", *(f"  - {said}" for said in door.unseen)] if door.unseen else []
    return "\n".join(lines)


def _subtitle(door: FrontDoor) -> str:
    return "" if door.kind == "service" else words.listing(door.services, top=8)


def _parts(door: FrontDoor) -> str:
    facts = {
        "team": door.owner,
        "on call": door.on_call,
        "contacts": ", ".join(door.contacts),
        "tier": door.tier,
        "repository": door.repository,
    }
    unseen = card.sentences(door.unseen)
    folded = f"<details><summary>What could not be seen ({len(door.unseen)})</summary>{unseen}</details>"
    cautions = "".join(f'<p class="warn">{card.text(said, limit=300)}</p>' for said in door.cautions)
    return (
        card.facts(facts)
        + cautions
        + card.sentences([*door.words[1:], *door.noise])
        + card.section("What helps", _helps(door), otherwise=_nothing_helps(door))
        + f'<div class="two">{_links("Depends on it", "trouble here reaches them", door.does, door)}'
        + f"{_links('It depends on', 'trouble there reaches it', door.suffers, door)}</div>"
        + (_links("Linked", "which way is not known", door.linked, door) if len(door.linked) else "")
        + card.section("Alerts", _rules(door), otherwise=_no_alerts(door))
        + card.section("Incidents", _incidents(door), about="the last first")
        + card.section("SLOs", _slos(door))
        + (f"<section>{folded}</section>" if unseen else "")
    )


def _helps(door: FrontDoor) -> str:
    """Return runbooks, then what one may do, low risk first; commands are text."""
    books = "".join(
        f'<li>{card.link(row["url"], row["name"])} <span class="faint">{card.text(row["service"])}</span></li>'
        for row in door.runbooks.head(_HELP).to_dict("records")
    )
    acts = "".join(
        f"<p><b>{card.text(row['name'])}</b> {card.text(row['kind'])}, "
        f'<span class="risk">{card.text(row["risk"])} risk</span> '
        f'<span class="faint">{card.text(row["why"], limit=240)}; ask {card.text(row["owner"])}</span></p>'
        f"{card.command(row['command'])}"
        for row in door.actions.head(_HELP).to_dict("records")
    )
    more = max(len(door.runbooks) - _HELP, 0) + max(len(door.actions) - _HELP, 0)
    rest = f'<p class="faint">and {more:,} more in <code>.runbooks</code> and <code>.actions</code></p>' if more else ""
    return (f"<ul>{books}</ul>" if books else "") + acts + rest


def _links(title: str, about: str, rows: pd.DataFrame, door: FrontDoor) -> str:
    shown = rows.assign(
        probability=[
            str(seen) or words.probability(value) for seen, value in zip(rows["seen"], rows["probability"], strict=True)
        ],
        lag=[_lag(lag, here=title == "Depends on it") for lag in rows["lag_s"].where(rows["support"] > 0)],
    )
    heads = {name: said for name, said in _LINK.items() if name != "through" or len(door.services) > 1}
    return card.section(title, card.table(shown, heads, top=_LINKS), about=about, otherwise="none is known")


def _lag(lag: float, *, here: bool) -> str:
    """Say when they alert."""
    if math.isnan(lag):
        return ""
    if abs(lag) < 1:
        return "at the same moment"
    return f"{words.span(lag)} {'after' if (lag > 0) == here else 'before'}"


def _rules(door: FrontDoor) -> str:
    rows = door.alerts
    often = zip(rows["days_share"], rows["chronic"], strict=True)
    days = [f"{100 * share:.0f} %" + (", chronic" if chronic else "") for share, chronic in often]
    shown = rows.assign(
        last=_minutes(rows["last"]),
        open=[f"{n}" if n else "" for n in rows["open"].fillna(0)],
        chronic=days,
        auto_resolved=_percents(rows["auto_resolved"]),
        refired=_percents(rows["refired"]),
    )
    optional = ("auto_resolved", "refired", "open", "severity")
    heads = {
        name: said
        for name, said in _SAYS.items()
        if not (name == "service" and len(door.services) == 1)
        and not (name in optional and not shown[name].astype("str").replace("nan", "").any())
    }
    return card.table(shown, heads, top=_RULES, numbers=_NUMBERS, rest=".alerts")


def _nothing_helps(door: FrontDoor) -> str:
    said = "no runbook, diagnostic or mitigation is known for it"
    return f"{said}: {NO_FILES}" if NOTHING_CONTRIBUTED in door.unseen else said


def _no_alerts(door: FrontDoor) -> str:
    return "the map was made without alerts" if NO_ALERTS in door.unseen else "it never alerted in this history"


def _incidents(door: FrontDoor) -> str:
    rows = door.incidents
    shown = rows.assign(
        starts_at=_minutes(rows["starts_at"]), first=["alerted first" if first else "" for first in rows["first"]]
    )
    return card.table(shown, _INCIDENT, top=_INCIDENTS, numbers=["services"], rest=".incidents")


def _slos(door: FrontDoor) -> str:
    shown = door.slos.assign(objective=[f"{value:g} %" for value in door.slos["objective"]])
    heads = {"name": "SLO", "service": "service", "objective": "objective", "window": "over", "team": "stated by"}
    return card.table(shown, heads, top=_SLOS)


def _minutes(times: Iterable[pd.Timestamp]) -> list[str]:
    return [_minute(at) for at in times]


def _minute(at: pd.Timestamp) -> str:
    return "at an unknown time" if pd.isna(at) else f"{at:%Y-%m-%d %H:%M}"


def _percents(shares: Iterable[float]) -> list[str]:
    return ["" if pd.isna(share) else f"{100 * share:.0f} %" for share in shares]
