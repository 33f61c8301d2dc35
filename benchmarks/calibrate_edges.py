"""Fit the weights behind edge confidence to simulated productions, and measure them on others.

``python -m benchmarks.calibrate_edges`` writes `stanza_lab/dependencies/calibration.json`; the same code and libraries
give the same file. Nothing here ever sees a recording of a real production.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import stanza_lab as sl
from stanza_lab.dependencies import confidence
from stanza_lab.dependencies.metrics import reliability

FITTED = range(1000, 1100)
HELD_OUT = range(5000, 5060)
TARGET = Path(confidence.__file__).with_name("calibration.json")


def setting(seed: int) -> dict[str, Any]:
    """Draw the size and the nuisances of one production: what a user's production may be like."""
    rng = np.random.default_rng(seed)
    services = int(np.exp(rng.uniform(np.log(12), np.log(200))))
    return {
        "random_state": seed,
        "services": services,
        "teams": max(1, min(services // 4, 12)),
        "days": int(rng.choice([1, 3, 10, 30, 91, 180])),
        "incidents": int(services * np.exp(rng.uniform(np.log(0.5), np.log(12)))),
        "coverage": round(rng.uniform(0.5, 1), 2),
        "noise": round(np.exp(rng.uniform(np.log(0.05), np.log(2))), 2),
        "flapping": round(rng.uniform(0, 0.3), 2),
        "shared_causes": round(rng.uniform(0, 0.4), 2),
        "detection_latency": f"{int(rng.uniform(10, 150))}s",
    }


def labelled(seeds: range) -> Iterator[pd.DataFrame]:
    """Yield the evidence on every pair that co-fired in each production, with the truth beside it."""
    for seed in seeds:
        production = sl.simulate_production(**setting(seed))
        evidence = sl.DependencyModel().fit(production.alerts).evidence_
        truth = pd.MultiIndex.from_frame(production.call_graph)
        calls_a = pd.MultiIndex.from_frame(evidence[["b", "a"]]).isin(truth)
        calls_b = pd.MultiIndex.from_frame(evidence[["a", "b"]]).isin(truth)
        # Large productions have most pairs; their weight grows with the root of it only.
        weight = 1 / np.sqrt(max(1, len(evidence)))
        yield evidence.assign(real=calls_a | calls_b, b_calls=calls_a, a_calls=calls_b, weight=weight)


def main() -> None:
    fitted = pd.concat(labelled(FITTED), ignore_index=True)
    one_way = fitted[fitted["a_calls"] != fitted["b_calls"]]
    calibration = {
        "link": _weights(fitted, confidence.LINK_FEATURES, fitted["real"], intercept=True),
        "direction": _weights(one_way, confidence.DIRECTION_FEATURES, one_way["b_calls"], intercept=False),
    }
    content = {
        "command": "python -m benchmarks.calibrate_edges",
        "fitted_on_seeds": [FITTED.start, FITTED.stop],
        "calibration": calibration,
    }
    TARGET.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    confidence.Calibration.load.cache_clear()
    measured = held_out()
    content["held_out_seeds"] = [HELD_OUT.start, HELD_OUT.stop]
    content["held_out"] = {name: _rows(table) for name, table in measured.items()}
    TARGET.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    for name, table in measured.items():
        print(f"{name}\n{table.round(3).to_string()}\n")


def held_out() -> dict[str, pd.DataFrame]:
    """Return the reliability of link, direction and directed confidence on productions that were not fitted."""
    pairs = pd.concat(labelled(HELD_OUT), ignore_index=True)
    link, follows = pairs["link_confidence"], pairs["b_depends"]
    one_way = pairs["a_calls"] != pairs["b_calls"]
    surer = np.maximum(follows, 1 - follows)
    right = pairs["b_calls"].where(follows >= 0.5, pairs["a_calls"])
    return {
        "link_confidence": reliability(link, pairs["real"]),
        "direction": reliability(surer[one_way], right[one_way]),
        "confidence": reliability(
            np.concatenate([link * follows, link * (1 - follows)]), np.concatenate([pairs["b_calls"], pairs["a_calls"]])
        ),
    }


def _weights(table: pd.DataFrame, features: list[str], real: pd.Series, *, intercept: bool) -> dict[str, float]:
    scaler = StandardScaler(with_mean=intercept)  # without an intercept a and b can be swapped
    model = make_pipeline(scaler, LogisticRegression(fit_intercept=intercept, max_iter=1000))
    model.fit(table[features], real, logisticregression__sample_weight=table["weight"] / table["weight"].mean())
    logistic = model[-1]
    weights = logistic.coef_[0] / scaler.scale_
    found = {name: round(float(weight), 4) for name, weight in zip(features, weights, strict=True)}
    if intercept:
        found["intercept"] = round(float(logistic.intercept_[0] - weights @ scaler.mean_), 4)
    return found


def _rows(table: pd.DataFrame) -> list[dict[str, float]]:
    return [{str(k): round(float(v), 3) for k, v in row.items()} for row in table.reset_index().to_dict("records")]


if __name__ == "__main__":
    main()
