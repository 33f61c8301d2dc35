"""`diff_bundles`: what changed between two bundles, the most important first."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from stanza_lab._html import escaped
from stanza_lab.artefacts.bundle.bundle import Bundle
from stanza_lab.artefacts.bundle.loading import load_bundle
from stanza_lab.errors import UnknownNameError
from stanza_lab.production import words

MOVED = 0.1  # of a probability: what changes less is not worth a row
_ROWS, _CELL, _SAID = 15, 60, 8  # of HTML: escaped, all of it stays under 50 KB
COLUMNS: dict[str, Any] = {
    "part": "str",
    "what": "str",
    "change": "str",
    "before": "str",
    "after": "str",
    "by": "float64",
    "words": "str",
}
_PARTS = ("link", "service", "team", "pattern", "rule", "reaction", "quality", "parameter", "data", "version")

_SEVERAL = {"quality": "quality"}


@dataclass(frozen=True, eq=False, repr=False)
class BundleDiff:
    """What changed from one bundle to another, as `diff_bundles` returns it.

    Attributes
    ----------
    table : DataFrame
        A row per change, part by part and the largest first: part (str: link, service, team, pattern, rule, reaction,
        quality, parameter, data, version), what (str), change (str: appeared, gone, surer, less sure, turned, verdict,
        changed, renamed, more often, less often), before, after (str), by (float64: how large, of its kind), words
        (str).
    words : list of str
        How much changed, in a few sentences.
    unseen : list of str
        What could not be compared and why.
    """

    table: pd.DataFrame
    words: list[str]
    unseen: list[str]

    def of(self, part: str) -> pd.DataFrame:
        """Return the changes of one part.

        Parameters
        ----------
        part : str
            link, service, team, pattern, rule, reaction, quality, parameter, data or version.

        Returns
        -------
        DataFrame
            Rows of `table`, the largest change first; none where nothing changed.

        Raises
        ------
        UnknownNameError
            There is no such part.
        """
        if part not in _PARTS:
            raise UnknownNameError.among("part", part, _PARTS)
        return self.table[self.table["part"] == part].reset_index(drop=True)

    def __repr__(self) -> str:
        """Say in one line how much changed."""
        counts = self.table["part"].value_counts()
        told = ", ".join(words.count(int(counts[part]), part) for part in _PARTS[:-2] if part in counts)
        return f"BundleDiff({told or 'nothing changed'})"

    def __str__(self) -> str:
        """Say what changed, then what could not be seen."""
        return "\n".join([*self.words, *self.unseen])

    def _repr_html_(self) -> str:
        shown = self.table.head(_ROWS)[["part", "what", "change", "before", "after"]]
        head = "".join(f"<th>{name}</th>" for name in shown.columns)
        cells = ("".join(f"<td>{escaped(value, _CELL)}</td>" for value in row) for row in shown.itertuples(index=False))
        body = "".join(f"<tr>{row}</tr>" for row in cells)
        said = "".join(
            f"<p>{escaped(sentence, 2 * _CELL)}</p>" for sentence in (*self.words[:_SAID], *self.unseen[:_SAID])
        )
        more = f"<p>and {len(self.table) - _ROWS:,} more, in .table</p>" if len(self.table) > _ROWS else ""
        return f"<b>{escaped(repr(self), _CELL)}</b>{said}<table><tr>{head}</tr>{body}</table>{more}"


def diff_bundles(old: Bundle | str | os.PathLike[str], new: Bundle | str | os.PathLike[str]) -> BundleDiff:
    """Compare two bundles: what changed on the map, in patterns, rules, quality and parameters.

    Parameters
    ----------
    old, new : Bundle or path
        What was saved earlier, and later.

    Returns
    -------
    BundleDiff
        `table`, `words`, `unseen`.

    Raises
    ------
    BundleError
        One is no bundle, was altered, or is of a version that is not known here.

    Notes
    -----
    A probability that changes by less than .1 is no change. Measures are compared only where both bundles define them
    the same. A link is gone when the new map does not hold it at all.

    Examples
    --------
    >>> import stanza_lab as sl
    >>> sl.diff_bundles("no/such", "place")
    Traceback (most recent call last):
        ...
    stanza_lab.errors.BundleError: no/such is no bundle: ...
    """
    a, b = (one if isinstance(one, Bundle) else load_bundle(one) for one in (old, new))
    unseen: list[str] = []
    rows = [
        *_links(a, b),
        *_services(a, b),
        *_patterns(a, b, unseen),
        *_rules(a, b, unseen),
        *_reactions(a, b),
        *_quality(a, b, unseen),
        *_flat("parameter", _parameters(a), _parameters(b)),
        *_flat("data", _data(a), _data(b)),
        *_flat("version", a.manifest["versions"], b.manifest["versions"]),
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    rank = table["part"].map({part: place for place, part in enumerate(_PARTS)})
    table = table.assign(rank=rank, size=-table["by"].abs()).sort_values(["rank", "size", "what"], kind="stable")
    table = table.drop(columns=["rank", "size"]).reset_index(drop=True)
    return BundleDiff(table, _said(table, a, b), unseen)


def _row(part: str, what: str, change: str, before: Any, after: Any, by: float = np.nan) -> tuple[Any, ...]:
    was, now = _text(before), _text(after)
    detail = f" ({was} to {now})" if was and now else f" ({was or now})" if was or now else ""
    return part, what, change, was, now, by, f"{part} {what}: {change}{detail}"


def _text(value: Any) -> str:
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _links(a: Bundle, b: Bundle) -> list[tuple[Any, ...]]:
    """Return what changed of each pair of services; faint links that come and go are no change."""
    before, after = (_pairs(one.production.links) for one in (a, b))
    rows = []
    for pair in sorted(before.keys() | after.keys()):
        was, now = before.get(pair), after.get(pair)
        strength = (was["strength"] if was else 0.0, now["strength"] if now else 0.0)
        by = strength[1] - strength[0]
        name = " - ".join(pair)
        if was is None or now is None:
            if abs(by) >= MOVED:
                change = "appeared" if was is None else "gone"
                rows.append(_row("link", name, change, was and strength[0], now and strength[1], by))
            continue
        if abs(by) >= MOVED:
            rows.append(_row("link", name, "surer" if by > 0 else "less sure", *strength, by))
        ways = was["way"], now["way"]
        if ways[0] != ways[1] and max(strength) >= 0.5:
            rows.append(_row("link", name, "turned", *ways))
        if was["verdict"] != now["verdict"]:
            rows.append(_row("link", name, "verdict", was["verdict"], now["verdict"]))
    return rows


def _pairs(links: pd.DataFrame) -> dict[tuple[str, str], dict[str, Any]]:
    found = {}
    for row in links.to_dict("records"):
        src, dst = row["src"], row["dst"]
        pair = (src, dst) if src < dst else (dst, src)
        way = f"{src} depends on {dst}" if row["direction"] == "forward" else str(row["direction"])
        verdict = None if pd.isna(row["verdict"]) else str(row["verdict"])
        found[pair] = {"strength": float(row["strength"]), "way": way, "verdict": verdict}
    return found


def _services(a: Bundle, b: Bundle) -> list[tuple[Any, ...]]:
    before, after = (dict(zip(one.services["service"], one.services["team"], strict=True)) for one in (a, b))
    rows = [_row("service", name, "gone", _text(before[name]), None) for name in before.keys() - after.keys()]
    rows += [_row("service", name, "appeared", None, _text(after[name])) for name in after.keys() - before.keys()]
    for name in before.keys() & after.keys():
        if _text(before[name]) != _text(after[name]):
            rows.append(_row("team", name, "changed", before[name], after[name]))
    return rows


def _patterns(a: Bundle, b: Bundle, unseen: list[str]) -> list[tuple[Any, ...]]:
    """Return what changed of patterns; two are one when they have the same steps."""
    if a.patterns is None or b.patterns is None:
        if a.patterns is not b.patterns:
            unseen.append("patterns were not compared: one of the bundles holds none")
        return []
    if a.patterns.by != b.patterns.by:
        unseen.append(
            f"patterns were not compared: those of the one are by {a.patterns.by}, of the other by {b.patterns.by}"
        )
        return []
    before, after = _steps(a), _steps(b)
    rows = [_row("pattern", before[key][0], "gone", before[key][1], None) for key in before.keys() - after.keys()]
    rows += [_row("pattern", after[key][0], "appeared", None, after[key][1]) for key in after.keys() - before.keys()]
    for key in before.keys() & after.keys():
        if before[key][0] != after[key][0]:
            rows.append(_row("pattern", after[key][0], "renamed", before[key][0], after[key][0]))
        was, now = before[key][1], after[key][1]
        if was != now:
            change = "more often" if now > was else "less often"
            rows.append(_row("pattern", after[key][0], change, was, now, float(now - was)))
    return rows


def _steps(bundle: Bundle) -> dict[frozenset[str], tuple[str, int]]:
    assert bundle.patterns is not None
    steps = bundle.patterns.steps
    core = steps[steps["core"]].groupby("pattern")["kind"].agg(frozenset)
    told = {row["pattern"]: (str(row["name"]), int(row["support"])) for row in bundle.patterns.table.to_dict("records")}
    return {kinds: told[name] for name, kinds in core.items()}


def _rules(a: Bundle, b: Bundle, unseen: list[str]) -> list[tuple[Any, ...]]:
    if a.rules.empty or b.rules.empty:
        if len(a.rules) != len(b.rules):
            unseen.append("rules were not compared: one of the bundles was saved without its alerts")
        return []
    before, after = (one.rules.set_index("rule") for one in (a, b))
    rows = [_row("rule", name, "gone", before["habit"][name], None) for name in before.index.difference(after.index)]
    rows += [
        _row("rule", name, "appeared", None, after["habit"][name]) for name in after.index.difference(before.index)
    ]
    both = before.index.intersection(after.index)
    changed = both[before.loc[both, "habit"].to_numpy() != after.loc[both, "habit"].to_numpy()]
    return rows + [_row("rule", name, "changed", before["habit"][name], after["habit"][name]) for name in changed]


def _reactions(a: Bundle, b: Bundle) -> list[tuple[Any, ...]]:
    before, after = ({(r.team, r.name): r for r in one.reactions.items} if one.reactions else {} for one in (a, b))
    rows = []
    for team, name in sorted(before.keys() | after.keys()):
        was, now = before.get((team, name)), after.get((team, name))
        what = f"{name} (of {team})"
        if was is None or now is None:
            rows.append(_row("reaction", what, "appeared" if was is None else "gone", None, None))
        elif was != now:
            rows.append(_row("reaction", what, "changed", was.does("its target"), now.does("its target")))
    return rows


def _quality(a: Bundle, b: Bundle, unseen: list[str]) -> list[tuple[Any, ...]]:
    if a.metrics.empty and b.metrics.empty:
        unseen.append("quality was not compared: neither bundle says how good it was measured to be")
        return []
    before, after = (one.metrics.drop_duplicates("metric").set_index("metric") for one in (a, b))
    rows = []
    for name in sorted({*before.index, *after.index}):
        if name not in before.index or name not in after.index:
            unseen.append(f"{name} was measured of one bundle only")
        elif before["definition"][name] != after["definition"][name]:
            unseen.append(f"{name} was not compared: the two bundles define it differently")
        elif before["value"][name] != after["value"][name]:
            was, now = float(before["value"][name]), float(after["value"][name])
            rows.append(_row("quality", name, "changed", was, now, now - was))
            if before["n"][name] != after["n"][name]:
                unseen.append(f"{name} was measured on {before['n'][name]:,} before and {after['n'][name]:,} after")
    return rows


def _flat(part: str, before: dict[str, Any], after: dict[str, Any]) -> list[tuple[Any, ...]]:
    names = sorted(before.keys() | after.keys())
    return [
        _row(part, name, "changed", _text(before.get(name)), _text(after.get(name)))
        for name in names
        if _text(before.get(name)) != _text(after.get(name))
    ]


def _parameters(bundle: Bundle) -> dict[str, Any]:
    told = bundle.manifest["parameters"]
    return {
        f"{model}.{name}": None if value is None else str(value)
        for model, values in told.items()
        for name, value in values.items()
    }


def _data(bundle: Bundle) -> dict[str, Any]:
    data, counts = bundle.manifest["data"], bundle.manifest["counts"]
    named = {"alerts": str(counts["alerts"]), "incidents": str(counts["incidents"])}
    return {"since": data.get("since"), "until": data.get("until")} | named


def _said(table: pd.DataFrame, a: Bundle, b: Bundle) -> list[str]:
    if table.empty:
        return ["nothing changed" + ("" if a.id == b.id else " that is compared")]
    said = []
    for part in _PARTS:
        rows = table[table["part"] == part]
        if rows.empty or part in ("data", "version"):
            continue
        counts = rows["change"].value_counts(sort=False)
        told = ", ".join(f"{count} {change}" for change, count in counts.items())
        first = words.listing(rows["what"].head(3).tolist())
        named = _SEVERAL.get(part, f"{part}s")
        said.append(f"{words.count(len(rows), 'change')} of {named} ({told}), first: {first}")
    spans = [
        f"{_text(one.manifest['data'].get('since'))[:10]} to {_text(one.manifest['data'].get('until'))[:10]}"
        for one in (a, b)
    ]
    said.append(f"learned from {spans[0]} before, from {spans[1]} after (UTC)")
    return said
