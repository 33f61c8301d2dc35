"""From what speaks for a pair to a probability, with the share of each source.

The log odds of a link are a sum: a prior, and for each source its features times weights. The weights in
`weights.json` were fitted to simulated productions only, by ``python -m benchmarks.calibrate_edges``; the file names
that command and keeps the reliability on productions held out. A source that is missing adds nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from stanza_lab.dependencies.inference.delays import lag_log_odds

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.dependencies.inference.pairs import PairCounts

Floats = npt.NDArray[np.float64]

# The features of each source: of a link in either direction, and of the direction (positive: b depends on a).
LINK = {
    "co-firing": ("backing", "best", "standout", "close", "apart"),
    "direct effect": ("effect", "firm"),
    "text": ("text", "mention"),
    "traces": ("traces",),
    "resources": ("resource", "shared_host"),
    "teams": ("same_team",),
    "names": ("names",),
    "roles": ("both_passive", "one_passive", "both_edge"),
}
TIMES = ("co-firing", "direct effect")
CLAIMS = tuple(source for source in LINK if source not in TIMES)
PRIOR = ("log_nodes",)
DIRECTION = {
    "order": ("order", "lags"),
    "who fires more": ("imbalance", "drive"),
    "symptoms": ("inner", "strain"),
    "text": ("text_way", "mention_way"),
    "resources": ("resource_way",),
    "roles": ("passive_way", "edge_way"),
}
WEAK_CEILING = 0.25  # times alone say no more than this of a pair with too few occasions, or no more than by chance
RIVALLED_CEILING = 0.5  # and this of one that a third node explains as well: a shared cause looks like this
# What alerts say beside their times is surer in simulations than in life: a source moves the log odds by no more.
CEILINGS = {"text": 5.0, "traces": 5.0, "resources": 3.0, "teams": 3.0, "names": 3.0, "roles": 3.0}
# Who fires more often also depends on who has more monitors, so counts alone never claim a direction beyond 4 to 1.
COUNTS_CEILING = float(np.log(4))


@dataclass(frozen=True)
class Weights:
    """Weights of the features in the log odds of a link and of its direction."""

    link: dict[str, float]
    direction: dict[str, float]

    @classmethod
    @cache
    def load(cls) -> Weights:
        """Read the weights that ship with the package."""
        text = resources.files(__package__).joinpath("weights.json").read_text(encoding="utf-8")
        return cls(**json.loads(text)["weights"])


def link_features(table: pd.DataFrame) -> pd.DataFrame:
    """Return the features of a link, the same when a and b change places."""
    return table.assign(
        text=table["text_ab"] + table["text_ba"],
        mention=table["mention_ab"] + table["mention_ba"],
        resource=table["resource_ab"] + table["resource_ba"],
    )


def direction_features(table: pd.DataFrame) -> pd.DataFrame:
    """Return the features of a direction, but for lags; each changes its sign when a and b change places.

    Claims, roles and symptoms are positive when a calls b; here positive is that b depends on a.
    """
    return table.assign(
        strain=-table["strain_ab"],
        text_way=table["text_ba"] - table["text_ab"],
        mention_way=table["mention_ba"] - table["mention_ab"],
        resource_way=table["resource_ba"] - table["resource_ab"],
        passive_way=-table["passive_ab"],
        edge_way=-table["edge_ab"],
    )


def fuse_link(table: pd.DataFrame, *, min_support: int, max_q: float, weights: Weights) -> pd.DataFrame:
    """Add to each pair the log odds each source gives for a link (``says:<source>``) and `link_confidence`."""
    features = link_features(table)
    told = _by_source(features, LINK, weights.link)
    prior = weights.link["intercept"] + features["log_nodes"].to_numpy() * weights.link["log_nodes"]
    enough = (table["occasions"] >= min_support) & (table["q_value"] <= max_q)
    times = told["co-firing"] + told["direct effect"]
    # What times alone may claim is bounded; what else speaks for the pair comes on top.
    bound = np.where(table["rival"] > 0, np.inf, _logit(RIVALLED_CEILING))
    bounded = np.minimum(prior + times, bound)
    faint = _logit(np.clip(WEAK_CEILING * -np.expm1(-expit(bounded) / WEAK_CEILING), 1e-12, None))
    capped = np.where(enough, bounded, faint) - prior
    for source in TIMES:  # each gives up its part of what was capped
        told[source] = told[source] + (capped - times) / 2
    log_odds = prior + sum(told.values())
    says = {f"says:{source}": values for source, values in told.items()}
    return table.assign(**says, prior=prior, link_confidence=expit(log_odds))


def fuse_direction(
    table: pd.DataFrame, pairs: PairCounts, *, weights: Weights, known: Floats | None = None
) -> tuple[pd.DataFrame, Floats]:
    """Add to each pair the log odds of each source for `b` depending on `a` (``way:<source>``) and `b_depends`.

    Parameters
    ----------
    table : DataFrame
        With `link_confidence`.
    pairs : PairCounts
        The pairs that co-fired, for their lags.
    weights : Weights
        Of the features.
    known : array, optional
        Log odds known from elsewhere, one per row: large for declared edges, 0 where nothing is.

    Returns
    -------
    table : DataFrame
        With `lags`, ``way:<source>`` and `b_depends`.
    delay_s : array, one per node
        Detection delays.
    """
    features = direction_features(table).assign(lags=0.0)
    known = np.zeros(len(table)) if known is None else known
    told = _by_source(features, DIRECTION, weights.direction)
    told["who fires more"] = np.clip(told["who fires more"], -COUNTS_CEILING, COUNTS_CEILING)
    others = sum(values for source, values in told.items() if source != "order") + known
    fired = (table["cofirings"] > 0).to_numpy()
    sure = np.where(known != 0, 1.0, table["link_confidence"].to_numpy()) ** 2
    lags = np.zeros(len(table))
    lags[fired], delay_s = lag_log_odds(pairs, weight=sure[fired], known=np.asarray(others)[fired])
    told["order"] = told["order"] + lags * weights.direction["lags"]
    ways = {f"way:{source}": values for source, values in told.items()}
    log_odds = sum(told.values()) + known
    return table.assign(lags=lags, **ways, b_depends=expit(log_odds)), delay_s


def _by_source(
    features: pd.DataFrame, sources: dict[str, tuple[str, ...]], weights: dict[str, float]
) -> dict[str, Floats]:
    told = {}
    for source, names in sources.items():
        says = features[list(names)].to_numpy(np.float64) @ np.array([weights[name] for name in names])
        bound = CEILINGS.get(source, np.inf)
        told[source] = np.clip(says, -bound, bound)
    return told


def _logit(p: float | Floats) -> Floats:
    return np.asarray(np.log(p) - np.log1p(-np.asarray(p)))
