"""Why alerts are in their incidents, as the terminal and files show it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import typer
from rich.text import Text

import stanza_lab as sl
from stanza_lab.cli.output import Format, emit, plain, stderr
from stanza_lab.errors import UnknownNameError
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.incidents.correlation.explanation import Explanation

_PARTS = 3  # of a distance, named in one line
_LEGEND = (
    "a distance is the time between two alerts, plus what pushes them apart, minus what draws them together; within "
    "the limit (max_gap) they can belong together"
)
_INCIDENT_LEGEND = (
    "why: distance to the nearest alert of the incident, then the time between the two and what weighs most: company: "
    "other rules fire around (-), crowd: a busy hour (+), chronic: their rules fire as by chance (+) or when things "
    "break (-), "
    "recurrence: the two rules came together before (-); --explain ALERT_ID says it all"
)


def show_incident(
    alerts: pd.DataFrame,
    clusterer: sl.IncidentClusterer,
    incident: int,
    *,
    format: Format,  # noqa: A002
    out: Path | None,
    limit: int,
) -> None:
    """Write the alerts of an incident, or with -1 those in none, each with the reason in one line."""
    mine = alerts[alerts["incident_id"] == incident].sort_values(["starts_at", "alert_id"], ignore_index=True)
    if mine.empty:
        last = int(alerts["incident_id"].max()) if len(alerts) else sl.schema.NOISE
        there = f"they are 0 to {last}" if last >= 0 else "there is none"
        raise UnknownNameError(
            f"incident {incident} not found; {there}, and -1 is alerts on their own; numbers change with the alerts "
            "that are grouped, so pass the --since, --until, --where and --params of the list you saw"
        )
    title = f"{words.count(len(mine), 'alert')} of incident {incident}; times in UTC"
    if incident == sl.schema.NOISE:
        title = f"{words.count(len(mine), 'alert')} on their own; times in UTC"
    # What a person reads is cut after `limit` rows: no need to explain the others.
    shown = mine.head(limit) if limit and out is None and format is Format.table else mine
    told = [clusterer.explain(str(alert_id)) for alert_id in shown["alert_id"]]
    shown = shown.assign(distance_s=[_distance(one) for one in told], why=[_line(one) for one in told])
    if format is not Format.table:
        emit(shown, format=format, out=out, title=title)
        return
    brief = shown[["alert_id", "starts_at", "service", "why", "alertname"]]
    brief = brief.assign(why=brief["why"].str.replace("the nearest alert is ", "nearest ", n=1, regex=False))
    legend = None if incident == sl.schema.NOISE else _INCIDENT_LEGEND
    emit(brief, format=format, out=out, title=title, limit=0, spare=("alertname", "starts_at"), legend=legend)
    if len(shown) < len(mine):
        stderr.print(Text(f"{len(mine) - len(shown):,} more; --limit 0 shows all", style="dim"))


def show_alert(
    alerts: pd.DataFrame,
    told: Explanation,
    *,
    format: Format,  # noqa: A002
    out: Path | None,
) -> None:
    """Write why an alert is where it is: for people all of it, as JSON too, as CSV and Parquet the evidence."""
    one = alerts[alerts["alert_id"] == told.alert_id].iloc[0]
    named = [plain(one[name]) for name in ("service", "alertname") if plain(one[name])]
    heading = f"{told.alert_id}, {plain(one['starts_at']) or 'no time'}: {': '.join(named) or 'no name'}"
    if format is Format.json:
        tables = {name: getattr(told, name).to_dict("records") for name in ("evidence", "neighbours", "what_if")}
        row = {"alert_id": told.alert_id, "incident_id": told.incident_id, "words": told.words}
        emit(pd.DataFrame([row | told.evidence.attrs | tables]), format=format, out=out, title=heading)
        return
    if format is not Format.table or out is not None:
        emit(told.evidence, format=format, out=out, title=f"{heading}. {told.words}")
        return
    typer.echo(heading)
    typer.echo(plain(told.words))
    if len(told.evidence):
        evidence = told.evidence.assign(adds=told.evidence["seconds"].map(_signed))[["what", "adds", "words"]]
        other = told.evidence["other"].iloc[0]
        distance = _span(_distance(told))
        emit(evidence, format=format, out=None, title=f"\nDistance to {other}: {distance}", limit=0, legend=_LEGEND)
    if len(told.neighbours):
        names = alerts.set_index("alert_id")["alertname"].astype("str")
        near = told.neighbours.assign(
            fired=told.neighbours["apart_s"].map(_when),
            away=told.neighbours["distance_s"].map(_span),
            alertname=told.neighbours["alert_id"].map(names),
        )
        near = near[["alert_id", "incident_id", "fired", "away", "service", "alertname"]]
        emit(near, format=format, out=None, title="\nNearest alerts", limit=0)
    if len(told.what_if):
        typer.echo("\nWhat would have moved it, all else equal")
        for change, incident in zip(told.what_if["change"], told.what_if["incident_id"], strict=True):
            alone = "on its own" if told.incident_id != sl.schema.NOISE else "in an incident with other lone alerts"
            typer.echo(f"* {plain(change)}: {alone if incident == sl.schema.NOISE else f'in incident {incident}'}")


def show_rules(
    alerts: pd.DataFrame,
    clusterer: sl.IncidentClusterer,
    *,
    format: Format,  # noqa: A002
    out: Path | None,
    limit: int,
) -> None:
    """Write what was learned of each rule: whether its alerts tell of an incident or fire all the time."""
    rules = clusterer.rules_
    habits = rules["habit"].astype("str").value_counts()
    title = f"{words.count(len(rules), 'rule')}: {', '.join(f'{count:,} {habit}' for habit, count in habits.items())}"
    if format is not Format.table:
        emit(rules, format=format, out=out, title=title)
        return
    keyed = alerts.assign(rule=alerts["rule_key"].astype("str").fillna(alerts["alertname"].astype("str")))
    first = keyed.drop_duplicates("rule").set_index("rule")
    brief = rules.assign(
        alone=[f"{share:.0%}" for share in rules["alone_share"]],
        service=rules["rule"].map(first["service"].astype("str")),
        alertname=rules["rule"].map(first["alertname"].astype("str")),
    )
    brief = brief[["habit", "alerts", "incidents", "alone", "per_day", "service", "alertname", "rule"]]
    legend = (
        "habit: chronic: fires as by chance, often; flapping: again and again within half an hour; periodic: at "
        "its hour of the day; telling: fires when others do; alone: share of its alerts in no incident"
    )
    emit(brief, format=format, out=out, title=title, limit=limit, spare=("rule", "per_day"), legend=legend)


def _line(told: Explanation) -> str:
    """Return the reason in one line: the time between the two, then the weightiest parts."""
    if told.incident_id == sl.schema.NOISE:
        return told.words.removeprefix(f"{told.alert_id} is on its own: ")
    time, parts = told.evidence.iloc[:1], told.evidence.iloc[1:]
    heavy = parts.reindex(parts["seconds"].abs().sort_values(ascending=False, kind="stable").index[:_PARTS])
    rest = [f"{what} {_signed(seconds)}" for what, seconds in zip(heavy["what"], heavy["seconds"], strict=True)]
    return f"{_span(_distance(told))}: {', '.join([*time['words'], *rest])}"


def _distance(told: Explanation) -> float:
    return float(told.evidence.attrs.get("distance_s", float("nan")))


def _span(seconds: float) -> str:
    """Return a length of time so exactly that parts add up before the reader's eyes."""
    seconds = abs(seconds)
    if seconds != seconds or seconds < 90 or seconds >= 5400:
        return "" if seconds != seconds else words.span(seconds)
    return f"{seconds / 60:.1f} min"


def _signed(seconds: float) -> str:
    return f"{'-' if seconds < 0 else '+'}{_span(seconds)}"


def _when(seconds: float) -> str:
    return f"{_span(seconds)} {'before' if seconds < 0 else 'after'}"
