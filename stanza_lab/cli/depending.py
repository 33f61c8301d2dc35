"""The verb about what depends on what: the edges, why one is believed, what nobody knew, how trouble travels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NamedTuple

import pandas as pd
import typer

import stanza_lab as sl
from stanza_lab.cli.analysing import fitted, overlaid, usable
from stanza_lab.cli.dependency_views import (
    Shown,
    otherwise_known,
    say_known,
    show_links,
    show_propagation,
    show_reason,
    show_unknown,
)
from stanza_lab.cli.options import (
    As,
    Declared,
    HistoryPath,
    Limit,
    Min,
    Out,
    Overrides,
    Ownership,
    Since,
    Traces,
    Until,
    Where,
    app,
)
from stanza_lab.cli.output import format_of
from stanza_lab.cli.reading import KeepCopies, read_known, say
from stanza_lab.errors import ParameterError, SchemaError, StanzaError, UnknownNameError


@app.command()
def dependencies(
    history: HistoryPath,
    explain: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="SRC DST", help="Say what speaks for and against SRC depending on DST, alerts alone."),
    ] = None,
    unknown: Annotated[
        bool, typer.Option("--unknown", help="Only what alerts alone tell of, the surest first, with the reason.")
    ] = False,
    propagation: Annotated[
        bool,
        typer.Option("--propagation", help="Which kinds of alerts on a callee lead to which on its callers, and when."),
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option(help="With --explain or --propagation: write the picture to this file; opens offline."),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", help="As it was known then, by the days that had begun: 2026-08-01 (UTC)."),
    ] = None,
    node: Annotated[
        str | None,
        typer.Option(help="Column whose values depend on each other. Default: service; with --place, alertname."),
    ] = None,
    place: Annotated[
        str | None,
        typer.Option(help="Column of places: alarms count as together only at one place or at near ones."),
    ] = None,
    topology: Annotated[
        Path | None,
        typer.Option(help="With --place: CSV of near places, columns src and dst.", exists=True, dir_okay=False),
    ] = None,
    traces: Traces = None,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="First correct all confidences by the pairs that --traces can judge.")
    ] = False,
    declared: Declared = None,
    keep_copies: KeepCopies = False,
    since: Since = None,
    until: Until = None,
    where: Where = None,
    ownership: Ownership = None,
    overrides: Overrides = None,
    min_confidence: Min = 0.5,
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 40,
) -> None:
    """Infer which service depends on which, with the confidence and the evidence.

    The table has a row per pair; files have a row per direction of each pair. With --place, the traces and declarations
    of services say, beside --topology, which places are near.
    """
    format = format_of(format, out)  # noqa: A001
    asked = _Asked(node or ("alertname" if place else "service"), place)
    if sum((explain is not None, unknown, propagation)) > 1:
        raise ParameterError("--explain, --unknown and --propagation are three views; pass one of them")
    if html and explain is None and not propagation:
        raise ParameterError("--html draws one reason or how trouble travels; add --explain SRC DST or --propagation")
    if explain is not None and calibrate:
        raise ParameterError(
            "--explain tells what alerts say, which --calibrate does not change; leave one of them out"
        )
    if propagation and as_of:
        raise ParameterError("--propagation reads the alerts themselves; pass --until instead of --as-of")
    asked.check(
        traces=traces is not None, declared=bool(declared), topology=topology is not None, calibrate=calibrate,
        of_edges=unknown or propagation,
    )  # fmt: skip
    known = read_known(history, since=since, until=until, where=where, ownership=ownership, overrides=overrides)
    alerts = usable(known, keep_copies=keep_copies)
    spans = sl.read_traces(traces) if traces else None
    near = asked.near(topology, declared=declared, spans=spans)
    model = fitted(asked.model(alerts, near), alerts)
    if as_of is not None:
        model = _back_then(model, as_of, alerts)
        spans = None if spans is None else spans[spans["starts_at"] < pd.to_datetime(as_of, utc=True)]
    edges = model.edges_
    if place is None:
        edges = _corrected(edges, spans) if calibrate and spans is not None else edges
        edges = overlaid(edges, declared=declared, spans=None)
        say_known(edges, declared=bool(declared), spans=spans)
        edges = overlaid(edges, declared=None, spans=spans)
    shown = Shown(format, out, limit, min_confidence, html)
    if explain is not None:
        show_reason(model.explain(*explain), otherwise_known(*explain, edges), shown)
    elif unknown:
        show_unknown(sl.unknown_dependencies(edges, spans=spans, alerts=alerts, min_confidence=min_confidence), shown)
    elif propagation:
        show_propagation(sl.infer_propagation(alerts, edges, node=asked.node, min_confidence=min_confidence), shown)
    else:
        names = {*model.nodes_.index, *edges["src"], *edges["dst"]}
        show_links(edges, f"{len(names):,} {asked.plural}{f' as of {as_of}' if as_of else ''}", shown)


def _back_then(model: sl.DependencyModel, as_of: str, alerts: pd.DataFrame) -> sl.DependencyModel:
    then = model.as_of(as_of)
    if then.nodes_.empty:
        first = alerts["starts_at"].min()
        raise StanzaError(f"--as-of {as_of}: nothing had fired by then; the first alert is of {first:%Y-%m-%d} (UTC)")
    return then


class _Asked(NamedTuple):
    """Between what dependencies are asked for."""

    node: str
    place: str | None

    @property
    def plural(self) -> str:
        return "services" if self.node == "service" else f"values of {self.node}"

    def check(self, *, traces: bool, declared: bool, topology: bool, calibrate: bool, of_edges: bool) -> None:
        """Raise where options do not go together, before anything is read."""
        if topology and self.place is None:
            raise ParameterError("--topology says which places are near; add --place COLUMN")
        if calibrate and not traces:
            raise ParameterError("--calibrate learns from traces; add --traces PATH")
        if self.place == self.node:
            raise ParameterError(f"--place {self.place} is --node, too; pass the kind of alarm as --node alertname")
        if self.place is not None and (calibrate or of_edges):
            raise ParameterError(
                "--calibrate, --unknown and --propagation are about services that call each other; leave --place out"
            )
        of_services = (self.node if self.place is None else self.place) == "service"
        if (traces or declared) and not of_services:
            raise ParameterError(
                "--traces and --declared name services; leave out --node, or pass --place service"
                if self.place is None
                else "--traces and --declared name services; pass --place service, or --topology FILE of the places"
            )

    def near(
        self, topology: Path | None, *, declared: list[Path] | None, spans: pd.DataFrame | None
    ) -> pd.DataFrame | None:
        """Return which places are near by all that was passed."""
        if self.place is None:
            return None
        tables = [] if topology is None else [_ends(topology)]
        tables += [sl.read_declared_edges(declared)] if declared else []
        tables += [] if spans is None else [sl.call_edges(spans)]
        return pd.concat([table[["src", "dst"]] for table in tables], ignore_index=True) if tables else None

    def model(self, alerts: pd.DataFrame, near: pd.DataFrame | None) -> sl.DependencyModel:
        for name in (self.node, self.place):
            if name is not None and name not in alerts.columns:
                raise UnknownNameError.among("column", name, map(str, alerts.columns))
        return sl.DependencyModel(node=self.node, place=self.place, topology=near)


def _ends(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype="str")
    except (ValueError, pd.errors.ParserError) as error:
        raise SchemaError(f"--topology {path}: cannot be read as a table: {error}") from error
    if missing := [name for name in ("src", "dst") if name not in table.columns]:
        raise SchemaError(f"--topology {path}: columns {missing} are missing; columns are {[*table.columns][:20]}")
    return table


def _corrected(edges: pd.DataFrame, spans: pd.DataFrame) -> pd.DataFrame:
    calibrator = sl.EdgeCalibrator().fit(edges, spans)
    for sentence in calibrator.report_.summary:
        say("calibration", sentence, "dim")
    return calibrator.transform(edges)
