"""The lines of a map figure: a link between two services, or all those between two nodes in one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab.plot import _theme
from stanza_lab.production import words
from stanza_lab.production.links import direction, ways

if TYPE_CHECKING:
    from collections.abc import Hashable

COLUMNS = ("src", "dst", "strength", "direction", "seen", "hover", "picked", "said")
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


BY_CONFIDENCE = (
    Line("traced or declared", 0.0, seen=True, width=2.4, dash="solid"),
    Line("inferred, probability 0.8 or more", 0.8, seen=False, width=2.4, dash="8px,4px"),
    Line("inferred, 0.5 to 0.8", 0.5, seen=False, width=1.5, dash="5px,4px"),
    Line("guessed, below 0.5", 0.0, seen=False, width=1.1, dash="2px,3px", faint=True),
)


def by_breadth(broadest: float) -> tuple[Line, ...]:
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


def joined(pairs: pd.DataFrame, key_of: pd.Series) -> pd.DataFrame:
    """Return the links that join two nodes, with the keys of both: `a` and `b`, and how likely a depends on b, `there`.

    `key_of` says which node a service is shown by; what is not in it is not shown.
    """
    ends = pd.DataFrame({"a": pairs["src"].map(key_of), "b": pairs["dst"].map(key_of)}, dtype=object)
    inside = ends["a"].notna() & ends["b"].notna() & (ends["a"] != ends["b"])
    pairs, ends = pairs[inside], ends[inside]
    turned = ends["a"] > ends["b"]
    there, back = ways(pairs)
    return pairs.assign(
        a=ends["a"].mask(turned, ends["b"]),
        b=ends["b"].mask(turned, ends["a"]),
        there=there.mask(turned, back),
        back_again=back.mask(turned, there),
    )


def strengths(pairs: pd.DataFrame, *, add: bool) -> pd.Series:
    """Return how strong each line is, by (a, b), the strongest first: as its surest link, or all of them added up."""
    grouped = pairs.groupby(["a", "b"])["strength"]
    return (grouped.sum() if add else grouped.max()).sort_values(ascending=False, kind="stable")


def backbone(strength: pd.Series, *, most: int) -> pd.Series:
    """Return the `most` strongest lines, and of every node at least its strongest."""
    ends = strength.index.to_frame(index=False)
    first = ~ends["a"].duplicated() | ~ends["b"].duplicated()
    return strength[(first | (np.arange(len(strength)) < most)).to_numpy()]


def drawn(pairs: pd.DataFrame, strength: pd.Series, nodes: pd.DataFrame) -> pd.DataFrame:
    """Return one row per line of `strength`, the strongest first.

    `src` and `dst` (row numbers of `nodes`), `strength`, `direction`, `seen`, `hover`, `picked` (what a click names),
    `said` (the line in words).
    """
    row = {name: i for i, name in enumerate(nodes["key"])}
    names, single = list(nodes["name"]), list(nodes["what"] == "service")
    kept = pairs[pd.MultiIndex.from_frame(pairs[["a", "b"]]).isin(strength.index)]
    bundles: dict[tuple[str, str], list[dict[Hashable, Any]]] = {}
    for link in kept.to_dict("records"):
        bundles.setdefault((link["a"], link["b"]), []).append(link)
    lines = []
    for a, b in strength.index:
        part, i, j = bundles[a, b], row[a], row[b]
        if single[i] and single[j]:
            i, j = (row[f"service {part[0][end]}"] for end in ("src", "dst"))
            line = _link(part[0])
        else:
            i, j = (j, i) if _likeliest(part, "back_again") > _likeliest(part, "there") else (i, j)
            line = _bundle(part, names[i], names[j])
        lines.append({"src": i, "dst": j, "strength": 0.0, **line})
    found = pd.DataFrame(lines, columns=list(COLUMNS)).assign(strength=strength.to_numpy("float64"))
    return found.astype({"src": "int64", "dst": "int64", "direction": "str", "seen": "bool"})


def _link(link: dict[Hashable, Any]) -> dict[str, Any]:
    """Return the line of one link, with its evidence."""
    delay = None
    if not pd.isna(link["lag_s"]):
        delay = f"{link['dst'] if link['lag_s'] > 0 else link['src']} fires {words.span(link['lag_s'])} earlier"
    src, dst = (_theme.safe(link[end], limit=40) for end in ("src", "dst"))
    seen = words.seen(link["provenance"])
    back = seen if link["direction"] == "both" else ""
    title = f"{link['src']} {mark(str(link['direction']))} {link['dst']}"
    hover = _theme.hover(
        title,
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
    sure = seen or words.probability(link["link_confidence"])
    picked = ["link", str(link["src"]), str(link["dst"])]
    return {
        "direction": link["direction"],
        "seen": link["seen"],
        "hover": hover,
        "picked": picked,
        "said": f"{title} ({sure})",
    }


def _bundle(part: list[dict[Hashable, Any]], a: str, b: str) -> dict[str, Any]:
    """Return the line of several links between nodes `a` and `b`: each way as likely as the likeliest of them."""
    low, high = sorted(_likeliest(part, way) for way in ("there", "back_again"))
    best = max(part, key=lambda link: float(link["strength"]))
    sure = words.seen(best["provenance"]) or words.probability(best["strength"])
    way, seen = str(direction(high, low)), sum(bool(link["seen"]) for link in part)
    lines = [
        ("dependencies", len(part)),
        ("traced or declared", seen),
        ("surest", f"{best['src']} {mark(str(best['direction']))} {best['dst']}, {sure}"),
    ]
    title = f"{a} {mark(way)} {b}"
    return {
        "direction": way,
        "seen": seen > 0,
        "hover": _theme.hover(title, lines),
        "picked": ["links", a, b],
        "said": f"{title} ({words.count(len(part), 'link')}, surest {sure})",
    }


def _likeliest(part: list[dict[Hashable, Any]], way: str) -> float:
    return max(float(link[way]) for link in part)


def mark(way: str) -> str:
    """Return the sign between two names."""
    return _MARKS.get(way, "→")
