"""Does half a team's services find the other half? ``python -m benchmarks.onboarding`` measures, ``... fit`` fits.

A production is simulated, and its catalogue spoiled: half the services are in no catalogue (no team, no repository,
no team in their alerts), of the others some have the wrong team; in every third production two teams share each
repository. In every other one only times tell what is linked, neither names nor texts. Somebody picks half the services
of a team by name; what is proposed is compared with the other half. Only services on the map count. Fitted on the
productions of `FITTED`, measured on those of `HELD_OUT`; no real recording is seen.
"""

from __future__ import annotations

import sys
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

import stanza_lab as sl
from stanza_lab.dependencies.metrics import reliability
from stanza_lab.production.place import belonging, picking

FITTED, HELD_OUT = range(700, 716), range(1200, 1216)
UNKNOWN, WRONG = 0.5, 0.05  # services without catalogue entry; with another team than theirs
CUT = 0.5
_TIMES = ("times",)


def case(seed: int) -> pd.DataFrame:
    """Return what is known of every service that somebody did not pick, team by team, and whether it is theirs."""
    rng = np.random.default_rng(seed)
    services = int(rng.integers(24, 90))
    made = sl.simulate_production(
        services=services,
        teams=max(3, services // 8),
        days=int(rng.choice([30, 91])),
        incidents=int(services * rng.uniform(0.5, 3)),
        noise=float(rng.uniform(0.05, 0.8)),
        random_state=seed,
    )
    truth = made.services.set_index("service")["team"]
    production = _spoiled(rng, made, nameless=seed % 2 == 1, shared=seed % 3 == 0)
    known = picking.choices(production)
    on_map = [name for name in production.services["service"] if name in truth.index]
    tables = []
    for team, members in truth[on_map].groupby(truth[on_map]):
        if len(members) < 4:
            continue
        names = rng.permutation(np.array(members.index, dtype=object))
        picked = list(names[: len(names) // 2])
        table = belonging.features(production, picked, known=known)
        tables.append(table.assign(real=truth.reindex(table.index) == team, case=f"{seed} {team}"))
    return pd.concat(tables).drop(columns=["repository_name", "host_name", "provenance"])


def _spoiled(rng: np.random.Generator, made: sl.Production, *, nameless: bool, shared: bool) -> sl.ProductionMap:
    catalog = made.services[["service", "team", "repository"]]
    if shared:
        names = catalog["repository"].unique()
        order = rng.permutation(len(names))
        two = {names[at]: names[order[rank - rank % 2]] for rank, at in enumerate(order)}
        catalog = catalog.assign(repository=catalog["repository"].map(two))
    unknown = rng.random(len(catalog)) < UNKNOWN
    wrong = rng.random(len(catalog)) < WRONG
    teams = catalog["team"].mask(pd.Series(wrong), pd.Series(rng.permutation(catalog["team"].to_numpy())))
    catalog = catalog.assign(team=teams)[~unknown]
    hidden = made.alerts["service"].isin(set(made.services["service"][unknown]))
    alerts = made.alerts.assign(team=made.alerts["team"].where(~hidden))
    alerts = sl.cluster_incidents(alerts)
    model = sl.DependencyModel(sources=_TIMES) if nameless else sl.DependencyModel()
    return sl.ProductionMap(model.fit(alerts).edges_, alerts, ownership=catalog)


def cases(seeds: range) -> pd.DataFrame:
    """Return the rows of all cases of all `seeds`."""
    return pd.concat(joblib.Parallel(n_jobs=2)(joblib.delayed(case)(seed) for seed in seeds), ignore_index=True)


def fit(table: pd.DataFrame) -> dict[str, float]:
    """Return the weights; one that says the opposite of what it stands for is left out and the rest fitted again."""
    names = [name for name in belonging.WEIGHTS if name != "start"]
    while True:
        columns = table[names].astype("float64")
        found = LogisticRegression(C=10.0, max_iter=1000).fit(columns, table["real"])
        weights = dict(zip(names, found.coef_[0].round(2).tolist(), strict=True))
        against = [name for name, weight in weights.items() if (weight < 0) != (name == "other_team")]
        if not against:
            rest = dict.fromkeys(belonging.WEIGHTS, 0.0)
            return rest | {"start": round(float(found.intercept_[0]), 2)} | weights
        names = [name for name in names if name not in against]


def table(seeds: range = HELD_OUT) -> pd.DataFrame:
    """Return precision and recall of what is proposed, beside simpler rules, on productions not fitted to."""
    rows = cases(seeds)
    chance = belonging.probability(rows, belonging.WEIGHTS)
    methods = {
        f"proposed, probability {CUT:g} or more": chance >= CUT,
        "same team only": rows["same_team"],
        "same repository only": rows["repository"],
        "graph neighbours only (link 0.5 or more)": rows["link"] >= CUT,
    }
    return pd.DataFrame([{"method": name, **_score(rows, found.astype(bool))} for name, found in methods.items()])


def _score(rows: pd.DataFrame, found: pd.Series) -> dict[str, Any]:
    right, real = int((found & rows["real"]).sum()), int(rows["real"].sum())
    precision, recall = right / max(int(found.sum()), 1), right / real
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    named = {"cases": rows["case"].nunique(), "true": real, "found": int(found.sum())}
    return named | {"precision": round(precision, 3), "recall": round(recall, 3), "f1": round(f1, 3)}


def main() -> None:
    if sys.argv[1:] == ["fit"]:
        print(fit(cases(FITTED)))
        return
    print(table().to_string(index=False))
    rows = cases(HELD_OUT)
    chance = belonging.probability(rows, belonging.WEIGHTS)
    print(reliability(chance, rows["real"]).to_string())


if __name__ == "__main__":
    main()
