"""How the pager load shows itself in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from stanza_lab.production import card

if TYPE_CHECKING:
    from stanza_lab.reliability.load.load import PagerLoad

_ROWS = 8
_TEAMS = {
    "team": "team", "pages": "pages", "incidents": "incidents", "per_shift": "per shift", "over": "shifts over",
    "business": "business", "off_hours": "off hours", "sleep_hours": "sleep", "nights": "nights", "people": "people",
}  # fmt: skip
_PEOPLE = {
    "person": "person", "team": "team", "interruptions": "interruptions", "business": "business",
    "off_hours": "off hours", "sleep_hours": "sleep", "nights": "nights", "engaged_h": "engaged h",
}  # fmt: skip
_RULES = {
    "rule": "rule", "service": "service", "count": "alerts", "pages": "pages", "chronic": "chronic",
    "flapping": "flapping", "refired": "again in 24 h", "never_acknowledged": "nobody took",
}  # fmt: skip


def page(load: PagerLoad) -> str:
    """Return the load as HTML of a few KB, all text escaped."""
    span = (
        "" if pd.isna(load.known["first"]) else f"{load.known['first']:%Y-%m-%d} to {load.known['last']:%Y-%m-%d} UTC"
    )
    body = (
        card.sentences(load.words, top=16)
        + card.section("Teams", _table(load.teams, _TEAMS, rest=".teams"), about="most interrupted first")
        + card.section(
            "People", _table(load.people, _PEOPLE, rest=".people"), about="pseudonyms", otherwise="nobody is told"
        )
        + card.section("Noisiest rules", _table(load.rules, _RULES, rest=".rules"), otherwise="no alert")
        + card.section("Storms", card.sentences(load.storms["words"], top=4), otherwise="none")
        + card.section("Against the SRE book", card.sentences(_limits(load), top=_ROWS), about="all in .limits")
        + card.section("Not seen", card.sentences(load.unseen))
        + card.section("What is meant", card.sentences(f"{k}: {v}" for k, v in load.definitions.items()))
    )
    return card.card("Pager load", span, body)


def _limits(load: PagerLoad) -> list[str]:
    """Return what is not kept, the pages first."""
    broken = load.limits[load.limits["verdict"].isin(["not within", "not always"])]
    return [str(said) for said in broken.sort_values(["verdict", "limit"], ascending=[False, True])["words"]]


def _table(rows: pd.DataFrame, heads: dict[str, str], *, rest: str) -> str:
    shown = rows[list(heads)].head(_ROWS + 1).copy()
    numbers = [name for name in heads if name not in ("team", "person", "rule", "service")]
    for name in numbers:
        shown[name] = [_number(name, value) for value in shown[name].tolist()]
    full = pd.concat([shown, rows[list(heads)].iloc[len(shown) :].astype("str")]) if len(rows) > len(shown) else shown
    return card.table(full, heads, top=_ROWS, numbers=numbers, rest=rest)


def _number(name: str, value: object) -> str:
    if value is None or pd.isna(value):  # type: ignore[call-overload]
        return ""
    if isinstance(value, bool):
        return "yes" if value else ""
    if name in ("refired", "never_acknowledged"):
        return f"{value:.0%}"
    return f"{value:.2f}" if isinstance(value, float) else f"{value:,}"
