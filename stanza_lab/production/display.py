"""How a map shows itself to people: the columns of a link that they read, and a page for a notebook."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import TYPE_CHECKING

from stanza_lab.production import words

if TYPE_CHECKING:
    import pandas as pd

_ROWS = 12  # per table
_NAME = 60  # characters per cell
_SENTENCE = 400

PROBABILITIES = ["link_confidence", "confidence", "back", "q_value"]
LEGEND = {
    "known from": "alerts (inferred from what fires together), traces (calls were seen), or both",
    "link_confidence": "probability of a dependency, whichever way; traced: its calls were seen",
    "confidence": "probability that src depends on dst",
    "back": "probability of the other way",
    "direction": "forward: src depends on dst; both: each on the other; unknown: neither way is twice as likely",
    "support": "how often both fired together",
    "lift": "times more often than chance",
    "lag_s": "median seconds from the dependency's alert to the dependant's; negative: the dependant fired first",
    "q_value": "false discovery rate",
    "verdict": "confirmed: alerts and traces agree; trace-only: traces show it, alerts alone did not; "
    "alert-only: traces that would show it do not; declared-only: declared, and neither shows it",
}


def evidence(links: pd.DataFrame) -> pd.DataFrame:
    """Return of links (or edges) what a reader takes in, as text: `src`, `dst` and the columns of `LEGEND`.

    Where a link was seen, "traced" or "declared" stands for its probability.
    """
    seen = [words.seen(provenance) for provenance in links["provenance"]]
    told = {"known from": [words.known_from(provenance) for provenance in links["provenance"]]}
    for name in links.columns.intersection(PROBABILITIES):
        said = words.rate if name == "q_value" else words.probability
        told[name] = [said(value) for value in links[name]]
        if name != "q_value":
            both = [True] * len(links) if name != "back" else list(links["direction"] == "both")
            known = zip(seen, both, told[name], strict=True)
            told[name] = [kind if kind and here else number for kind, here, number in known]
    if {"support", "q_value"} <= set(links.columns):  # where alerts never fired together they say nothing
        told["q_value"] = [said if n else "" for said, n in zip(told["q_value"], links["support"], strict=True)]
    shown = links.assign(**told)
    return shown[[name for name in ("src", "dst", *LEGEND) if name in shown.columns]]


def page(title: str, services: pd.DataFrame, links: pd.DataFrame, gaps: Iterable[str]) -> str:
    """Return teams, surest links and gaps as HTML of a few KB, all text escaped."""
    teams = services.assign(team=services["team"].fillna("unknown")).groupby("team")
    owned = teams.agg(services=("service", "size"), alerts=("alerts", "sum")).reset_index()
    owned = owned.sort_values("services", ascending=False, kind="stable")
    items = "".join(f"<li>{_text(gap, _SENTENCE)}</li>" for gap in gaps)
    return (
        f"<p><b>{_text(title, _SENTENCE)}</b></p>"
        + _table("Teams", owned)
        + _table("Surest dependencies", evidence(links).drop(columns=["back", "lift", "q_value"]))
        + (f"<p>Could not be seen:</p><ul>{items}</ul>" if items else "")
    )


def _text(value: object, limit: int = _NAME) -> str:
    """Return `value` shortened and escaped."""
    said = f"{value:.3g}" if isinstance(value, float) else str(value)
    said = "" if said == "nan" else said
    return html.escape(said if len(said) <= limit else said[: limit - 1] + "…")


def _table(title: str, table: pd.DataFrame) -> str:
    """Return the first rows of a table, or nothing when it has none."""
    if table.empty:
        return ""
    head = "".join(f"<th>{_text(name)}</th>" for name in table.columns)
    rows = table.head(_ROWS).itertuples(index=False)
    body = "".join("<tr>" + "".join(f"<td>{_text(value)}</td>" for value in row) + "</tr>" for row in rows)
    more = f"<p>and {len(table) - _ROWS:,} more</p>" if len(table) > _ROWS else ""
    return f"<p>{title}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"
