"""The verb that looks back on one incident."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pandas as pd
import typer
from rich.text import Text

import stanza_lab as sl
from stanza_lab.cli.mapping_in_time import incident_number
from stanza_lab.cli.options import As, Limit
from stanza_lab.cli.output import Format, emit, emit_json, format_of, plain, records, stderr
from stanza_lab.cli.over_the_map import Read, map_verb
from stanza_lab.errors import ParameterError, StanzaError
from stanza_lab.postmortem import outline

if TYPE_CHECKING:
    from stanza_lab.cli.analysing import Analysis
    from stanza_lab.patterns.found import Patterns

_RECENT = pd.Timedelta("28D")
_SPARE: dict[str, tuple[str, ...]] = {  # left out first where the terminal is narrow; `words` say it too
    "times": ("definition", "seconds"),
    "timeline": ("ref", "source", "what", "service", "severity", "team"),
    "origins": ("words", "first_at", "team", "silent", "alerts"),
    "first_movers": ("after_s", "alerts", "team", "what"),
    "spread": ("through", "confidence", "after_s", "team", "expected", "hops"),
    "paged": ("services", "ack_s", "after_s", "acked_at", "on_call", "wake", "words"),
    "look_alikes": ("first", "symptoms", "order", "rules", "kinds", "ends_at", "new", "missing", "shared", "summary"),
}
_PAGES, _TEXTS = {".html", ".htm"}, {".md", ".txt", ""}


class View(StrEnum):
    """Which table of a review is wanted alone."""

    times = "times"
    timeline = "timeline"
    origins = "origins"
    first_movers = "first_movers"
    spread = "spread"
    paged = "paged"
    look_alikes = "look_alikes"
    patterns = "patterns"
    questions = "questions"


@map_verb("review")
def review(
    read: Read,
    incident: Annotated[
        str | None,
        typer.Argument(
            metavar="INCIDENT",
            help="Its number, as 'stanza-lab incidents' lists them with the same options; or a time (UTC) it was on. "
            "Default: the largest of the last four weeks.",
        ),
    ] = None,
    view: Annotated[View | None, typer.Option(help="Only this table. Default: all of it, as Markdown.")] = None,
    tz: Annotated[str, typer.Option(help="Time zone to show times in, for example Europe/Berlin.")] = "UTC",
    before: Annotated[str, typer.Option(help="How long before the first alert releases are worth a look.")] = "1h",
    people: Annotated[bool, typer.Option("--people", help="Say who did something, by pseudonym.")] = False,  # noqa: FBT002
    patterns: Annotated[bool, typer.Option(help="Look for known patterns; takes a while on a long history.")] = True,  # noqa: FBT002
    format: As = None,  # noqa: A002
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write it to this file: .md, or .html for a page that opens offline, or .json of all tables."
        ),
    ] = None,
    limit: Limit = 60,
) -> None:
    """Look back on an incident: timeline, likely origin, spread, who was paged, look-alikes, questions to ask."""
    how = _checked(view, format, out)
    found = read()
    incidents = sl.summarize_incidents(found.alerts)
    number = _chosen(incident, incidents)
    if incident is not None and incident.isdigit():
        stderr.print(Text(_which(number, incidents)), style="dim")
    with stderr.status("putting the review together"):
        seen = sl.mine_patterns(found.alerts, pages=found.known.alerts) if patterns else None
        made = _review(found, number, seen, tz=tz, before=before, people=people)
    if view is not None:
        table = made.tables[view.value]
        shown = _in_short(made, table) if how is Format.table else table
        emit(shown, format=how, out=out, title=_title(made, view), limit=limit, spare=_SPARE.get(view, ()))
    elif out is not None and out.suffix.lower() in _PAGES:
        sl.write_review(out, made)
    elif how is Format.json:
        _as_json(made, out)
    elif out is None:
        typer.echo(made.to_markdown(rows=limit or len(made.timeline)), nl=False)
    else:
        out.write_text(made.to_markdown(rows=limit or len(made.timeline)), encoding="utf-8")
    if out is not None and view is None:
        stderr.print(Text(f"review of incident {number} written to {out}"))


def _chosen(incident: str | None, incidents: pd.DataFrame) -> int:
    if incident is not None:
        return incident_number(incident, incidents)
    if incidents.empty:
        raise StanzaError("these alerts make no incident, so there is none to look back on; widen --since or --until")
    recent = incidents[incidents["starts_at"] > incidents["starts_at"].max() - _RECENT]
    return int(recent.sort_values("alerts", ascending=False, kind="stable")["incident_id"].iloc[0])


def _which(number: int, incidents: pd.DataFrame) -> str:
    """Return which incident has that number here: another reading of the same history may count otherwise."""
    about = incidents.set_index("incident_id").loc[number]
    name = f"incident {number} began {about['starts_at']:%Y-%m-%d %H:%M} UTC: {about['title']}"
    return f"{plain(name)}; numbers change with --traces, --params and --since, a time does not"


def _title(made: sl.Review, view: View) -> str:
    begin = made.scene.begin.tz_convert(made.tz)
    what = view.value.replace("_", " ")
    return f"{plain(outline.heading(made))}, {begin:%Y-%m-%d %H:%M}; {what} (times in {made.tz})"


def _in_short(made: sl.Review, table: pd.DataFrame) -> pd.DataFrame:
    """Return a table as people read it: times in the zone asked for, the day only where it is another."""
    moments = [name for name in table.columns if isinstance(table[name].dtype, pd.DatetimeTZDtype)]
    return table.assign(**{name: [outline.clock(made, at) for at in table[name]] for name in moments})


def _review(found: Analysis, number: int, seen: Patterns | None, *, tz: str, before: str, people: bool) -> sl.Review:
    return sl.review(
        found.alerts,
        incident=number,
        production=found.production,
        events=found.known.history.events(),
        pages=found.known.alerts,
        patterns=seen,
        before=before,
        tz=tz,
        people=people,
    )


def _checked(view: View | None, format: Format | None, out: Path | None) -> Format:  # noqa: A002
    """Return how to write; refuse before the map takes its time what cannot be written so."""
    suffix = "" if out is None else out.suffix.lower()
    if view is not None:
        return format_of(format, out)
    if format in (Format.csv, Format.parquet) or (format is None and suffix in (".csv", ".parquet")):
        raise ParameterError(f"a review is several tables; add --view, one of {', '.join(View)}")
    if suffix not in _PAGES | _TEXTS | {".json"}:
        raise ParameterError(f"--out {out}: a review is written as .md, .html or .json")
    return format or (Format.json if suffix == ".json" else Format.table)


def _as_json(made: sl.Review, out: Path | None) -> None:
    tables: dict[str, pd.DataFrame] = made.tables
    said = {"incident": made.incident, "title": made.title, "words": list(made.words), "unseen": list(made.unseen)}
    emit_json(said | {name: records(table) for name, table in tables.items()}, out=out)
