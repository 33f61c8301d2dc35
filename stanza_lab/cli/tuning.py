"""The verb that tunes the grouping of alerts: search on the past, judge on what came after."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.text import Text

import stanza_lab as sl
from stanza_lab.cli.options import HistoryPath, Overrides, Ownership, Since, Traces, Until, Where, app
from stanza_lab.cli.output import Format, emit, plain, stderr
from stanza_lab.cli.reading import KeepCopies, clusterer_for, read_known, without_copies
from stanza_lab.errors import StanzaError
from stanza_lab.incidents.quality.labels import read_labels

_LEGEND = (
    "score: the objective; ari_incident, ari_all: adjusted Rand index over alerts of incidents, over all; recall, "
    "precision: of pairs of alerts; compression: 1 - (incidents + lone alerts) / alerts; ahead: how far the tuned "
    "model's score is ahead, 90 % of draws lie between; tuned_is: better or worse only where that says so"
)


@app.command()
def tune(
    history: HistoryPath,
    labels: Annotated[
        Path | None,
        typer.Option(help="CSV of alert_id (or native_id) and incident_id.", exists=True, dir_okay=False),
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="Trials the study has in the end. More: better, slower.")] = 50,
    storage: Annotated[Path | None, typer.Option(help="SQLite file to keep the study in; run again to go on.")] = None,
    objective: Annotated[str, typer.Option(help="Make large: auto, ari, validity, stability, traces, ...")] = "auto",
    jobs: Annotated[int | None, typer.Option(help="Folds judged at a time; -1 takes every core.")] = None,
    timeout: Annotated[str | None, typer.Option(help="Begin no trial later than this, for example 30min.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed proposes the same trials.")] = 0,
    out: Annotated[Path | None, typer.Option(help="YAML file to write the best parameters to.")] = None,
    since: Since = None,
    until: Until = None,
    where: Where = None,
    traces: Traces = None,
    ownership: Ownership = None,
    overrides: Overrides = None,
    keep_copies: KeepCopies = False,  # noqa: FBT002
) -> None:
    """Find the parameters that group alerts best, and say whether they beat the defaults on later alerts."""
    if out is not None and not out.absolute().parent.is_dir():  # before the work, not after it
        raise StanzaError(f"--out {out}: there is no folder {out.parent}; make it first")
    known = read_known(history, since=since, until=until, where=where, ownership=ownership, overrides=overrides)
    alerts = without_copies(known.alerts, keep=keep_copies)
    spans = sl.read_traces(traces) if traces else None
    if alerts.empty:
        raise StanzaError("without alerts there is nothing to tune on; widen --since, --until or --where")
    truth = None if labels is None else read_labels(labels, alerts=alerts)
    result = sl.tune(
        alerts,
        estimator=clusterer_for(alerts, params=None, spans=spans),
        truth=truth,
        traces=spans,
        objective=objective,
        n_trials=trials,
        storage=storage,
        n_jobs=jobs,
        timeout=timeout,
        random_state=seed,
        progress=stderr.is_terminal,
    )
    best = pd.DataFrame({"parameter": [*result.best_params], "best": [*map(plain, result.best_params.values())]})
    best = best.merge(result.importance, how="left", on="parameter")
    states = result.trials["state"].value_counts()
    counts = ", ".join(f"{count:,} {state}" for state, count in states.items())
    emit(best, format=Format.table, out=None, title=f"Best of {len(result.trials):,} trials ({counts})", limit=0)
    compared = result.comparison.assign(
        ahead=[
            "" if pd.isna(verdict) or pd.isna(low) else f"{low:.2f} to {high:.2f}"
            for low, high, verdict in zip(*(result.comparison[name] for name in _AHEAD), strict=True)
        ]
    )
    emit(
        compared[["method", *_SCORES, "ahead", "tuned_is"]].dropna(axis=1, how="all"), format=Format.table, out=None,
        title=f"On alerts no trial has seen; score: {result.objective}", limit=0, spare=("precision", "ari_incident"),
        legend=_LEGEND,
    )  # fmt: skip
    typer.echo(plain(result.words))
    if out is not None:
        stderr.print(Text(f"parameters written to {result.to_yaml(out)}"))


_AHEAD = ("ahead_low", "ahead_high", "tuned_is")
_SCORES = ("score", "ari_incident", "ari_all", "recall", "precision", "compression")
