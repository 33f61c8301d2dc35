"""The verbs that ask the map in time: what changed since a day, an incident replayed."""

from __future__ import annotations

from typing import Annotated

import pandas as pd
import typer

import stanza_lab as sl
from stanza_lab._params import instant
from stanza_lab.cli import map_views
from stanza_lab.cli.map_views import answers, picture
from stanza_lab.cli.options import As, Limit, Out, Picture
from stanza_lab.cli.output import Format, emit, format_of, plain
from stanza_lab.cli.over_the_map import Read, map_verb
from stanza_lab.errors import UnknownNameError


@map_verb("changes")
def changes(
    read: Read,
    day: Annotated[str, typer.Argument(metavar="DAY", help="Since when, for example 2026-08-15 (UTC).")],
    html: Picture = None,
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 40,
) -> None:
    """Show what appeared on the map and what vanished since a day."""
    format = format_of(format, out)  # noqa: A001
    production = read().production
    found = production.changes(day)
    if html:
        picture(html, sl.plot.map_changes(production, since=day), f"What changed since {day}", found)
    title = f"What changed on the map since {plain(day)}"
    answers(found, map_views.turns, title=title, format=format, out=out, limit=limit)


@map_verb("replay")
def replay(
    read: Read,
    incident: Annotated[
        str,
        typer.Argument(
            metavar="INCIDENT",
            help="Its number, as 'stanza-lab incidents' lists them with the same options; or a time (UTC) it was on.",
        ),
    ],
    step: Annotated[str | None, typer.Option(help="Time from one picture to the next, for example 2min.")] = None,
    html: Picture = None,
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 60,
) -> None:
    """Replay an incident over the map: who did what when; as a picture with a slider."""
    format = format_of(format, out)  # noqa: A001
    found = read()
    production = found.production
    summary = sl.summarize_incidents(found.alerts)
    number = incident_number(incident, summary)
    states = production.replay(number, step=step)
    about = summary.set_index("incident_id").loc[number]
    name = f"Incident {number}, {about['starts_at']:%Y-%m-%d %H:%M} UTC: {about['title']}"
    if html:
        picture(html, sl.plot.replay(production, incident=number, step=step), name, None)
    title = f"{plain(name)}; what changed, times in UTC"
    shown = map_views.course(states) if format is Format.table else states
    emit(shown, format=format, out=out, title=title, limit=limit)


def incident_number(told: str, incidents: pd.DataFrame) -> int:
    """Return the incident of that number, or the largest that was on at that time.

    Numbers come from the grouping, so they differ where other alerts or traces are read; a time does not.
    """
    numbered = told.lstrip("-").isdigit()
    if numbered and int(told) in set(incidents["incident_id"]):
        return int(told)
    hint = "numbers change with --since, --until, --where, --traces and --params: pass the same as to 'incidents'"
    if numbered:
        raise UnknownNameError(f"incident {told} not found, {len(incidents)} are known; {hint}, or pass a time")
    at = instant(told, "INCIDENT")
    last = incidents["starts_at"] + pd.to_timedelta(incidents["spread_s"], unit="s")
    on = incidents[(incidents["starts_at"] <= at + pd.Timedelta("1min")) & (last >= at)]
    if on.empty:
        apart = (incidents["starts_at"] - at).abs()
        nearest = incidents["starts_at"].iloc[int(apart.to_numpy().argmin())]
        raise UnknownNameError(
            f"no incident was on at {at:%Y-%m-%d %H:%M} UTC; the nearest began {nearest:%Y-%m-%d %H:%M}"
        )
    largest = on.sort_values("alerts", ascending=False, kind="stable")
    return int(largest["incident_id"].iloc[0])
