"""How good the edges are, against a call graph that is known."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import average_precision_score

from stanza_lab import schema
from stanza_lab.errors import SchemaError

BUDGET = 1.2  # edges one may name, per true edge
BINS = 10  # of equal width, for the calibration error


def score_edges(
    edges: pd.DataFrame, *, call_graph: pd.DataFrame, services: Collection[str] | None = None
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

    Returns
    -------
    DataFrame
        Index `directed` (ordered pairs, by confidence) and `undirected` (by link_confidence). Columns: `auprc` (average
        precision) and `chance` (what guessing scores: the share of true pairs); `f1_at_budget`, `precision`, `recall`
        of the surest 1.2 pairs per true one (fewer when fewer have a confidence above 0); `best_f1` over all
        thresholds; `brier`; `ece` (expected calibration error, 10 bins); `pairs`; `true_edges`.

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
    apart = ~np.eye(len(names), dtype=bool)
    once = np.triu(apart)
    rows = {
        "directed": _score(truth[apart], sure[apart]),
        "undirected": _score(np.maximum(truth, truth.T)[once], np.maximum(link, link.T)[once]),
    }
    return pd.DataFrame.from_dict(rows, orient="index").astype({"pairs": "int64", "true_edges": "int64"})


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


def _matrix(
    names: pd.Index, rows: pd.Series, columns: pd.Series, values: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    matrix = np.zeros((len(names), len(names)))
    i, j = names.get_indexer(pd.Index(rows)), names.get_indexer(pd.Index(columns))
    known = (i >= 0) & (j >= 0)
    matrix[i[known], j[known]] = values[known]
    return matrix


def _score(real: npt.NDArray[np.float64], confidence: npt.NDArray[np.float64]) -> dict[str, float]:
    true_edges = int(real.sum())
    order = np.argsort(-confidence, kind="stable")
    hits = np.cumsum(real[order])
    named = np.arange(1, len(order) + 1)
    above = int((confidence > 0).sum())
    f1 = 2 * hits / (named + true_edges) if true_edges else np.zeros(len(order))
    budget = min(round(BUDGET * true_edges), above)
    found = float(hits[budget - 1]) if budget else 0.0
    bins = reliability(confidence, real)
    gap = (bins["confidence"] - bins["real"]).abs()
    return {
        "auprc": float(average_precision_score(real, confidence)) if true_edges else float("nan"),
        "chance": true_edges / len(real),
        "f1_at_budget": 2 * found / (budget + true_edges) if budget else 0.0,
        "precision": found / budget if budget else 0.0,
        "recall": found / true_edges if true_edges else float("nan"),
        "best_f1": float(f1[:above].max()) if above else 0.0,
        "brier": float(np.mean((confidence - real) ** 2)),
        "ece": float((gap * bins["pairs"]).sum() / len(real)),
        "pairs": len(real),
        "true_edges": true_edges,
    }
