"""The verbs about what recurs: patterns, what they warn of, and what could be done when one shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import pandas as pd
import typer
from rich.text import Text

import stanza_lab as sl
from stanza_lab import schema
from stanza_lab._params import instant
from stanza_lab.cli.map_views import picture
from stanza_lab.cli.options import As, Limit, Out, Picture
from stanza_lab.cli.output import Format, emit, format_of, plain, stderr
from stanza_lab.cli.over_the_map import Read, ReadIncidents, incident_verb, map_verb
from stanza_lab.errors import ParameterError, UnknownNameError
from stanza_lab.patterns.seen_before import occurrence_of
from stanza_lab.production import words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stanza_lab.cli.analysing import Analysis
    from stanza_lab.patterns.found import Patterns
    from stanza_lab.patterns.reactions import Reactions

_ALIKE, _SAID, _ALL = 5, 2, 1_000  # look-alikes that people are shown, are told of, and that files carry
_RECENT = pd.Timedelta("1h")  # what fired so long ago may still be the same incident
_FAMILIES = ("name", "patterns", "support", "first_movers", "services")
_STEPS = ("position", "kind", "core", "share", "after_s", "low_s", "high_s", "count")
_LIKE = ("incident_id", "similarity", "starts_at", "shared", "missing")
_NOW = ("rank", "reaction", "team", "target", "confidence", "risk", "touched", "blocked_by")


@incident_verb("patterns")
def patterns(
    read: ReadIncidents,
    pattern: Annotated[str | None, typer.Option(help="One pattern: its steps, and each time it happened.")] = None,
    incident: Annotated[
        int | None, typer.Option(help="Has this incident been seen before? Its patterns and its look-alikes.")
    ] = None,
    early: Annotated[  # noqa: FBT002
        bool, typer.Option("--early", help="What the beginning of each pattern warned of, on later data.")
    ] = False,
    by: Annotated[
        Literal["symptom", "rule", "service"],
        typer.Option(help="What makes two alerts the same kind: service and symptom, the rule, the service."),
    ] = "symptom",
    min_support: Annotated[int, typer.Option(min=2, help="Incidents in which a pattern must have happened.")] = 3,
    html: Picture = None,
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 20,
) -> None:
    """Find sequences of alerts that recur: how often, in what order, how soon a page follows, how they ended."""
    format = format_of(format, out)  # noqa: A001
    if sum((pattern is not None, incident is not None, early)) > 1:
        raise ParameterError("--pattern, --incident and --early are three views; pass one of them")
    grouped = read()
    alerts, pages = grouped.alerts, grouped.known.alerts
    if early:
        _early(alerts, pages, by=by, min_support=min_support, html=html, format=format, out=out, limit=limit)
        return
    if incident is not None and incident not in set(alerts["incident_id"]):
        raise UnknownNameError(f"incident {incident} not found; 'stanza-lab incidents HISTORY' lists them")
    with stderr.status(f"looking for what recurs in {len(alerts):,} alerts"):
        found = sl.mine_patterns(alerts, pages=pages, by=by, min_support=min_support)
    if incident is not None:
        _before(alerts, found, incident, by=by, html=html, format=format, out=out, limit=limit)
    elif pattern is not None:
        _one(found, pattern, html=html, format=format, out=out, limit=limit)
    else:
        if html:
            picture(html, sl.plot.pattern_calendar(found), "What recurs, and when", found.table)
        shown = found.families[list(_FAMILIES)] if format is Format.table else found.table
        title = f"{words.count(len(found.table), 'pattern')} in {words.count(len(found.families), 'family')}"
        emit(shown, format=format, out=out, title=title, limit=limit)
        if format is Format.table:
            _say(found.families["words"], limit)
            _unseen(found.unseen)


def _one(
    found: Patterns,
    pattern: str,
    *,
    html: Path | None,
    format: Format,  # noqa: A002
    out: Path | None,
    limit: int,
) -> None:
    if pattern not in set(found.table["pattern"]):
        raise UnknownNameError.among("pattern", pattern, found.table["pattern"])
    if html:
        picture(html, sl.plot.pattern_steps(found, pattern=pattern), f"Pattern {pattern}", None)
    steps = found.steps[found.steps["pattern"] == pattern]
    name = plain(found.table.set_index("pattern").loc[pattern, "name"])
    shown = steps[list(_STEPS)] if format is Format.table else steps
    emit(shown, format=format, out=out, title=f"{pattern}: {name}", limit=limit)
    if format is Format.table:
        for line in found.explain(pattern).splitlines():
            typer.echo(plain(line))


def _before(
    alerts: pd.DataFrame,
    found: Patterns,
    incident: int,
    *,
    by: str,
    html: Path | None,
    format: Format,  # noqa: A002
    out: Path | None,
    limit: int,
) -> None:
    like = sl.look_alikes(alerts, incident=incident, by=by, top=_ALIKE if format is Format.table else _ALL)
    if html:
        picture(html, sl.plot.look_alikes(like), f"What looks like incident {incident}", like)
    shown = like[list(_LIKE)] if format is Format.table else like
    emit(shown, format=format, out=out, title=f"What looks most like incident {incident}", limit=limit)
    if format is Format.table:
        seen = found.seen_before(alerts[alerts["incident_id"] == incident])
        said = occurrence_of(found, incident) + [f"{row.pattern}: {row.words}" for row in seen.itertuples()]
        _say(said or ["no pattern that was found fits it"], limit)
        _say(like["words"].head(_SAID), limit)
        _unseen(found.unseen)


def _early(
    alerts: pd.DataFrame,
    pages: pd.DataFrame,
    *,
    by: str,
    min_support: int,
    html: Path | None,
    format: Format,  # noqa: A002
    out: Path | None,
    limit: int,
) -> None:
    with stderr.status("learning from the earlier part, measuring on the later"):
        found = sl.early_warnings(alerts, pages=pages, by=by, min_support=min_support)
    if html:
        picture(html, sl.plot.early_warning(found), "What the beginning of a pattern warned of", found.table)
    table = found.table
    brief = ["pattern", "name", "prefix", "warnings", "came", "precision", "happened", "recall"]
    brief += ["lead_s", "page_lead_s"]
    emit(
        table[brief] if format is Format.table else table,
        format=format,
        out=out,
        title="Early warning, measured on later data",
        limit=limit,
    )
    if format is Format.table:
        _say(table["words"], limit)
        _unseen(found.unseen)


@map_verb("reactions")
def reactions(
    read: Read,
    catalogue: Annotated[
        list[Path],
        typer.Argument(metavar="CATALOGUE...", help="What teams would do: YAML files or folders.", exists=True),
    ],
    try_from: Annotated[
        str | None,
        typer.Option(
            "--try-from",
            help="Patterns are mined before this time, reactions tried from it on (UTC). Default: half of the history.",
        ),
    ] = None,
    now: Annotated[
        str | None, typer.Option("--now", help="What applies at this time (UTC), instead of what would have been.")
    ] = None,
    firings: Annotated[bool, typer.Option("--firings", help="Each time that a reaction would have fired.")] = False,  # noqa: FBT002
    html: Picture = None,
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 20,
) -> None:
    """Try reactions on the history: when each would have fired, in vain or in time, whom it would have touched.

    Nothing is done, and no command is run: they are text.
    """
    format = format_of(format, out)  # noqa: A001
    if now and (try_from or firings or html):
        raise ParameterError("--now tells what applies at a time; --try-from, --firings and --html are about the past")
    told = sl.read_reactions(catalogue)
    found = read()
    alerts, pages = found.alerts, found.known.alerts
    times = alerts["starts_at"].dropna()
    middle = times.min() + (times.max() - times.min()) / 2
    start = instant(now, "--now") if now else instant(try_from, "--try-from") if try_from else middle.floor("D")
    if try_from and start > times.max():
        raise ParameterError(f"--try-from {try_from}: nothing fired after it; the last alert is of {_at(times.max())}")
    if now:
        _propose(told, found, start, format=format, out=out, limit=limit)
        return
    with stderr.status("mining what recurred before, trying reactions on what came after"):
        mined = sl.mine_patterns(_until(alerts, start), pages=_until(pages, start))
        tried = sl.backtest(told, alerts, production=found.production, patterns=mined, pages=pages, since=start)
    if html:
        picture(html, sl.plot.reaction_backtest(tried), "What reactions would have done", tried.firings)
    if firings:
        emit(tried.firings, format=format, out=out, title="When reactions would have fired (UTC)", limit=limit)
        return
    shown = _brief(tried.reactions) if format is Format.table else tried.reactions
    title = f"What reactions would have done from {start:%Y-%m-%d} UTC on"
    emit(shown, format=format, out=out, title=title, limit=limit)
    if format is Format.table:
        _say(tried.reactions["words"], limit)
        for sentence in tried.words:
            stderr.print(Text(plain(words.sentence(sentence)), style="dim"))
        _unseen(tried.unseen)


def _brief(table: pd.DataFrame) -> pd.DataFrame:
    """Return what a terminal has room for, with times in words."""
    page = [f"{words.span(at)} {'later' if at > 0 else 'earlier'}" if abs(at) >= 1 else "then" if at == at else ""
            for at in table["page_lead_s"]]  # fmt: skip
    saved = [f"{minutes:,.0f} min" if minutes == minutes else "" for minutes in table["saved_high_min"]]
    brief = table[["reaction", "team", "fired", "false", "blocked"]].copy()
    brief["first page"], brief["saves at most"], brief["verdict"] = page, saved, table["verdict"]
    return brief


def _propose(
    told: Reactions,
    found: Analysis,
    now: pd.Timestamp,
    *,
    format: Format,  # noqa: A002
    out: Path | None,
    limit: int,
) -> None:
    """Tell what applies at a moment, from what was known then; what goes on is not counted as history."""
    alerts, pages = found.alerts, _until(found.known.alerts, now)
    ongoing = alerts[(alerts["starts_at"] <= now) & (alerts["starts_at"] > now - _RECENT)]
    open_now = set(ongoing["incident_id"]) - {schema.NOISE}
    earlier = _until(alerts, now)
    earlier = earlier[~earlier["incident_id"].isin(open_now) & ~earlier.index.isin(ongoing.index)]
    with stderr.status("mining what recurred before, asking what applies now"):
        then = found.production.as_of(now)
        mined = sl.mine_patterns(earlier, pages=pages)
        tried = sl.backtest(told, earlier, production=then, patterns=mined, pages=pages, hindsight=True)
    proposed = sl.propose(told, then, alerts=ongoing, patterns=mined, history=tried, at=now)
    shown = proposed.table[list(_NOW)] if format is Format.table else proposed.table
    title = f"What could be done at {now:%Y-%m-%d %H:%M} UTC"
    emit(shown, format=format, out=out, title=title, limit=limit)
    if format is Format.table:
        if ongoing.empty:
            typer.echo(f"* {_nearest(alerts['starts_at'].dropna(), now)}")
        for one in list(proposed)[: limit or len(proposed)]:
            typer.echo(f"* {plain(one.words)}")
            typer.echo(f"    {plain(one.command)}")
        stderr.print(Text("commands are text: nothing here runs them", style="dim"))
        _unseen(proposed.unseen)


def _nearest(times: pd.Series, now: pd.Timestamp) -> str:
    """Say that nothing goes on, and when something did."""
    before, after = times[times <= now].max(), times[times > now].min()
    known = [f"{_at(at)}, {words.span(abs((at - now).total_seconds()))} {way}" for at, way in
             ((before, "before"), (after, "after")) if pd.notna(at)]  # fmt: skip
    near = f"; the nearest alerts fired {' and '.join(known)}" if known else ""
    return f"nothing fired in the hour before {_at(now)}{near}"


def _at(time: pd.Timestamp) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"


def _until(alerts: pd.DataFrame, time: pd.Timestamp) -> pd.DataFrame:
    """Return the alerts that fired before a time, without what came of them later."""
    known = alerts[alerts["starts_at"] < time]
    return known.assign(**{name: known[name].where(known[name] < time) for name in ("acked_at", "ends_at")})


def _say(sentences: Iterable[str], limit: int) -> None:
    listed = list(sentences)
    for sentence in listed[: limit or len(listed)]:
        typer.echo(f"* {plain(sentence)}")


def _unseen(sentences: Iterable[str]) -> None:
    for sentence in sentences:
        stderr.print(Text(f"not seen: {plain(sentence)}", style="dim"))
