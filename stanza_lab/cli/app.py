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
from stanza_lab.cli import (  # noqa: F401  (their verbs come first)
    bundling,
    comparing,
    depending,
    exporting,
    mapping,
    mapping_in_time,
    objectives,
    on_call,
    recurring,
    replaying,
    reviewing,
    scoring,
)
from stanza_lab.cli.options import (
    As,
    Contributed,
    HistoryPath,
    Limit,
    Out,
    Overrides,
    Ownership,
    ProfileFile,
    Since,
    Until,
    Where,
    app,
)
from stanza_lab.cli.output import Format, emit, format_of, stderr
from stanza_lab.cli.over_the_map import Read, check_contributed, contributed_of, map_verb, on_map, profile_of
from stanza_lab.cli.reading import read_known, say
from stanza_lab.errors import ParameterError, StanzaError


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


@map_verb("report")
def report(
    read: Read,
    out: Annotated[Path, typer.Option(help="HTML file to write; opens offline.")],
    profile: ProfileFile = None,
    contributed: Contributed = None,
) -> None:
    """Write one offline HTML page: findings in words, the map team by team, front doors, figures, tables."""
    mine, told = profile_of(profile), contributed_of(contributed)
    found = read()
    check_contributed(told, found.production)
    mine = on_map(mine, found.production) if mine else None
    summary = sl.summarize_incidents(found.alerts)
    path = sl.write_report(
        out, alerts=found.alerts, incidents=summary, production=found.production, profile=mine, contributed=told
    )
    stderr.print(Text(f"{path.stat().st_size / 1e6:.1f} MB, with all it needs"))
    typer.echo(str(path))


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
