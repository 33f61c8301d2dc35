"""The verbs that ask the map: what is around, how two hang together, who is hit, whom to wake, what changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.text import Text

import stanza_lab as sl
from stanza_lab.cli import map_views
from stanza_lab.cli.analysing import LINK_LEGEND, LINK_SPARE, brief
from stanza_lab.cli.map_views import answers, gaps, picture, say
from stanza_lab.cli.options import As, Contributed, Least, Limit, Out, Picture, ProfileFile
from stanza_lab.cli.output import Format, emit, format_of, plain, stderr
from stanza_lab.cli.over_the_map import Read, check_contributed, contributed_of, map_verb, on_map, profile_of
from stanza_lab.errors import ParameterError
from stanza_lab.production import Direction
from stanza_lab.production import words as wording

_LIKELY = 0.5  # a proposal of this probability is more likely right than not
_ALL = 1_000  # paths: there may be as many as one has patience for
At = Annotated[str | None, typer.Option("--at", help="The map as it was at this time, for example 2026-08-15 (UTC).")]
Hops = Annotated[int, typer.Option(min=1, help="How many links to walk; more reaches further and is less sure.")]
Service = Annotated[str, typer.Argument(metavar="SERVICE", help="A service.")]


@map_verb("map")
def map_(
    read: Read,
    service: Annotated[str | None, typer.Option(help="Only what is within --hops of this service.")] = None,
    team: Annotated[str | None, typer.Option(help="Only this team, with the next clusters at its edges.")] = None,
    profile: ProfileFile = None,
    hops: Annotated[int, typer.Option(min=0, help="How far from --service.")] = 2,
    direction: Annotated[Direction, typer.Option(help="Of --service: who depends on it is upstream.")] = "both",
    at: At = None,
    expand: Annotated[
        list[str] | None, typer.Option(help="A cluster to draw open, in the picture. Repeatable.")
    ] = None,
    theme: Annotated[Literal["light", "dark"], typer.Option(help="Of the picture.")] = "light",
    min_confidence: Least = None,
    html: Picture = None,
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 40,
) -> None:
    """Show the map of production: all of it, around a service, or a team's. One row per link, likelier way first."""
    format = format_of(format, out)  # noqa: A001
    if sum(bool(view) for view in (service, team, profile)) > 1:
        raise ParameterError("--service, --team and --profile are three views; pass one of them")
    if direction != "both" and not service:
        raise ParameterError("--direction is seen from a service; add --service NAME")
    mine = profile_of(profile)
    production = read().production
    if at:
        production = production.as_of(at)
    if service:
        production = production.near(service, hops=hops, direction=direction, min_confidence=min_confidence)
    elif team or profile:
        production = production.team(on_map(mine, production) if mine else team or "")
    least = production.usual_confidence if min_confidence is None else min_confidence
    links = production.links[production.links["strength"] >= least]
    if html:
        figure = sl.plot.production_map(
            production, min_confidence=min_confidence, expand=tuple(expand or ()), theme=theme
        )
        shown = production.focus.name if production.focus else "all services"
        picture(html, figure, f"Map of production: {shown}", links)
    title = f"{production.heading}: {len(links):,} dependencies of probability {least:.2g} or more"
    if min_confidence is None and production.caution:
        title = f"{title} ({production.caution})"
    if format is not Format.table:
        emit(links, format=format, out=out, title=title)
        return
    emit(brief(links), format=format, out=out, title=title, limit=limit, spare=LINK_SPARE, legend=LINK_LEGEND)
    if team or profile:
        say(production.neighbours(min_confidence=min_confidence)["words"])
    gaps(production)


@map_verb("onboard")
def onboard(
    read: Read,
    repo: Annotated[list[str] | None, typer.Option(help="A repository you work on. Repeatable.")] = None,
    host: Annotated[list[str] | None, typer.Option(help="A server you look after. Repeatable.")] = None,
    service: Annotated[list[str] | None, typer.Option(help="A service of yours. Repeatable.")] = None,
    team: Annotated[list[str] | None, typer.Option(help="A team you are in. Repeatable.")] = None,
    profile: ProfileFile = None,
    accept: Annotated[list[str] | None, typer.Option(help="A proposed service that is yours. Repeatable.")] = None,
    save: Annotated[Path | None, typer.Option(help="Write the profile to this YAML file.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a profile that is there.")] = False,
    tz: Annotated[str, typer.Option(help="Where people sleep: time zone of the pager load.")] = "UTC",
    html: Picture = None,
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 20,
) -> None:
    """Find your place: name a few things that are yours, see what else probably is, and who is next to you."""
    format = format_of(format, out)  # noqa: A001
    if save and save.exists() and not force and save != profile:
        raise ParameterError(
            f"{save} is there already; pass it as --profile to go on with it, or --force to replace it"
        )
    mine = profile_of(profile)
    production = read().production
    picks = {"repos": repo or (), "hosts": host or (), "services": service or (), "teams": team or ()}
    place = production.onboard(**picks, profile=mine, tz=tz)
    if accept:
        place = place.accept(*accept)
    if html:
        picture(html, sl.plot.production_map(place.view), f"Your place: {place.profile.name}", place.proposed)
    if save:
        place.save(save)
        stderr.print(Text(f"profile written to {save}; pass it with --profile"))
    likely = int((place.proposed["probability"] >= _LIKELY).sum())
    title = f"{wording.count(likely, 'service')} more probably yours, {len(place.proposed) - likely:,} less likely"
    if format is not Format.table:
        emit(place.proposed, format=format, out=out, title=title)
        return
    for sentence in place.words:
        typer.echo(plain(sentence))
    emit(map_views.proposals(place.proposed), format=format, out=out, title=f"\n{title}", limit=limit)
    if not place.pager_load.empty:
        load = map_views.pager_load(place.pager_load)
        emit(load, format=format, out=None, title=f"Pager load by week ({place.tz})", limit=limit)
    say(place.neighbours["words"])


@map_verb("paths")
def paths(
    read: Read,
    src: Service,
    dst: Annotated[str, typer.Argument(metavar="OTHER", help="Another.")],
    hops: Hops = 5,
    min_confidence: Least = None,
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 5,
) -> None:
    """Show how two services hang together: the surest paths, each with its weakest link."""
    format = format_of(format, out)  # noqa: A001
    production = read().production
    found = production.paths(src, dst, hops=hops, top=limit or _ALL, min_confidence=min_confidence)
    least = production.usual_confidence if min_confidence is None else min_confidence
    which = f"of at most {hops} links of probability {least:.2g} or more"
    title = f"{wording.count(len(found), 'path')} {which} between {plain(src)} and {plain(dst)}"
    if found.empty:
        title += "; a lower --min-confidence shows weaker ones, more --hops longer ones"
    answers(found, map_views.ways, title=title, format=format, out=out, limit=limit)


@map_verb("blast")
def blast(
    read: Read,
    service: Service,
    hops: Hops = 3,
    window: Annotated[str, typer.Option(help="How soon after it a service must alert to count as hit.")] = "15min",
    min_confidence: Least = None,
    html: Picture = None,
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 20,
) -> None:
    """Show who is hit if a service fails or changes: how likely, how much later, which alerts would fire."""
    format = format_of(format, out)  # noqa: A001
    production = read().production
    found = production.blast_radius(service, hops=hops, window=window, min_confidence=min_confidence)
    if html:
        figure = sl.plot.blast_radius(
            production, service=service, hops=hops, window=window, min_confidence=min_confidence
        )
        picture(html, figure, f"If {service} fails", found)
    title = f"If {plain(service)} fails or changes: {wording.count(len(found), 'service')} within reach"
    answers(found, map_views.hits, title=title, format=format, out=out, limit=limit)


@map_verb("wake")
def wake(
    read: Read,
    service: Service,
    at: Annotated[str | None, typer.Option("--at", help="When it is in trouble (UTC): what fires then counts.")] = None,
    hops: Hops = 3,
    min_confidence: Least = None,
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 10,
) -> None:
    """Say whose a service in trouble is likely to be, team by team, with reasons, and whether to wake them."""
    format = format_of(format, out)  # noqa: A001
    production = read().production
    if at:
        production = production.as_of(at)  # what came later is not known at that time
    found = production.whom_to_wake(service, at=at, hops=hops, min_confidence=min_confidence)
    title = f"Whom to wake for {plain(service)}{f' at {plain(at)}' if at else ''}"
    answers(found, map_views.awake, title=title, format=format, out=out, limit=limit)


@map_verb("door")
def door(
    read: Read,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A service or a team; with --profile, none.")
    ] = None,
    profile: ProfileFile = None,
    contributed: Contributed = None,
    html: Annotated[Path | None, typer.Option(help="Write the page to this file; opens offline.")] = None,
) -> None:
    """Open the front door of a service or team: whose, what it does to others, its alerts, what helps."""
    if bool(name) == bool(profile):
        raise ParameterError("name a service or team, or pass --profile; one of the two")
    mine = profile_of(profile)
    told = contributed_of(contributed)
    production = read().production
    check_contributed(told, production)
    opened = production.front_door(on_map(mine, production) if mine else name or "", contributed=told)
    if html:
        sl.write_front_door(html, opened)
        stderr.print(Text(f"page written to {html}"))
    for line in str(opened).splitlines():
        typer.echo(plain(line))
