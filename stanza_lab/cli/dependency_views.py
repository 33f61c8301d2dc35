"""How what is known of dependencies looks: links, what nobody knew, how trouble travels, why one is believed."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import typer
from rich.text import Text

import stanza_lab as sl
from stanza_lab.cli.analysing import LINK_LEGEND, LINK_SPARE, WAYS, brief
from stanza_lab.cli.output import Format, emit, plain, stderr
from stanza_lab.cli.reading import say
from stanza_lab.production import words

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from stanza_lab.dependencies import Explanation

_SURE = 0.05  # q-value up to which a kind is said to be followed by another
_UNKNOWN_LEGEND = (
    "linked: probability of a dependency either way; confidence: that src depends on dst; support: times both fired "
    "together; lift: times more than by chance; reason: why traces may not show it"
)
_PROPAGATION_LEGEND = (
    "followed: firings of the callee's kind after which the caller's kind fired, of all; probability: share beyond "
    "chance (95 % interval); lag: median, quarter to quarter; unlinked: share on services that have no edge with the "
    "callee, at the same time"
)
_SHARES_LEGEND = (
    "log odds: what each piece of evidence adds to those of a link, from the prior to link_confidence; 0.7 doubles the "
    "odds, 2.3 makes them tenfold; share: of all that is added or taken away"
)
_SENTENCES = 12  # said below a table, unless --limit 0 asks for all
_RECENT = 8  # co-firings shown to people; files hold all the model still has


class Shown(NamedTuple):
    """How the answer leaves the program."""

    format: Format
    out: Path | None
    limit: int
    least: float
    html: Path | None


def say_known(edges: pd.DataFrame, *, declared: bool, spans: pd.DataFrame | None) -> None:
    """Tell what declarations say of the edges, and what traces, not laid over them yet, can say."""
    if declared:
        stated = edges[["declared" in known for known in edges["provenance"]]]
        both = int((stated["support"] > 0).sum())
        many = words.count(len(stated), "dependency")
        say("declared", f"{many}; alerts of both ends of {both:,} fired together", "dim")
    if spans is not None:
        for sentence in sl.trace_coverage(edges, spans).summary:
            say("traces", sentence, "dim")


def otherwise_known(src: str, dst: str, edges: pd.DataFrame) -> str:
    """Return what is known of a pair beside alerts, in a sentence; nothing where that is nothing."""
    pair = edges[edges["src"].isin([src, dst]) & edges["dst"].isin([src, dst])]
    alone = [set(known) <= {"inferred"} for known in pair["provenance"]]
    if all(alone) and pair["verdict"].isna().all():
        return ""
    return sl.ProductionMap(pair).explain(src, dst)


def show_links(edges: pd.DataFrame, among: str, shown: Shown) -> None:
    """Write what depends on what: for people a row per pair, else one per direction."""
    links = sl.ProductionMap(edges).links
    sure = links["strength"] >= shown.least
    title = (
        f"{int(sure.sum()):,} dependencies of probability {shown.least:g} or more among {among}; "
        f"{int((~sure).sum()):,} weaker ones left out"
    )
    if not sure.any() and len(links):
        surest = words.probability(float(links["strength"].max()))
        title += f", the surest has {surest}: lower --min-confidence to see it"
    if shown.format is Format.table:
        table = brief(links[sure])
        emit(table, format=shown.format, out=shown.out, title=title, limit=shown.limit, spare=LINK_SPARE,
             legend=LINK_LEGEND)  # fmt: skip
        return
    told = {*zip(links["src"][sure], links["dst"][sure], strict=True)}
    ends = zip(edges["src"], edges["dst"], strict=True)
    emit(
        edges[[(src, dst) in told or (dst, src) in told for src, dst in ends]],
        format=shown.format,
        out=shown.out,
        title=title,
    )


def show_unknown(found: pd.DataFrame, shown: Shown) -> None:
    """Write what alerts alone tell of, and for people a sentence on each."""
    number = words.count(len(found), "dependency")
    title = f"{number} of probability {shown.least:g} or more that neither traces nor declarations tell of"
    if shown.format is not Format.table:
        emit(found, format=shown.format, out=shown.out, title=title)
        return
    table = found.assign(
        way=found["directed"].map({True: WAYS["forward"], False: WAYS["unknown"]}),
        linked=found["link_confidence"].map(words.probability),
        confidence=found["confidence"].map(words.probability),
    )
    table = table[["rank", "src", "way", "dst", "linked", "confidence", "support", "lift", "lag_s", "reason"]]
    spare = ("lag_s", "lift", "support")
    emit(table, format=shown.format, out=shown.out, title=title, limit=shown.limit, spare=spare, legend=_UNKNOWN_LEGEND)
    _sentences(found["words"], shown)


def show_propagation(found: pd.DataFrame, shown: Shown) -> None:
    """Write which kinds of alerts lead to which, and for people a sentence on each that does."""
    sure = (found["q_value"] <= _SURE) & found["probability"].notna()
    pairs = f"{int(sure.sum()):,} of {words.count(len(found), 'pair')} of kinds"
    title = f"{pairs}: one on a callee leads to the other on its callers"
    if found.empty:
        title = (
            f"no two kinds of alerts fired on both ends of a dependency of confidence {shown.least:g} or more; lower "
            "--min-confidence, or add --traces or --declared, which tell the direction"
        )
    if shown.html:
        write_picture(shown.html, sl.plot.propagation(found), "What trouble on a callee leads to", found)
    if shown.format is not Format.table:
        emit(found, format=shown.format, out=shown.out, title=title)
        return
    numbers = zip(*(found[name] for name in ("probability", "low", "high")), strict=True)
    lags = zip(*(found[name] for name in ("lag_s", "lag_low_s", "lag_high_s")), strict=True)
    counts = zip(found["followed"], found["callee_firings"], strict=True)
    table = pd.DataFrame(
        {
            "callee": found["callee_kind"],
            "caller": found["caller_kind"],
            "edges": found["edges"],
            "followed": [f"{some:,} of {whole:,}" for some, whole in counts],
            "probability": [f"{p:.0%} ({low:.0%} to {high:.0%})" if p == p else "" for p, low, high in numbers],
            "lag": [f"{words.span(m)} ({words.span(a)} to {words.span(b)})" if m == m else "" for m, a, b in lags],
            "unlinked": [f"{share:.0%}" if share == share else "" for share in found["unlinked"]],
            "q": [words.rate(q) if q == q else "" for q in found["q_value"]],
        }
    )
    spare = ("unlinked", "edges", "q")
    emit(
        table, format=shown.format, out=shown.out, title=title, limit=shown.limit, spare=spare,
        legend=_PROPAGATION_LEGEND,
    )  # fmt: skip
    _sentences(found.loc[sure, "words"], shown)


def _sentences(sentences: pd.Series, shown: Shown) -> None:
    """Say on the terminal what the first rows of a table say; files say it of all."""
    if shown.out is None:
        for sentence in sentences.head(min(shown.limit, _SENTENCES)) if shown.limit else sentences:
            typer.echo(f"* {plain(sentence)}")


def write_picture(path: Path, figure: go.Figure, title: str, table: pd.DataFrame) -> None:
    """Write a figure with its table below, and say where."""
    sl.write_figure(path, figure, title=title, table=table)
    stderr.print(Text(f"picture written to {path}"))


def show_reason(told: Explanation, otherwise: str, shown: Shown) -> None:
    """Write why one service may depend on another: for people all of it, as JSON too, as CSV and Parquet the shares.

    `otherwise` says what is known of the two beside alerts.
    """
    if shown.html:
        title = f"Why {told.src} may depend on {told.dst}"
        write_picture(shown.html, sl.plot.why_dependency(told), title, told.shares)
    heading, *reasons = str(told).splitlines()
    if shown.format is Format.json:
        tables = {
            name: getattr(told, name).to_dict("records") for name in ("shares", "ways", "lags", "occasions_table")
        }
        numbers = {field.name: getattr(told, field.name) for field in fields(told) if field.name not in tables}
        spoken = {name: list(numbers[name]) for name in ("reasons_for", "reasons_against")}
        row = numbers | spoken | {"otherwise": otherwise} | tables
        emit(pd.DataFrame([row]), format=shown.format, out=shown.out, title=heading)
        return
    if shown.format is not Format.table or shown.out is not None:
        emit(told.shares, format=shown.format, out=shown.out, title=" ".join([heading, otherwise]).strip())
        return
    for line in (heading, *reasons):
        typer.echo(plain(line))
    if otherwise:
        typer.echo(f"\nWith traces and declarations: {plain(otherwise)}")
    for table, title, legend in (
        (told.shares, "What makes the two linked, or not", _SHARES_LEGEND),
        (told.ways, f"What makes it {told.src} that depends on {told.dst}, or the other way round", None),
    ):
        if len(table):
            shares = table.assign(
                adds=[f"{value:+.2f}" for value in table["log_odds"]],
                share=["" if value != value else f"{value:.0%}" for value in table["share"]],
            )
            shares = shares[["source", "adds", "share", "says"]].rename(columns={"adds": "log odds"})
            emit(shares, format=shown.format, out=None, title=f"\n{title}", limit=0, legend=legend)
    if len(told.occasions_table):
        last = told.occasions_table.head(_RECENT)
        last = last.assign(fired=[_order(told, lag_s) for lag_s in last["lag_s"]])
        table = last[["at", "fired", "src_alert", "dst_alert"]]
        title = f"\nLast of the co-firings that the model still holds ({len(told.occasions_table):,}); times in UTC"
        emit(table, format=shown.format, out=None, title=title, limit=0)


def _order(told: Explanation, lag_s: float) -> str:
    """Say which of the two fired how long before the other."""
    if not lag_s:
        return "both at once"
    first, second = (told.dst, told.src) if lag_s > 0 else (told.src, told.dst)
    return f"{first} {words.span(lag_s)} before {second}"
