"""How good the edges are, against a call graph that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import average_precision_score

from stanza_lab import schema
from stanza_lab.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Collection

BUDGET = 1.2  # edges one may name, per true edge
BINS = 10  # of equal width, for the calibration error
SAID = 0.1  # confidence from which the calibration error is also taken alone: most pairs are plainly nothing

Matrix = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_COUNTED = ["pairs", "true_edges"]


def score_edges(
    edges: pd.DataFrame,
    *,
    call_graph: pd.DataFrame,
    services: Collection[str] | None = None,
    given: pd.DataFrame | None = None,
    acyclic: bool = False,
) -> pd.DataFrame:
    """Score edges against a known call graph, with and without their direction.

    Parameters
    ----------
    edges : DataFrame
        `src`, `dst`, `confidence`, `link_confidence`. A pair without a row counts as confidence 0.
    call_graph : DataFrame
        `caller`, `callee`: the truth.
    services : collection of str, optional
        Names among which pairs are judged: pass all that alert at all, for silent services cannot be inferred. Default:
        the names in `edges`.
    given : DataFrame, optional
        `src`, `dst`: edges the method was told. These pairs are judged neither way, so that nobody is praised for
        repeating them.
    acyclic : bool, default False
        Spend the directed budget on the surest pairs that close no circle: for a truth that has none.

    Returns
    -------
    DataFrame
        Index `directed` (ordered pairs, by confidence) and `undirected` (by link_confidence). Columns: `auprc` (average
        precision) and `chance` (what guessing scores: the share of true pairs); `f1_at_budget`, `precision`, `recall`
        of the surest 1.2 pairs per true one (fewer when fewer have a confidence above 0); `best_f1` over all
        thresholds; `brier`; `ece` (expected calibration error, 10 bins); `ece_said` (the same among pairs with a
        confidence of at least 0.1; null without any); `orientation` (directed only: of the true one-way edges linked at
        all, the share that is surer the right way, a tie counting half; null without any); `pairs`; `true_edges`.

    Raises
    ------
    SchemaError
        A column is missing, or no pair can be judged.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> edges = pd.DataFrame(
    ...     {"src": ["web", "db"], "dst": ["db", "web"], "confidence": [0.6, 0.3], "link_confidence": [0.9, 0.9]}
    ... )
    >>> truth = pd.DataFrame({"caller": ["web"], "callee": ["db"]})
    >>> sl.score_edges(edges, call_graph=truth, services=["web", "db", "cache"])[["auprc", "chance", "true_edges"]]
                auprc    chance  true_edges
    directed      1.0  0.166667           1
    undirected    1.0  0.333333           1
    """
    edges = schema.check(edges, schema.EDGES, need=["src", "dst", "confidence", "link_confidence"])
    missing = [column for column in ("caller", "callee") if column not in call_graph.columns]
    if missing:
        raise SchemaError(f"call_graph: columns {missing} are missing; columns are {list(call_graph.columns)}")
    names = pd.Index(sorted(set(services) if services is not None else {*edges["src"], *edges["dst"]}))
    if len(names) < 2:
        raise SchemaError(f"{len(names)} services leave no pair to judge; pass services=, the names that alert at all")
    truth = _matrix(names, call_graph["caller"], call_graph["callee"], np.ones(len(call_graph)))
    sure = _matrix(names, edges["src"], edges["dst"], edges["confidence"].to_numpy())
    link = _matrix(names, edges["src"], edges["dst"], edges["link_confidence"].to_numpy())
    judged = ~np.eye(len(names), dtype=bool)
    if given is not None:
        told = _matrix(names, given["src"], given["dst"], np.ones(len(given))) > 0
        judged &= ~(told | told.T)
    once = np.triu(judged)
    either, linked = np.maximum(truth, truth.T), np.maximum(link, link.T)
    named = _acyclic(sure * judged, budget=_budget(truth[judged])) if acyclic else None
    rows = {
        "directed": _score(truth[judged], sure[judged], named=None if named is None else named[judged])
        | {"orientation": _orientation(truth * judged, sure)},
        "undirected": _score(either[once], linked[once]) | {"orientation": float("nan")},
    }
    columns = [*(c for c in rows["directed"] if c not in _COUNTED), *_COUNTED]
    return pd.DataFrame.from_dict(rows, orient="index")[columns].astype(dict.fromkeys(_COUNTED, "int64"))


def reliability(confidence: npt.ArrayLike, real: npt.ArrayLike) -> pd.DataFrame:
    """Compare confidence with frequency: one row per bin of confidence that holds a pair.

    Returns
    -------
    DataFrame
        Index: upper end of the bin. `pairs`, `confidence` (mean), `real` (share of the pairs that are).
    """
    table = pd.DataFrame({"confidence": np.asarray(confidence, float), "real": np.asarray(real, float)})
    upper = np.clip(np.ceil(table["confidence"] * BINS), 1, BINS) / BINS
    grouped = table.groupby(upper.rename("up to"))
    return grouped.mean().assign(pairs=grouped.size())[["pairs", "confidence", "real"]]


def _matrix(names: pd.Index, rows: pd.Series, columns: pd.Series, values: Matrix) -> Matrix:
    matrix = np.zeros((len(names), len(names)))
    i, j = names.get_indexer(pd.Index(rows)), names.get_indexer(pd.Index(columns))
    known = (i >= 0) & (j >= 0)
    matrix[i[known], j[known]] = values[known]
    return matrix


def _budget(real: Matrix) -> int:
    return round(BUDGET * int(real.sum()))


def _score(real: Matrix, confidence: Matrix, *, named: Mask | None = None) -> dict[str, Any]:
    """Score pairs; `named` are those that spend the budget, by default the surest."""
    true_edges = int(real.sum())
    order = np.argsort(-confidence, kind="stable")
    hits = np.cumsum(real[order])
    above = int((confidence > 0).sum())
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + true_edges) if true_edges else np.zeros(len(order))
    spent = min(_budget(real), above) if named is None else int(named.sum())
    found = float(real[order[:spent]].sum() if named is None else real[named].sum())
    said = confidence >= SAID
    return {
        "auprc": float(average_precision_score(real, confidence)) if true_edges else float("nan"),
        "chance": true_edges / len(real) if len(real) else float("nan"),
        "f1_at_budget": 2 * found / (spent + true_edges) if spent else 0.0,
        "precision": found / spent if spent else 0.0,
        "recall": found / true_edges if true_edges else float("nan"),
        "best_f1": float(f1[:above].max()) if above else 0.0,
        "brier": float(np.mean((confidence - real) ** 2)) if len(real) else float("nan"),
        "ece": _calibration_error(confidence, real),
        "ece_said": _calibration_error(confidence[said], real[said]),
        "pairs": len(real),
        "true_edges": true_edges,
    }


def _calibration_error(confidence: Matrix, real: Matrix) -> float:
    """Return how far confidence is from frequency, over bins weighted by their pairs."""
    if not len(real):
        return float("nan")
    bins = reliability(confidence, real)
    return float(((bins["confidence"] - bins["real"]).abs() * bins["pairs"]).sum() / len(real))


def _orientation(truth: Matrix, sure: Matrix) -> float:
    """Return the share of true one-way edges that are surer the right way, among those with any confidence."""
    one_way = (truth > 0) & (truth.T == 0) & (np.maximum(sure, sure.T) > 0)
    right = np.where(sure == sure.T, 0.5, sure > sure.T)[one_way]
    return float(right.mean()) if len(right) else float("nan")


def _acyclic(sure: Matrix, *, budget: int) -> Mask:
    """Take the surest pairs one by one, passing over each that would close a circle, until the budget is spent."""
    named = np.zeros(sure.shape, dtype=bool)
    reaches = np.eye(len(sure), dtype=bool)  # reaches[i, j]: a path of taken pairs leads from i to j
    order = np.argsort(-sure, axis=None, kind="stable")
    for i, j in zip(*np.unravel_index(order, sure.shape), strict=True):
        if budget <= named.sum() or not sure[i, j] > 0:
            break
        if reaches[j, i]:
            continue
        named[i, j] = True
        reaches |= np.outer(reaches[:, i], reaches[j])
    return named
