"""The verbs that keep a history: ingest, sql, verify, retain."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

import stanza_lab as sl
from stanza_lab.cli.options import As, HistoryPath, Limit, Out, Told, app
from stanza_lab.cli.output import Format, emit, emit_json, format_of, plain, stderr
from stanza_lab.errors import ParameterError, StanzaError


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
        int | None, typer.Option(help="Processes that read; -1 is all cores. Default: all cores above 32 MB, else 1.")
    ] = None,
    memory_limit: Annotated[
        str | None, typer.Option(metavar="SIZE", help="What reading may take in all, for example 2GB.")
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
