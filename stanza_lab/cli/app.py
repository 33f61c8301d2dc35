"""The verbs over alerts. Each reads, calls one or two functions of the package and prints; nothing is computed here."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

import stanza_lab as sl
from stanza_lab.cli import depending  # noqa: F401  (its verb comes first)
from stanza_lab.cli.analysing import LINK_LEGEND, LINK_SPARE, analyse, brief
from stanza_lab.cli.options import (
    As,
    Declared,
    HistoryPath,
    Least,
    Limit,
    Out,
    Overrides,
    Ownership,
    Since,
    Traces,
    Until,
    Where,
    app,
)
from stanza_lab.cli.output import Format, emit, format_of, plain, stderr
from stanza_lab.cli.reading import KeepCopies, Params, read_known, say
from stanza_lab.errors import ParameterError, StanzaError
from stanza_lab.production import Direction  # noqa: TC001 (typer reads it)


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    if version:
        typer.echo(f"stanza-lab {sl.__version__}")
        raise typer.Exit


@app.command()
def alerts(
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
    """List the alerts of a history, services and teams resolved."""
    format = format_of(format, out)  # noqa: A001
    found = read_known(history, since=since, until=until, where=where, ownership=ownership, overrides=overrides).alerts
    if format is Format.table:
        found = found[["starts_at", "ends_at", "source", "severity", "service", "team", "alertname", "summary"]]
    spare = ("summary", "ends_at", "source", "team", "severity")
    emit(found, format=format, out=out, title=f"{len(found):,} alerts, times in UTC", limit=limit, spare=spare)


@app.command(name="map")
def map_(
    history: HistoryPath,
    service: Annotated[str | None, typer.Option(help="Only what is within --hops of this service.")] = None,
    team: Annotated[str | None, typer.Option(help="Only this team, with the next clusters at its edges.")] = None,
    hops: Annotated[int, typer.Option(min=0, help="How far from --service.")] = 2,
    direction: Annotated[Direction, typer.Option(help="Of --service: who depends on it is upstream.")] = "both",
    since: Since = None,
    until: Until = None,
    where: Where = None,
    traces: Traces = None,
    declared: Declared = None,
    ownership: Ownership = None,
    overrides: Overrides = None,
    params: Params = None,
    keep_copies: KeepCopies = False,
    min_confidence: Least = None,
    html: Annotated[Path | None, typer.Option(help="Write the picture to this file; opens offline.")] = None,
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 40,
) -> None:
    """Show the map of production: all of it, around a service, or a team's. One row per link, likelier way first."""
    format = format_of(format, out)  # noqa: A001
    if service and team:
        raise ParameterError("--service and --team are two views; pass one of them")
    if direction != "both" and not service:
        raise ParameterError("--direction is seen from a service; add --service NAME")
    known = read_known(history, since=since, until=until, where=where, ownership=ownership, overrides=overrides)
    production = analyse(known, traces=traces, declared=declared, params=params, keep_copies=keep_copies).production
    if service:
        production = production.near(service, hops=hops, direction=direction, min_confidence=min_confidence)
    elif team:
        production = production.team(team)
    least = production.usual_confidence if min_confidence is None else min_confidence
    links = production.links[production.links["strength"] >= least]
    if html:
        figure = sl.plot.production_map(production, min_confidence=min_confidence)
        sl.write_figure(html, figure, title=f"Map of production: {service or team or 'all services'}", table=links)
        stderr.print(Text(f"picture written to {html}"))
    title = f"{production.heading}: {len(links):,} dependencies of probability {least:.2g} or more"
    if min_confidence is None and production.caution:
        title = f"{title} ({production.caution})"
    if format is not Format.table:
        emit(links, format=format, out=out, title=title)
        return
    emit(brief(links), format=format, out=out, title=title, limit=limit, spare=LINK_SPARE, legend=LINK_LEGEND)
    if team:
        for cluster in production.whole.next_clusters(team, min_confidence=min_confidence)["words"]:
            typer.echo(f"* {plain(cluster)}")
    for gap in production.unseen["words"]:
        stderr.print(Text(f"not seen: {plain(gap)}", style="dim"))


@app.command()
def report(
    history: HistoryPath,
    out: Annotated[Path, typer.Option(help="HTML file to write; opens offline.")],
    since: Since = None,
    until: Until = None,
    where: Where = None,
    traces: Traces = None,
    declared: Declared = None,
    ownership: Ownership = None,
    overrides: Overrides = None,
    params: Params = None,
    keep_copies: KeepCopies = False,
) -> None:
    """Write one offline HTML page: findings in words, figures, tables."""
    known = read_known(history, since=since, until=until, where=where, ownership=ownership, overrides=overrides)
    found = analyse(known, traces=traces, declared=declared, params=params, keep_copies=keep_copies)
    summary = sl.summarize_incidents(found.alerts)
    path = sl.write_report(out, alerts=found.alerts, incidents=summary, production=found.production)
    typer.echo(str(path))


@app.command()
def bundle(
    history: HistoryPath,
    out: Annotated[Path, typer.Option(help="Directory to write the bundle to.")],
    since: Since = None,
    until: Until = None,
    where: Where = None,
    traces: Traces = None,
    declared: Declared = None,
    ownership: Ownership = None,
    overrides: Overrides = None,
    params: Params = None,
    keep_copies: KeepCopies = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a bundle that is there.")] = False,
) -> None:
    """Fit the models on a history and save them as a bundle: JSON and Parquet, no alert text."""
    known = read_known(history, since=since, until=until, where=where, ownership=ownership, overrides=overrides)
    found = analyse(known, traces=traces, declared=declared, params=params, keep_copies=keep_copies)
    path = sl.save_bundle(
        out, clusterer=found.clusterer, dependencies=found.model, production=found.production, overwrite=force
    )
    typer.echo(repr(sl.load_bundle(path)))


@app.command()
def simulate(
    directory: Annotated[Path, typer.Argument(help="Directory to write to.")],
    services: Annotated[int, typer.Option(min=6, help="Services in the production.")] = 40,
    teams: Annotated[int, typer.Option(min=1, help="Teams that own them.")] = 8,
    days: Annotated[int, typer.Option(min=1, help="Days of history.")] = 91,
    incidents: Annotated[int, typer.Option(min=0, help="Faults to inject.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="The same seed writes the same bytes.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace a former export.")] = False,
) -> None:
    """Write vendor-shaped exports, traces, a catalogue and the truth of a simulated production."""
    made = sl.simulate_production(services=services, teams=teams, days=days, incidents=incidents, random_state=seed)
    made.export(directory, overwrite=force)
    typer.echo(f"{len(made.alerts):,} alerts of {services} services over {days} days written to {directory}")


@app.command()
def demo() -> None:
    """Run the notebooks on the bundled history into build/demo and say what they found."""
    from stanza_lab.cli.demo import checkout, run

    run(checkout() / "build" / "demo")


@app.command()
def lab() -> None:
    """Open JupyterLab on the notebooks."""
    from stanza_lab.cli.demo import checkout

    raise typer.Exit(subprocess.call([sys.executable, "-m", "jupyterlab", str(checkout() / "notebooks")]))  # noqa: S603


def _warn(message: Warning | str, *_: object) -> None:
    say("warning", message, "yellow")


def main() -> None:
    """Run the command line; exit 0 done, 1 the data could not be used, 2 wrong usage."""
    warnings.showwarning = _warn  # type: ignore[assignment]
    try:
        app()
    except ParameterError as error:
        say("error", error, "red")
        sys.exit(2)
    except StanzaError as error:
        say("error", error, "red")
        sys.exit(1)
    except BrokenPipeError:  # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        say("error", f"{error.strerror}: {error.filename}" if error.filename else error, "red")
        sys.exit(1)
