"""Declared dependencies laid over edges: documents are evidence, and go stale."""

from __future__ import annotations

from os import PathLike

import pandas as pd

from stanza_lab import schema
from stanza_lab.dependencies.overlay import evidence
from stanza_lab.dependencies.overlay.catalogue import declared_pairs, read_declared_edges

# What is assumed of catalogues: a real dependency is declared in half of all cases, one that is not (any more, or
# never was) in 0.25 %. So of declared pairs of which nothing else is known, about four in five are real.
LISTED = 0.5
STALE = 0.0025


def overlay_catalog(edges: pd.DataFrame, declared: pd.DataFrame | str | PathLike[str]) -> pd.DataFrame:
    """Lay declared dependencies over edges: raise the confidence of those that are there, and add the others.

    A declared edge is evidence, never certainty: Bayes' rule updates `confidence` by how much more often a real
    dependency is declared than one that is not. That something is not declared says nothing: few catalogues are
    complete.

    Parameters
    ----------
    edges : DataFrame
        `schema.EDGES`, such as ``DependencyModel().fit(alerts).edges_``.
    declared : DataFrame or path
        `src`, `dst` (or `caller`, `callee`): src depends on dst; or files for `read_declared_edges`. Names that differ
        from those of the edges in case or separators are theirs.

    Returns
    -------
    DataFrame
        `schema.EDGES`, sorted by confidence (falling), src, dst: `provenance` has "declared" where it is, pairs that
        alerts never showed are added with support 0. `link_confidence` never falls. Verdicts stay: lay the catalogue
        first and the traces after, and these judge what was declared too.

    Raises
    ------
    SchemaError
        A column is missing, or a file is no catalogue.

    Notes
    -----
    A real dependency is assumed to be declared in 50 % of cases, one that is not real in 0.25 % (it was removed, or
    planned, or a mistake): a factor of 200 on the odds. A pair of which nothing else is known so rises from 0.02 to
    0.80, one of confidence 0.5 to 0.995. An edge that is declared already is left as it is, so that laying the same
    catalogue over again changes nothing.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> from stanza_lab import schema
    >>> edge = {"src": "web", "dst": "db", "confidence": 0.4, "link_confidence": 0.8, "support": 5}
    >>> edges = schema.build([edge | {"provenance": ["inferred"]}], schema.EDGES)
    >>> declared = pd.DataFrame({"src": ["web", "web"], "dst": ["db", "cache"]})
    >>> sl.overlay_catalog(edges, declared)[["src", "dst", "confidence", "provenance"]].round(2)
       src    dst  confidence            provenance
    0  web     db        0.99  [declared, inferred]
    1  web  cache        0.80            [declared]
    """
    edges = schema.check(edges, schema.EDGES)
    known = declared_pairs(declared) if isinstance(declared, pd.DataFrame) else read_declared_edges(declared)
    pairs = evidence.spelled_like(known[["src", "dst"]], edges)
    rows = evidence.with_pairs(edges, pairs)
    stated = evidence.among(rows, pairs)
    new = stated & ~evidence.says(rows["provenance"], "declared")
    prior = rows["confidence"].clip(lower=evidence.UNINFERRED)
    raised = evidence.update(prior, pd.Series(LISTED / STALE, rows.index))
    rows = rows.assign(
        confidence=rows["confidence"].where(~new, raised),
        provenance=pd.Series(evidence.told(rows["provenance"], "declared", stated), index=rows.index, dtype=object),
    )
    return evidence.settle(rows, new, at_least=rows["link_confidence"])
