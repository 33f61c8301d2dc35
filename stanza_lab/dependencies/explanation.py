"""Put into words, rows and figures what speaks for and against a dependency."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stanza_lab.dependencies.evidence import words_by_source
from stanza_lab.dependencies.occasions import occasions_of
from stanza_lab.dependencies.statistics import LAG_EDGES, LAGS

if TYPE_CHECKING:
    from stanza_lab.dependencies.known import Known
    from stanza_lab.dependencies.sums import DependencyStatistics

_SURE, _SURE_BACK = 2 / 3, 1 / 3  # a direction counts as known when it is at least twice as likely as the other
_WORTH_SAYING = 0.05  # log odds


@dataclass(frozen=True, eq=False)
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
    shares : DataFrame
        What each source adds to the log odds of a link: `source` (prior first), `says` (in words), `log_odds`, `share`
        (of all that is added or taken away).
    ways : DataFrame
        The same for the direction: positive speaks for `src` depending on `dst`.
    lags : DataFrame
        `from_s`, `to_s`, `cofirings`, `expected`: how long after `dst` `src` fired (negative: before it).
    occasions_table : DataFrame
        For the alerts of `src` in the last days that the model still holds, the nearest of `dst` at the same place:
        `at` (the later one), `lag_s`, `src_alert`, `dst_alert` (ids, null where alerts have none).
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
    shares: pd.DataFrame = field(repr=False)
    ways: pd.DataFrame = field(repr=False)
    lags: pd.DataFrame = field(repr=False)
    occasions_table: pd.DataFrame = field(repr=False)

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
        if self.link_confidence and _SURE_BACK < self.confidence / self.link_confidence < _SURE:
            return (
                f"{self.src} and {self.dst}: {linked}, which way is not known "
                f"({self.confidence:.2f} that {self.src} depends on {self.dst})"
            )
        way = (
            f", {self.confidence / self.link_confidence:.2f} that it is this way round" if self.link_confidence else ""
        )
        return f"{self.src} depends on {self.dst}: confidence {self.confidence:.2f} ({linked}{way})"


def explain(
    src: str,
    dst: str,
    *,
    evidence: pd.DataFrame,
    edges: pd.DataFrame,
    statistics: DependencyStatistics,
    recent: pd.DataFrame | None,
    min_support: int,
    max_q: float,
    known: Known,
    claims: bool,
) -> Explanation:
    """Explain one edge from the evidence on all pairs."""
    a, b = sorted((src, dst))
    fired = statistics.firings.totals()["firings"]
    counted = _Counted(src, dst, int(fired.get(src, 0)), int(fired.get(dst, 0)), statistics, min_support, max_q)
    rows = evidence[(evidence["a"] == a) & (evidence["b"] == b)]
    row = None if rows.empty else rows.iloc[0]
    told = edges[(edges["src"] == src) & (edges["dst"] == dst)]
    forbidden = (src, dst) in known.forbidden
    if forbidden:  # what is left of the link is the other direction
        back = edges[(edges["src"] == dst) & (edges["dst"] == src)]
        link, confidence = 0.0 if back.empty else float(back["link_confidence"].iloc[0]), 0.0
    else:
        link, confidence = _confidence(row, told, forth=src == b)
    speaks, against = counted.words(row, evidence)
    by_source = words_by_source(statistics.claims, statistics.traits, src=src, dst=dst) if claims else []
    by_source = [(source, words) for source, words in by_source if _weighs(row, source)]
    for _, words in by_source:
        speaks += words.speaks
        against += words.against
    declared = not told.empty and "declared" in told["provenance"].iloc[0]
    speaks = ["declared: passed as required=", *speaks] if declared else speaks
    against = ["ruled out: passed as forbidden=", *against] if forbidden else against
    says = {source: "; ".join([*words.speaks, *words.against]) for source, words in by_source}
    lag = float("nan") if row is None else float(row["lag_s"]) * (1 if src == b else -1)
    number = {name: 0 if row is None else row[name] for name in ("cofirings", "occasions", "lift")}
    chance = {name: 1.0 if row is None else float(row[name]) for name in ("p_value", "q_value")}
    return Explanation(
        src=src,
        dst=dst,
        confidence=confidence,
        link_confidence=link,
        support=int(number["cofirings"]),
        occasions=int(number["occasions"]),
        firings_src=counted.fired_src,
        firings_dst=counted.fired_dst,
        expected=float("nan") if row is None else float(row["expected"]),
        lift=float(number["lift"]),
        lag_s=lag + 0.0,
        last_together=counted.last(),
        reasons_for=tuple(speaks),
        reasons_against=tuple(against),
        shares=_shares(row, "says:", says | counted.sources(row), sign=1.0),
        ways=_shares(row, "way:", says | counted.sources(row), sign=1.0 if src == b else -1.0),
        lags=counted.lags(row),
        occasions_table=occasions_of(recent, src=src, dst=dst, counting=statistics.counting),
        **chance,
    )


def _confidence(row: pd.Series | None, told: pd.DataFrame, *, forth: bool) -> tuple[float, float]:
    """Return link confidence and confidence; what is listed in the edges knows more (required, the other forbidden)."""
    if not told.empty:
        return float(told["link_confidence"].iloc[0]), float(told["confidence"].iloc[0])
    if row is None:
        return 0.0, 0.0
    link, follows = float(row["link_confidence"]), float(row["b_depends"])
    return link, link * (follows if forth else 1 - follows)


@dataclass(frozen=True)
class _Counted:
    """What the counts of one pair say."""

    src: str
    dst: str
    fired_src: int
    fired_dst: int
    statistics: DependencyStatistics
    min_support: int
    max_q: float

    def words(self, row: pd.Series | None, evidence: pd.DataFrame) -> tuple[list[str], list[str]]:
        """Return reasons for and against, from times."""
        src, dst = self.src, self.dst
        window = f"{self.statistics.counting.window / 60e6:g} min"
        often = f"{src} fired {_times(self.fired_src)}, {dst} {_times(self.fired_dst)}"
        if row is None or not row["cofirings"]:
            together = int(self.statistics.firings.of_pair(self.src, self.dst)["cofirings"].sum())
            if together:
                return [], [f"fired within {window} of each other {_times(together)}, as often as by chance ({often})"]
            return [], [f"they never fired within {window} of each other ({often})"]
        support, occasions = int(row["cofirings"]), int(row["occasions"])
        tests = f"lift {row['lift']:.3g}, p {row['p_value']:.1g}, q {row['q_value']:.1g}"
        chance = f"{row['expected']:.2g} expected by chance ({tests})"
        speaks = [
            f"fired within {window} of each other {_times(support)}, on {_occasions(occasions)}; {chance}",
            f"of {self.fired_src} firings of {src} and {self.fired_dst} of {dst}",
            f"last together on {self.last():%Y-%m-%d} (UTC)",
        ]
        against: list[str] = []
        after, before, order = self._order(row)
        (speaks if after > before else against).append(order)
        if occasions < self.min_support:
            against.append(f"too few distinct occasions: {occasions}, and at least {self.min_support} are asked for")
        if row["q_value"] > self.max_q:
            against.append(f"so many co-firings may well be chance (q {row['q_value']:.2g} is above {self.max_q:g})")
        if row["strength"] <= 0:
            against.append("they fired together no more often than by chance")
        elif row["rival"] <= 0:
            against.append(_rival(src, dst, float(row["strength"]), evidence))
        return speaks, against

    def sources(self, row: pd.Series | None) -> dict[str, str]:
        """Return what the sources that are times say, in few words."""
        if row is None:
            return {}
        direct = row["effect_a"] if self.src > self.dst else row["effect_b"]
        back = row["effect_b"] if self.src > self.dst else row["effect_a"]
        after, before = (row["ahead"], row["behind"]) if self.src > self.dst else (row["behind"], row["ahead"])
        together = f"{int(row['cofirings'])} together on {_occasions(int(row['occasions']))}"
        brings = f"a firing of {self.dst} brings {direct:.2f} of {self.src} directly"
        return {
            "prior": "any two of so many nodes, and how often such productions link them",
            "co-firing": f"{together}, {row['expected']:.2g} by chance",
            "direct effect": f"{brings} ({back:.2f} the other way)",
            **self._replicates(row),
            "symptoms": "whose alerts speak of saturation when both fire, as those of a cause do",
            "order": f"{self.src} fired after {self.dst} {_times(after)} and before it {_times(before)}",
            "who fires more": f"{self.src} fired {_times(self.fired_src)}, {self.dst} {_times(self.fired_dst)}",
        }

    def _replicates(self, row: pd.Series) -> dict[str, str]:
        """Return what the point process says, where there are places."""
        if "share_a" not in row:
            return {}
        forth, back = (row["share_a"], row["share_b"]) if self.src > self.dst else (row["share_b"], row["share_a"])
        kept = f"{forth:.0%} of the draws keep that {self.dst} leads to {self.src}, {back:.0%} the other way"
        return {
            "prior": "any two kinds of so many, and how often networks link them",
            "starts": kept,
            "clears": "the same of when alarms end: an effect clears after its cause",
            "starts, backwards in time": "the same told from the effects back",
        }

    def last(self) -> pd.Timestamp | None:
        """Return the start of the last slice in which the two fired together."""
        counts = self.statistics.firings.of_pair(self.src, self.dst)
        together = counts.loc[counts["cofirings"] > 0, "slice"]
        return None if together.empty else together.max()

    def lags(self, row: pd.Series | None) -> pd.DataFrame:
        """Return the histogram of lags from dst to src, with what chance would give (even over the window)."""
        window_s = self.statistics.counting.window / 1e6
        edges = LAG_EDGES * window_s
        low = np.concatenate([-edges[:0:-1], [0.0], edges[:-1]])
        high = np.concatenate([-edges[-2::-1], [0.0], edges[1:]])
        counts = np.zeros(len(LAGS)) if row is None else row[LAGS].to_numpy(np.float64)
        counts = counts if self.src > self.dst else counts[::-1]
        expected = 0.0 if row is None else float(row["expected"])
        return pd.DataFrame(
            {
                "from_s": low,
                "to_s": high,
                "cofirings": counts.astype("int64"),
                "expected": expected * (high - low) / (2 * window_s),
            }
        )

    def _order(self, row: pd.Series) -> tuple[int, int, str]:
        """Return how often src fired after and before dst, and say so."""
        forth = self.src > self.dst  # the evidence reads from a to b: how much later b fired
        after, before = (row["ahead"], row["behind"]) if forth else (row["behind"], row["ahead"])
        lag_s = float(row["lag_s"]) if forth else 0.0 - float(row["lag_s"])
        said = f"{self.src} fired after {self.dst} {_times(after)} and before it {_times(before)}"
        return int(after), int(before), f"{said} (median lag {lag_s:+.0f} s)"


def _weighs(row: pd.Series | None, source: str) -> bool:
    """Return whether a source moved anything: a word that all names share, a team all page is no reason."""
    if row is None:
        return True
    return any(abs(float(row.get(f"{prefix}{source}", 0.0))) >= _WORTH_SAYING for prefix in ("says:", "way:"))


def _shares(row: pd.Series | None, prefix: str, says: dict[str, str], *, sign: float) -> pd.DataFrame:
    """Return what each source adds to the log odds, the prior first, then the largest first."""
    names = [] if row is None else [str(name) for name in row.index if str(name).startswith(prefix)]
    values = [] if row is None else [(name.removeprefix(prefix), sign * float(row[name])) for name in names]
    found = sorted(
        (pair for pair in values if abs(pair[1]) >= _WORTH_SAYING), key=lambda pair: (-abs(pair[1]), pair[0])
    )
    total = sum(abs(value) for _, value in found) or 1.0
    share = [abs(value) / total for _, value in found]
    if prefix == "says:" and row is not None:
        found, share = [("prior", float(row["prior"])), *found], [float("nan"), *share]
    return pd.DataFrame(
        {
            "source": pd.Series([name for name, _ in found], dtype="str"),
            "says": pd.Series([says.get(name, "") for name, _ in found], dtype="str"),
            "log_odds": pd.Series([value for _, value in found], dtype="float64"),
            "share": pd.Series(share, dtype="float64"),
        }
    )


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
    return f"{count} distinct occasion{'s' if count != 1 else ''}"


def _times(count: float) -> str:
    return "once" if count == 1 else f"{int(count)} times"
