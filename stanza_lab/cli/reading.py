"""What the verbs that group alerts do first: read a history, resolve names, leave copies out, take settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from rich.text import Text

import stanza_lab as sl
from stanza_lab.cli.output import plain, stderr
from stanza_lab.production import words

if TYPE_CHECKING:
    import pandas as pd

Params = Annotated[
    Path | None,
    typer.Option(
        help="Group with these parameters: what 'stanza-lab tune --out' wrote. Default: as the package ships.",
        exists=True,
        dir_okay=False,
    ),
]
KeepCopies = Annotated[
    bool,
    typer.Option(
        "--keep-copies",
        help="Group copies too: pages and chat messages about alerts of a system that was read as well. With them an "
        "alert and its page look like an incident.",
    ),
]
Calls = Annotated[
    Path | None,
    typer.Option(
        "--traces",
        help="Traces: alerts of services that call each other are nearer. OTLP as JSON or protobuf, Jaeger, Zipkin; "
        "file or folder.",
        exists=True,
    ),
]


class Known(NamedTuple):
    """What was asked for, the catalogue and the overrides it was resolved with, and where it came from."""

    alerts: pd.DataFrame
    owners: pd.DataFrame | None
    history: sl.History
    overrides: Path | None = None


def read_known(
    history: Path,
    *,
    since: str | None = None,
    until: str | None = None,
    where: str | None = None,
    ownership: list[Path] | None = None,
    overrides: Path | None = None,
) -> Known:
    """Read alerts with names resolved, chosen by what they are resolved to; warn when there is none."""
    with stderr.status(Text(f"reading the alerts of {history}")):
        known = sl.History(history).alerts()
        owners = sl.read_ownership(ownership) if ownership else None
        alerts = sl.resolve_entities(known, catalog=owners, overrides=overrides)
        # After names are resolved: people filter by what they see.
        alerts = sl.select_alerts(alerts, since=since, until=until, where=where)
    if alerts.empty:
        when = known["starts_at"].dropna()
        span = f"{when.min():%Y-%m-%d %H:%M} to {when.max():%Y-%m-%d %H:%M} UTC" if len(when) else "no time at all"
        say("warning", f"none of the {len(known):,} alerts matches; the history covers {span}", "yellow")
    return Known(alerts, owners, sl.History(history), overrides)


def without_copies(alerts: pd.DataFrame, *, keep: bool) -> pd.DataFrame:
    """Leave out what only tells of an alert that is here as well, and say how many; with `keep`, nothing."""
    copies = alerts["origin"].isin(alerts["source"].dropna().unique())
    if keep or not copies.any():
        return alerts
    by = alerts.loc[copies, "source"].astype("str").value_counts()
    told = ", ".join(f"{count:,} of {source}" for source, count in by.items())
    say("left out", f"{told}: copies of alerts that are here as well (--keep-copies keeps them)", "dim")
    return alerts[~copies].reset_index(drop=True)


def clusterer_for(alerts: pd.DataFrame, *, params: Path | None, spans: pd.DataFrame | None) -> sl.IncidentClusterer:
    """Return the clusterer, not fitted, with the parameters of a file and the calls that traces show."""
    settings = sl.read_params(params) if params else {}
    if spans is None:
        return sl.IncidentClusterer(**settings)
    calls = sl.call_edges(spans)
    services = set(alerts["service"].dropna().astype("str"))
    if not (calls["src"].isin(services) & calls["dst"].isin(services)).any():
        shown = words.count(len(calls), "pair")
        say("warning", f"the traces show calls of {shown} of services, none between services of the alerts", "yellow")
    return sl.IncidentClusterer(**settings | {"edges": calls})


def say(kind: str, message: object, style: str) -> None:
    """Print to standard error, a line per problem; messages carry file names and other untrusted text."""
    for i, line in enumerate(str(message).splitlines() or [""]):
        stderr.print(Text(f"{'  ' if i else f'{kind}: '}{plain(line)}", style=style))
