"""Patterns in words and pages: what recurs, how each time went, what speaks for it and what against."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab._html import escaped
from stanza_lab.errors import UnknownNameError
from stanza_lab.patterns.found import ENDINGS
from stanza_lab.patterns.lasting import over
from stanza_lab.production import words

if TYPE_CHECKING:
    from collections.abc import Hashable

    from stanza_lab.patterns.found import Patterns

_FAMILIES, _PATTERNS, _STEPS, _TIMES = 10, 8, 12, 6  # most that a page or an explanation lists
_NAME, _SENTENCE = 80, 400  # characters of a cell, of a sentence
_FEW = 5  # occurrences below which shares and times say little


def headline(patterns: Patterns) -> str:
    """Return what was found, in one line."""
    known = patterns.known
    found = f"{words.count(len(patterns.table), 'pattern')} in {words.count(len(patterns.families), 'family')}"
    of = f"{words.count(int(known['incidents']), 'incident')} of {words.count(int(known['alerts']), 'alert')}"
    since = f", {known['first']:%Y-%m-%d} to {known['last']:%Y-%m-%d} UTC" if known["first"] is not None else ""
    return f"{found}, from {of}{since}"


def explain(patterns: Patterns, pattern: str) -> str:
    """Return what is known of one pattern, in lines of text."""
    row, steps, times = _one(patterns, pattern)
    lines = [f"{row['name']} ({row['pattern']})", _happened(row, times), *(f"  {said}" for said in _steps(steps, row))]
    lines += ["Each time:", *(f"  {said}" for said in _each(times))]
    lines += [f"  + {said}" for said in _speaks(row, times, patterns)]
    lines += [f"  - {said}" for said in _against(row, steps, times, patterns)]
    return "\n".join(lines)


def page(patterns: Patterns) -> str:
    """Return families and patterns with their steps as HTML of some KB, everything escaped."""
    parts = [f"<p><b>{escaped(headline(patterns), _SENTENCE)}</b></p>"]
    if len(patterns.families):
        parts += ["<p>Families</p>", _list(patterns.families["words"].head(_FAMILIES), len(patterns.families))]
    for row in patterns.table.head(_PATTERNS).to_dict("records"):
        _, steps, times = _one(patterns, row["pattern"])
        parts.append(f"<p><b>{escaped(row['name'], _NAME)}</b> <code>{escaped(row['pattern'], _NAME)}</code><br>")
        parts.append(f"{escaped(_happened(row, times), _SENTENCE)}</p>{_table(steps)}")
    more = len(patterns.table) - _PATTERNS
    if more > 0:
        parts.append(f"<p>and {words.count(more, 'more pattern')}: see <code>.table</code></p>")
    said = [*patterns.unseen, f"page: {patterns.known['page']}"]
    return f"<div>{''.join(parts)}<p>Could not be seen, or left out</p>{_list(said, len(said))}</div>"


def _one(patterns: Patterns, pattern: str) -> tuple[dict[Hashable, Any], pd.DataFrame, pd.DataFrame]:
    """Return the row, the steps and the occurrences of a pattern."""
    table = patterns.table
    rows = table[table["pattern"] == pattern]
    if rows.empty:
        raise UnknownNameError.among("pattern", pattern, table["pattern"])
    steps, times = (of[of["pattern"] == pattern] for of in (patterns.steps, patterns.occurrences))
    return rows.to_dict("records")[0], steps, times


def _happened(row: dict[Hashable, Any], times: pd.DataFrame) -> str:
    """Say how often it happened, when last, how it ended and how long before the first page it began."""
    paged = int(times["page_at"].notna().sum())
    said = (
        f"{words.count(int(row['support']), 'time')}, last on {row['last']:%Y-%m-%d %H:%M} UTC; ended {_ended(times)}"
    )
    if not paged:
        return f"{said}; nobody was paged"
    lead = float(row["lead_s"])
    way = "at its first alert" if abs(lead) < 1 else f"{words.span(lead)} {'after' if lead > 0 else 'before'} it began"
    return f"{said}; paged {words.count(paged, 'time')}, half of them {way} or later"


def _ended(times: pd.DataFrame) -> str:
    counted = times["ended"].value_counts()
    return ", ".join(f"{name} {words.count(int(counted[name]), 'time')}" for name in ENDINGS if name in counted.index)


def _steps(steps: pd.DataFrame, row: dict[Hashable, Any]) -> list[str]:
    """Say which alert comes when, in their usual order."""
    said = []
    for step in steps.head(_STEPS).to_dict("records"):
        middle, low, high = (words.span(step[name]) for name in ("after_s", "low_s", "high_s"))
        when = f"after {middle}" + (f" ({low} to {high})" if low != high else "")
        role = "core" if step["core"] else "optional"
        said.append(f"{step['kind']}: {when}, {step['count']} of {row['support']} times, {role}")
    more = len(steps) - _STEPS
    return said + ([f"and {more} more"] if more > 0 else [])


def _each(times: pd.DataFrame) -> list[str]:
    """Say of the last occurrences when each was and how it ended."""
    said = []
    for one in times.sort_values("starts_at", ascending=False).head(_TIMES).to_dict("records"):
        how = ", ".join(filter(None, (one["ended"], over(one["starts_at"], one["half_at"], one["ends_at"]))))
        there = words.probability(one["match"]) if one["match"] < 1 else "all"
        said.append(f"{one['starts_at']:%Y-%m-%d %H:%M} UTC, incident {one['incident_id']}: {how}, {there} of it there")
    more = len(times) - _TIMES
    return said + ([f"and {more} earlier"] if more > 0 else [])


def _speaks(row: dict[Hashable, Any], times: pd.DataFrame, patterns: Patterns) -> list[str]:
    """Say what makes it a pattern."""
    of = words.count(int(patterns.known["incidents"]), "incident")
    odds = f"p {words.rate(row['p_value'])}, q {words.rate(row['q_value'])}"
    chance = f"{row['expected']:.2g}" if row["expected"] >= 0.01 else "less than 0.01"
    said = [f"in {row['support']} of {of}; shifted in time against each other they would meet {chance} times ({odds})"]
    whole = int((times["match"] >= 0.9).sum())
    return [*said, f"nearly all of it was there {words.count(whole, 'time')}"] if whole else said


def _against(row: dict[Hashable, Any], steps: pd.DataFrame, times: pd.DataFrame, patterns: Patterns) -> list[str]:
    """Say what makes it less sure."""
    said = []
    others = int(patterns.known["incidents"]) - int(row["support"])
    if others < row["support"] / 2:
        said.append(f"{words.count(others, 'other incident')} only: little to compare it with")
    if row["support"] < _FEW:
        said.append(f"only {words.count(int(row['support']), 'occurrence')}: shares and times are rough")
    if pd.notna(row["confidence"]) and row["confidence"] < 1:
        share = words.probability(row["confidence"])
        said.append(f"of the incidents that begin with {steps['kind'].iloc[0]}, {share} went on to it")
    core = steps[steps["core"]]
    mixed = core[(core["low_s"] <= 0) & (core["position"] > 0)]
    if len(mixed):
        said.append(f"the order varies: {words.listing(mixed['kind'])} came first at times")
    span = (times["starts_at"].max() - times["starts_at"].min()).total_seconds()
    if len(times) > 1 and span < 86_400:
        said.append("all of it happened within a day: it may be one lasting trouble")
    return said


def _table(steps: pd.DataFrame) -> str:
    rows = "".join(
        f"<tr><td>{escaped(step['kind'], _NAME)}</td><td>{'core' if step['core'] else 'optional'}</td>"
        f"<td>{step['share']:.0%}</td><td>{words.span(step['after_s'])}</td>"
        f"<td>{words.span(step['low_s'])} to {words.span(step['high_s'])}</td></tr>"
        for step in steps.head(_STEPS).to_dict("records")
    )
    more = f"<p>and {len(steps) - _STEPS} more steps</p>" if len(steps) > _STEPS else ""
    head = "".join(f"<th>{name}</th>" for name in ("step", "member", "share", "median after", "10 % to 90 %"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}"


def _list(sentences: Iterable[str], whole: int) -> str:
    items = [f"<li>{escaped(said, _SENTENCE)}</li>" for said in sentences]
    more = f"<li>and {whole - len(items)} more</li>" if whole > len(items) else ""
    return f"<ul>{''.join(items)}{more}</ul>"
