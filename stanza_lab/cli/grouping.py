"""The verbs about which alerts belong together: incidents, why, and what other rules would have done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import typer
from rich.text import Text

import stanza_lab as sl
from stanza_lab.cli import keeping, naming  # noqa: F401  (their verbs come first)
from stanza_lab.cli.options import As, HistoryPath, Limit, Out, Overrides, Ownership, Since, Until, Where, app
from stanza_lab.cli.output import Format, emit, format_of, plain, stderr
from stanza_lab.cli.reading import Calls, KeepCopies, Params, clusterer_for, read_known, without_copies
from stanza_lab.cli.reasons import show_alert, show_incident, show_rules
from stanza_lab.errors import ParameterError, SchemaError, StanzaError, UnknownNameError
from stanza_lab.incidents.rules.reading import default_rules
from stanza_lab.production import words

if TYPE_CHECKING:
    from collections.abc import Callable

_LEGEND = (
    "pages: alerts that are first of their group or on their own; fewer: share of the alerts that page nobody; recall: "
    "of the pairs of alerts that belong together, the share put together; precision: of the pairs put together, the "
    "share that belongs together; ari: agreement of the grouping, 1 the same, 0 by chance, over alerts of "
    "incidents and over all; splits, merges: real incidents in pieces, in one group with another; hides: alerts of "
    "real incidents none of whose alerts pages; sent: notifications, of rules that plan them"
)
_SHARES = ("fewer", "recall", "precision", "ari", "ari_all")


@app.command()
def incidents(
    history: HistoryPath,
    incident: Annotated[
        int | None, typer.Option(help="Only the alerts of this incident, each with the reason; -1: those in none.")
    ] = None,
    explain: Annotated[
        str | None,
        typer.Option(help="Why this alert is where it is: an alert_id, or the id of its event in its own system."),
    ] = None,
    rules: Annotated[bool, typer.Option("--rules", help="What was learned of each rule: chronic, telling ...")] = False,  # noqa: FBT002
    html: Annotated[
        Path | None,
        typer.Option(help="Write a picture: the incident (default: the largest), or with --explain the reason."),
    ] = None,
    params: Params = None,
    keep_copies: KeepCopies = False,  # noqa: FBT002
    since: Since = None,
    until: Until = None,
    where: Where = None,
    traces: Calls = None,
    ownership: Ownership = None,
    overrides: Overrides = None,
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 40,
) -> None:
    """Group alerts into incidents and list them, or say why alerts are where they are."""
    format = format_of(format, out)  # noqa: A001
    if sum((incident is not None, explain is not None, rules)) > 1:
        raise ParameterError("--incident, --explain and --rules are three views; pass one of them")
    if html and (rules or incident == sl.schema.NOISE):
        raise ParameterError("--html draws one incident or, with --explain, one reason; not what is in no incident")
    known = read_known(history, since=since, until=until, where=where, ownership=ownership, overrides=overrides)
    alerts = without_copies(known.alerts, keep=keep_copies)
    spans = sl.read_traces(traces) if traces else None
    with stderr.status(f"grouping {len(alerts):,} alerts"):
        clusterer = clusterer_for(alerts, params=params, spans=spans).fit(alerts)
    alerts = alerts.assign(incident_id=clusterer.labels_)
    if explain is not None:
        told = clusterer.explain(_alert(alerts, explain))
        if html:
            place = "on its own" if told.incident_id == sl.schema.NOISE else f"in incident {told.incident_id}"
            _picture(html, sl.plot.why_together(told.evidence), f"Why {told.alert_id} is {place}", told.evidence)
        show_alert(alerts, told, format=format, out=out)
        return
    if incident is not None:
        show_incident(alerts, clusterer, incident, format=format, out=out, limit=limit)
    elif rules:
        show_rules(alerts, clusterer, format=format, out=out, limit=limit)
    else:
        _list(alerts, format=format, out=out, limit=limit)
    if html:
        _draw(html, alerts, incident)


def _list(alerts: pd.DataFrame, *, format: Format, out: Path | None, limit: int) -> None:  # noqa: A002
    summary = sl.summarize_incidents(alerts)
    alone = int((alerts["incident_id"] == sl.schema.NOISE).sum())
    title = (
        f"{words.count(len(summary), 'incident')} of {words.count(len(alerts) - alone, 'alert')}; "
        f"{words.count(alone, 'alert')} on their own; times in UTC"
    )
    if format is Format.table:
        summary = summary.assign(spread=summary["spread_s"].map(words.span))
        summary = summary[["incident_id", "starts_at", "spread", "alerts", "severity", "first_service", "title"]]
    legend = (
        "spread: from the first to the last alert's start; first_service: fired first, which is a hint, no proof; "
        "--incident N lists its alerts and why they are in it"
    )
    emit(summary, format=format, out=out, title=title, limit=limit, spare=("severity", "first_service"), legend=legend)


def _alert(alerts: pd.DataFrame, name: str) -> str:
    """Return the id of the alert that is called so, here or in the system it came from."""
    if (alerts["alert_id"] == name).any():
        return name
    # One event can be told by several sources; the first alert that carries it is as good as any.
    mine = alerts[[name in events for events in alerts["event_ids"]]]
    if mine.empty:
        raise UnknownNameError(
            f"alert {name!r} is none of the {len(alerts):,} alerts that were grouped, by alert_id or event id; "
            "'stanza-lab incidents HISTORY --incident N' lists them; narrower --since, --until or --where, and "
            "copies, leave alerts out"
        )
    return str(mine["alert_id"].iloc[0])


def _draw(path: Path, alerts: pd.DataFrame, incident: int | None) -> None:
    """Write the lanes of an incident, by default of the largest, and its alerts below."""
    sizes = alerts.loc[alerts["incident_id"] != sl.schema.NOISE, "incident_id"].value_counts()
    if incident is None and len(sizes):
        incident = int(sizes.index[sizes == sizes.max()].min())
    figure = sl.plot.incident_swimlane(alerts, incident=incident)
    mine = alerts[alerts["incident_id"] == incident].sort_values(["starts_at", "alert_id"])
    table = mine[["alert_id", "starts_at", "ends_at", "severity", "service", "team", "alertname"]]
    _picture(path, figure, f"Incident {incident}" if len(mine) else "No incident", table)


def _picture(path: Path, figure: Any, title: str, table: pd.DataFrame) -> None:
    sl.write_figure(path, figure, title=title, table=table)
    stderr.print(Text(f"picture written to {path}"))


@app.command()
def backtest(
    history: HistoryPath,
    rules: Annotated[
        list[Path] | None,
        typer.Option(help="YAML file of rules, or an alertmanager.yml. Repeatable.", exists=True, dir_okay=False),
    ] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(
            help="One rule: gap:5min, group_by:alertname,service, attribute:service, similarity:0.8 or model. "
            "Repeatable. Default, without --rules: one of each."
        ),
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(
            help="Real incidents: CSV or Parquet with incident_id (empty: none) and alert_id or native_id.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Score only from this time on (UTC); what lies before is there to learn from.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Only alerts before this time (UTC).")] = None,
    where: Where = None,
    ownership: Ownership = None,
    overrides: Overrides = None,
    params: Annotated[
        Path | None,
        typer.Option(
            help="Try the model with these parameters too: what 'tune --out' wrote.", exists=True, dir_okay=False
        ),
    ] = None,
    traces: Calls = None,
    keep_copies: KeepCopies = False,  # noqa: FBT002
    format: As = None,  # noqa: A002
    out: Out = None,
) -> None:
    """Try grouping rules on a history: pages, and which incidents each would split, merge or hide."""
    format = format_of(format, out)  # noqa: A001
    groupers: dict[str, Any] | None = None
    if rules or rule:
        groupers = {}
        for path in rules or []:
            _add(groupers, sl.read_rules(path))
        _add(groupers, {text: text for text in rule or []})
    labels = None if truth is None else _labels(truth)
    known = read_known(history, until=until, where=where, ownership=ownership, overrides=overrides)
    alerts = without_copies(known.alerts, keep=keep_copies)
    if alerts.empty:
        raise StanzaError("without alerts there is nothing to try rules on; widen --until or --where")
    if params or traces:
        model = clusterer_for(alerts, params=params, spans=sl.read_traces(traces) if traces else None)
        groupers = default_rules(alerts) if groupers is None else groupers
        _add(groupers, {"tuned model" if params else "model with traces": model})
    with stderr.status(f"grouping {len(alerts):,} alerts"):
        found = sl.backtest_grouping(alerts, groupers, truth=labels, since=since, until=until)
    table = found.table
    if format is not Format.table:
        emit(table, format=format, out=out, title="")
        return
    shown = table.drop(columns="words").rename(
        columns={"compression": "fewer", "hidden_alerts": "hides", "notifications": "sent"}
    )
    shown = shown.drop(columns="hidden_incidents").dropna(axis="columns", how="all")
    as_text: Callable[[float], str] = lambda value: "" if value != value else f"{value:.2f}"  # noqa: E731
    for name in _SHARES:
        if name in shown.columns:
            shown[name] = shown[name].map(as_text)
    for name in ("splits", "merges", "hides", "sent"):
        if name in shown.columns:
            shown[name] = shown[name].astype("str").fillna("")
    many = f"{len(table):,} rule{'' if len(table) == 1 else 's'}"
    title = f"{many} over {int(table['alerts'].max()):,} alerts"
    emit(shown, format=format, out=out, title=title, limit=0, spare=("sent", "alone", "ari"), legend=_LEGEND)
    if out is None:
        for said in found.summary:
            typer.echo(f"* {plain(said)}")


def _add(groupers: dict[str, Any], more: dict[str, Any]) -> None:
    for name, grouper in more.items():
        if name in groupers:
            raise ParameterError(f"two rules are called {name!r}; rename one")
        groupers[name] = grouper


def _labels(path: Path) -> pd.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path).astype("str")
        return pd.read_csv(path, dtype="str")
    except (ValueError, pd.errors.ParserError) as error:
        raise SchemaError(f"--truth {path}: cannot be read as a table: {error}") from error
