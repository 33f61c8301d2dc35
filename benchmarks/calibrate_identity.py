"""Fit the weights behind identity to simulated spellings, and measure the identities on others.

``python -m benchmarks.calibrate_identity`` writes `stanza_lab/entities/identity/weights.json`; the same code and
libraries give the same file. Nothing here ever sees a recording of a real production.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit

from benchmarks.identity import score
from stanza_lab.entities.evidence import Evidence
from stanza_lab.entities.identity import learning
from stanza_lab.entities.identity.pairs import FEATURES, candidates
from stanza_lab.entities.identity.statements import gather
from stanza_lab.simulate.spellings import Spellings, simulate_spellings

FITTED = range(1000, 1060)
HELD_OUT = range(5000, 5030)
SPEAKS_FOR = {"same_words", "together", "hosts", "traces", "handover"}  # the other features speak against
RIDGE = 1e-4
TARGET = Path(learning.__file__).with_name("weights.json")


def setting(seed: int) -> dict[str, Any]:
    """Draw the size of one production and how hard its names are."""
    rng = np.random.default_rng(seed)
    return {
        "random_state": seed,
        "services": int(np.exp(rng.uniform(np.log(30), np.log(2000)))),
        "tools": int(rng.integers(2, 7)),
        "alerts_per_name": float(np.exp(rng.uniform(np.log(1), np.log(20)))),
        "siblings": rng.uniform(0, 0.9),
        "lookalikes": rng.uniform(0, 0.15),
        "abbreviated": rng.uniform(0, 0.25),
        "renamed": rng.uniform(0, 0.08),
        "staging": rng.uniform(0, 0.2),
        "evidence": rng.uniform(0, 0.8),
        "catalogued": rng.uniform(0, 0.6),
    }


def labelled(drawn: Spellings) -> pd.DataFrame:
    """Return the pairs that nothing keeps apart, with the truth beside them."""
    evidence = Evidence(drawn.alerts, drawn.catalog)
    statements = gather(evidence)
    pairs = candidates(statements)
    means: dict[str, set[str]] = {}
    for name, service in zip(drawn.names["spelled"], drawn.names["service"], strict=True):
        means.setdefault(evidence.spelled.canonical(name), set()).add(service)
    for service in drawn.catalog["service"]:
        means.setdefault(evidence.spelled.canonical(service), set()).add(service)
    of = [means.get(name, set()) for name in statements.names]
    real = [bool(of[a] & of[b]) for a, b in zip(pairs["a"].tolist(), pairs["b"].tolist(), strict=True)]
    open_pairs = pairs.assign(real=real)[pairs["apart"].isna()]
    # Large productions have most pairs; their weight grows with the root of it only.
    return open_pairs.assign(weight=1 / np.sqrt(max(1, len(open_pairs))))


def fit(pairs: pd.DataFrame) -> dict[str, float]:
    """Return the weights of a logistic model, none against what its feature means.

    That two names come from an abbreviation or differ in a word never makes them likelier to be one.
    """
    values = np.column_stack([pairs[list(FEATURES)].to_numpy(np.float64), np.ones(len(pairs))])
    real, weight = pairs["real"].to_numpy(np.float64), (pairs["weight"] / pairs["weight"].sum()).to_numpy()

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        score = values @ w
        against = np.logaddexp(0, score) - real * score
        rest = w[:-1]
        slope = values.T @ (weight * (expit(score) - real)) + np.append(RIDGE * rest, 0)
        return float(weight @ against + RIDGE / 2 * rest @ rest), slope

    bounds = [(0, None) if name in SPEAKS_FOR else (None, 0) for name in FEATURES] + [(None, None)]
    found = minimize(loss, np.zeros(values.shape[1]), jac=True, bounds=bounds, method="L-BFGS-B")
    return dict(zip([*FEATURES, "intercept"], found.x.round(4).tolist(), strict=True))


def main() -> None:
    fitted = pd.concat([labelled(simulate_spellings(**setting(seed))) for seed in FITTED], ignore_index=True)
    content: dict[str, Any] = {
        "command": "python -m benchmarks.calibrate_identity",
        "fitted_on_seeds": [FITTED.start, FITTED.stop],
        "weights": fit(fitted),
    }
    TARGET.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    learning.weights.cache_clear()
    print(json.dumps(content["weights"], indent=2))
    held = pd.DataFrame([score(simulate_spellings(**setting(seed))) for seed in HELD_OUT])
    content["held_out_seeds"] = [HELD_OUT.start, HELD_OUT.stop]
    content["held_out"] = {name: round(float(held[name].mean()), 4) for name in ("precision", "recall")}
    TARGET.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    print(held.round(3).to_string())
    print(json.dumps(content["held_out"]))


if __name__ == "__main__":
    main()
