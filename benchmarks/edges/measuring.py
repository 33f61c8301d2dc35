"""Run one method on one case: its scores, its time, its memory."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import inspect
import re
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

import stanza_lab as sl
from benchmarks.edges import baselines, peers
from benchmarks.edges.cases import Case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd


SURE = ("brier", "ece", "ece_said")  # only what is a probability has these
STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")

Row = dict[str, Any]


def methods(case: Case, *, python: Path | None, patient: bool = False) -> Iterator[tuple[str, Callable[[], Row]]]:
    """Yield every method that applies to a case, by name; call it to run it."""
    yield "stanza_lab", partial(_measured, case, partial(infer, case))
    if case.spans is not None:
        yield "stanza_lab + traces", partial(_measured, case, partial(_traced, case, case.spans))
    if case.given is not None and takes("required"):
        told = partial(_measured, case, partial(infer, case, required=case.given.to_numpy().tolist()), given=case.given)
        yield "stanza_lab + 20 % given", told
    yield "co-occurrence", partial(_measured, case, partial(baselines.co_occurrence, case), counted=True)
    yield "lagged Poisson", partial(_measured, case, partial(baselines.lagged_poisson, case), counted=True)
    for name, peer in (("PCMCI (tigramite)", peers.pcmci), ("TTPM (gcastle)", peers.ttpm)):
        if python is None:
            yield name, lambda: {"note": "not run: pass --peers PYTHON"}
        else:
            yield name, partial(_peer, case, partial(peer, case, python=python, limited=not patient))


def warm_up() -> None:
    """Learn something small, so that imports and compiling are not counted as learning."""
    alerts = sl.simulate_production(services=12, teams=3, days=30, incidents=60).alerts
    for node, place in (("service", None), ("rule_key", "service")):
        infer(Case(name="warm-up", alerts=alerts, call_graph=alerts, node=node, place=place))


def infer(case: Case, **parameters: Any) -> pd.DataFrame:
    """Return the edges of today's model; alarms are told their places when it can use them."""
    if case.place is not None and takes("place"):
        parameters |= {"place": case.place, "random_state": case.seed or 0}
    edges: pd.DataFrame = sl.DependencyModel(node=case.node, **parameters).fit(case.alerts).edges_
    return edges


def takes(parameter: str) -> bool:
    """Say whether today's model has this parameter."""
    return parameter in inspect.signature(sl.DependencyModel).parameters


def score(case: Case, edges: pd.DataFrame, *, given: pd.DataFrame | None = None, counted: bool = False) -> Row:
    """Score edges among the nodes that alert; numbers that are only counts have no calibration."""
    nodes = sorted(case.alerts[case.node].dropna().astype(str).unique())
    scores = sl.score_edges(edges, call_graph=case.call_graph, services=nodes, given=given, acyclic=case.acyclic)
    directed, undirected = scores.loc["directed"], scores.loc["undirected"]
    return {
        "auprc": directed["auprc"],
        "chance": directed["chance"],
        "auprc_und": undirected["auprc"],
        "chance_und": undirected["chance"],
        "f1": directed["f1_at_budget"],
        "f1_best": directed["best_f1"],
        "f1_und": undirected["f1_at_budget"],
        "orientation": directed["orientation"],
        **{name: float("nan") if counted else directed[name] for name in SURE},
        "ece_link": float("nan") if counted else undirected["ece"],
        "true_edges": directed["true_edges"],
    }


@contextlib.contextmanager
def watched() -> Iterator[Row]:
    """Yield a row that afterwards holds `seconds` and `peak_mb`: resident memory at its highest, above the start.

    Linux forgets the old peak when asked to; elsewhere memory is not measured. What was freed before is given back
    first, or it would be used again and seem to cost nothing.
    """
    row: Row = {"seconds": float("nan"), "peak_mb": float("nan")}
    known = RESET.exists()
    if known:
        gc.collect()
        pa.default_memory_pool().release_unused()
        ctypes.CDLL(None).malloc_trim(0)
        RESET.write_text("5", encoding="ascii")
        before = _status("VmRSS")
    began = time.perf_counter()
    yield row
    row["seconds"] = time.perf_counter() - began
    if known:
        row["peak_mb"] = _status("VmHWM") - before


def peak_mb() -> float:
    """Return the most memory this process ever held, or not a number where the system does not say."""
    return _status("VmHWM") if STATUS.exists() else float("nan")


def _measured(
    case: Case, find: Callable[[], pd.DataFrame], *, given: pd.DataFrame | None = None, counted: bool = False
) -> Row:
    with watched() as row:
        edges = find()
    return {**score(case, edges, given=given, counted=counted), **row}


def _peer(case: Case, run: Callable[[], peers.Ran]) -> Row:
    try:
        ran = run()
    except peers.NotRunError as error:
        return {"note": str(error)}
    return {**score(case, ran.edges, counted=True), "seconds": ran.seconds, "peak_mb": ran.peak_mb}


def _traced(case: Case, spans: pd.DataFrame) -> pd.DataFrame:
    laid: pd.DataFrame = sl.overlay_traces(infer(case), spans)
    return laid


def _status(key: str) -> float:
    found = re.search(rf"{key}:\s+(\d+) kB", STATUS.read_text(encoding="ascii"))
    return int(found[1]) / 1024 if found else float("nan")
