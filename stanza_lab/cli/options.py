"""The program, and the options that several verbs share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from stanza_lab.cli.output import Format

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
Overrides = Annotated[
    Path | None,
    typer.Option(
        help="YAML file of what people say about names: which are one service, which are not; it always wins.",
        exists=True,
        dir_okay=False,
    ),
]
Traces = Annotated[
    Path | None,
    typer.Option(
        help="Traces to compare with what the alerts tell: OTLP as JSON or protobuf, Jaeger, Zipkin; file or folder.",
        exists=True,
    ),
]
Declared = Annotated[
    list[Path] | None,
    typer.Option(
        help="Dependencies that people wrote down: CSV (src,dst or service,depends_on), Backstage, Datadog; file or "
        "folder. Repeatable.",
        exists=True,
    ),
]
ProfileFile = Annotated[
    Path | None,
    typer.Option(
        "--profile",
        help="What is yours, as 'stanza-lab onboard --save' wrote it: the view then starts from there.",
        exists=True,
        dir_okay=False,
    ),
]
Contributed = Annotated[
    Path | None,
    typer.Option(
        help="What teams wrote about their services: runbooks, diagnostics, mitigations, SLOs; YAML file or folder.",
        exists=True,
    ),
]
Picture = Annotated[Path | None, typer.Option("--html", help="Write the picture to this file; opens offline.")]
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
