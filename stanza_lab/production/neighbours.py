"""Who is near on the map: hops from a service, clusters, and the clusters over the border."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd

from stanza_lab.production import links, words

ALONE = "no team, no links"
USUAL = 0.5  # strength from which a link is worth a look, where enough links reach it


def usual(pairs: pd.DataFrame, *, least: int) -> float:
    """Return `USUAL`, or where fewer than `least` links reach it the strength of so many of the surest."""
    ranked = pairs["strength"].nlargest(least)
    return USUAL if ranked.empty else min(USUAL, float(np.floor(ranked.iloc[-1] * 100 + 1e-9) / 100))


def caution(pairs: pd.DataFrame, bar: float) -> str:
    """Return what a reader must hear first where links below `USUAL` count as known; nothing where none does."""
    shown = pairs[pairs["strength"] >= bar]
    sure = int((shown["strength"] >= USUAL).sum())
    if sure == len(shown):
        return ""
    down = f"the surest guesses, down to {words.probability(bar)}"
    if not sure:
        return f"nothing reached {USUAL:g}; these are {down}"
    return f"only {sure:,} of {len(shown):,} reached {USUAL:g}; the others are {down}"


def hops_from(pairs: pd.DataFrame, service: str, *, hops: int, direction: str) -> dict[str, int]:
    """Return service -> hops away, for all within `hops` of `service`.

    A link leads both ways unless it is known to point one way only.
    """
    walked: nx.DiGraph[str] = nx.DiGraph(zip(pairs["src"], pairs["dst"], strict=True))
    open_ways = pairs if direction == "both" else pairs[pairs["direction"] != "forward"]
    walked.add_edges_from(zip(open_ways["dst"], open_ways["src"], strict=True))
    walked.add_node(service)
    if direction == "upstream":
        walked = walked.reverse(copy=False)
    return dict(nx.single_source_shortest_path_length(walked, service, cutoff=hops))


def clusters(services: pd.DataFrame, pairs: pd.DataFrame) -> pd.Series:
    """Return service -> cluster: its team; where unknown, the community of the graph it sits in.

    Communities are Louvain's over the undirected graph, links weighted by `strength`; each is called after its
    best connected service without a team, as in "around orders-db".
    """
    named = services.set_index("service")["team"].astype(object)
    unknown = set(named.index[named.isna()])
    if not unknown:
        return named.astype("str")
    ends = {*pairs["src"], *pairs["dst"]}
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(name for name in named.index if name in ends)  # a subgraph would forget this order
    for src, dst, weight in zip(pairs["src"], pairs["dst"], pairs["strength"], strict=True):
        graph.add_edge(src, dst, weight=max(weight, 1e-6))
    for community in nx.community.louvain_communities(graph, weight="weight", seed=0):
        members = sorted(community & unknown)
        if members:
            centre = max(members, key=lambda name: graph.degree(name, weight="weight"))
            named[members] = f"around {centre}"
    return named.fillna(ALONE).astype("str")


def border(pairs: pd.DataFrame, inside: set[str], cluster_of: pd.Series) -> pd.DataFrame:
    """Return the links with exactly one end `inside`, seen from there.

    Adds `ours` and `theirs` (the two ends), `cluster` (of theirs), `down` and `up` (how likely ours depends on theirs,
    theirs on ours), `direction` (see `way`) and `lead_s` (seconds from their alert to ours).
    """
    src_inside = pairs["src"].isin(inside)
    across = pairs[src_inside != pairs["dst"].isin(inside)]
    ours_first = src_inside[across.index]
    theirs = across["dst"].where(ours_first, across["src"])
    forward, back = links.ways(across)
    down, up = forward.where(ours_first, back), back.where(ours_first, forward)
    return across.assign(
        ours=across["src"].where(ours_first, across["dst"]),
        theirs=theirs,
        cluster=theirs.map(cluster_of).astype("str"),
        down=down,
        up=up,
        direction=way(down, up),
        lead_s=across["lag_s"].where(ours_first, -across["lag_s"]),
    )


def way(down: pd.Series, up: pd.Series) -> pd.Series:
    """Return "downstream" (we depend on them), "upstream", "both" or "unknown", from how likely each is."""
    names = {"forward": "downstream", "back": "upstream"}
    return pd.Series(links.direction(down, up), down.index, dtype="str").replace(names)


def summarize(across: pd.DataFrame, cluster_of: pd.Series, teams: set[str]) -> pd.DataFrame:
    """Return one row per cluster over the border, the surest first."""
    sizes = cluster_of.value_counts()
    surest = across.groupby("cluster")[["down", "up"]].max()
    ways = way(surest["down"], surest["up"])
    rows = []
    for cluster, crossing in across.groupby("cluster"):
        ranked = crossing.sort_values(["strength", "support"], ascending=False, kind="stable")
        through = list(dict.fromkeys(ranked["theirs"]))
        surely, direction = float(ranked["strength"].iloc[0]), str(ways[cluster])
        sure = words.seen(ranked["provenance"].iloc[0]) or f"confidence {words.probability(surely)}"
        size, lead_s = int(sizes[str(cluster)]), _usual(ranked["lead_s"], ranked["support"])
        rows.append(
            {
                "cluster": cluster,
                "kind": "team" if cluster in teams else "community",
                "services": size,
                "through": through,
                "ours": list(dict.fromkeys(ranked["ours"])),
                "direction": direction,
                "links": len(ranked),
                "lag_s": lead_s,
                "confidence": surely,
                "words": words.neighbour(str(cluster), size, through, lead_s, sure, direction),
            }
        )
    columns = ["cluster", "kind", "services", "through", "ours", "direction", "links", "lag_s", "confidence", "words"]
    table = pd.DataFrame(rows, columns=columns).astype({"cluster": "str", "words": "str"})
    order = ["confidence", "links", "cluster"]
    return table.sort_values(order, ascending=[False, False, True], ignore_index=True)


def _usual(lags: pd.Series, support: pd.Series) -> float:
    """Return the median of `lags`, each counted as often as its link was seen."""
    known = lags.dropna().sort_values()
    if known.empty:
        return float("nan")
    weight = support[known.index].clip(lower=1).cumsum()
    return float(known.iloc[int(np.searchsorted(weight.to_numpy(), weight.iloc[-1] / 2))])
