"""Why a name means a service, in words: what was stated, what was learned from it, what was left apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from stanza_lab import schema
from stanza_lab.entities import naming
from stanza_lab.entities.identity.learning import DOUBT, odds
from stanza_lab.entities.identity.parts import parts_of
from stanza_lab.errors import ParameterError

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.entities.identity.learning import Identity
    from stanza_lab.entities.identity.statements import Floats

_SHOWN = 5


@dataclass(frozen=True)
class NameExplanation:
    """Why a name means a service.

    Attributes
    ----------
    name, service : str
        The name as asked for, and the service it means.
    confidence : float
        Probability that it does; of several steps the weakest.
    reasons : tuple of str
        What leads from the name to the service, in order.
    doubts : tuple of str
        What speaks against it.
    apart : tuple of str
        Names like it that mean other services, and why.
    """

    name: str
    service: str
    confidence: float
    reasons: tuple[str, ...]
    doubts: tuple[str, ...]
    apart: tuple[str, ...]

    def __str__(self) -> str:
        """Say it in a few lines."""
        lines = [f"  {sign} {text}" for sign, _, texts in self._lists() for text in texts]
        return "\n".join([self._headline(), *lines])

    def _repr_html_(self) -> str:
        lists = "".join(
            f"<p>{title}</p><ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>"
            for _, title, texts in self._lists()
            if texts
        )
        return f"<div><strong>{escape(self._headline())}</strong>{lists}</div>"

    def _headline(self) -> str:
        return f"{self.name!r} is {self.service}: confidence {self.confidence:.2f}"

    def _lists(self) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
        return ("+", "For", self.reasons), ("-", "Against", self.doubts), ("x", "Kept apart", self.apart)


def explain(identity: Identity, alias: str) -> NameExplanation:
    """Say why `alias` means a service."""
    told = identity.statements
    spelled = identity.spelled.canonical(alias)
    given = naming.key(alias) in identity.given or naming.key(spelled) in identity.given
    if spelled not in told.names and not given:
        near = [name for name in told.names if naming.key(alias) in naming.key(name)][:_SHOWN]
        near = near or get_close_matches(alias, told.names, _SHOWN)
        hint = f"; names like it are {near}" if near else f"; there are {len(told.names):,} names"
        raise ParameterError(f"no alert and no catalogue has a service called {alias!r}{hint}")
    service = identity.canonical(alias)
    if spelled not in told.names:
        return NameExplanation(alias, service, 1.0, (f"the overrides say so; no alert names {alias!r}",), (), ())
    number = told.names.index(spelled)
    reasons = [_stated(identity, number)]
    if alias != spelled:
        reasons.insert(0, _spelling(alias, spelled))
    doubts: list[str] = []
    steps = identity.paths().get(spelled, [])
    if given:
        reasons.append(f"the overrides say that it is {service}")
    for a, b, found in steps:
        if (min(a, b), max(a, b)) in identity.by_people:
            reasons.append(f"the overrides say that {told.names[a]} and {told.names[b]} are one")
            continue
        speaks, against = _words(identity, a, b)
        reasons.append(f"{told.names[a]} and {told.names[b]} are one ({found:.2f}): {'; '.join(speaks)}")
        doubts += [f"{told.names[a]} and {told.names[b]}: {text}" for text in against]
    confidence = min((found for *_, found in steps), default=1.0)
    return NameExplanation(
        alias, service, confidence, tuple(reasons), tuple(doubts), tuple(_left_apart(identity, number))
    )


def conflicts(identity: Identity) -> pd.DataFrame:
    """Return `schema.NAME_CONFLICTS`: likely pairs that were not joined, and pairs joined against the evidence."""
    told, pairs = identity.statements, identity.pairs
    raw = np.where(pairs["apart"].isna(), pairs["probability"], _evidence(pairs))
    group = np.array([*identity.group, None], dtype=object)[:-1]
    a, b = pairs["a"].to_numpy(), pairs["b"].to_numpy()
    same = group[a] == group[b] if len(pairs) else np.zeros(0, dtype=bool)
    forbidden = pairs["apart"].notna().to_numpy()
    # That two names of one tool are alike is no conflict; that alerts state both, or that they share hosts, is.
    carried = ((pairs["together"] > 0) | (pairs["hosts"] > 0)).to_numpy()
    barred = _forbidden(identity)
    reasons: list[str | None] = pairs["apart"].tolist()
    rows = []
    for k in np.flatnonzero((~same & (raw >= DOUBT) & (~forbidden | carried)) | (same & forbidden)).tolist():
        one, other = int(a[k]), int(b[k])
        why = reasons[k]
        speaks, against = _words(identity, one, other)
        if same[k]:
            kind, text = "given", f"joined by the overrides, though {why}"
            if (one, other) not in identity.by_people:
                continue
        elif why:
            kind, text = "kept apart", f"{why}, though {'; '.join(speaks)}"
        else:
            blocked = _blocked(identity, barred, one, other)
            kind = "kept apart" if blocked else "unsure"
            text = blocked or "; ".join([*speaks, *(f"but {word}" for word in against)])
        row = {"name": told.names[one], "other": told.names[other], "probability": float(raw[k])}
        rows.append({**row, "kind": kind, "why": text})
    table = schema.build(rows, schema.NAME_CONFLICTS)
    return table.sort_values(["probability", "name", "other"], ascending=[False, True, True], ignore_index=True)


def _evidence(pairs: pd.DataFrame) -> Floats:
    """Return the probability that pairs are one by what speaks for them, whatever forbids it or else they may mean."""
    found = odds(pairs)
    return found / (1 + found)


def _forbidden(identity: Identity) -> dict[tuple[str, str], tuple[int, int, str]]:
    """Return, for services that may not be one, the first two names of theirs which forbid it, and why."""
    found: dict[tuple[str, str], tuple[int, int, str]] = {}
    pairs = identity.pairs[identity.pairs["apart"].notna()]
    for one, other, why in zip(pairs["a"].tolist(), pairs["b"].tolist(), pairs["apart"], strict=True):
        first, second = identity.group[one], identity.group[other]
        found.setdefault((first, second), (one, other, why))
        found.setdefault((second, first), (one, other, why))
    return found


def _blocked(
    identity: Identity, forbidden: Mapping[tuple[str, str], tuple[int, int, str]], a: int, b: int
) -> str | None:
    """Return which of the names already joined with the two forbid joining them."""
    found = forbidden.get((identity.group[a], identity.group[b]))
    if found is None:
        return None
    names = identity.statements.names
    return f"likely, but {names[found[0]]} and {names[found[1]]} would become one, and {found[2]}"


def _left_apart(identity: Identity, number: int) -> list[str]:
    told, pairs = identity.statements, identity.pairs
    near = pairs[(pairs["a"] == number) | (pairs["b"] == number)].assign(raw=_evidence)
    near = near[near["raw"] >= DOUBT].sort_values("raw", ascending=False)
    barred, lines = _forbidden(identity), []
    columns = (near[name].tolist() for name in ("a", "b", "apart", "probability"))
    for a, b, why, found in zip(*columns, strict=True):
        other = told.names[b if a == number else a]
        if identity.group[a] != identity.group[b]:
            lines.append(f"{other}: {why or _blocked(identity, barred, a, b) or f'not sure enough ({found:.2f})'}")
    return lines[:_SHOWN]


def _stated(identity: Identity, number: int) -> str:
    told = identity.statements
    row = told.counts[[number], :].tocoo()
    where = sorted(zip(row.data.tolist(), row.col.tolist(), strict=True), reverse=True)
    places = [
        f"{told.places[p]} ({int(n):,})" if told.places[p] not in ("catalogue", "traces") else told.places[p]
        for n, p in where
    ]
    more = f" and {len(places) - _SHOWN} more places" if len(places) > _SHOWN else ""
    return f"{told.names[number]} stands in {', '.join(places[:_SHOWN])}{more}"


def _spelling(alias: str, spelled: str) -> str:
    if naming.key(alias) == naming.key(spelled):
        return f"{alias!r} is {spelled!r} but for case and separators"
    bare = naming.without_note(alias)
    if bare != alias:
        note = alias[len(bare) :].strip("_ ")
        return f"{alias!r} is {bare!r} with the note {note}" + (
            "" if bare == spelled else f"; {_spelling(bare, spelled)}"
        )
    if naming.workload_of(alias, sure=False):
        return f"{alias!r} is a pod of {spelled!r}"
    if naming.environment_of(alias):
        return f"{alias!r} is {spelled!r} with a word for production, and that name is itself in use"
    return f"{alias!r} is listed as {spelled!r} with its words in another order, or with its cluster"


def _words(identity: Identity, a: int, b: int) -> tuple[list[str], list[str]]:
    """Return what speaks for and against two names being one, in words, the weightiest first."""
    pairs, told = identity.pairs, identity.statements
    row = pairs.iloc[identity.pair_at[min(a, b), max(a, b)]]
    one, other = told.parts[row["a"]], told.parts[row["b"]]
    speaks: list[str] = []
    against: list[str] = []
    if row["same_words"]:
        speaks.append(f"both are called {' '.join(one.core)}")
    elif not row["plain"]:
        speaks.append(", ".join(f"{x} may stand for {y}" for x, y in (sorted(p, key=len) for p in row["words"])))
    else:
        against.append("their words differ")
    if row["alerts"]:
        speaks.append(f"{row['alerts']:,} alerts state both")
    if row["hosts"]:
        speaks.append(f"hosts, pods or instances that few others have: {round(np.expm1(row['hosts']))}")
    if row["traces"]:
        speaks.append(f"traces in common: {round(np.expm1(row['traces']))}")
    if row["handover"]:
        speaks.append("where both are used, one begins when the other ends")
    for k in (row["a"], row["b"]):
        habit = " and ".join(sorted(parts_of(told.names[k]).soft - told.parts[k].soft))
        against += [f"{habit} in {told.names[k]} is taken for a habit of its tool"] if habit else []
    if row["soft_words"]:
        against.append(f"only one says {' or '.join(sorted(one.soft ^ other.soft))}")
    if row["probability"] < 0.9 * _evidence(pairs.loc[[row.name]])[0] and not row["apart"]:
        against.append("another name of the same tool fits as well")
    if row["contradicted"]:
        against.append(f"{row['contradicted']:.0%} of the alerts that could state both state another name")
    return speaks, against
