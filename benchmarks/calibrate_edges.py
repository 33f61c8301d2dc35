"""Fit the weights behind edge confidence to simulated productions, and measure them on others.

``python -m benchmarks.calibrate_edges`` writes `stanza_lab/dependencies/inference/weights.json`; the same code and
libraries give the same file. Nothing here ever sees a recording of a real production.

Rules stated beforehand: what alerts say in names, teams, texts, traces and resources never counts against a link (a
weight that comes out negative is left out and the rest fitted again); resources, which no simulated alert shares, get
`STATED`; large productions have most pairs, so each weighs as the root of its pairs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.drawn_productions import draw
from stanza_lab.dependencies import DependencyModel
from stanza_lab.dependencies.inference import fusion
from stanza_lab.dependencies.inference.features import pair_features
from stanza_lab.dependencies.inference.pairs import PairCounts
from stanza_lab.dependencies.inference.table import evidence_table
from stanza_lab.dependencies.known import Known
from stanza_lab.dependencies.metrics import reliability

if TYPE_CHECKING:
    from stanza_lab.dependencies.sums import DependencyStatistics

FITTED = range(1000, 1120)
HELD_OUT = range(5000, 5060)
TARGET = Path(fusion.__file__).with_name("weights.json")
STATED = {"resource": 1.5, "shared_host": 0.5, "resource_way": 1.5}
FOR_ONLY = ("text", "mention", "traces", "same_team", "names", "text_way", "mention_way", "passive_way", "edge_way")
NOTHING_KNOWN = Known(set(), set())


class Case:
    """One production: its sums, and every pair of it with the truth."""

    def __init__(self, seed: int) -> None:
        drawn = draw(seed)
        self.seed = seed
        self.statistics: DependencyStatistics = DependencyModel(min_confidence=1.0).fit(drawn.alerts).statistics_
        self.counts = PairCounts.of(self.statistics.firings)
        self.truth = set(drawn.call_graph.itertuples(index=False, name=None))

    def with_truth(self, table: pd.DataFrame) -> pd.DataFrame:
        """Add `real`, `a_calls`, `b_calls`, the seed and the weight of each pair."""
        ends = list(zip(table["a"], table["b"], strict=True))
        a_calls = np.array([(a, b) in self.truth for a, b in ends], dtype=bool)
        b_calls = np.array([(b, a) in self.truth for a, b in ends], dtype=bool)
        weight = 1 / np.sqrt(max(1, len(table)))
        return table.assign(real=a_calls | b_calls, a_calls=a_calls, b_calls=b_calls, seed=self.seed, weight=weight)

    def features(self) -> pd.DataFrame:
        """Return the features of every pair, with the truth."""
        return self.with_truth(pair_features(self.counts, self.statistics.claims, self.statistics.traits))

    def lags(self, weights: fusion.Weights) -> pd.Series:
        """Return what lags say on direction, given the weights of everything else."""
        return self.evidence(weights)["lags"]

    def evidence(self, weights: fusion.Weights) -> pd.DataFrame:
        """Return the evidence with `link_confidence` and `b_depends`, with the truth."""
        found = evidence_table(self.statistics, known=NOTHING_KNOWN, min_support=3, max_q=0.05, weights=weights)
        return self.with_truth(found.pairs)


def fit(cases: list[Case]) -> fusion.Weights:
    """Fit the weights; directions twice, for what lags say depends on what is known of directions otherwise."""
    tables = [case.features() for case in cases]
    pairs = fusion.link_features(pd.concat(tables, ignore_index=True))
    link = _weights(pairs, [*fusion.PRIOR, *_names(fusion.LINK)], pairs["real"], intercept=True)
    one_way = pairs["a_calls"] != pairs["b_calls"]
    signed = fusion.direction_features(pairs).assign(lags=0.0)[one_way]
    first = _weights(signed, _names(fusion.DIRECTION), signed["b_calls"], intercept=False)
    lags = pd.concat([case.lags(fusion.Weights(link, first)) for case in cases], ignore_index=True)
    signed = signed.assign(lags=lags[one_way.to_numpy()].to_numpy())
    return fusion.Weights(link, _weights(signed, _names(fusion.DIRECTION), signed["b_calls"], intercept=False))


def held_out(cases: list[Case], weights: fusion.Weights) -> dict[str, pd.DataFrame]:
    """Return the reliability of link, direction and directed confidence on productions that were not fitted."""
    pairs = pd.concat([case.evidence(weights) for case in cases], ignore_index=True)
    link, follows = pairs["link_confidence"], pairs["b_depends"]
    one_way = pairs["a_calls"] != pairs["b_calls"]
    surer = np.maximum(follows, 1 - follows)
    right = pairs["b_calls"].where(follows >= 0.5, pairs["a_calls"])
    both_ways = np.concatenate([link * follows, link * (1 - follows)])
    return {
        "link_confidence": reliability(link, pairs["real"]),
        "direction": reliability(surer[one_way], right[one_way]),
        "confidence": reliability(both_ways, np.concatenate([pairs["b_calls"], pairs["a_calls"]])),
    }


def main() -> None:
    fitted = list(joblib.Parallel(n_jobs=2)(joblib.delayed(Case)(seed) for seed in FITTED))
    print(f"{len(fitted)} productions drawn", file=sys.stderr)
    weights = fit(fitted)
    content: dict[str, Any] = {
        "command": "python -m benchmarks.calibrate_edges",
        "fitted_on_seeds": [FITTED.start, FITTED.stop],
        "stated": STATED,
        "weights": {"link": weights.link, "direction": weights.direction},
    }
    others = list(joblib.Parallel(n_jobs=2)(joblib.delayed(Case)(seed) for seed in HELD_OUT))
    measured = held_out(others, weights)
    content["held_out_seeds"] = [HELD_OUT.start, HELD_OUT.stop]
    content["held_out"] = {
        name: json.loads(table.reset_index().round(3).to_json(orient="records")) for name, table in measured.items()
    }
    TARGET.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    for name, table in measured.items():
        print(f"{name}\n{table.round(3).to_string()}\n")


def _names(sources: dict[str, tuple[str, ...]]) -> list[str]:
    return [name for names in sources.values() for name in names]


def _weights(table: pd.DataFrame, features: list[str], real: pd.Series, *, intercept: bool) -> dict[str, float]:
    free = [name for name in features if name not in STATED]
    while True:
        found = _fit(table, free, real, intercept=intercept)
        wrong = [name for name in free if name in FOR_ONLY and found[name] < 0]
        if not wrong:
            break
        free = [name for name in free if name not in wrong]
    return {name: found.get(name, STATED.get(name, 0.0)) for name in [*features, *(["intercept"] if intercept else [])]}


def _fit(table: pd.DataFrame, features: list[str], real: pd.Series, *, intercept: bool) -> dict[str, float]:
    scaler = StandardScaler(with_mean=intercept)  # without an intercept a and b can be swapped
    model = make_pipeline(scaler, LogisticRegression(fit_intercept=intercept, max_iter=3000))
    model.fit(table[features], real, logisticregression__sample_weight=table["weight"] / table["weight"].mean())
    logistic = model[-1]
    weights = logistic.coef_[0] / scaler.scale_
    found = {name: round(float(weight), 4) for name, weight in zip(features, weights, strict=True)}
    if intercept:
        found["intercept"] = round(float(logistic.intercept_[0] - weights @ scaler.mean_), 4)
    return found


if __name__ == "__main__":
    main()
