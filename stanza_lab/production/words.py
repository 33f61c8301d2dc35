"""What the map knows, in words: a link, a neighbour, what could not be seen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

_VERDICTS = {
    "confirmed": "traces confirm it",
    "alert-only": "traces do not show it, only alerts do",
    "trace-only": "traces show it, alerts alone did not",
}


def span(seconds: float) -> str:
    """Return a length of time as a person says it: 40 s, 3 min, 2 h, 5 d."""
    seconds = abs(seconds)
    for limit, unit, name in ((90, 1, "s"), (5400, 60, "min"), (129_600, 3600, "h")):
        if round(seconds) < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86_400:.0f} d"


def count(number: int, thing: str) -> str:
    """Return `number` with its `thing` in singular or plural: 1 service, 3 services."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def listing(names: Iterable[str], *, top: int = 3) -> str:
    """Return the first `top` names and how many more there are."""
    all_names = list(names)
    more = len(all_names) - top
    return ", ".join(all_names[:top]) + (f" and {more} more" if more > 0 else "")


def lead(seconds: float) -> str:
    """Say when they fire, from the `seconds` between their alert and yours (positive: they fire first)."""
    if math.isnan(seconds):
        return "no usual delay known"
    if abs(seconds) < 1:
        return "usually at the same moment as you"
    return f"usually {span(seconds)} {'before' if seconds > 0 else 'after'} you"


def link(row: Mapping[Any, Any]) -> str:
    """Return the evidence for one link in words."""
    src, dst, lag = row["src"], row["dst"], row["lag_s"]
    sure = (
        f", a dependency in either direction: {row['link_confidence']:.2f}" if pd.notna(row["link_confidence"]) else ""
    )
    parts = [f"{src} and {dst}{sure}", _way(row)]
    if row["support"]:
        times = "once" if row["support"] == 1 else f"{row['support']:,} times"
        lift = f", {row['lift']:.1f} times as often as chance" if pd.notna(row["lift"]) else ""
        odds = [f"{name[0]} {row[name]:.2g}" for name in ("p_value", "q_value") if pd.notna(row[name])]
        parts.append(f"their alerts fired together {times}{lift}" + (f" ({', '.join(odds)})" if odds else ""))
    else:
        parts.append("their alerts were never seen together")
    if pd.notna(lag):
        first = "both usually fire at the same moment"
        if abs(lag) >= 1:
            first = f"{dst if lag > 0 else src} usually fires {span(lag)} before {src if lag > 0 else dst}"
        parts.append(first)
    parts.append(f"known as {' and '.join(row['provenance']) or 'inferred'}")
    if pd.notna(row["verdict"]):
        parts.append(_VERDICTS[row["verdict"]])
    return "; ".join(parts) + "."


def _way(row: Mapping[Any, Any]) -> str:
    """Say which of the two depends on the other, and how sure that is."""
    ways = f"{row['src']} depends on {row['dst']}"
    if pd.notna(row["confidence"]):
        ways += f": {row['confidence']:.2f}, the other way: {row['back']:.2f}"
    known = {"both": f"each depends on the other ({ways})", "unknown": f"which way is not known ({ways})"}
    return known.get(row["direction"], ways)


def neighbour(cluster: str, services: int, through: Sequence[str], lead_s: float, confidence: float, way: str) -> str:
    """Return the sentence about one cluster over the border."""
    depends = {
        "downstream": "you depend on it",
        "upstream": "it depends on you",
        "both": "you depend on each other",
        "unknown": "which way is not known",
    }
    return (
        f"the next cluster over is {cluster}, {count(services, 'service')}, through {listing(through)}, "
        f"{lead(lead_s)}, confidence {confidence:.2f}; {depends[way]}"
    )
