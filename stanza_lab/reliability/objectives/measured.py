"""How services kept their objectives: what `measure_objectives` returns, and how it looks in a notebook."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from stanza_lab.production import words

OBJECTIVES: dict[str, Any] = {
    "service": "str",
    "name": "str",
    "team": "str",
    "kind": "str",  # availability, latency, session, alert time (a proxy)
    "objective": "float64",  # percent
    "window_s": "float64",
    "since": "datetime64[us, UTC]",  # first instant of the window that was counted
    "at": "datetime64[us, UTC]",
    "unit": "str",  # what was counted: request, session, or second (of alert time)
    "total": "float64",  # of them in the window
    "bad": "float64",
    "attained": "float64",  # percent of what was seen
    "low": "float64",  # percent; 95 % for what is behind it, or for alert time: if unknown ends were as late as can be
    "high": "float64",
    "worst": "float64",  # percent, if all that was not seen had failed
    "seen": "float64",  # share of the time since `since`
    "allowed": "float64",  # how many may fail in a whole window of this traffic
    "spent": "float64",  # share of the error budget: b w / P
    "left": "float64",  # 1 - spent; below 0 = overspent
    "burn": "float64",  # over all of the window that was counted
    "burn_day": "float64",  # over the last day
    "exhausted_at": "datetime64[us, UTC]",  # when nothing is left at burn_day; null: not at this rate, or already gone
    "kept": "float64",  # probability that the failures behind it stay within the budget; null for alert time
    "judged": "bool",
    "words": "str",
}
BURN: dict[str, Any] = {
    "service": "str",
    "name": "str",
    "window": "str",
    "total": "float64",
    "bad": "float64",
    "error_ratio": "float64",
    "burn": "float64",
    "spent": "float64",  # b w / P
    "lasts_s": "float64",  # a whole budget at this rate: P / b
    "left_lasts_s": "float64",  # what is left of it
    "seen": "float64",
    "judged": "bool",
    "words": "str",
}
STATEMENTS: dict[str, Any] = {
    "service": "str",
    "verdict": "str",  # ship, slow down, freeze, nobody promised (the objective is assumed), cannot judge
    "sure": "float64",
    "reasons": object,
    "words": "str",
}
OVER_TIME: dict[str, Any] = {"service": "str", "name": "str", "at": "datetime64[us, UTC]", "left": "float64"}
_SHOWN = 30
_COLOURS = {"ship": "#006B4F", "slow down": "#8A5A00", "freeze": "#A84600"}


def percent(value: float) -> str:
    """Return a percentage to three digits, cut and not rounded: what missed one in a million did not attain 100."""
    return f"{math.floor(value * 1000 + 1e-6) / 1000:.3f}" if math.isfinite(value) else ""


@dataclass(frozen=True, eq=False, repr=False)
class Reliability:
    """How services kept their objectives, as `measure_objectives` and `objectives_from_alerts` return it.

    Attributes
    ----------
    objectives : DataFrame
        A row per objective and service: what was promised, attained (percent, with low and high), the error budget
        (allowed, spent, left), burn rates, when it is exhausted, whether it could be judged, all in words.
    burn : DataFrame
        A row per objective, service and window: failures, burn rate, share of the budget spent, how long it lasts.
    statements : DataFrame
        A row per service: verdict (ship, slow down, freeze, nobody promised, cannot judge), how sure, reasons,
        words.
    golden : DataFrame
        As `golden_signals`: one row per service for the window; empty for alert time.
    over_time : DataFrame
        Service, name, at, left: the share of the error budget that was left, at times of the window before.
    at : Timestamp
        The instant it is about.
    definition : str
        What is measured, in words: time zone, n, what is excluded.
    unseen : list of str
        What could not be seen.
    """

    objectives: pd.DataFrame
    burn: pd.DataFrame
    statements: pd.DataFrame
    golden: pd.DataFrame
    over_time: pd.DataFrame
    at: pd.Timestamp
    definition: str
    unseen: list[str]

    def __repr__(self) -> str:
        """Count what is there."""
        verdicts = self.statements["verdict"].value_counts()
        said = [
            f"{verdicts[verdict]} {verdict}"
            for verdict in ("freeze", "slow down", "ship", "nobody promised", "cannot judge")
            if verdict in verdicts
        ]
        return f"Reliability({', '.join([words.count(len(self.objectives), 'objective'), *said])})"

    @property
    def unit(self) -> str:
        """What was counted: request, session or second; request where objectives differ (see `objectives`)."""
        units = self.objectives["unit"].unique()
        return str(units[0]) if len(units) == 1 else "request"

    @property
    def words(self) -> list[str]:
        """Say what it comes to: a sentence per service, the most urgent first."""
        return self.statements["words"].tolist()

    def _repr_html_(self) -> str:
        """Return statements and objectives as a page of a notebook."""
        rows = []
        for row in self.statements.head(_SHOWN).to_dict("records"):
            colour = _COLOURS.get(row["verdict"], "inherit")
            rows.append(
                f'<li><b style="color:{colour}">{escape(row["verdict"])}</b>: {escape(row["words"][:600])}</li>'
            )
        more = len(self.statements) - _SHOWN
        rest = f"<p>{words.count(more, 'more service')} in .statements</p>" if more > 0 else ""
        unseen = "".join(f"<li>{escape(one[:300])}</li>" for one in self.unseen[:_SHOWN])
        hidden = f"<details><summary>What could not be seen ({len(self.unseen)})</summary><ul>{unseen}</ul></details>"
        return (
            f"<div><p><b>{escape(repr(self))}</b></p><ul>{''.join(rows)}</ul>{rest}{self._table()}"
            f"<p><small>{escape(self.definition)}</small></p>{hidden if self.unseen else ''}</div>"
        )

    def _table(self) -> str:
        heads = ("service", "objective", "promised", "attained", "budget left", "burn, last day", "counted", "seen")
        lines = [
            (
                row["service"],
                row["name"],
                f"{row['objective']:g} % over {words.span(row['window_s'])}",
                f"{percent(row['attained'])} % ({percent(row['low'])} to {percent(row['high'])})",
                f"{row['left']:.0%}" if row["judged"] else "not judged",
                f"{row['burn_day']:.1f}" if pd.notna(row["burn_day"]) else "not known",
                f"{row['total']:,.0f} {row['unit']}s",
                f"{row['seen']:.0%}",
            )
            for row in self.objectives.head(_SHOWN).to_dict("records")
        ]
        head = "".join(f"<th>{escape(name)}</th>" for name in heads)
        body = "".join(f"<tr>{''.join(f'<td>{escape(str(cell)[:120])}</td>' for cell in line)}</tr>" for line in lines)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
