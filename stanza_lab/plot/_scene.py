"""What a map figure shows: which nodes and links, in which words, and what is left out."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab.plot import _theme, layout
from stanza_lab.production import words
from stanza_lab.production.links import direction, ways

if TYPE_CHECKING:
    from stanza_lab.production import ProductionMap

MOST_LINKS = 400  # more lines than this are a hairball
MOST_CLUSTERS = 60
MOST_ALONE = 24  # services without a drawn link that are still drawn
_ALONE_PER_ROW = 8
_UNORDERED = 0.05  # weight of links of unknown direction on the columns: too light to turn one that is known
_MARKS = {"both": "↔", "unknown": "–"}  # all else points one way: →


@dataclass(frozen=True)
class Line:
    """How links are drawn that are at least so strong."""

    name: str
    least: float
    seen: bool
    width: float
    dash: str
    faint: bool = False


_BY_CONFIDENCE = (
    Line("traced or declared", 0.0, seen=True, width=2.4, dash="solid"),
    Line("inferred, probability 0.8 or more", 0.8, seen=False, width=2.4, dash="8px,4px"),
    Line("inferred, 0.5 to 0.8", 0.5, seen=False, width=1.5, dash="5px,4px"),
    Line("guessed, below 0.5", 0.0, seen=False, width=1.1, dash="2px,3px", faint=True),
)


@dataclass(frozen=True)
class Scene:
    """What to draw.

    `nodes`: name, label, hover, group, weight, kind (service | focus | cluster), side, linked, x, y.
    `links`: src, dst (row numbers of nodes), strength, direction, seen, hover; one row per pair of nodes.
    """

    nodes: pd.DataFrame
    links: pd.DataFrame
    lines: tuple[Line, ...]
    collapsed: bool
    caution: str
    notes: list[str]


def build(production: ProductionMap, *, color: str, min_confidence: float | None, limit: int) -> Scene:
    """Choose what to draw of `production`: its services, or when more than `limit` are linked its clusters."""
    pairs, caution = production.links, ""
    notes: list[str] = []
    team = production.focus.name if production.focus is not None and production.focus.kind == "team" else None
    if min_confidence is None:
        min_confidence, caution = production.usual_confidence, production.caution
    shown = pairs[pairs["strength"] >= min_confidence]
    if len(pairs) > len(shown):
        notes.append(f"{words.count(len(pairs) - len(shown), 'link')} below {min_confidence:g} not shown")
    linked = {*shown["src"], *shown["dst"]}
    if len(linked) > limit:
        nodes, links, lines = _clusters(production, shown, notes)
    else:
        nodes, hidden = _services(production, shown, linked, color)
        links, lines = _links(shown, nodes), _BY_CONFIDENCE
        if hidden:
            notes.append(f"{words.count(hidden, 'service')} without a shown link left out")
        if team is not None:
            nodes, links = _with_neighbours(production, team, nodes, links, min_confidence)
        if len(links) > MOST_LINKS:
            notes.append(f"the {MOST_LINKS} surest of {len(links):,} links shown")
            links = links.sort_values("strength", ascending=False, kind="stable").head(MOST_LINKS)
    return Scene(_place(nodes, links), links.reset_index(drop=True), lines, len(linked) > limit, caution, notes)


def _services(production: ProductionMap, shown: pd.DataFrame, linked: set[str], color: str) -> tuple[pd.DataFrame, int]:
    """Return services as nodes, and how many without a link are left out."""
    focus = production.focus.name if production.focus is not None and production.focus.kind == "service" else None
    services = production.services
    alone = services[~services["service"].isin(linked | {focus})].sort_values("alerts", ascending=False, kind="stable")
    hidden = alone["service"].iloc[MOST_ALONE:]
    services = services[~services["service"].isin(hidden)]
    one_way, unsaid = shown[shown["direction"] != "unknown"], shown[shown["direction"] == "unknown"]
    mutual = one_way[one_way["direction"] == "both"]
    calls = pd.concat([one_way["src"], mutual["dst"]]).value_counts()
    called = pd.concat([one_way["dst"], mutual["src"]]).value_counts()
    either = pd.concat([unsaid["src"], unsaid["dst"]]).value_counts()
    hovers = [
        _theme.hover(
            row["service"],
            [
                ("team", row["team"]),
                ("environment", row["environment"]),
                ("alerts", f"{row['alerts']:,}" if row["alerts"] else "none: it never alerts"),
                ("incidents", row["incidents"]),
                ("first alert", _theme.utc(row["first_seen"])),
                ("last alert", _theme.utc(row["last_seen"])),
                ("depends on", words.count(int(calls.get(row["service"], 0)), "service")),
                ("needed by", words.count(int(called.get(row["service"], 0)), "service")),
                ("linked, direction not known", words.count(int(either.get(row["service"], 0)), "service")),
            ],
        )
        for row in services.to_dict("records")
    ]
    labels = [_theme.safe(name, limit=28) for name in services["service"]]
    at_focus = services["service"] == focus
    nodes = {
        "name": services["service"],
        "label": [f"<b>{label}</b>" if bold else label for label, bold in zip(labels, at_focus, strict=True)],
        "hover": hovers,
        "group": services[color].astype(object).fillna("").astype(str),
        "weight": services["alerts"].astype("float64"),
        "kind": np.where(at_focus, "focus", "service"),
        "side": 0,
    }
    return pd.DataFrame(nodes).reset_index(drop=True), len(hidden)


def _links(shown: pd.DataFrame, nodes: pd.DataFrame) -> pd.DataFrame:
    row = {name: i for i, name in enumerate(nodes["name"])}
    ends = {end: shown[end].map(row).astype("int64") for end in ("src", "dst")}
    hovers = [_evidence(link) for link in shown.to_dict("records")]
    return pd.DataFrame({**ends, **shown[["strength", "direction", "seen"]], "hover": hovers})


def _evidence(link: dict[Hashable, Any]) -> str:
    delay = None
    if not pd.isna(link["lag_s"]):
        delay = f"{link['dst'] if link['lag_s'] > 0 else link['src']} fires {words.span(link['lag_s'])} earlier"
    src, dst = (_theme.safe(link[end], limit=40) for end in ("src", "dst"))
    seen = words.seen(link["provenance"])
    back = seen if link["direction"] == "both" else ""
    return _theme.hover(
        f"{link['src']} {_mark(link['direction'])} {link['dst']}",
        [
            ("dependency", seen or words.probability(link["link_confidence"])),
            (f"{src} depends on {dst}", seen or words.probability(link["confidence"])),
            ("the other way", back or words.probability(link["back"])),
            ("fired together", words.count(link["support"], "time")),
            ("lift", None if pd.isna(link["lift"]) else f"{link['lift']:.1f}"),
            ("lag", delay),
            ("q", words.rate(link["q_value"])),
            ("known from", words.known_from(link["provenance"])),
            ("verdict", link["verdict"]),
        ],
    )


def _mark(way: str) -> str:
    return _MARKS.get(way, "→")


def _with_neighbours(
    production: ProductionMap, team: str, nodes: pd.DataFrame, links: pd.DataFrame, min_confidence: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add the clusters over the border of a team, one node each."""
    across = production.border[production.border["strength"] >= min_confidence]
    next_over = production.whole.next_clusters(team, min_confidence=min_confidence)
    known = {row["cluster"]: row for row in next_over.to_dict("records")}
    row = {name: i for i, name in enumerate(nodes["name"])}
    beyond: list[dict[str, Any]] = []
    drawn: list[dict[str, Any]] = []
    for cluster, crossing in across.groupby("cluster"):
        far, summary = len(nodes) + len(beyond), known[cluster]
        beyond.append(
            {
                "name": f"cluster {cluster}",
                "label": f"<b>{_theme.safe(cluster, limit=24)}</b> ({words.count(summary['services'], 'service')})",
                "hover": _theme.hover(cluster, [("over the border", summary["words"])]),
                "group": cluster if summary["kind"] == "team" else "",
                "weight": float(summary["services"]),
                "kind": "cluster",
                "side": -1 if crossing["up"].max() > crossing["down"].max() else 1,
            }
        )
        for ours, links_of_ours in crossing.groupby("ours"):
            ends = (ours, row[ours]), (cluster, far)
            drawn.append(_bundle(links_of_ours, *ends, there=links_of_ours["down"], back=links_of_ours["up"]))
    if not beyond:
        return nodes, links
    nodes = pd.concat([nodes, pd.DataFrame(beyond)], ignore_index=True)
    return nodes, pd.DataFrame([*links.to_dict("records"), *drawn])


def _bundle(
    bundled: pd.DataFrame, a: tuple[object, int], b: tuple[object, int], *, there: pd.Series, back: pd.Series
) -> dict[str, Any]:
    """Return one link from node `a` to `b`, or b to a where that is likelier, that stands for several.

    Nodes are (name, row). It is as strong as the surest of them, and each way as likely as the likeliest of them.
    """
    if back.max() > there.max():
        a, b, there, back = b, a, back, there
    best = bundled.iloc[int(bundled["strength"].argmax())]
    sure = words.seen(best["provenance"]) or words.probability(best["strength"])
    way = str(direction(there.max(), back.max()))
    lines = [
        ("dependencies", len(bundled)),
        ("traced or declared", int(bundled["seen"].sum())),
        ("surest", f"{best['src']} {_mark(best['direction'])} {best['dst']}, {sure}"),
    ]
    return {
        "src": a[1],
        "dst": b[1],
        "strength": best["strength"],
        "direction": way,
        "seen": bool(bundled["seen"].any()),
        "hover": _theme.hover(f"{a[0]} {_mark(way)} {b[0]}", lines),
    }


def _clusters(
    production: ProductionMap, shown: pd.DataFrame, notes: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[Line, ...]]:
    """Return clusters as nodes and the broadest streams of dependencies between them as links."""
    of = production.clusters
    members = production.services.assign(cluster=production.services["service"].map(of)).groupby("cluster")
    table = members.agg(services=("alerts", "size"), alerts=("alerts", "sum"))
    table = table.sort_values("services", ascending=False, kind="stable")
    if len(table) > MOST_CLUSTERS:
        notes.append(f"the {MOST_CLUSTERS} largest of {len(table):,} clusters shown")
        table = table.head(MOST_CLUSTERS)
    teams = set(production.whole.teams)
    home = None if production.focus is None else of.get(production.focus.name, production.focus.name)
    nodes = pd.DataFrame(
        {
            "name": table.index,
            "label": [f"<b>{_theme.safe(c, limit=24)}</b> ({n:,})" for c, n in table["services"].items()],
            "hover": [
                _theme.hover(c, [("services", f"{n:,}"), ("alerts", f"{alerts:,}")])
                for c, n, alerts in table.itertuples()
            ],
            "group": [c if c in teams else "" for c in table.index],
            "weight": table["services"].astype("float64"),
            "kind": np.where(table.index == home, "focus", "cluster"),
            "side": 0,
        }
    ).reset_index(drop=True)
    row = {name: i for i, name in enumerate(nodes["name"])}
    ends = pd.DataFrame({"a": shown["src"].map(of), "b": shown["dst"].map(of)}, dtype=object)
    turned = ends["a"] > ends["b"]
    there, back = ways(shown)
    pairs = shown.assign(
        a=ends["a"].mask(turned, ends["b"]),
        b=ends["b"].mask(turned, ends["a"]),
        there=there.mask(turned, back),
        back_again=back.mask(turned, there),
    )
    pairs = pairs[(pairs["a"] != pairs["b"]) & pairs["a"].isin(row) & pairs["b"].isin(row)]
    expected = pairs.groupby(["a", "b"])["strength"].sum().sort_values(ascending=False, kind="stable")
    kept = _backbone(expected, most=2 * len(nodes))
    if len(kept) < len(expected):
        notes.append(f"the {len(kept):,} broadest of {len(expected):,} links between clusters shown")
    broad = dict(zip(kept.index, kept, strict=True))
    drawn = [
        _bundle(bundled, (a, row[a]), (b, row[b]), there=bundled["there"], back=bundled["back_again"])
        | {"strength": broad[a, b]}
        for (a, b), bundled in pairs.groupby(["a", "b"])
        if (a, b) in broad
    ]
    links = pd.DataFrame(drawn, columns=["src", "dst", "strength", "direction", "seen", "hover"])
    return nodes, links.astype({"src": "int64", "dst": "int64"}), _by_breadth(float(kept.max()) if len(kept) else 1.0)


def _backbone(expected: pd.Series, *, most: int) -> pd.Series:
    """Return the `most` broadest links, and of every cluster at least its broadest."""
    ends = expected.index.to_frame(index=False)
    first = ~ends["a"].duplicated() | ~ends["b"].duplicated()
    return expected[(first | (np.arange(len(expected)) < most)).to_numpy()]


def _by_breadth(broadest: float) -> tuple[Line, ...]:
    """Return lines whose width says how many dependencies a link is expected to hold."""
    high, low = max(2, round(broadest / 2)), max(1, round(broadest / 5))
    steps = [
        (f"{high} and more dependencies", high, 3.2),
        (f"{low} to {high}", low, 1.8),
        (f"fewer than {low}", 0, 0.9),
    ]
    if low == 1:
        steps = [steps[0], (f"fewer than {high}", 0, 1.4)]
    return tuple(
        Line(f"{name}, {'some traced' if seen else 'all inferred'}", least, seen, width, "solid" if seen else "5px,4px")
        for seen in (True, False)
        for name, least, width in steps
    )


def _place(nodes: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    """Return `nodes` with x and y; those without a link stand in rows below, and both parts are as wide."""
    n = len(nodes)
    src, dst = links["src"].to_numpy("int64"), links["dst"].to_numpy("int64")
    weight = links["strength"].to_numpy("float64") + 0.01
    pull = np.where(links["direction"] == "forward", weight, _UNORDERED * weight)
    linked = np.zeros(n, dtype=bool)
    linked[src] = linked[dst] = True
    alone = np.flatnonzero(~linked)
    x, y = np.zeros(n), np.zeros(n)
    across = _ALONE_PER_ROW
    if linked.any():
        row = np.cumsum(linked) - 1
        column = _columns(nodes["side"].to_numpy("int64")[linked], row[src], row[dst], pull)
        x[linked], y[linked] = layout.place(column, row[src], row[dst], weight)
        across = max(across, int(x.max() / layout.GAP) + 1)
        x = x * max(1.0, (min(across, len(alone)) - 1) * layout.GAP / max(x.max(), layout.GAP))
    x[alone] = np.arange(len(alone)) % across * layout.GAP
    y[alone] = y.min(initial=0.0) - 2.5 - np.arange(len(alone)) // across * 1.5
    return nodes.assign(linked=linked, x=x, y=y)


def _columns(side: layout.Ints, src: layout.Ints, dst: layout.Ints, weight: layout.Floats) -> layout.Ints:
    """Return the column of each node; those beside the rest (`side` -1 or 1) left and right of all others."""
    inside = side == 0
    row = np.cumsum(inside) - 1
    inner = inside[src] & inside[dst]
    ends = row[src[inner]], row[dst[inner]]
    rank = layout.ranks(int(inside.sum()), *ends, weight[inner])
    most = max(6, int(1.6 * np.sqrt(len(rank))))
    column = np.zeros(len(side), dtype=np.int64)
    column[inside] = layout.columns(rank, *ends, most=most) + int((side < 0).any())
    column[side > 0] = column.max(initial=0) + 1
    return column
