"""Rising curves from what confidence says to what is real: a line in the log odds, or isotonic steps.

A prior holds confidence to be right, so that few pairs change little.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.model_selection import GroupKFold

from stanza_lab.dependencies.metrics import reliability

FOLDS = 5
_EDGE = 1e-6  # of 0 and 1: their log odds are infinite

Floats = npt.NDArray[np.float64]
Curve = Callable[[Floats], Floats]


def inside(said: Floats) -> Floats:
    """Return confidences a little off 0 and 1, where log odds are infinite."""
    return np.clip(said, _EDGE, 1 - _EDGE)


def fit_curve(method: str, said: Floats, real: Floats, prior: float) -> Curve:
    """Return the correction that these pairs teach, a rising function of confidence.

    `method`: "platt", "isotonic", or "slope", which leaves a half a half (for directions).
    """
    if method == "isotonic":
        return _steps(said, real, prior)
    (slope, intercept), _ = fit_line(logit(inside(said)), real, prior, symmetric=method == "slope")
    return lambda confidence: expit(slope * logit(inside(confidence)) + intercept)


def fit_line(odds: Floats, real: Floats, prior: float, *, symmetric: bool = False) -> tuple[tuple[float, float], float]:
    """Return slope and intercept of the likeliest line in the log odds, and how much of it the pairs tell.

    The slope is at least 0, for the order of confidences must not turn round; the intercept is 0 when `symmetric`.
    """
    columns = np.column_stack([odds, np.zeros(len(odds)) if symmetric else np.ones(len(odds))])
    expected = np.array([1.0, 0.0])

    def loss(line: Floats) -> tuple[float, Floats]:
        score = columns @ line
        off = line - expected
        value = np.logaddexp(0, score).sum() - real @ score + prior / 2 * off @ off
        return float(value), columns.T @ (expit(score) - real) + prior * off

    best = minimize(loss, expected, jac=True, method="L-BFGS-B", bounds=[(0, None), (None, None)]).x
    chance = expit(columns @ best)
    weight = prior * np.eye(2)
    unsure = np.linalg.inv(columns.T @ (columns * (chance * (1 - chance))[:, None]) + weight)
    used = 1 if symmetric else 2
    from_data = 1 - prior * np.diag(unsure)[:used].mean()
    return (float(best[0]), float(best[1])), float(from_data)


def held_out(method: str, said: Floats, real: Floats, prior: float, *, groups: npt.NDArray[np.int64]) -> Floats | None:
    """Return every pair's confidence corrected by the other folds of groups; None where there are too few to divide."""
    folds = min(FOLDS, len(np.unique(groups)))
    if folds < 2:
        return None
    corrected = np.empty(len(said))
    for others, fold in GroupKFold(n_splits=folds).split(said, groups=groups):
        corrected[fold] = fit_curve(method, said[others], real[others], prior)(said[fold])
    return corrected


def helps(said: Floats, corrected: Floats | None, real: Floats) -> bool:
    """Return whether a correction makes the Brier score better by more than its standard error."""
    if corrected is None:
        return False
    gain = (said - real) ** 2 - (corrected - real) ** 2
    return bool(gain.mean() > gain.std() / np.sqrt(len(gain)))


def _steps(said: Floats, real: Floats, prior: float) -> Curve:
    """Return isotonic steps, each drawn to what was said by `prior` pairs, joined by lines from (0, 0) to (1, 1)."""
    level = IsotonicRegression(y_min=0, y_max=1).fit_transform(said, real)
    blocks = pd.DataFrame({"said": said, "real": real}).groupby(level).agg(["mean", "size"])
    x, n = blocks["said", "mean"].to_numpy(np.float64), blocks["said", "size"].to_numpy(np.float64)
    drawn = (blocks["real", "mean"].to_numpy(np.float64) * n + prior * x) / (n + prior)
    y = IsotonicRegression(y_min=0, y_max=1).fit_transform(x, drawn, sample_weight=n + prior)
    places, values = np.concatenate([[0.0], x, [1.0]]), np.concatenate([[0.0], y, [1.0]])
    return lambda confidence: np.asarray(np.interp(confidence, places, values))


def measure(said: Floats, corrected: Floats | None, real: Floats) -> dict[str, float]:
    """Return Brier score and calibration error before and after."""
    found: dict[str, float] = {}
    for when, confidence in (("before", said), ("after", corrected)):
        if confidence is None or not len(real):
            found |= {f"brier_{when}": np.nan, f"ece_{when}": np.nan}
        else:
            found[f"brier_{when}"] = float(np.mean((confidence - real) ** 2))
            found[f"ece_{when}"] = _calibration_error(confidence, real)
    return found


def _calibration_error(confidence: Floats, real: Floats) -> float:
    bins = reliability(confidence, real)
    return float(((bins["confidence"] - bins["real"]).abs() * bins["pairs"]).sum() / len(real))


def chance_error(said: Floats) -> float:
    """Return the calibration error to expect of confidences that are right: the mean size of each bin's chance."""
    if not len(said):
        return float("nan")
    bins = reliability(said, said * (1 - said))  # the mean variance of a pair stands where its truth would
    return float(np.sqrt(2 / np.pi * bins["real"] / bins["pairs"]) @ bins["pairs"] / len(said))
