"""Correct the confidence of edges by what the user's own traces show of them."""

from __future__ import annotations

from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, logit
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from stanza_lab._params import at_least, choice
from stanza_lab.dependencies.calibration_report import CalibrationReport
from stanza_lab.dependencies.curves import chance_error, fit_curve, fit_line, held_out, helps, inside, measure
from stanza_lab.dependencies.judging import MIN_TRACES, Truth, both_ways, checked, judge, not_overlaid
from stanza_lab.dependencies.overlay import evidence
from stanza_lab.errors import ParameterError

METHODS = ("platt", "isotonic")
ISOTONIC_PAIRS, ISOTONIC_REAL = 200, 40  # fewer, and steps would follow chance
_TOLD = 0.02  # a mean error of confidence below this is none worth a word
_TIMID, _EXTREME = 1.25, 0.8  # slopes from which confidences are called too near the middle, too far from it

Floats = npt.NDArray[np.float64]


class EdgeCalibrator(BaseEstimator):
    """Correct the confidence of edges by pairs whose truth is known, such as those that traces show.

    The order of link confidence stays as it is; what changes is how large it is said to be. A prior expects
    confidence to be right already, so that few pairs change little, and nothing is changed that does not help on
    services held out. Calibrate first, then lay traces over the edges.

    Parameters
    ----------
    method : str, default "platt"
        "platt": a line in the log odds. "isotonic": steps, joined by lines, for any rising curve; it needs 200 pairs
        with 40 real among them, and is "platt" where there are fewer.
    prior_strength : float, default 4.0
        How firmly confidence is held to be right, above 0: slope and intercept have a variance of 1 over it around 1
        and 0. 4 weighs as much as 16 pairs at even odds. Of isotonic steps: pairs added to each that are as real as
        was said. Larger: more pairs are needed to change as much.
    min_pairs : int, default 20
        Judged pairs below which nothing is changed, at least 1. Larger is more cautious.
    min_traces : int, default 10
        Traces of a caller, at least 1, from which a call they do not show counts as none. Larger: fewer pairs are
        judged, and fewer wrongly. Used for spans only.

    Attributes
    ----------
    report_ : CalibrationReport
        From what the correction was learned, what it is, whether it helped; prints as sentences.

    See Also
    --------
    reliability : Confidence beside frequency.
    overlay_traces : What traces say of each edge by itself.

    Notes
    -----
    *Truth.* Spans judge a pair where one of the two writes spans (or is a database or queue, which calls nobody) and
    the other appears in them, whether or not they show a call: judging real pairs more often than others would teach
    too much confidence. A real call that traces miss counts as none, so confidence is corrected towards "traces show
    it". Pairs that are declared or traced already (`provenance`, `verdict`) neither teach nor change.

    *Direction.* Both directions of a pair keep their share of its link confidence, but for one number: the log odds of
    the direction are multiplied by a slope, 1 with fewer than `min_pairs` real one-way pairs or where it does not help.
    No confidence exceeds its link confidence, and where both directions add up to at least that, they still do.

    *Held out.* Pairs are divided by callee (of the surer direction) into five folds; each is corrected by the others.
    Only what improves their Brier score by more than its standard error is applied.

    *Selection.* Traced services may differ from those that are not (newer, busier, better monitored), and nothing here
    can tell. Pairs that share a service are not independent: trust the number of pairs less than a count of coins.

    References
    ----------
    Platt (1999), Probabilistic outputs for support vector machines. Zadrozny and Elkan (2002), Transforming classifier
    scores into accurate multiclass probability estimates, KDD.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> names = [f"s{i}" for i in range(40)]
    >>> edges = pd.DataFrame({"src": "web", "dst": names, "confidence": 0.6, "link_confidence": 0.7})
    >>> calls = pd.DataFrame({"caller": "web", "callee": names[::4]})
    >>> calibrator = sl.EdgeCalibrator().fit(edges, calls)
    >>> print(calibrator.report_.summary[0])
    40 pairs judged, 10 real: your confidences were too high by 0.45 on average; corrected.
    >>> calibrator.transform(edges)[["confidence", "link_confidence"]].round(2).drop_duplicates()
       confidence  link_confidence
    0        0.29             0.34
    """

    report_: CalibrationReport

    def __init__(
        self,
        *,
        method: str = "platt",
        prior_strength: float = 4.0,
        min_pairs: int = 20,
        min_traces: int = MIN_TRACES,
    ) -> None:
        self.method = method
        self.prior_strength = prior_strength
        self.min_pairs = min_pairs
        self.min_traces = min_traces

    def fit(self, edges: pd.DataFrame, truth: pd.DataFrame) -> Self:
        """Learn the correction from the pairs that `truth` can judge.

        Parameters
        ----------
        edges : DataFrame
            `src`, `dst`, `confidence`, `link_confidence`: `schema.EDGES`, before traces are laid over them.
        truth : DataFrame
            Spans (`schema.SPANS`), calls (`src`, `dst`, as `call_edges` returns them) or a call graph (`caller`,
            `callee`), which is taken to be complete.

        Returns
        -------
        EdgeCalibrator
            This calibrator; `report_` says what was learned.

        Raises
        ------
        SchemaError
            A column is missing, a confidence is no probability, or traces were laid over the edges before.
        ParameterError
            A parameter is out of range.
        """
        self._check()
        edges = not_overlaid(checked(edges))
        inferred = both_ways(edges[~_settled(edges)])
        pairs = judge(_filled(inferred), Truth.of(truth, edges, min_traces=self.min_traces))
        known = pairs[pairs["judged"]]
        self._learn(known, unjudged=len(pairs) - len(known))
        return self

    def transform(self, edges: pd.DataFrame) -> pd.DataFrame:
        """Correct the confidence of edges.

        Parameters
        ----------
        edges : DataFrame
            As in `fit`: the same edges, or others of the same kind.

        Returns
        -------
        DataFrame
            A new table with `confidence` and `link_confidence` corrected and all else as it was, sorted by confidence
            (falling), src, dst. Declared and traced pairs, and certain ones (0 and 1), stay as they are.

        Raises
        ------
        SchemaError
            A column is missing, or a confidence is no probability.
        """
        check_is_fitted(self, "report_")
        edges = checked(edges)
        pairs = _filled(both_ways(edges))
        ab, ba, link = (pairs[name].to_numpy(np.float64) for name in ("ab", "ba", "link"))
        new = self._link(link)
        share = self._share(ab, ba)
        both = np.divide(ab + ba, link, out=np.zeros(len(link)), where=link > 0) * new
        wide = pairs[["a", "b"]].assign(link=new)
        ways = [
            wide.assign(src=wide[src], dst=wide[dst], sure=np.minimum(part * both, new))
            for src, dst, part in (("a", "b", share), ("b", "a", 1 - share))
        ]
        found = pd.concat(ways).set_index(["src", "dst"])[["sure", "link"]]
        found = found.reindex(pd.MultiIndex.from_frame(edges[["src", "dst"]])).set_axis(edges.index)
        kept = _settled(edges) | found["sure"].isna()
        edges = edges.assign(
            confidence=edges["confidence"].where(kept, found["sure"]),
            link_confidence=edges["link_confidence"].where(kept, found["link"]),
        )
        return edges.sort_values(["confidence", "src", "dst"], ascending=[False, True, True], ignore_index=True)

    def _check(self) -> None:
        choice(self.method, "method", METHODS)
        at_least(self.min_pairs, "min_pairs", 1)
        at_least(self.min_traces, "min_traces", 1)
        if not 0 < self.prior_strength < np.inf:
            raise ParameterError(f"prior_strength={self.prior_strength!r} must be a number above 0")

    def _learn(self, known: pd.DataFrame, *, unjudged: int) -> None:
        """Set the curve of links, the slope of directions and the report from judged pairs."""
        said, real = known["link"].to_numpy(np.float64), known["real"].to_numpy(np.float64)
        steps = self.method == "isotonic" and len(said) >= ISOTONIC_PAIRS and real.sum() >= ISOTONIC_REAL
        method = "isotonic" if steps else "platt"
        enough = len(said) >= self.min_pairs
        others = held_out(method, said, real, self.prior_strength, groups=_callees(known)) if enough else None
        corrected = helps(said, others, real)
        odds = logit(inside(said))
        line, from_data = fit_line(odds, real, self.prior_strength)
        self._curve = fit_curve(method, said, real, self.prior_strength) if corrected else None
        one_way = known[known["ab_real"] != known["ba_real"]]
        self._direction_slope = self._directions(one_way)
        applied = line if method == "platt" else (np.nan, np.nan)
        mean = float(said.mean()) if len(said) else np.nan
        found = float(real.mean()) if len(real) else np.nan
        slope = line[0] if len(odds) and np.ptp(odds) > 1 else 1.0  # of equal confidences it would mean nothing
        reason = self._reason(len(said), found - mean, slope, corrected=corrected)
        if enough and others is None:
            reason = "all of one callee, with nothing to try a correction on; your confidences are left as they are"
        if steps != (self.method == "isotonic") and enough:
            reason += f" (by Platt's line: steps need {ISOTONIC_PAIRS} pairs with {ISOTONIC_REAL} real)"
        self.report_ = CalibrationReport(
            method=method,
            pairs=len(said),
            real=int(real.sum()),
            unjudged=unjudged,
            said=mean,
            found=found,
            slope=applied[0],
            intercept=applied[1],
            from_data=from_data,
            **measure(said, others, real),
            ece_by_chance=chance_error(said),
            directions=len(one_way),
            direction_slope=self._direction_slope,
            corrected=corrected,
            reason=reason,
        )

    def _reason(self, pairs: int, off: float, slope: float, *, corrected: bool) -> str:
        """Say what was wrong with the confidences, and what was done about it."""
        if pairs < self.min_pairs:
            return f"too few to correct anything ({self.min_pairs} are asked for); left as they are"
        if not corrected:
            return "no correction helps services held out by more than chance; your confidences are left as they are"
        wrong = f"too {'low' if off > 0 else 'high'} by {abs(off):.2f} on average" if abs(off) >= _TOLD else ""
        spread = "too far from the middle" if slope < _EXTREME else "too near the middle" if slope > _TIMID else ""
        both = " and ".join(text for text in (wrong, spread) if text) or "nearly right"
        return f"your confidences were {both}; corrected"

    def _directions(self, one_way: pd.DataFrame) -> float:
        """Return by how much the log odds of the direction are multiplied."""
        share = _shares(one_way["ab"].to_numpy(np.float64), one_way["ba"].to_numpy(np.float64))
        told = (share > 0) & (share < 1)
        if told.sum() < self.min_pairs:
            return 1.0
        real = one_way["ab_real"].to_numpy(np.float64)[told]
        said, groups = share[told], _callees(one_way)[told]
        others = held_out("slope", said, real, self.prior_strength, groups=groups)
        if not helps(said, others, real):
            return 1.0
        return fit_line(logit(said), real, self.prior_strength, symmetric=True)[0][0]

    def _link(self, said: Floats) -> Floats:
        if self._curve is None:
            return said
        return np.where((said > 0) & (said < 1), self._curve(said), said)

    def _share(self, ab: Floats, ba: Floats) -> Floats:
        """Return the share of `ab` in the two directions, corrected; what is certain stays so."""
        share = _shares(ab, ba)
        unsure = (share > 0) & (share < 1)
        return np.where(unsure, expit(self._direction_slope * logit(np.where(unsure, share, 0.5))), share)


def _callees(pairs: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return a number for the callee of each pair, in its surer direction."""
    callees = pairs["b"].where(pairs["ab"] >= pairs["ba"], pairs["a"])
    return np.asarray(callees.astype("category").cat.codes, dtype=np.int64)


def _settled(edges: pd.DataFrame) -> pd.Series:
    """Return which edges are known from elsewhere than alerts, in either direction."""
    settled = edges["src"].isna()
    if "verdict" in edges.columns:
        settled |= edges["verdict"].notna()
    if "provenance" in edges.columns:
        settled |= evidence.says(edges["provenance"], "traced") | evidence.says(edges["provenance"], "declared")
    return settled.groupby(evidence.pair_of(edges)).transform("any") if len(edges) else settled


def _filled(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return pairs with what a missing direction leaves of the link for it."""
    rest = {"ab": pairs["link"] - pairs["ba"], "ba": pairs["link"] - pairs["ab"]}
    return pairs.assign(**{way: pairs[way].fillna(left.clip(lower=0)) for way, left in rest.items()})


def _shares(ab: Floats, ba: Floats) -> Floats:
    return np.asarray(np.divide(ab, ab + ba, out=np.full(len(ab), 0.5), where=ab + ba > 0))
