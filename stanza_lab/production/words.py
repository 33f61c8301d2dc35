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
    "declared-only": "it is declared, neither alerts nor traces that would show it do",
}


_SOURCES = {"inferred": "alerts", "traced": "traces", "declared": "declaration"}


def probability(value: float) -> str:
    """Return a probability to two digits, never rounded to certainty: >0.99, 0.87, <0.01; nothing for null."""
    if math.isnan(value):
        return ""
    return ">0.99" if value > 0.99 else "<0.01" if value < 0.01 else f"{value:.2f}"


def rate(value: float) -> str:
    """Return a p or q value: like a probability, but how small it is shows."""
    return f"{value:.2g}" if 0 < value < 0.01 else probability(value)


def seen(provenance: Iterable[str]) -> str:
    """Return "traced" or "declared" for what was seen, which says more than a number; nothing for a guess."""
    return next((kind for kind in ("traced", "declared") if kind in provenance), "")


def known_from(provenance: Iterable[str]) -> str:
    """Return where a link is known from: alerts only, alerts and traces, traces only."""
    sources = [name for kind, name in _SOURCES.items() if kind in provenance] or ["alerts"]
    return " and ".join(sources) if len(sources) > 1 else f"{sources[0]} only"


def sentence(text: str) -> str:
    """Return `text` with a capital first and a full stop last."""
    return f"{text[:1].upper()}{text[1:]}."


def span(seconds: float) -> str:
    """Return a length of time as a person says it: 40 s, 3 min, 2 h, 5 d."""
    seconds = abs(seconds)
    for limit, unit, name in ((90, 1, "s"), (5400, 60, "min"), (129_600, 3600, "h")):
        if round(seconds) < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86_400:.0f} d"


def count(number: int, thing: str) -> str:
    """Return `number` with its `thing` in singular or plural: 1 service, 3 services, 2 dependencies."""
    plural = f"{thing[:-1]}ies" if thing.endswith("y") and thing[-2:-1] not in "aeiou" else f"{thing}s"
    return f"{number:,} {thing if number == 1 else plural}"


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
    guessed = pd.notna(row["link_confidence"]) and not seen(row["provenance"])
    sure = f", a dependency in either direction: {probability(row['link_confidence'])}" if guessed else ""
    parts = [f"{src} and {dst}{sure}", _way(row)]
    if row["support"]:
        times = "once" if row["support"] == 1 else f"{row['support']:,} times"
        lift = f", {row['lift']:.1f} times as often as chance" if pd.notna(row["lift"]) else ""
        odds = [f"{name[0]} {rate(row[name])}" for name in ("p_value", "q_value") if pd.notna(row[name])]
        parts.append(f"their alerts fired together {times}{lift}" + (f" ({', '.join(odds)})" if odds else ""))
    else:
        parts.append("their alerts were never seen together")
    if pd.notna(lag):
        first = "both usually fire at the same moment"
        if abs(lag) >= 1:
            first = f"{dst if lag > 0 else src} usually fires {span(lag)} before {src if lag > 0 else dst}"
        parts.append(first)
    parts.append(f"known from {known_from(row['provenance'])}")
    if pd.notna(row["verdict"]):
        parts.append(_VERDICTS[row["verdict"]])
    return "; ".join(parts) + "."


def _way(row: Mapping[Any, Any]) -> str:
    """Say which of the two depends on the other, and how sure that is."""
    ways, told = f"{row['src']} depends on {row['dst']}", seen(row["provenance"])
    if told or pd.notna(row["confidence"]):
        back = told if told and row["direction"] == "both" else probability(row["back"])
        ways += f": {told or probability(row['confidence'])}, the other way: {back}"
    known = {"both": f"each depends on the other ({ways})", "unknown": f"which way is not known ({ways})"}
    return known.get(row["direction"], ways)


def cluster(name: str) -> str:
    """Return what to call a cluster in a sentence: a team by its name, a community by what it is."""
    return f"the services {name}" if name.startswith("around ") else name


def neighbour(name: str, services: int, through: Sequence[str], lead_s: float, sure: str, way: str) -> str:
    """Return the sentence about one cluster over the border; `sure` is how sure that is, in words."""
    many = name != cluster(name)
    depends = {
        "downstream": f"you depend on {'them' if many else 'it'}",
        "upstream": "they depend on you" if many else "it depends on you",
        "both": "you depend on each other",
        "unknown": "which way is not known",
    }
    return (
        f"{f'{cluster(name)} come next' if many else f'the next cluster over is {name}'}, "
        f"{count(services, 'service')}, through {listing(through)}, {lead(lead_s)}, {sure}; {depends[way]}"
    )
