"""From three views of a history to confidence: how often pairs that looked like this were real in simulated networks.

The weights in `calibration.json` were fitted to simulated networks only, by ``python -m benchmarks.calibrate_network``;
the file names that command and keeps the reliability on networks held out. No weight is below 0 but that of how many
alarms there were: more influence never speaks against a link, nor for the other direction.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import pandas as pd
from scipy.special import expit

from stanza_lab.dependencies.hawkes.process import (
    REPLICATES,
    Floats,
    Influence,
    Ints,
    Mask,
    Near,
    fit_influence,
    median_lags,
)

FAINT = 1e-3  # effects below this are not told apart
FEWEST_CLEARS = 50  # with fewer known ends, only the starts are asked
VIEWS = ("starts", "clears", "starts_back")
STARTS = ("starts", "starts_back")
PARTS = ("share", "strength", "effect")  # of each view


@dataclass(frozen=True)
class Calibration:
    """Weights of the features in the log odds of a link and of its direction."""

    link: dict[str, float]
    direction: dict[str, float]

    @classmethod
    @cache
    def load(cls, kind: str) -> Calibration:
        """Read the weights that ship with the package: `with_clears` or `starts_only`."""
        text = resources.files(__package__).joinpath("calibration.json").read_text(encoding="utf-8")
        return cls(**json.loads(text)["calibration"][kind])


def network_confidence(
    nodes: Ints,
    *,
    places: Ints,
    starts: Floats,
    ends: Floats,
    names: Sequence[str],
    near: Near | None = None,
    replicates: int = REPLICATES,
    candidates: Mask | None = None,
    required: Mask | None = None,
    forbidden: Mask | None = None,
    random_state: int = 0,
) -> pd.DataFrame:
    """Infer which nodes' alarms bring about which others', with calibrated confidence.

    Parameters
    ----------
    nodes : ndarray of int
        Node of each alarm: its place in `names`.
    places : ndarray of int
        Place of each alarm, from 0; one place for all alarms does, but says less.
    starts, ends : ndarray of float
        When each alarm fired and cleared, in seconds since any instant; NaN = end unknown.
    names : sequence of str
        Name of each node.
    near : sequence of (pointers, places), optional
        Per hop, the places whose alarms bear on each place, as the pointers and columns of a CSR matrix; the first is
        the place itself. Default: alarms bear on their own place only.
    replicates : int, default 36
        Draws per view; more cost in proportion and tell shares apart more finely.
    candidates, required, forbidden : ndarray of bool, optional
        Causes x effects: the only pairs to consider (default: all); pairs known to be real; pairs known not to be.
    random_state : int, default 0
        Seed of the draws.

    Returns
    -------
    DataFrame
        Both directions of every pair that any replicate keeps or that is known, the surest first. `cause`, `effect`
        (str); `confidence` (float64, probability that the cause brings about the effect); `link_confidence` (that one
        of them does the other: the sum of both directions); `share` (of the replicates over starts that keep it);
        `strength` (expected alarms of the effect that one of the cause causes directly); `clear_share` (likewise over
        clears); `lag_s` (median seconds from the cause to the effect beyond chance; null when there is none beyond
        it); `from_starts`, `from_clears`, `from_starts_back` (what each view adds to the log odds of the link over
        a view that sees nothing; 0 where it is not asked).

    Notes
    -----
    The three views are one model: of the starts, of the known ends, and of the starts backwards in time (there a cause
    is what an effect goes back to). In simulated networks each adds to what the others tell; the ends backwards add
    nothing more. Who fires more often would tell directions apart there too, but only because of how alarms are drawn.
    """
    count = len(names)
    known = np.isfinite(ends)
    clears = int(known.sum()) >= FEWEST_CLEARS
    last = int(places.max(initial=0))
    near = near or [(np.arange(last + 2), np.arange(last + 1))]
    views = fit_views(
        nodes,
        places=places,
        starts=starts,
        ends=ends if clears else np.full(len(ends), np.nan),
        count=count,
        near=near,
        replicates=replicates,
        candidates=candidates,
        required=required,
        forbidden=forbidden,
        random_state=random_state,
    )
    calibration = Calibration.load("with_clears" if clears else "starts_only")
    firings = np.bincount(nodes, minlength=count)
    link, confidence = judge(views, firings, calibration)
    nothing = np.zeros((count, count), dtype=bool)
    told = nothing if required is None else required
    never = nothing if forbidden is None else forbidden & ~told
    confidence = np.where(told, 1.0, np.where(never | told.T, 0.0, confidence))
    link = np.where(told | told.T, 1.0, np.where(never | never.T, confidence + confidence.T, link))
    seen = told | (sum(view.share for view in views.values()) > 0)
    cause, effect = np.nonzero((seen | seen.T) & ~np.eye(count, dtype=bool))
    lag = median_lags(nodes, places=places, times=starts, count=count)
    label = np.asarray(names, dtype=object)
    features = pair_features(views, firings)
    table = pd.DataFrame(
        {
            "cause": pd.Series(label[cause], dtype="str"),
            "effect": pd.Series(label[effect], dtype="str"),
            "confidence": confidence[cause, effect],
            "link_confidence": link[cause, effect],
            "share": views["starts"].share[cause, effect],
            "strength": views["starts"].effect[cause, effect],
            "clear_share": views["clears"].share[cause, effect],
            "lag_s": lag[cause, effect],
            **{f"from_{view}": _told(view, features, calibration)[cause, effect] for view in VIEWS},
        }
    )
    return table.sort_values(["confidence", "cause", "effect"], ascending=[False, True, True], ignore_index=True)


def fit_views(
    nodes: Ints,
    *,
    places: Ints,
    starts: Floats,
    ends: Floats,
    count: int,
    near: Near,
    replicates: int = REPLICATES,
    candidates: Mask | None = None,
    required: Mask | None = None,
    forbidden: Mask | None = None,
    random_state: int = 0,
) -> dict[str, Influence]:
    """Return the influence of every view, always as causes x effects."""
    known = np.isfinite(ends)
    views = {}
    for number, view in enumerate(VIEWS):
        some = slice(None) if view.startswith("starts") else known
        times = (starts if view.startswith("starts") else ends)[some]
        back = view.endswith("_back")
        candidate, wanted, never = (_turned(mask, back=back) for mask in (candidates, required, forbidden))
        found = fit_influence(
            nodes[some],
            places=places[some],
            times=-times if back else times,
            count=count,
            near=near,
            replicates=replicates,
            candidates=candidate,
            required=wanted,
            forbidden=never,
            random_state=random_state + number,
        )
        views[view] = Influence(found.share.T, found.effect.T) if back else found
    return views


def _turned(mask: Mask | None, *, back: bool) -> Mask | None:
    return mask.T if back and mask is not None else mask


def pair_features(views: dict[str, Influence], firings: Ints) -> dict[str, Floats]:
    """Return what the weights apply to, each causes x effects: parts of every view, and how many alarms there were.

    `share` of the replicates; `strength`, share times the root of the effect; `effect`, its log.
    """
    features = {}
    for view, influence in views.items():
        features[f"{view}_share"] = influence.share
        features[f"{view}_strength"] = influence.share * np.sqrt(influence.effect)
        features[f"{view}_effect"] = np.log(influence.effect + FAINT)
    counts = np.log1p(firings.astype(np.float64))
    features["few"] = np.minimum(counts[:, None], counts)
    return features


def symmetric(features: dict[str, Floats]) -> dict[str, Floats]:
    """Return the features of a link: the sum over both directions."""
    found = {"few": features["few"]}
    for name, matrix in features.items():
        if name != "few":
            found[name] = matrix + matrix.T
    return found


def antisymmetric(features: dict[str, Floats]) -> dict[str, Floats]:
    """Return the features of a direction: what speaks for it less what speaks for the other."""
    return {name: matrix - matrix.T for name, matrix in features.items() if name != "few"}


def judge(views: dict[str, Influence], firings: Ints, calibration: Calibration) -> tuple[Floats, Floats]:
    """Return the confidence of a link and of the directed pair, each causes x effects."""
    features = pair_features(views, firings)
    of_link, of_direction = symmetric(features), antisymmetric(features)
    odds = sum((weight * of_link[name] for name, weight in _weights(calibration.link)), start=np.zeros(()))
    link = expit(odds + calibration.link["intercept"])
    way = sum((weight * of_direction[name] for name, weight in _weights(calibration.direction)), start=np.zeros(()))
    return np.asarray(link), np.asarray(link * expit(way))


def _weights(weights: dict[str, float]) -> list[tuple[str, float]]:
    return [(name, weight) for name, weight in weights.items() if name != "intercept"]


def _told(view: str, features: dict[str, Floats], calibration: Calibration) -> Floats:
    """Return what a view adds to the log odds of a link, over what a view that sees nothing adds."""
    of_link = symmetric(features)
    total = np.zeros_like(features["few"])
    for part in PARTS:
        blank = 2 * np.log(FAINT) if part == "effect" else 0.0
        total += calibration.link.get(f"{view}_{part}", 0.0) * (of_link[f"{view}_{part}"] - blank)
    return total
