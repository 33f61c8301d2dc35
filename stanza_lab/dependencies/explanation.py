"""Put into words what speaks for and against a dependency."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from stanza_lab.dependencies.statistics import CoFiringStatistics


_SURE, _SURE_BACK = 2 / 3, 1 / 3  # a direction counts as known when it is at least twice as likely as the other


@dataclass(frozen=True)
class Explanation:
    """Why `src` may depend on `dst`, and why not.

    Attributes
    ----------
    src, dst : str
        The edge.
    confidence, link_confidence : float
        Probability of the directed dependency, and of a link in either direction.
    support, occasions : int
        Co-firings, and distinct occasions with one.
    firings_src, firings_dst : int
        How often each fired.
    expected, lift : float
        Co-firings expected by chance, and how many times more there were.
    lag_s : float
        Median seconds from dst's alert to src's.
    p_value, q_value : float
        Of so many occasions by chance, for this pair and corrected for all pairs.
    last_together : Timestamp or None
        Start of the last time slice in which they fired together.
    reasons_for, reasons_against : tuple of str
        The same in words.
    """

    src: str
    dst: str
    confidence: float
    link_confidence: float
    support: int
    occasions: int
    firings_src: int
    firings_dst: int
    expected: float
    lift: float
    lag_s: float
    p_value: float
    q_value: float
    last_together: pd.Timestamp | None
    reasons_for: tuple[str, ...] = field(repr=False)
    reasons_against: tuple[str, ...] = field(repr=False)

    def __str__(self) -> str:
        """Say it in a few lines."""
        speaks = [f"  + {text}" for text in self.reasons_for]
        return "\n".join([self._headline(), *speaks, *(f"  - {text}" for text in self.reasons_against)])

    def _repr_html_(self) -> str:
        speaks = "".join(f"<li>{escape(text)}</li>" for text in self.reasons_for)
        against = "".join(f"<li>{escape(text)}</li>" for text in self.reasons_against)
        lists = [f"<p>{title}</p><ul>{items}</ul>" for title, items in (("For", speaks), ("Against", against)) if items]
        return f"<div><strong>{escape(self._headline())}</strong>{''.join(lists)}</div>"

    def _headline(self) -> str:
        linked = f"{self.link_confidence:.2f} that the two are linked at all"
        if _SURE_BACK < self.confidence / (self.link_confidence or 1) < _SURE:
            return (
                f"{self.src} and {self.dst}: {linked}, which way is not known "
                f"({self.confidence:.2f} that {self.src} depends on {self.dst})"
            )
        return f"{self.src} depends on {self.dst}: confidence {self.confidence:.2f} ({linked})"


def explain(
    src: str, dst: str, *, evidence: pd.DataFrame, statistics: CoFiringStatistics, min_support: int, max_q: float
) -> Explanation:
    """Explain one edge from the evidence on all pairs; both names must have fired."""
    a, b = sorted((src, dst))
    fired = statistics.firings.groupby("node")["firings"].sum()
    fired_src, fired_dst = int(fired[src]), int(fired[dst])
    window = f"{statistics.counting.window / 60e6:g} min"
    rows = evidence[(evidence["a"] == a) & (evidence["b"] == b)]
    if rows.empty:
        often = f"{src} fired {_times(fired_src)}, {dst} {_times(fired_dst)}"
        never = f"they never fired within {window} of each other ({often})"
        unknown = float("nan")
        return Explanation(
            src, dst, 0.0, 0.0, 0, 0, fired_src, fired_dst, unknown, 0.0, unknown, 1.0, 1.0, None, (), (never,)
        )
    row = rows.iloc[0]
    # The evidence reads from a to b: whether b depends on a, and how much later b fired.
    follows = float(row["b_depends"]) if src == b else 1 - float(row["b_depends"])
    after, before = (int(row["ahead"]), int(row["behind"])) if src == b else (int(row["behind"]), int(row["ahead"]))
    lag_s = float(row["lag_s"]) if src == b else 0.0 - float(row["lag_s"])
    link, support, occasions = float(row["link_confidence"]), int(row["cofirings"]), int(row["occasions"])
    expected, lift, p_value, q_value = (float(row[name]) for name in ("expected", "lift", "p_value", "q_value"))
    counts = statistics.cofirings
    last = counts.loc[(counts["a"] == a) & (counts["b"] == b), "slice"].max()
    chance = f"{expected:.2g} expected by chance (lift {lift:.3g}, p {p_value:.1g}, q {q_value:.1g})"
    order = f"{src} fired after {dst} {_times(after)} and before it {_times(before)} (median lag {lag_s:+.0f} s)"
    often = f"{src} fired {_times(fired_src)} in all, {dst} {_times(fired_dst)}"
    known = "" if follows >= _SURE or follows <= _SURE_BACK else ", too little to tell which way"
    direction = f"{order}; {often}: probability of this direction {follows:.2f}{known}"
    speaks = [
        f"fired within {window} of each other {_times(support)}, on {_occasions(occasions)}; {chance}",
        f"that is {support} of {fired_src} firings of {src} and {support} of {fired_dst} firings of {dst}",
        f"last together on {last:%Y-%m-%d} (UTC)",
    ]
    against: list[str] = []
    (speaks if follows >= _SURE else against).append(direction)
    if occasions < min_support:
        against.append(f"too few distinct occasions: {occasions}, and at least {min_support} are asked for")
    if q_value > max_q:
        against.append(f"so many co-firings may well be chance (q {q_value:.2g} is above {max_q:g})")
    if row["rival"] <= 0:
        against.append(_rival(src, dst, float(row["strength"]), evidence))
    return Explanation(
        src, dst, link * follows, link, support, occasions, fired_src, fired_dst, expected, lift, lag_s, p_value,
        q_value, last, tuple(speaks), tuple(against),
    )  # fmt: skip


def _rival(src: str, dst: str, strength: float, evidence: pd.DataFrame) -> str:
    """Name the third node over which the pair is explained better."""
    strengths = [
        pd.concat([
            evidence.loc[evidence["a"] == name].set_index("b")["strength"],
            evidence.loc[evidence["b"] == name].set_index("a")["strength"],
        ])
        for name in (src, dst)
    ]  # fmt: skip
    around = pd.concat(strengths, axis=1, join="inner", keys=[src, dst]).sort_index()
    third = around.min(axis=1).idxmax()
    to_src, to_dst = around.loc[third, src], around.loc[third, dst]
    return (
        f"{third} may explain it: it shares {to_src:.0%} of firings with {src} and {to_dst:.0%} with {dst}, "
        f"the two with each other {strength:.0%}"
    )


def _occasions(count: int) -> str:
    return f"{count} distinct occasion{'s' if count > 1 else ''}"


def _times(count: float) -> str:
    return "once" if count == 1 else f"{int(count)} times"
