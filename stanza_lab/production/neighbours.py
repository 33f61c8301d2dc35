"""Who is near on the map: hops from a service, clusters, and the clusters over the border."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd

from stanza_lab.production import words

ALONE = "no team, no edges"
USUAL = 0.3  # confidence from which an edge is worth a look, where enough edges reach it


def strength(edges: pd.DataFrame) -> pd.Series:
    """Return how sure each edge is: 1 when traced or declared (seen, not guessed), else its confidence."""
    seen = np.array([not {"traced", "declared"}.isdisjoint(kinds) for kinds in edges["provenance"]], dtype=bool)
    return edges["confidence"].fillna(0.0).mask(seen, 1.0)


def usual(edges: pd.DataFrame, *, least: int) -> float:
    """Return `USUAL`, or where fewer than `least` edges reach it the confidence of so many of the surest."""
    ranked = strength(edges).sort_values(ascending=False).head(least)
    return USUAL if ranked.empty else min(USUAL, float(np.floor(ranked.iloc[-1] * 100) / 100))


def hops_from(graph: nx.DiGraph[str], service: str, *, hops: int, direction: str) -> dict[str, int]:
    """Return service -> hops away, for all within `hops` of `service`."""
    walked: nx.Graph[str] = graph
    if direction != "downstream":
        walked = graph.reverse(copy=False) if direction == "upstream" else graph.to_undirected(as_view=True)
    return dict(nx.single_source_shortest_path_length(walked, service, cutoff=hops))


def clusters(services: pd.DataFrame, edges: pd.DataFrame) -> pd.Series:
    """Return service -> cluster: its team; where unknown, the community of the graph it sits in.

    Communities are Louvain's over the undirected graph, edges weighted by `strength`; each is called after its
    best connected service without a team, as in "around orders-db".
    """
    named = services.set_index("service")["team"].astype(object)
    unknown = set(named.index[named.isna()])
    if not unknown:
        return named.astype("str")
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(named.index)
    edges = edges.sort_values(["src", "dst"])  # whatever the order of rows, the same communities
    for src, dst, weight in zip(edges["src"], edges["dst"], strength(edges), strict=True):
        graph.add_edge(src, dst, weight=max(weight, graph.get_edge_data(src, dst, {"weight": 1e-6})["weight"]))
    linked = graph.subgraph(name for name in named.index if graph.degree(name))
    for community in nx.community.louvain_communities(linked, weight="weight", seed=0):
        members = sorted(community & unknown)
        if members:
            centre = max(members, key=lambda name: graph.degree(name, weight="weight"))
            named[members] = f"around {centre}"
    return named.fillna(ALONE).astype("str")


def border(edges: pd.DataFrame, inside: set[str], cluster_of: pd.Series) -> pd.DataFrame:
    """Return the edges with exactly one end `inside`, seen from there.

    Adds `ours` and `theirs` (the two ends), `cluster` (of theirs), `direction` ("downstream": ours depends on
    theirs) and `lead_s` (seconds from their alert to ours).
    """
    ours_calls, theirs_calls = edges["src"].isin(inside), edges["dst"].isin(inside)
    across = edges[ours_calls != theirs_calls]
    down = across["src"].isin(inside)
    theirs = across["dst"].where(down, across["src"])
    return across.assign(
        ours=across["src"].where(down, across["dst"]),
        theirs=theirs,
        cluster=theirs.map(cluster_of).astype("str"),
        direction=np.where(down, "downstream", "upstream"),
        lead_s=across["lag_s"].where(down, -across["lag_s"]),
        strength=strength(across),
    )


def summarize(across: pd.DataFrame, cluster_of: pd.Series, teams: set[str]) -> pd.DataFrame:
    """Return one row per cluster over the border, the surest first."""
    sizes = cluster_of.value_counts()
    rows = []
    for cluster, crossing in across.groupby("cluster"):
        ranked = crossing.sort_values(["strength", "support"], ascending=False, kind="stable")
        through = list(dict.fromkeys(ranked["theirs"]))
        sure = float(ranked["strength"].iloc[0])
        ways = set(ranked.loc[ranked["strength"] >= sure / 2, "direction"])  # half as sure is not the other way round
        direction = ways.pop() if len(ways) == 1 else "both"
        size, lead_s = int(sizes[str(cluster)]), _usual(ranked["lead_s"], ranked["support"])
        rows.append(
            {
                "cluster": cluster,
                "kind": "team" if cluster in teams else "community",
                "services": size,
                "through": through,
                "ours": list(dict.fromkeys(ranked["ours"])),
                "direction": direction,
                "edges": len(ranked),
                "lag_s": lead_s,
                "confidence": sure,
                "words": words.neighbour(str(cluster), size, through, lead_s, sure, direction),
            }
        )
    columns = ["cluster", "kind", "services", "through", "ours", "direction", "edges", "lag_s", "confidence", "words"]
    table = pd.DataFrame(rows, columns=columns).astype({"cluster": "str", "words": "str"})
    order = ["confidence", "edges", "cluster"]
    return table.sort_values(order, ascending=[False, False, True], ignore_index=True)


def _usual(lags: pd.Series, support: pd.Series) -> float:
    """Return the median of `lags`, each counted as often as its edge was seen."""
    known = lags.dropna().sort_values()
    if known.empty:
        return float("nan")
    weight = support[known.index].clip(lower=1).cumsum()
    return float(known.iloc[int(np.searchsorted(weight.to_numpy(), weight.iloc[-1] / 2))])
