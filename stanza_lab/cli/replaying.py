"""The verb `replay-alertmanager`: a history through a real Alertmanager on this machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

import stanza_lab as sl
from stanza_lab.cli.options import As, Limit, Out
from stanza_lab.cli.output import Format, emit, format_of, plain, stderr
from stanza_lab.cli.over_the_map import ReadIncidents, incident_verb


@incident_verb("replay-alertmanager")
def replay_alertmanager(
    read: ReadIncidents,
    config: Annotated[
        Path, typer.Option(help="Configuration of Alertmanager, as 'export ... alertmanager' writes it.")
    ],
    labels: Annotated[
        str | None, typer.Option(help="Which labels alerts carry: FIELD=LABEL, more after a comma; as at the export.")
    ] = None,
    binary: Annotated[str | None, typer.Option(help="The program; default: alertmanager on your path.")] = None,
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 40,
) -> None:
    """Send a history through a real Alertmanager: what its rules group and hide, beside what they predict."""
    format = format_of(format, out)  # noqa: A001
    from stanza_lab.artefacts.exports._labels import read_labels
    from stanza_lab.artefacts.replay.predicting import read_config

    read_config(config)  # before the history, which takes longer
    read_labels(labels)
    alerts = read().alerts
    found = sl.replay_alertmanager(alerts, config=config, labels=labels, binary=binary, progress=sys.stderr.isatty())
    shown = found.alerts
    if format is Format.table:
        for sentence in found.words:
            typer.echo(plain(sentence))
        shown = shown[shown["inhibited"] | ~shown["agrees"]][
            ["starts_at", "service", "alertname", "incident_id", "inhibited_by", "agrees"]
        ]
    for sentence in found.unseen:
        stderr.print(Text(plain(sentence)))
    title = f"{len(shown):,} alerts hidden, or not as predicted, times in UTC"
    emit(shown, format=format, out=out, title=title, limit=limit)
