"""The verbs about life on call: pager load, and which rules to make quieter."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.text import Text

import stanza_lab as sl
from stanza_lab.cli.map_views import picture
from stanza_lab.cli.options import As, Limit, Out, Picture
from stanza_lab.cli.output import Format, emit, format_of, plain, stderr
from stanza_lab.cli.over_the_map import Read, ReadIncidents, incident_verb, map_verb
from stanza_lab.errors import ParameterError
from stanza_lab.production import words

if TYPE_CHECKING:
    import pandas as pd

_CHANGES = (
    "rule", "service", "change", "value", "verdict", "promised", "pages_saved", "pages", "missed", "occasions", "late",
)  # fmt: skip
_LIVED = ("teams", "shifts", "people", "limits")  # by the clock of people; the others in UTC
_MISSED = (
    "rule", "change", "value", "part", "starts_at", "later_s", "why", "services", "alerts", "incident_id", "paged_at",
)  # fmt: skip
_BRIEF = {
    "teams": ("team", "people", "pages", "incidents", "per_shift", "over", "interruptions", "off_hours",
              "sleep_hours", "nights"),
    "shifts": ("rotation", "local", "pages", "incidents", "limit", "over", "whole"),
    "people": ("person", "team", "pages", "interruptions", "business", "off_hours", "sleep_hours", "nights"),
    "response": ("measure", "team", "mean_s", "median_s", "p90_s", "n", "n_open", "n_excluded"),
    "rules": ("rule", "service", "count", "pages", "days", "chronic", "flapping", "refired", "never_acknowledged"),
}  # fmt: skip


class View(StrEnum):
    """What of the pager load is shown."""

    teams = "teams"
    shifts = "shifts"
    people = "people"
    response = "response"
    rules = "rules"
    storms = "storms"
    duplicates = "duplicates"
    stages = "stages"
    limits = "limits"


@incident_verb("load")
def load(
    read: ReadIncidents,
    view: Annotated[View, typer.Option(help="Which table.")] = View.teams,
    tz: Annotated[str, typer.Option(help="Time zone in which people live, for example Europe/Berlin.")] = "UTC",
    shift: Annotated[str, typer.Option(help="Length of a shift, for example 12h or 7d.")] = "12h",
    handover: Annotated[str, typer.Option(help="Time of day at which shifts change.")] = "08:00",
    definition: Annotated[
        Literal["pagerduty", "moogsoft", "keep", "ours", "all"],
        typer.Option(help="By whose definition times to acknowledge and resolve are measured."),
    ] = "pagerduty",
    html: Picture = None,
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 40,
) -> None:
    """Measure what being on call was like: pages, interrupted nights, response, noise, against the SRE book."""
    format = format_of(format, out)  # noqa: A001
    found = read()
    known = found.known
    with stderr.status("reading what people did"):
        did = sl.read_engagements(known.history.events())
    measured = sl.pager_load(
        found.alerts, engagements=did, pages=known.alerts, tz=tz, shift=shift, handover=handover, definition=definition
    )
    table: pd.DataFrame = getattr(measured, view.value)
    if html:
        picture(html, sl.plot.pager_load(measured.shifts), "Pager load", measured.shifts)
    names = [name for name in _BRIEF.get(view.value, table.columns) if name in table.columns]
    if view is View.response and definition == "all":
        names = ["definition", *names]
    shown = table[names] if format is Format.table else table
    if format is Format.table and view is View.shifts:
        shown = shown.assign(local=shown["local"].dt.strftime("%Y-%m-%d %H:%M"))  # of no zone: it is the clock's
    emit(shown, format=format, out=out, title=f"Pager load: {view.value} ({_zone(view, tz)})", limit=limit)
    _none(table, format, out)
    if format is Format.table:
        for sentence in measured.words:
            typer.echo(f"* {plain(sentence)}")
        for sentence in measured.unseen:
            stderr.print(Text(f"not seen: {plain(sentence)}", style="dim"))


@map_verb("tune-down")
def tune_down(
    read: Read,
    split: Annotated[
        str | None,
        typer.Option(
            help="Changes are chosen on what is before, and measured on the rest: a share of the time such as 0.5, or "
            "a time.",
            show_default="0.5",
        ),
    ] = None,
    missed: Annotated[bool, typer.Option("--missed", help="What each change would have missed, one by one.")] = False,  # noqa: FBT002
    patches: Annotated[
        Path | None, typer.Option(help="Write the edits to this file (.md or .csv), in the terms of each tool.")
    ] = None,
    html: Picture = None,
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 20,
) -> None:
    """Say which rules can be quieter, how many pages that saves, and what would have been missed."""
    format = format_of(format, out)  # noqa: A001
    if patches and patches.suffix.lower() not in (".md", ".csv"):
        raise ParameterError(f"--patches {patches}: edits are written as .md or .csv")
    found = read()
    with stderr.status("trying changes of rules on the history"):
        tuned = sl.tune_down(found.alerts, pages=found.known.alerts, production=found.production, split=_split(split))
    if patches:
        patches.write_text(tuned.to_csv() if patches.suffix.lower() == ".csv" else tuned.to_markdown(), "utf-8")
        stderr.print(Text(f"{words.count(len(tuned.patches), 'edit')} written to {patches}; none was applied"))
    if html:
        picture(html, sl.plot.tune_down(tuned), "What to tune down", tuned.combined)
    if missed:
        title, spare = "What changes would have missed (UTC)", _MISSED[:6:-1]
        shown = tuned.missed[list(_MISSED)] if format is Format.table else tuned.missed
        emit(shown, format=format, out=out, title=title, limit=limit, spare=spare)
        _none(tuned.missed, format, out)
        return
    shown = tuned.changes[tuned.changes["best"]][list(_CHANGES)] if format is Format.table else tuned.changes
    title = "The best change of each rule: pages saved on the later part, and what would have been missed"
    emit(shown, format=format, out=out, title=title, limit=limit, spare=("late", "occasions", "promised"))
    if format is Format.table:
        for sentence in tuned.summary:
            typer.echo(f"* {plain(sentence)}")
        for sentence in tuned.unseen:
            stderr.print(Text(f"not seen: {plain(sentence)}", style="dim"))


def _zone(view: View, tz: str) -> str:
    """Return the zone whose times and days a table has."""
    return tz if view.value in _LIVED else "UTC"


def _none(table: pd.DataFrame, format: Format, out: Path | None) -> None:  # noqa: A002
    """Say of an empty table that it is."""
    if table.empty and format is Format.table and out is None:
        typer.echo("none")


def _split(given: str | None) -> float | str:
    """Return a share as a number; anything else is a time."""
    try:
        return 0.5 if given is None else float(given)
    except ValueError:
        return given or ""
