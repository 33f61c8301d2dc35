"""Links: the unordered pairs of services behind the edges. Here it is said how sure a link is and which way it points.

Alerts tell that two services depend on each other much sooner than which way, so an edge table splits a pair into two
rows, each with its own `confidence`, and says with `link_confidence` how sure the pair is. A map shows pairs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stanza_lab import schema

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

COLUMNS = (*schema.EDGES.names, "back", "direction", "seen", "strength")
_KNOWN = 2.0  # times as likely as the other way, and a direction counts as known


def direction(forward: ArrayLike, back: ArrayLike) -> NDArray[np.str_]:
    """Return "forward", "back", "both" or "unknown", from the probability of each way.

    A way is known when it is at least twice as likely as the other; where each is likelier than not, both are.
    """
    there, other = np.asarray(forward, dtype=np.float64), np.asarray(back, dtype=np.float64)
    rules = [
        np.minimum(there, other) > 0.5,
        (there > other) & (there >= _KNOWN * other),
        (other > there) & (other >= _KNOWN * there),
    ]
    return np.select(rules, ["both", "forward", "back"], "unknown")


def link_confidence(edges: pd.DataFrame) -> pd.Series:
    """Return for each row the probability of a dependency in either direction: the larger one its pair states.

    Where a pair states none: 1 - (1 - c)(1 - c'), with c and c' its confidences, as if they were independent.
    """
    pair = _ends(edges)
    stated = edges["link_confidence"].groupby(pair).transform("max")
    known = edges["confidence"].groupby(pair)
    both = known.transform("prod").where(known.transform("count") == 2, 0.0)
    return stated.fillna((known.transform("sum") - both).where(known.transform("count") > 0))


def strength(edges: pd.DataFrame) -> pd.Series:
    """Return for each row how sure its link is: 1 when traced or declared (seen, not guessed), else link_confidence."""
    seen = _seen(edges).groupby(_ends(edges)).transform("any")
    return edges["link_confidence"].fillna(0.0).mask(seen, 1.0)


def of(edges: pd.DataFrame) -> pd.DataFrame:
    """Return one row per unordered pair, in its likeliest direction, the surest first; see `ProductionMap.links`."""
    edges = edges[edges["src"] != edges["dst"]]
    seen = _seen(edges)
    rows = edges.assign(seen=seen, strength=strength(edges), likely=edges["confidence"].fillna(0.0).mask(seen, 1.0))
    rows = rows.sort_values(["seen", "likely", "src", "dst"], ascending=[False, False, True, True])
    ends = pd.MultiIndex.from_arrays(_ends(rows))
    second = ends.duplicated()
    links = rows[~second]
    other = (
        rows[second]
        .set_index(ends[second])[["likely", "seen", "verdict"]]
        .reindex(ends[~second])
        .set_index(links.index)
    )
    implied = (links["link_confidence"].fillna(0.0) - links["likely"]).clip(lower=0.0).mask(links["seen"], 0.0)
    judged = links["verdict"].where(links["verdict"].notna(), other["verdict"])  # traces may judge one way only
    links = links.assign(back=other["likely"].fillna(implied), verdict=judged)
    told = links["seen"] & ~other["seen"].isin([True])  # null where the other way has no row
    way = np.where(told, "forward", direction(links["likely"], links["back"]))
    turned = way == "back"  # a pair with one row, of the way that is less likely: say it the likelier way round
    links = links.assign(
        src=links["src"].mask(turned, links["dst"]),
        dst=links["dst"].mask(turned, links["src"]),
        confidence=links["confidence"].mask(turned, links["back"]),
        back=links["back"].mask(turned, links["likely"]),
        lag_s=links["lag_s"].mask(turned, -links["lag_s"]),
        direction=np.where(turned, "forward", way),
    )
    order = ["strength", "link_confidence", "support", "src", "dst"]
    links = links.sort_values(order, ascending=[False, False, False, True, True], ignore_index=True)
    return links[list(COLUMNS)].astype({"direction": "str"})


def ways(links: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Return for each link how likely `src` depends on `dst`, and the other way; what was seen one way is only that."""
    told = links["seen"] & (links["direction"] == "forward")
    return links["confidence"].fillna(0.0).mask(links["seen"], 1.0), links["back"].mask(told, 0.0)


def _ends(edges: pd.DataFrame) -> list[NDArray[np.object_]]:
    """Return the two names of each row in alphabetical order: the same for both directions of a pair."""
    src, dst = edges["src"].to_numpy(object), edges["dst"].to_numpy(object)
    turned = src > dst
    return [np.where(turned, dst, src), np.where(turned, src, dst)]


def _seen(edges: pd.DataFrame) -> pd.Series:
    seen = [not {"traced", "declared"}.isdisjoint(kinds) for kinds in edges["provenance"]]
    return pd.Series(seen, edges.index, dtype=bool)
