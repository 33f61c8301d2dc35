"""Accuracy of inferred edges on recordings and on simulated productions, beside other methods in the same run.

``python -m benchmarks.edges ../shared`` prints one row per set and method, the mean over seeds where a set has them.
``--quick`` takes few sets and no large ones; ``--noise`` and ``--scale`` are the tables of `noise` and `scale`.

Two published methods run in an interpreter of their own, for TTPM comes in a package of many heavy methods::

    uv venv peers && uv pip install --python peers/bin/python tigramite gcastle
    python -m benchmarks.edges ../shared --peers peers/bin/python

Where one would take too long the row says from where on, or ``--patient`` runs it all the same (hours). TTPM on
`gcastle_18V` and `petshop_low` takes many minutes: its results are kept under ``benchmarks/records`` and printed as
recorded; ``--record`` makes them again. TTPM's package imports torch for other methods; without it an empty module
stands in.

`f1` names 1.2 edges per true one, the surest (without circles on `gcastle_18V`); `f1_best` as many as score best,
which is all of them for a method that does not rank. A pair that was given is not judged. Numbers that only count have
no calibration; `ece_said` is the calibration error among pairs with a confidence of at least 0.1, `ece_link` that of
the link, whichever way. Memory is what a method held at its highest above what was resident before; of a peer, its
whole process.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from benchmarks.edges import cascades, records, sets
from benchmarks.edges.measuring import Row, methods, warm_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from benchmarks.edges.cases import Case

QUICK_SIZES = (20, 60)
COLUMNS = [
    "set",
    "method",
    "seeds",
    "true_edges",
    "auprc",
    "sd",
    "chance",
    "auprc_und",
    "chance_und",
    "f1",
    "f1_best",
    "f1_und",
    "orientation",
    "brier",
    "ece",
    "ece_said",
    "ece_link",
    "seconds",
    "peak_mb",
    "note",
]


def table(
    shared: Path,
    *,
    seeds: int = len(sets.SEEDS),
    python: Path | None = None,
    quick: bool = True,
    patient: bool = False,
    only: str = "",
) -> pd.DataFrame:
    """Return one row per set and method; `only` keeps the sets whose name contains it."""
    warm_up()
    found = run(cases(shared, seeds=seeds, quick=quick, only=only), python=python, patient=patient)
    return averaged(records.filled(found))


def cases(shared: Path, *, seeds: int, quick: bool, only: str = "") -> Iterator[Case]:
    """Yield the sets: recordings, simulated productions, plain cascades."""
    seen = range(sets.SEEDS.start, sets.SEEDS.start + seeds)
    if quick:
        some = sets.productions(seen, sizes=QUICK_SIZES, nuisances=sets.AT_EVERY_SIZE, only=only)
        plain = cascades.cases(seen, nuisances=sets.AT_EVERY_SIZE, only=only)
    else:
        some, plain = sets.productions(seen, only=only), cascades.cases(seen, only=only)
    for case in sets.recordings(shared):
        if only in case.name:  # what is drawn at random, where alarms have places, is drawn several times
            yield from ([case] if case.place is None else [replace(case, seed=seed) for seed in range(seeds)])
    yield from some
    yield from plain


def run(cases: Iterable[Case], *, python: Path | None, patient: bool = False) -> Iterator[Row]:
    """Yield a row per case and method that applies."""
    for case in cases:
        for method, measure in methods(case, python=python, patient=patient):
            row = measure()  # written down as it comes, for a run may be cut off
            told = ", ".join(f"{name} {row[name]:.3f}" for name in ("auprc", "auprc_und", "seconds") if name in row)
            sys.stderr.write(f"{case.name}, seed {case.seed}: {method}: {told}\n")
            yield {"set": case.name, "method": method, "seed": case.seed, **row}


def averaged(rows: Iterable[Row]) -> pd.DataFrame:
    """Return the mean over seeds, the number of them, and the standard deviation of the directed AUPRC."""
    every = pd.DataFrame(rows)
    keys = ["set", "method"]
    grouped = every.groupby(keys, sort=False)
    means = grouped.mean(numeric_only=True).drop(columns="seed", errors="ignore")
    found = means.assign(seeds=grouped.size(), sd=grouped["auprc"].std())
    if "note" in every:
        found["note"] = grouped["note"].first().fillna("")
    return found.reset_index().reindex(columns=COLUMNS)
