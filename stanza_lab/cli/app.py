"""The verbs. Each reads, calls one or two functions of the package and prints; nothing is computed here."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from rich.text import Text

import stanza_lab as sl
from stanza_lab.cli.output import Format, emit, emit_json, format_of, plain, stderr
from stanza_lab.errors import ParameterError, StanzaError
from stanza_lab.production import Direction, words

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(
    name="stanza-lab",
    help="Alert exports in, a map of production out: what belongs together, what depends on what, how sure we are.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    add_completion=False,
)

HistoryPath = Annotated[Path, typer.Argument(metavar="HISTORY", help="History directory made by 'stanza-lab ingest'.")]
Since = Annotated[str | None, typer.Option(help="Only alerts from this time on, for example 2026-07-01 (UTC).")]
Until = Annotated[str | None, typer.Option(help="Only alerts before this time (UTC).")]
Where = Annotated[str | None, typer.Option(help="SQL condition over the alerts, for example \"service = 'checkout'\".")]
Ownership = Annotated[
    list[Path] | None,
    typer.Option(
        help="Who owns what: Backstage, CODEOWNERS, PagerDuty, Datadog or CSV; a file or a folder of them. Repeatable.",
        exists=True,
    ),
]
Traces = Annotated[
    Path | None,
    typer.Option(
        help="Traces to lay over the inferred edges: OTLP as JSON or protobuf, Jaeger, Zipkin; a file or a folder.",
        exists=True,
    ),
]
Min = Annotated[float, typer.Option("--min-confidence", min=0, max=1, help="Leave out edges below this probability.")]
Least = Annotated[
    float | None,
    typer.Option(
        "--min-confidence",
        min=0,
        max=1,
        help="Leave out links below this probability of a dependency, whichever way. Default: 0.5; less where few are.",
    ),
]
As = Annotated[
    Format | None, typer.Option("--format", help="How to write it. Default: what --out FILE ends in, else a table.")
]
Out = Annotated[Path | None, typer.Option(help="Write the result to this file instead of the terminal.")]
Limit = Annotated[int, typer.Option(min=0, help="Rows the readable table shows; 0 shows all.")]


class Told(StrEnum):
    """How a report leaves the program."""

    table = "table"
    json = "json"


class Known(NamedTuple):
    """What was asked for, and the catalogue it was resolved with."""

    alerts: pd.DataFrame
    owners: pd.DataFrame | None


class Analysis(NamedTuple):
    """What the verbs after ingest work on."""

    alerts: pd.DataFrame
    clusterer: sl.IncidentClusterer
    model: sl.DependencyModel
    edges: pd.DataFrame
    production: sl.ProductionMap


def _alerts(
    history: Path, since: str | None, until: str | None, where: str | None, ownership: list[Path] | None
) -> Known:
    with stderr.status(Text(f"reading the alerts of {history}")):
        known = sl.History(history).alerts()
        owners = sl.read_ownership(ownership) if ownership else None
        alerts = sl.resolve_entities(known, catalog=owners)
        # After names are resolved: people filter by what they see.
        alerts = sl.select_alerts(alerts, since=since, until=until, where=where)
    if alerts.empty:
        when = known["starts_at"].dropna()
        span = f"{when.min():%Y-%m-%d %H:%M} to {when.max():%Y-%m-%d %H:%M} UTC" if len(when) else "no time at all"
        _say("warning", f"none of the {len(known):,} alerts matches; the history covers {span}", "yellow")
    return Known(alerts, owners)


def _analyse(known: Known, traces: Path | None) -> Analysis:
    alerts, owners = known
    if alerts.empty:
        raise StanzaError("without alerts there is nothing to show; widen --since, --until or --where")
    with stderr.status(f"grouping {len(alerts):,} alerts"):
        clusterer = sl.IncidentClusterer().fit(alerts)
    alerts = alerts.assign(incident_id=clusterer.labels_)
    with stderr.status(f"inferring dependencies from {len(alerts):,} alerts"):
        model = sl.DependencyModel().fit(alerts)
    edges = sl.overlay_traces(model.edges_, sl.read_traces(traces)) if traces else model.edges_
    return Analysis(alerts, clusterer, model, edges, sl.ProductionMap(edges, alerts, ownership=owners))


_WAYS = {"forward": "->", "both": "<->", "unknown": "--"}
_LINK_SPARE = ("verdict", "lag_s", "lift", "support")
_LINK_LEGEND = (
    "->: src depends on dst, --: direction not known; linked: probability of a dependency either way; confidence: that "
    "src depends on dst; support: times both fired together; lift: times more than by chance; lag_s: median seconds "
    "from dst's alert to src's, negative when src fired first; known_from inferred: from alerts alone"
)


def _brief(links: pd.DataFrame) -> pd.DataFrame:
    """Return what a reader takes in at once of links; files keep all columns."""
    brief = links.assign(
        way=links["direction"].map(_WAYS),
        linked=links["link_confidence"].map(words.probability),
        confidence=links["confidence"].map(words.probability),
        known_from=links["provenance"],
    )
    columns = ["src", "way", "dst", "linked", "confidence", "known_from", "support", "lift", "lag_s", "verdict"]
    return brief[columns]


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    if version:
        typer.echo(f"stanza-lab {sl.__version__}")
        raise typer.Exit


@app.command()
def ingest(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...", help="Exports: files, folders, patterns, archives, packed files; '-' is standard input."
        ),
    ],
    history: Annotated[Path, typer.Option(help="History directory to add to; made when it is not there.")],
    source: Annotated[str, typer.Option(help="System the exports come from; 'auto' looks at each record.")] = "auto",
    tz: Annotated[str | None, typer.Option(help="Zone of times that state none, for example Europe/Berlin.")] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(metavar="THEIRS=OURS", help="What a column of a table means, as startsAt=starts_at. Repeatable."),
    ] = None,
    dayfirst: Annotated[
        bool | None,
        typer.Option("--dayfirst/--monthfirst", help="How 05/06/2024 in a table is read. Default: by the other dates."),
    ] = None,
    keep_personal_data: Annotated[
        bool,
        typer.Option("--keep-personal-data", help="Keep secrets, e-mail addresses and names of people as they came."),
    ] = False,
    redact_ips: Annotated[bool, typer.Option("--redact-ips", help="Replace IP addresses too.")] = False,
    pseudonym_key_file: Annotated[
        Path | None,
        typer.Option(
            help="File whose content makes the pseudonyms; the same for all ingests of a history.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(help="Processes that read; -1 is all cores. Default: all cores above 64 MB, else 1.")
    ] = None,
    memory_limit: Annotated[
        str | None, typer.Option(metavar="SIZE", help="What all processes may take, for example 2GB.")
    ] = None,
    show_rejected: Annotated[
        bool, typer.Option("--show-rejected", help="List every record that was rejected.")
    ] = False,
    format: Annotated[Told, typer.Option("--format", help="How to print the report.")] = Told.table,  # noqa: A002
) -> None:
    """Read alert exports into a history. Reading the same files again adds nothing.

    Reads what Alertmanager, AWS (CloudWatch, EventBridge, SNS, Health), Azure Monitor, Datadog, Elastic, Google Cloud
    Monitoring, Grafana, Honeycomb, New Relic, Opsgenie, PagerDuty, Prometheus, Sentry, ServiceNow, Slack and Splunk
    export, send or answer; tables (CSV, Parquet, Arrow, flat JSON) of any origin; error logs (JSON lines, OTLP).
    Secrets, e-mail addresses and names of people are replaced before anything is kept. Traces are given to the verbs
    that use them.
    """
    report = sl.History(history).ingest(
        paths,
        source=source,
        tz=tz,
        columns=_pairs(columns),
        dayfirst=dayfirst,
        keep_personal_data=keep_personal_data,
        redact_ips=redact_ips,
        pseudonym_key=_key(pseudonym_key_file),
        n_jobs=_jobs(paths, history) if jobs is None else jobs,
        memory_limit=memory_limit,
        progress=sys.stderr.isatty(),
    )
    if format is Told.json:
        with stderr.status("folding the events into alerts"):
            told = report.to_dict()
        emit_json(told)
    else:
        typer.echo("\n".join(plain(line) for line in report.sums().splitlines()))
        with stderr.status("folding the events into alerts"):
            line = report.alerts()
        typer.echo(line)
        if show_rejected and len(report.rejected):
            rejected = report.rejected.drop(columns="raw")
            title = f"{len(rejected):,} rejected records"
            emit(rejected, format=Format.table, out=None, title=title, limit=0)
    if report.events + report.duplicates == 0:
        raise StanzaError(
            f"nothing could be used of {', '.join(paths)}; "
            f"--show-rejected lists why, 'stanza-lab ingest --help' names what can be read"
        )


def _pairs(columns: list[str] | None) -> dict[str, str] | None:
    """Return their columns and ours; a name of theirs may hold '='."""
    if not columns:
        return None
    pairs = [pair.rpartition("=")[::2] for pair in columns]
    for pair, (theirs, ours) in zip(columns, pairs, strict=True):
        if not theirs or not ours:
            raise ParameterError(f"--columns {pair}: pass their column and ours, as startsAt=starts_at")
    return dict(pairs)


def _key(file: Path | None) -> str | None:
    """Return the key in a file, without the end of its line."""
    if file is None:
        return None
    try:
        key = file.read_bytes().decode().strip("\r\n")
    except UnicodeDecodeError:
        key = ""
    if not key:
        raise ParameterError(f"--pseudonym-key-file {file} holds no text; make one with: openssl rand -hex 32 > {file}")
    return key


def _jobs(paths: list[str], history: Path) -> int:
    """Return all cores when there is much to read: processes take a second to start."""
    from stanza_lab.history.pieces import SIZE
    from stanza_lab.loaders import files

    return -1 if sum(path.stat().st_size for path in files(paths, history) if path.is_file()) > SIZE else 1


@app.command()
def sql(
    history: HistoryPath,
    query: Annotated[str, typer.Argument(metavar="QUERY", help="One SELECT; '-' reads it from standard input.")],
    memory_limit: Annotated[
        str | None, typer.Option(metavar="SIZE", help="What the query may take, for example 1GB.")
    ] = None,
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 40,
) -> None:
    """Ask a history in SQL (DuckDB): tables events, alerts, rejected, files; nothing is changed by it.

    For example: stanza-lab sql history/ "select service, count(*) from alerts where severity >= 'error' group by all"
    """
    format = format_of(format, out)  # noqa: A001
    with stderr.status(Text(f"asking {history}")):
        text = sys.stdin.read() if query == "-" else query
        found = sl.History(history).sql(text, memory_limit=memory_limit)
    emit(found, format=format, out=out, title=f"{len(found):,} row{'s' * (len(found) != 1)}, times in UTC", limit=limit)


@app.command()
def verify(
    history: HistoryPath,
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 40,
) -> None:
    """Check a history against its manifest: every part hashed and counted again, every fact counted again.

    Exit 1 when something of the history itself is wrong; export files that changed or are gone are only told.
    """
    format = format_of(format, out)  # noqa: A001
    found = sl.History(history).verify(progress=sys.stderr.isatty())
    exports = found["kind"] == "export file"
    wrong = found[(found["state"] != "ok") & ~exports]
    title = f"{int((~exports).sum()):,} checks of {history}: {len(wrong):,} wrong"
    if gone := int((found["state"][exports] != "ok").sum()):
        title += f"; {gone:,} of {int(exports.sum()):,} export files changed or are no longer there"
    shown = found.loc[(found["state"] == "ok").sort_values(kind="stable").index]  # what is not ok comes first
    emit(shown if format is Format.table else found, format=format, out=out, title=title, limit=limit)
    if len(wrong):
        item, state, message = wrong[["item", "state", "message"]].iloc[0]
        raise StanzaError(f"{history} is not what its manifest says; first of {len(wrong)}: {item} {state}: {message}")


@app.command()
def retain(
    history: HistoryPath,
    since: Annotated[str, typer.Option(help="Remove alerts that ended before this time, as 2026-01-01 (UTC).")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be removed.")] = False,
    format: Annotated[Told, typer.Option("--format", help="How to print the report.")] = Told.table,  # noqa: A002
) -> None:
    """Remove what ended before a time from a history; it does not come back when old exports are read again.

    Alerts that were still going on then stay whole.
    """
    with stderr.status(Text(f"looking for what ended before {since}")):
        report = sl.History(history).retain(since, dry_run=dry_run)
    if format is Told.json:
        emit_json(report.to_dict())
    else:
        typer.echo("\n".join(plain(line) for line in str(report).splitlines()))


@app.command()
def alerts(
    history: HistoryPath,
    since: Since = None,
    until: Until = None,
    where: Where = None,
    ownership: Ownership = None,
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 40,
) -> None:
    """List the alerts of a history, services and teams resolved."""
    format = format_of(format, out)  # noqa: A001
    found = _alerts(history, since, until, where, ownership).alerts
    if format is Format.table:
        found = found[["starts_at", "ends_at", "source", "severity", "service", "team", "alertname", "summary"]]
    spare = ("summary", "ends_at", "source", "team", "severity")
    emit(found, format=format, out=out, title=f"{len(found):,} alerts, times in UTC", limit=limit, spare=spare)


@app.command()
def incidents(
    history: HistoryPath,
    since: Since = None,
    until: Until = None,
    where: Where = None,
    ownership: Ownership = None,
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 40,
) -> None:
    """Group alerts into incidents and list them."""
    format = format_of(format, out)  # noqa: A001
    found = sl.cluster_incidents(_alerts(history, since, until, where, ownership).alerts)
    summary = sl.summarize_incidents(found)
    alone = int((found["incident_id"] == sl.schema.NOISE).sum())
    title = f"{len(summary):,} incidents of {len(found) - alone:,} alerts; {alone:,} alerts on their own; times in UTC"
    if format is Format.table:
        summary = summary.assign(spread=summary["spread_s"].map(words.span))
        summary = summary[["incident_id", "starts_at", "spread", "alerts", "severity", "first_service", "title"]]
    legend = "spread: from the first to the last alert's start; first_service: fired first, which is a hint, no proof"
    spare = ("severity", "first_service")
    emit(summary, format=format, out=out, title=title, limit=limit, spare=spare, legend=legend)


@app.command()
def dependencies(
    history: HistoryPath,
    since: Since = None,
    until: Until = None,
    where: Where = None,
    traces: Traces = None,
    ownership: Ownership = None,
    min_confidence: Min = 0.5,
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 40,
) -> None:
    """Infer which service depends on which, with the confidence and the evidence.

    The table has a row per pair; files have a row per direction of each pair.
    """
    format = format_of(format, out)  # noqa: A001
    found = _analyse(_alerts(history, since, until, where, ownership), traces)
    links = found.production.links
    sure = links["strength"] >= min_confidence
    title = (
        f"{int(sure.sum()):,} dependencies of probability {min_confidence:g} or more among "
        f"{len(found.production.services):,} services; {int((~sure).sum()):,} weaker ones left out"
    )
    if not sure.any() and len(links):
        title += (
            f", the surest has {words.probability(float(links['strength'].max()))}: lower --min-confidence to see it"
        )
    if format is Format.table:
        emit(
            _brief(links[sure]),
            format=format,
            out=out,
            title=title,
            limit=limit,
            spare=_LINK_SPARE,
            legend=_LINK_LEGEND,
        )
    else:
        told = {*zip(links["src"][sure], links["dst"][sure], strict=True)}
        ends = zip(found.edges["src"], found.edges["dst"], strict=True)
        edges = found.edges[[(src, dst) in told or (dst, src) in told for src, dst in ends]]
        emit(edges, format=format, out=out, title=title)


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
    ownership: Ownership = None,
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
    production = _analyse(_alerts(history, since, until, where, ownership), traces).production
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
    emit(_brief(links), format=format, out=out, title=title, limit=limit, spare=_LINK_SPARE, legend=_LINK_LEGEND)
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
    ownership: Ownership = None,
) -> None:
    """Write one offline HTML page: findings in words, figures, tables."""
    found = _analyse(_alerts(history, since, until, where, ownership), traces)
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
    ownership: Ownership = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a bundle that is there.")] = False,
) -> None:
    """Fit the models on a history and save them as a bundle: JSON and Parquet, no alert text."""
    found = _analyse(_alerts(history, since, until, where, ownership), traces)
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


def _say(kind: str, message: object, style: str) -> None:
    """Print one line to standard error; messages carry file names and other untrusted text."""
    stderr.print(Text(f"{kind}: {plain(str(message))}", style=style))


def _warn(message: Warning | str, *_: object) -> None:
    _say("warning", message, "yellow")


def main() -> None:
    """Run the command line; exit 0 done, 1 the data could not be used, 2 wrong usage."""
    warnings.showwarning = _warn  # type: ignore[assignment]
    try:
        app()
    except ParameterError as error:
        _say("error", error, "red")
        sys.exit(2)
    except StanzaError as error:
        _say("error", error, "red")
        sys.exit(1)
    except BrokenPipeError:  # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        _say("error", f"{error.strerror}: {error.filename}" if error.filename else error, "red")
        sys.exit(1)
