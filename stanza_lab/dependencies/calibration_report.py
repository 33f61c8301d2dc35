"""What a correction of confidences was learned from, what it is, and whether it helped."""

from __future__ import annotations

import html
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class CalibrationReport:
    """What a correction was learned from, what it is, and whether it helped on services it had not seen.

    Attributes
    ----------
    method : str
        platt or isotonic: what was used.
    pairs, real, unjudged : int
        Pairs judged (in either direction), those of them that are real, and pairs nothing can judge.
    said, found : float
        Mean link confidence of the judged pairs before, and the share that is real. Null without pairs.
    slope, intercept : float
        Of the new log odds in the old (isotonic: null). Above 1: confidences were too near the middle.
    from_data : float
        From 0 to 1: how much of slope and intercept the pairs tell; the prior (no change) tells the rest.
    brier_before, brier_after, ece_before, ece_after : float
        Brier score and expected calibration error (10 bins) of link confidence, before and after; each pair is
        corrected by what the other folds of services tell. Null when there are too few to divide.
    ece_by_chance : float
        Calibration error that so many pairs show by chance when their confidence is right.
    directions : int
        Real pairs of one direction: by them the probability of the direction is judged.
    direction_slope : float
        Of the log odds of the direction. 1: unchanged; 0: the direction told nothing.
    corrected : bool
        Whether link confidence is changed.
    reason : str
        Why it is changed or not, in words.
    """

    method: str
    pairs: int
    real: int
    unjudged: int
    said: float
    found: float
    slope: float
    intercept: float
    from_data: float
    brier_before: float
    brier_after: float
    ece_before: float
    ece_after: float
    ece_by_chance: float
    directions: int
    direction_slope: float
    corrected: bool
    reason: str

    @property
    def summary(self) -> list[str]:
        """The findings in words, a sentence each."""
        said = [f"{_count(self.pairs, 'pair')} judged, {self.real:,} real: {self.reason}."]
        if self.corrected and self.method == "platt":
            said.append(
                f"New log odds = {self.slope:.2f} x old {self.intercept:+.2f}; the pairs tell {self.from_data:.0%} of "
                "that, the prior (no change) the rest."
            )
        if not np.isnan(self.brier_after):
            said.append(
                f"On services held out: Brier score {self.brier_before:.3f}, corrected {self.brier_after:.3f}; "
                f"calibration error {self.ece_before:.3f}, corrected {self.ece_after:.3f} (by chance about "
                f"{self.ece_by_chance:.3f})."
            )
        if self.direction_slope != 1:
            said.append(
                f"Directions, by {_count(self.directions, 'one-way call')}: log odds x {self.direction_slope:.2f}."
            )
        if self.unjudged:
            whole = self.pairs + self.unjudged
            said.append(
                f"{self.unjudged:,} of {_count(whole, 'pair')} cannot be judged and are treated alike; services that "
                "are traced may differ from those that are not."
            )
        return said

    def __str__(self) -> str:
        """Say it in a few lines."""
        return "\n".join(self.summary)

    def _repr_html_(self) -> str:
        return "".join(f"<p>{html.escape(text)}</p>" for text in self.summary)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
