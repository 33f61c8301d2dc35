"""The nodes of a map figure: services, and clusters that stand for all of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab.plot import _theme
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.production import ProductionMap

COLUMNS = ("key", "what", "name", "said", "hover", "group", "weight", "focus", "side", "box")


def key(what: str, name: str) -> str:
    """Return what tells a service from a cluster of the same name."""
    return f"{what} {name}"


def services(production: ProductionMap, shown: pd.DataFrame, boxes: dict[str, str], *, color: str) -> pd.DataFrame:
    """Return the services named in `boxes` (service -> the cluster it is drawn inside of, or "") as nodes.

    `shown` are the links that are counted in what a service says of itself.
    """
    focus = production.focus.name if production.focus is not None and production.focus.kind == "service" else None
    table = production.whole.services
    table = table[table["service"].isin(boxes)]
    one_way, unsaid = shown[shown["direction"] != "unknown"], shown[shown["direction"] == "unknown"]
    mutual = one_way[one_way["direction"] == "both"]
    counts = {
        "depends on": pd.concat([one_way["src"], mutual["dst"]]).value_counts(),
        "needed by": pd.concat([one_way["dst"], mutual["src"]]).value_counts(),
        "linked, direction not known": pd.concat([unsaid["src"], unsaid["dst"]]).value_counts(),
    }
    nodes = [
        {
            "key": key("service", row["service"]),
            "what": "service",
            "name": row["service"],
            "said": _theme.short(row["service"], limit=28),
            "hover": _about(row, {name: int(count.get(row["service"], 0)) for name, count in counts.items()}),
            "group": "" if pd.isna(row[color]) else str(row[color]),
            "weight": float(row["alerts"]),
            "focus": row["service"] == focus,
            "side": 0,
            "box": boxes[row["service"]],
        }
        for row in table.to_dict("records")
    ]
    return pd.DataFrame(nodes, columns=list(COLUMNS))


def _about(row: dict[Any, Any], counts: dict[str, int]) -> str:
    return _theme.hover(
        row["service"],
        [
            ("team", row["team"]),
            ("environment", row["environment"]),
            ("alerts", f"{row['alerts']:,}" if row["alerts"] else "none: it never alerts"),
            ("incidents", row["incidents"]),
            ("first alert", _theme.utc(row["first_seen"])),
            ("last alert", _theme.utc(row["last_seen"])),
            *((name, words.count(number, "service")) for name, number in counts.items()),
        ],
    )


def clusters(production: ProductionMap, names: list[str]) -> pd.DataFrame:
    """Return the clusters `names` of a map as nodes."""
    table, teams = sizes(production).to_dict("index"), set(production.whole.teams)
    focus = production.focus
    home = None if focus is None else production.clusters.get(focus.name, focus.name)
    nodes = [
        {
            "key": key("cluster", name),
            "what": "cluster",
            "name": name,
            "said": f"{_theme.short(name, limit=24)} ({table[name]['services']:,})",
            "hover": _theme.hover(
                name,
                [("services", f"{table[name]['services']:,}"), ("alerts", f"{table[name]['alerts']:,}")],
            ),
            "group": name if name in teams else "",
            "weight": float(table[name]["services"]),
            "focus": name == home,
            "side": 0,
            "box": "",
        }
        for name in names
    ]
    return pd.DataFrame(nodes, columns=list(COLUMNS))


def sizes(production: ProductionMap) -> pd.DataFrame:
    """Return the `services` and `alerts` of each cluster of a map or view, the largest first."""
    table = production.services
    members = table.assign(cluster=table["service"].map(production.clusters)).groupby("cluster")
    found = members.agg(services=("alerts", "size"), alerts=("alerts", "sum"))
    return found.sort_values("services", ascending=False, kind="stable")


def next_over(production: ProductionMap, names: set[str], min_confidence: float) -> pd.DataFrame:
    """Return those clusters over the border of a view that are in `names` as nodes, each on the side it is on."""
    across = production.border[production.border["strength"] >= min_confidence]
    surest, teams = across.groupby("cluster")[["up", "down"]].max(), set(production.whole.teams)
    nodes = [
        {
            "key": key("cluster", row["cluster"]),
            "what": "cluster",
            "name": row["cluster"],
            "said": f"{_theme.short(row['cluster'], limit=24)} ({words.count(row['services'], 'service')})",
            "hover": _theme.hover(row["cluster"], [("over the border", row["words"])]),
            "group": row["cluster"] if row["cluster"] in teams else "",
            "weight": float(row["services"]),
            "focus": False,
            "side": -1 if surest.loc[row["cluster"], "up"] > surest.loc[row["cluster"], "down"] else 1,
            "box": "",
        }
        for row in production.neighbours(min_confidence=min_confidence).sort_values("cluster").to_dict("records")
        if row["cluster"] in names
    ]
    return pd.DataFrame(nodes, columns=list(COLUMNS))
