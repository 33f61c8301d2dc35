"""What the verbs over the map show people: fewer columns than files carry, and sentences below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import typer
from rich.text import Text

import stanza_lab as sl
from stanza_lab.cli.output import Format, emit, plain, stderr
from stanza_lab.production import words

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import plotly.graph_objects as go

    from stanza_lab.production import ProductionMap

_SENTENCES = 8  # said below a table


def answers(
    found: pd.DataFrame,
    brief: Callable[[pd.DataFrame], pd.DataFrame],
    *,
    title: str,
    format: Format,  # noqa: A002
    out: Path | None,
    limit: int,
) -> None:
    """Write a table of answers; for people a `brief` one, with what is said of all above and of each below."""
    if format is not Format.table or out is not None:
        emit(found, format=format, out=out, title=title)
        return
    emit(brief(found), format=format, out=None, title=title, limit=limit)
    say(found["words"], limit=limit)
    for sentence in found.attrs.get("words", ()):
        stderr.print(Text(plain(sentence), style="dim"))


def say(sentences: pd.Series, *, limit: int = _SENTENCES) -> None:
    """Say on the terminal what the first rows of a table say."""
    for sentence in sentences.head(min(limit, _SENTENCES) if limit else len(sentences)):
        typer.echo(f"* {plain(sentence)}")


def gaps(production: ProductionMap) -> None:
    """Say what could not be seen."""
    for gap in production.unseen["words"]:
        stderr.print(Text(f"not seen: {plain(gap)}", style="dim"))


def picture(path: Path, figure: go.Figure, title: str, table: pd.DataFrame | None) -> None:
    """Write a figure with its table below, and say where."""
    sl.write_figure(path, figure, title=title, table=table)
    stderr.print(Text(f"picture written to {path}"))


def proposals(found: pd.DataFrame) -> pd.DataFrame:
    """Return what is proposed to somebody who looks for their place."""
    return found.assign(
        probability=found["probability"].map(words.probability),
        why=[reasons[0] if reasons else "" for reasons in found["reasons"]],
    )[["service", "team", "probability", "why"]]


def pager_load(found: pd.DataFrame) -> pd.DataFrame:
    """Return pages by week."""
    weeks = found.assign(week=[f"{week:%Y-%m-%d}" for week in found["week"]])
    return weeks.drop(columns=["off_hours_share", "chronic_share"])


def ways(found: pd.DataFrame) -> pd.DataFrame:
    """Return paths between two services."""
    return found.assign(
        path=[" - ".join(services) for services in found["services"]],
        confidence=found["confidence"].map(words.probability),
        weakest_confidence=found["weakest_confidence"].map(words.probability),
    )[["rank", "path", "hops", "confidence", "weakest", "weakest_confidence"]]


def hits(found: pd.DataFrame) -> pd.DataFrame:
    """Return who is hit."""
    bounds = zip(*(found[name].map(words.probability) for name in ("hit", "low", "high")), strict=True)
    return pd.DataFrame(
        {
            "service": found["service"],
            "team": found["team"],
            "hops": found["hops"],
            "hit": [f"{hit} ({low} to {high})" for hit, low, high in bounds],
            "depends": found["depends"].map(words.probability),
            "lag": ["" if lag != lag else f"{words.span(lag)}{' before' if lag < 0 else ''}" for lag in found["lag_s"]],
            "followed": [f"{n:,} of {of:,}" for n, of in zip(found["followed"], found["firings"], strict=True)],
            "known from": found["basis"],
        }
    )


def awake(found: pd.DataFrame) -> pd.DataFrame:
    """Return whom to wake."""
    told = found.assign(probability=found["probability"].map(words.probability))
    return told[["rank", "team", "probability", "wake", "on_call", "suspects"]]


def turns(found: pd.DataFrame) -> pd.DataFrame:
    """Return what changed on the map."""
    link = (found["src"] + " - " + found["dst"]).fillna("")
    return found.assign(
        what=found["what"].astype("str"),
        where=found["service"].fillna(link),
        before=found["before"].map(words.probability),
        after=found["after"].map(words.probability),
    )[["what", "where", "before", "after", "at"]]


def course(found: pd.DataFrame) -> pd.DataFrame:
    """Return an incident step by step, a row where the state of a service changed or more of its alerts were on."""
    now = found[["state", "alerts"]].astype({"state": "str"})
    before = now.groupby(found["service"].astype("str")).shift()
    changed = (now["state"] != before["state"]) | (now["alerts"] > before["alerts"])
    began = found.assign(time=[f"{at:%H:%M:%S}" for at in found["at"]])[changed]
    return began[["time", "service", "state", "alerts", "severity", "title"]]
