"""How a place shows itself in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanza_lab.production import card, words

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.production.place.onboarding import Place

_ROWS, _WEEKS = 10, 8


def page(place: Place, *, proposals: bool = True) -> str:
    """Return the place as HTML of a few KB, all text escaped; without `proposals` where these are asked elsewhere."""
    proposed = place.proposed.assign(
        probability=[words.probability(value) for value in place.proposed["probability"]],
        reasons=["; ".join(reasons) for reasons in place.proposed["reasons"]],
    )
    proposed["reasons"] = proposed["reasons"].astype("str")
    asked = "accept(...) or decline(...) them; why: what speaks most for it first"
    heads = {"service": "service", "team": "team", "probability": "probability", "reasons": "why"}
    more = card.section(
        "Probably yours too",
        _proposals(proposed, heads),
        about=asked,
        otherwise="nothing else on the map looks like yours",
    )
    body = (
        card.sentences(place.words)
        + card.section("Picked", card.table(place.picked, _PICKED, top=_ROWS, numbers=["alerts"]))
        + (more if proposals else "")
        + card.section("Pager load", _load(place.pager_load), about=f"alerts a week, hours of {place.tz}")
        + card.section("Who comes next", card.sentences(place.neighbours["words"]), otherwise="no neighbour is known")
    )
    return card.card(place.profile.name, f"the place of {words.count(len(place.profile.services), 'service')}", body)


_PICKED = {"name": "picked", "kind": "kind", "services": "stands for", "alerts": "alerts", "why": "because"}
_LOAD = {
    "week": "week of", "days": "days", "pages": "alerts", "incidents": "incidents", "business": "business",
    "off_hours": "off hours", "sleep_hours": "sleep hours", "chronic_share": "chronic",
}  # fmt: skip


def _proposals(proposed: pd.DataFrame, heads: dict[str, str]) -> str:
    """Return the proposals as a table whose reasons are said in full."""
    if proposed.empty:
        return ""
    head = "".join(f'<th scope="col">{card.text(said)}</th>' for said in heads.values())
    rows = "".join(
        "<tr>" + "".join(f"<td>{card.text(row[name], limit=260)}</td>" for name in heads) + "</tr>"
        for row in proposed.head(_ROWS).to_dict("records")
    )
    more = len(proposed) - _ROWS
    said = f'<p class="faint">and {more:,} less likely ones in <code>.proposed</code></p>' if more > 0 else ""
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{said}'


def _load(weeks: pd.DataFrame) -> str:
    recent = weeks.tail(_WEEKS).iloc[::-1]
    shown = recent.assign(
        week=[f"{at:%Y-%m-%d}" for at in recent["week"]],
        chronic_share=[f"{100 * share:.0f} %" if share == share else "" for share in recent["chronic_share"]],
    )
    return card.table(shown, _LOAD, top=_WEEKS, numbers=[name for name in _LOAD if name != "week"])
