"""The verbs about names: which are one service, who owns what, who is paged together, what the alerts cover."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

import stanza_lab as sl
from stanza_lab.cli.options import As, HistoryPath, Limit, Out, Overrides, Ownership, Since, Traces, Until, Where, app
from stanza_lab.cli.output import Format, emit, format_of, plain, stderr
from stanza_lab.errors import StanzaError
from stanza_lab.production import words

if TYPE_CHECKING:
    import pandas as pd

Html = Annotated[Path | None, typer.Option(help="Write the figure to this file; opens offline.")]


def _alerts(
    history: Path,
    since: str | None,
    until: str | None,
    where: str | None,
    ownership: list[Path] | None,
    overrides: Path | None,
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Return the alerts as exports state them, chosen by what they are resolved to, and the catalogue."""
    with stderr.status(Text(f"reading the alerts of {history}")):
        known = sl.History(history).alerts()
        owned = sl.read_ownership(ownership) if ownership else None
        if since or until or where:
            resolved = sl.resolve_entities(known, catalog=owned, overrides=overrides)
            chosen = sl.select_alerts(resolved, since=since, until=until, where=where)
            known = known[known["alert_id"].isin(chosen["alert_id"])]
    if known.empty:
        narrowed = since or until or where
        raise StanzaError(
            "without alerts there is nothing to show; widen --since, --until or --where"
            if narrowed
            else f"{history} holds no alerts; 'stanza-lab ingest EXPORTS --history {history}' reads some"
        )
    return known, owned


_NAMES_LEGEND = (
    "sure: probability that the name means this service; basis stated: the name is used as it is, learned: from what "
    "alerts tell of both names, given: a person said so; files say in which fields of which system it stands"
)


@app.command()
def names(
    history: HistoryPath,
    explain: Annotated[str | None, typer.Option(help="Say why this name means its service.")] = None,
    conflicts: Annotated[bool, typer.Option("--conflicts", help="List what was not joined, and why.")] = False,  # noqa: FBT002
    since: Since = None,
    until: Until = None,
    where: Where = None,
    traces: Traces = None,
    ownership: Ownership = None,
    overrides: Overrides = None,
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 40,
) -> None:
    """List the names of services, which of them are one service, how sure that is and why."""
    format = format_of(format, out)  # noqa: A001
    alerts, owned = _alerts(history, since, until, where, ownership, overrides)
    with stderr.status(f"comparing the names in {len(alerts):,} alerts"):
        spans = sl.read_traces(traces) if traces else None
        resolver = sl.EntityResolver(catalog=owned, overrides=overrides).fit(alerts, spans=spans)
    if explain is not None:
        typer.echo("\n".join(plain(line) for line in str(resolver.explain(explain)).splitlines()))
        return
    found, doubts = resolver.names_, resolver.conflicts_
    services = words.count(found["service"].nunique(), "service")
    if conflicts:
        title = f"{words.count(len(doubts), 'pair')} of names not joined though something speaks for it"
        emit(doubts, format=format, out=out, title=title, limit=limit)
        return
    title = f"{words.count(len(found), 'name')} of {services}; {words.count(len(doubts), 'conflict')}, see --conflicts"
    if format is Format.table:
        systems = [", ".join(dict.fromkeys(place.split(" ")[0] for place in places)) for places in found["places"]]
        found = found.assign(sure=found["confidence"].map(words.probability), used_by=systems)
        found = found[["service", "name", "sure", "basis", "used_by", "spellings"]]
    emit(found, format=format, out=out, title=title, limit=limit, spare=("spellings",), legend=_NAMES_LEGEND)


@app.command()
def extract(
    text: Annotated[list[str], typer.Argument(help="Texts to read; - reads lines from standard input.")],
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 40,
) -> None:
    """Show which services, resources, hosts, URLs, traces and teams a text mentions, and how sure that is."""
    format = format_of(format, out)  # noqa: A001
    piped = text == ["-"]
    lines = sys.stdin.buffer.read().decode(errors="replace").splitlines() if piped else text
    found = sl.extract_entities(lines)
    title = f"{words.count(len(found), 'mention')} in {words.count(len(lines), 'text')}"
    if format is Format.table:
        found = found[["text", "kind", "type", "name", "start", "end", "method", "confidence"]]
    emit(found, format=format, out=out, title=title, limit=limit, spare=("start", "end"))


_OWNERS_LEGEND = (
    "basis: declared by the catalogue, paged (its alerts name that team), both, or none; sure: probability that its "
    "next alert that names a team names this one; pages: alerts that name a team; conflict catalogue: more of them "
    "name another team than the declared one, shared: a second team has a fifth of them or more"
)


@app.command()
def owners(
    history: HistoryPath,
    since: Since = None,
    until: Until = None,
    where: Where = None,
    ownership: Ownership = None,
    overrides: Overrides = None,
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 40,
) -> None:
    """List who owns each service, by the catalogue and by who is paged; conflicts and orphans first."""
    format = format_of(format, out)  # noqa: A001
    alerts, owned = _alerts(history, since, until, where, ownership, overrides)
    with stderr.status(f"asking {len(alerts):,} alerts who is paged"):
        found = sl.infer_ownership(alerts, catalog=owned, overrides=overrides)
    orphan, clash = found["team"].isna(), found["conflict"].notna()
    title = (
        f"{words.count(len(found), 'service')}: {int(clash.sum()):,} in conflict, {int(orphan.sum()):,} without a team"
    )
    if format is Format.table:
        found = found.loc[(~clash & ~orphan).astype(int).mul(2).sub(clash).sort_values(kind="stable").index]
        found = found.assign(sure=found["confidence"].map(words.probability))
        shown = ["service", "team", "basis", "sure", "conflict", "paged", "pages", "alerts", "on_call", "repository"]
        told, found = found, found[shown]
    spare = ("repository", "on_call", "alerts", "pages")
    emit(found, format=format, out=out, title=title, limit=limit, spare=spare, legend=_OWNERS_LEGEND)
    if format is Format.table and out is None:
        told = told[told["conflict"].notna()]
        _lines([f"* {service}: {said}" for service, said in zip(told["service"], told["words"], strict=True)], limit)


_TEAMS_LEGEND = (
    "together: alerts of either that began within --within of one of the other, each once; chance: so many by chance; "
    "lift: times more than that; days: on which it happened. Paged together does not say who depends on whom"
)


@app.command()
def teams(
    history: HistoryPath,
    within: Annotated[str, typer.Option(help="How near two alerts must begin, for example 10min.")] = "5min",
    since: Since = None,
    until: Until = None,
    where: Where = None,
    ownership: Ownership = None,
    overrides: Overrides = None,
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 40,
) -> None:
    """List which teams are paged together and which share services; what each owns is told before.

    Files have the pairs of teams only.
    """
    format = format_of(format, out)  # noqa: A001
    alerts, owned = _alerts(history, since, until, where, ownership, overrides)
    with stderr.status(f"looking who is paged together in {len(alerts):,} alerts"):
        pairs = sl.relate_teams(alerts, catalog=owned, overrides=overrides, within=within)
        listed = sl.summarize_teams(alerts, catalog=owned, overrides=overrides) if format is Format.table else None
    title = f"{words.count(len(pairs), 'pair')} of teams paged together or for one service"
    if listed is not None:
        idle = int((listed["services"].str.len() == 0).sum())
        heading = f"{words.count(len(listed), 'team')}" + (f"; {idle:,} without a service of their own" if idle else "")
        emit(listed[["team", "words"]], format=format, out=None, title=heading, limit=limit)
        pairs = pairs.rename(columns={"expected": "chance"})
        pairs = pairs[["team", "other", "together", "of_alerts", "chance", "lift", "days", "shared_services"]]
    emit(pairs, format=format, out=out, title=title, limit=limit, spare=("of_alerts", "chance"), legend=_TEAMS_LEGEND)


@app.command()
def coverage(
    history: HistoryPath,
    since: Since = None,
    until: Until = None,
    where: Where = None,
    traces: Traces = None,
    ownership: Ownership = None,
    overrides: Overrides = None,
    html: Html = None,
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 40,
) -> None:
    """Tell how much of production the alerts cover, which services are silent and what to fix first.

    Files have what to fix; the table has shares by source too.
    """
    format = format_of(format, out)  # noqa: A001
    alerts, owned = _alerts(history, since, until, where, ownership, overrides)
    with stderr.status(f"looking what {len(alerts):,} alerts cover"):
        spans = sl.read_traces(traces) if traces else None
        found = sl.coverage(alerts, spans=spans, catalog=owned, overrides=overrides)
    if html:
        figure = sl.plot.coverage(found)
        sl.write_figure(html, figure, title="What the alerts cover", table=found.actions)
        stderr.print(Text(f"figure written to {html}"))
    title = f"{words.count(len(found.actions), 'thing')} to fix, what gains most first"
    if format is not Format.table:
        emit(found.actions, format=format, out=out, title=title)
        return
    if out is not None:
        emit(found.actions, format=format, out=out, title=title)
        return
    _lines([f"* {said}" for said in found.summary if not said.startswith("To fix")], 0)
    typer.echo()
    shares = found.to_frame()
    for name in ("time", "service", "team", "resource", "stated_service", "stated_team"):
        shares[name] = [f"{share:.0%}" for share in shares[name]]
    emit(shares, format=format, out=None, title="Share of alerts that is known, by source", limit=0, spare=("example",))
    typer.echo(f"{title} (in brackets the coverage, of 100, once it and all above are done):")
    done = (f"({score * 100:.0f})" for score in found.actions["score_after"])
    _lines(
        [f"{k}. {said} {now}" for k, (said, now) in enumerate(zip(found.actions["words"], done, strict=True), 1)], limit
    )


def _lines(sentences: list[str], limit: int) -> None:
    """Print a line per sentence, `limit` of them; 0 is all."""
    for sentence in sentences[: limit or None]:
        typer.echo(plain(sentence))
    if limit and len(sentences) > limit:
        typer.echo(f"and {len(sentences) - limit:,} more; --limit 0 shows all")
