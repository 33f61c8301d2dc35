"""Fit the weights behind the confidence of the point process to simulated networks, and measure them on others.

``python -m benchmarks.calibrate_network`` writes `stanza_lab/dependencies/hawkes/calibration.json`; the same code and
libraries give the same file. Nothing here ever sees a recording of a real network.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit

from stanza_lab.dependencies.hawkes import confidence
from stanza_lab.dependencies.metrics import reliability
from stanza_lab.simulate.network import Network, simulate_network

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FITTED = range(1000, 1100)
HELD_OUT = range(5000, 5040)
TARGET = Path(confidence.__file__).with_name("calibration.json")
SLACK = 0.3  # inverse of the penalty on weights, over standardised features


def setting(seed: int) -> dict[str, Any]:
    """Draw the size and the nuisances of one network: wider than any we know."""
    rng = np.random.default_rng([seed, 77])
    return {
        "random_state": seed,
        "kinds": int(rng.integers(5, 31)),
        "devices": int(np.exp(rng.uniform(np.log(2), np.log(90)))),
        "density": round(rng.uniform(0.05, 0.45), 2),
        "alarms": int(np.exp(rng.uniform(np.log(400), np.log(30_000)))),
        "days": int(rng.choice([7, 30, 120, 240])),
        "branching": round(rng.uniform(0.1, 0.85), 2),
        "delay": f"{int(np.exp(rng.uniform(np.log(5), np.log(120))))}s",
        "spill": float(rng.choice([0, 0, 0.3])),
        "shared_shocks": float(rng.choice([0, 0.1, 0.3])),
        "detection_latency": f"{rng.choice([0, 10, 60])}s",
        "tick": f"{rng.choice([1, 1, 15, 60])}s",
        "chatter": float(rng.choice([0, 0.1, 0.3])),
        "tied_clears": round(rng.uniform(0, 0.8), 2),
        "missing_clears": float(rng.choice([0, 0, 0.1, 0.3])),
    }


def arrays(network: Network) -> tuple[Ints, Ints, Floats, Floats, npt.NDArray[np.bool_]]:
    """Return node, place, start and end of every alarm, and the true causes x effects."""
    alerts, parameters = network.alerts, network.parameters
    names, places = (
        pd.Index([f"{what}-{n:0{len(str(parameters[many]))}d}" for n in range(1, parameters[many] + 1)])
        for what, many in (("kind", "kinds"), ("device", "devices"))
    )
    truth = np.zeros((len(names), len(names)), dtype=bool)
    truth[
        names.get_indexer(pd.Index(network.causes["cause"])), names.get_indexer(pd.Index(network.causes["effect"]))
    ] = True
    first = alerts["starts_at"].min()
    starts, ends = ((alerts[column] - first).dt.total_seconds().to_numpy() for column in ("starts_at", "ends_at"))
    nodes = names.get_indexer(pd.Index(alerts["alertname"].astype("str")))
    return nodes, places.get_indexer(pd.Index(alerts["service"].astype("str"))), starts, ends, truth


def near(network: Network, *, hops: int) -> list[tuple[Ints, Ints]]:
    """Return the places that bear on each place: itself, and with a hop those next to it."""
    count = network.parameters["devices"]
    itself = np.arange(count + 1), np.arange(count)
    if not hops or not len(network.topology):
        return [itself]
    numbers = network.topology.apply(lambda names: names.str.rpartition("-")[2].astype(int) - 1)
    numbers = numbers.sort_values(["src", "dst"])
    return [itself, (np.searchsorted(numbers["src"], np.arange(count + 1)), numbers["dst"].to_numpy())]


def observed(seed: int) -> dict[str, Any]:
    """Return what the views say of one network, with the truth beside it."""
    network = simulate_network(**setting(seed))
    nodes, places, starts, ends, truth = arrays(network)
    views = confidence.fit_views(
        nodes,
        places=places,
        starts=starts,
        ends=ends,
        count=len(truth),
        near=near(network, hops=seed % 2 if network.parameters["spill"] else 0),
        random_state=seed,
    )
    return {"views": views, "firings": np.bincount(nodes, minlength=len(truth)), "truth": truth}


def table(networks: list[dict[str, Any]], views: tuple[str, ...]) -> pd.DataFrame:
    """Return one row per pair, once, with the features of link and direction (prefix `way_`)."""
    rows = []
    for network in networks:
        truth = network["truth"]
        features = confidence.pair_features({view: network["views"][view] for view in views}, network["firings"])
        some = np.triu(np.ones_like(truth), 1)
        columns = {name: matrix[some] for name, matrix in confidence.symmetric(features).items()}
        columns |= {f"way_{name}": matrix[some] for name, matrix in confidence.antisymmetric(features).items()}
        # Large networks have most pairs; their weight grows with the root of it only.
        weight = 1 / np.sqrt(some.sum())
        rows.append(pd.DataFrame(columns | {"there": truth[some], "back": truth.T[some], "weight": weight}))
    return pd.concat(rows, ignore_index=True)


def fitted(networks: list[dict[str, Any]], views: tuple[str, ...]) -> confidence.Calibration:
    pairs = table(networks, views)
    ways = [name for name in map(str, pairs) if name.startswith("way_")]
    links = [name for name in map(str, pairs) if name not in [*ways, "there", "back", "weight"]]
    linked = pairs[pairs["there"] != pairs["back"]]
    # Which of a pair is the first must not matter: each counts once either way around.
    both = pd.concat([linked[ways], -linked[ways]])
    way = _weights(
        both, np.r_[linked["there"], linked["back"]], np.r_[linked["weight"], linked["weight"]], middle=False
    )
    return confidence.Calibration(
        link=_weights(pairs[links], pairs["there"] | pairs["back"], pairs["weight"], middle=True),
        direction={name.removeprefix("way_"): weight for name, weight in way.items()},
    )


def _weights(features: pd.DataFrame, real: Any, weight: Any, *, middle: bool) -> dict[str, float]:
    """Fit a logistic model whose weights are not negative, that of `few` excepted; with an intercept, or through 0."""
    values, truth = features.to_numpy(np.float64), np.asarray(real, dtype=np.float64)
    weight = np.asarray(weight) / np.mean(weight)
    mean, spread = values.mean(axis=0) * middle, values.std(axis=0) + 1e-9
    scaled = np.column_stack([(values - mean) / spread, np.full(len(values), float(middle))])

    def loss(found: Floats) -> tuple[float, Floats]:
        odds, shrunk = scaled @ found, np.append(found[:-1], 0.0) / SLACK
        value = weight @ (np.logaddexp(0, odds) - truth * odds) + shrunk @ found / 2
        return float(value), scaled.T @ (weight * (expit(odds) - truth)) + shrunk

    bounds = [(None if name == "few" else 0.0, None) for name in features] + [(None, None)]
    found = minimize(loss, np.zeros(len(bounds)), jac=True, bounds=bounds, method="L-BFGS-B").x
    weights = {str(name): round(float(one), 4) for name, one in zip(features, found[:-1] / spread, strict=True)}
    if middle:
        weights["intercept"] = round(float(found[-1] - (found[:-1] / spread) @ mean), 4)
    return weights


def held_out(networks: list[dict[str, Any]], views: tuple[str, ...], calibration: confidence.Calibration) -> Any:
    """Return the reliability of link and directed confidence on networks that were not fitted."""
    links, directed = [], []
    for network in networks:
        truth = network["truth"]
        some = {view: network["views"][view] for view in views}
        link, sure = confidence.judge(some, network["firings"], calibration)
        once, off = np.triu(np.ones_like(truth), 1), ~np.eye(len(truth), dtype=bool)
        links.append(pd.DataFrame({"said": link[once], "real": (truth | truth.T)[once]}))
        directed.append(pd.DataFrame({"said": sure[off], "real": truth[off]}))
    joined = {"link_confidence": pd.concat(links), "confidence": pd.concat(directed)}
    return {name: reliability(pairs["said"], pairs["real"]) for name, pairs in joined.items()}


def main() -> None:
    seeds = [*FITTED, *HELD_OUT]
    networks = joblib.Parallel(n_jobs=2)(joblib.delayed(observed)(seed) for seed in seeds)
    fits, others = networks[: len(FITTED)], networks[len(FITTED) :]
    content: dict[str, Any] = {
        "command": "python -m benchmarks.calibrate_network",
        "fitted_on_seeds": [FITTED.start, FITTED.stop],
        "calibration": {},
        "held_out_seeds": [HELD_OUT.start, HELD_OUT.stop],
        "held_out": {},
    }
    for kind, views in (("with_clears", confidence.VIEWS), ("starts_only", confidence.STARTS)):
        calibration = fitted(fits, views)
        content["calibration"][kind] = {"link": calibration.link, "direction": calibration.direction}
        for name, measured in held_out(others, views, calibration).items():
            rows = measured.reset_index().to_dict("records")
            content["held_out"][f"{kind}: {name}"] = [{k: round(float(v), 3) for k, v in row.items()} for row in rows]
            print(f"{kind}: {name}\n{measured.round(3).to_string()}\n")
    TARGET.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
