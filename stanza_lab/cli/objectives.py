"""The verb about promises: error budgets, burn rates, freeze or ship, and what alert rules would have found."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

import stanza_lab as sl
from stanza_lab.cli.map_views import picture
from stanza_lab.cli.options import As, HistoryPath, Limit, Out, Overrides, Ownership, Picture, Since, Until, Where, app
from stanza_lab.cli.output import Format, emit, format_of, plain, stderr
from stanza_lab.cli.reading import read_known, say, without_copies
from stanza_lab.errors import ParameterError
from stanza_lab.production import words
from stanza_lab.reliability.objectives.measured import percent

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.reliability.objectives import Reliability

_ASSUMED = 99.9  # percent, where nobody promised anything
_BRIEF = {
    "objectives": ("service", "name", "objective", "attained", "low", "high", "left", "burn_day", "seen"),
    "burn": ("service", "name", "window", "burn", "spent", "total", "seen", "judged"),
    "statements": ("service", "verdict", "sure"),
    "rules": ("rule", "kind", "alerts", "precision", "events", "recall", "detection_s", "reset_s"),
}  # fmt: skip


class View(StrEnum):
    """What is shown of how services kept their objectives."""

    statements = "statements"
    objectives = "objectives"
    burn = "burn"
    golden = "golden"
    rules = "rules"


@app.command()
def reliability(
    history: HistoryPath,
    indicators: Annotated[
        Path | None,
        typer.Option(
            help="Good and total counts, or latency histograms: CSV, Parquet or the JSON of a Prometheus query_range; "
            "file or folder. Default: time under alerts of error or worse, which is a proxy.",
            exists=True,
        ),
    ] = None,
    objectives: Annotated[
        Path | None,
        typer.Option(help="What was promised: the 'slos' of contributed YAML files; file or folder.", exists=True),
    ] = None,
    objective: Annotated[
        float | None,
        typer.Option(
            help="Percent of the time without a grave alert that is assumed where nobody promised anything.",
            show_default="99.9",
        ),
    ] = None,
    view: Annotated[
        View, typer.Option(help="Which table; rules: what alert rules would have found of what mattered.")
    ] = View.statements,
    at: Annotated[str | None, typer.Option(help="As it stood at this time (UTC). Default: the end.")] = None,
    tz: Annotated[str, typer.Option(help="Time zone in which times are said.")] = "UTC",
    prometheus: Annotated[
        Path | None, typer.Option(help="Write the objectives to this file as rules of Prometheus, with a test beside.")
    ] = None,
    html: Picture = None,
    since: Since = None,
    until: Until = None,
    where: Where = None,
    ownership: Ownership = None,
    overrides: Overrides = None,
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 40,
) -> None:
    """Say how services kept their promises: error budget, burn rate, freeze or ship."""
    format = format_of(format, out)  # noqa: A001
    if indicators and not objectives:
        raise ParameterError("--indicators needs --objectives: what was promised, as contributed files write it")
    if objective is not None and objectives:
        raise ParameterError("--objective is for where nobody promised anything; --objectives says what was promised")
    if prometheus and not objectives:
        raise ParameterError("--prometheus needs --objectives: what was promised")
    if view in (View.rules, View.golden) and not indicators:
        raise ParameterError(f"--view {view.value} needs --indicators: alerts alone do not say what really happened")
    promised = sl.read_objectives(objectives) if objectives else None
    known = read_known(history, since=since, until=until, where=where, ownership=ownership, overrides=overrides)
    alerts = without_copies(known.alerts, keep=False)
    table: pd.DataFrame | None = None
    if indicators and promised:
        with stderr.status(Text(f"reading {indicators}")):
            counts = sl.read_indicators(indicators)
        measured = sl.measure_objectives(counts, objectives=promised, alerts=alerts, at=at, tz=tz)
        if view is View.rules:
            table = sl.backtest_alert_rules(counts, objectives=promised, alerts=alerts).rules
    else:
        measured = sl.objectives_from_alerts(
            alerts, objectives=promised, objective=_ASSUMED if objective is None else objective, at=at, tz=tz
        )
    if prometheus and promised:
        for path in sl.write_prometheus_rules(prometheus, promised):
            stderr.print(Text(f"written: {path}"))
    if html:
        picture(html, sl.plot.error_budget(measured), "Error budgets", _nines(measured.objectives))
    _tell(measured, view, table, format=format, out=out, limit=limit)


def _tell(
    measured: Reliability,
    view: View,
    table: pd.DataFrame | None,
    *,
    format: Format,  # noqa: A002
    out: Path | None,
    limit: int,
) -> None:
    found: pd.DataFrame = getattr(measured, view.value) if table is None else table
    title = f"{view.value.capitalize()} at {measured.at:%Y-%m-%d %H:%M} UTC"
    shown = found
    if format is Format.table and view.value in _BRIEF:
        shown = _nines(found)[list(_BRIEF[view.value])]
    emit(shown, format=format, out=out, title=title, limit=limit)
    if format is Format.table and found.empty and out is None:
        typer.echo("none")
    if format is not Format.table:
        return
    sentences = found["words"].tolist() if "words" in found.columns else measured.words
    most = limit or len(sentences)
    for sentence in sentences[:most]:
        typer.echo(f"* {plain(sentence)}")
    if len(sentences) > most:
        typer.echo(f"and {words.count(len(sentences) - most, 'more sentence')}; --limit 0 says all")
    say("definition", measured.definition, "dim")
    for sentence in measured.unseen:
        stderr.print(Text(f"not seen: {plain(sentence)}", style="dim"))


def _nines(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with what was attained as people read it: nines are cut to three digits, never rounded up."""
    return table.assign(
        **{name: table[name].map(percent) for name in ("attained", "low", "high", "worst") if name in table}
    )
