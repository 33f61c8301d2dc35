"""Productions drawn at random to fit the weights of evidence on, and others to measure them: what a user's may be like.

Names, texts and traces are as uninformative, or misleading, as they may be in life: in a third of the productions
services keep names that tell what belongs together, in a third names say nothing, in a third they mislead. Some
productions write the callee into error texts and trace ids into alerts, some of them wrongly; most do not.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

import stanza_lab as sl
from benchmarks.edges.cascades import cascade

FORMS = (
    "connection refused to {}:8080",
    "upstream {} answered 503",
    "timeout calling {}",
    "request to {} failed after 3 retries",
)
CATALOGUED = 0.5  # of the productions
WRONG = 0.05  # of the texts and traces that tell of another service tell of one at random


class Drawn(NamedTuple):
    """One production: what raised which alerts, and who calls whom."""

    alerts: pd.DataFrame
    call_graph: pd.DataFrame


def draw(seed: int) -> Drawn:
    """Draw size, history, nuisances and habits of one production."""
    rng = np.random.default_rng(seed)
    if seed % 4 == 0:
        return _cascade(rng, seed)
    production = sl.simulate_production(**_setting(rng, seed))
    alerts = _tell(rng, production)
    if rng.random() < CATALOGUED:  # every alert pages the owner, as after resolve_entities with a catalogue
        owner = production.services.set_index("service")["team"]
        alerts = alerts.assign(team=alerts["service"].astype("str").map(owner).astype("category"))
    habit = ("telling", "anonymous", "misleading")[int(rng.integers(3))]
    if habit == "telling":
        return Drawn(alerts, production.call_graph)
    names = _renamed(rng, production.services, anonymous=habit == "anonymous")
    graph = production.call_graph.apply(lambda column: column.map(names))
    return Drawn(_rename(alerts, names), graph)


def _setting(rng: np.random.Generator, seed: int) -> dict[str, Any]:
    services = int(np.exp(rng.uniform(np.log(12), np.log(200))))
    return {
        "random_state": seed,
        "services": services,
        "teams": max(1, min(services // 4, 12)),
        "days": int(rng.choice([1, 3, 10, 30, 91, 180])),
        "incidents": int(services * np.exp(rng.uniform(np.log(0.5), np.log(20)))),
        "coverage": round(rng.uniform(0.5, 1), 2),
        "noise": round(np.exp(rng.uniform(np.log(0.02), np.log(2))), 2),
        "flapping": round(rng.uniform(0, 0.3), 2),
        "shared_causes": round(rng.uniform(0, 0.4), 2),
        "detection_latency": f"{int(rng.uniform(0, 150))}s",
        "evaluation_period": str(rng.choice(["0s", "1min", "1min", "5min"])),
    }


def _cascade(rng: np.random.Generator, seed: int) -> Drawn:
    services = int(np.exp(rng.uniform(np.log(12), np.log(120))))
    alerts, graph = cascade(
        seed=seed,
        services=services,
        events=int(services * np.exp(rng.uniform(np.log(5), np.log(500)))),
        latency_s=float(rng.choice([0, 60, 120])),
        grid_s=float(rng.choice([0, 60])),
        flapping=float(rng.choice([0, 0.3])),
        shocks=float(rng.choice([0, 0.15, 0.3])),
        missing=float(rng.choice([0, 0.3])),
    )
    return Drawn(alerts, graph)


def _tell(rng: np.random.Generator, production: sl.Production) -> pd.DataFrame:
    """Let some alerts say that a callee in trouble failed them, and some share a trace along a path of calls."""
    alerts = production.alerts
    texts, traces = (float(rng.choice([0.0, 0.0, 0.05, 0.3])) for _ in range(2))
    said: list[str | None] = [None] * len(alerts)
    trace_ids: list[list[str]] = [[] for _ in range(len(alerts))]
    service = alerts["service"].astype(object).to_numpy()
    everyone = production.services["service"].tolist()
    calls = production.call_graph.groupby("caller")["callee"].agg(list).to_dict()
    called = production.call_graph.groupby("callee")["caller"].agg(list).to_dict()
    for number, (_, rows) in enumerate(production.labels.groupby("incident_id").indices.items()):
        there = set(service[rows])
        path = _path(rng, str(rng.choice(sorted(there))), called)
        for row in rows:
            callees = [name for name in calls.get(service[row], []) if name in there]
            if callees and rng.random() < texts:
                name = str(rng.choice(everyone if rng.random() < WRONG else callees))
                said[row] = FORMS[int(rng.integers(len(FORMS)))].format(name)
            if rng.random() < traces and (service[row] in path or rng.random() < WRONG):
                trace_ids[row] = [f"{number + 1:032x}"]
    return alerts.assign(
        description=pd.Series(said, alerts.index, dtype="str"), trace_ids=pd.Series(trace_ids, alerts.index)
    )


def _path(rng: np.random.Generator, service: str, called: dict[Any, list[Any]]) -> set[str]:
    """Return a way of calls that leads to a service."""
    path = {service}
    while service in called:
        service = str(rng.choice(called[service]))
        path.add(service)
    return path


def _renamed(rng: np.random.Generator, services: pd.DataFrame, *, anonymous: bool) -> dict[str, str]:
    if anonymous:
        return {name: f"n{code}" for name, code in zip(services["service"], rng.permutation(9000) + 1000, strict=False)}
    mixed = services.groupby("kind")["service"].transform(lambda names: rng.permutation(names.to_numpy()))
    return dict(zip(services["service"], mixed, strict=True))


def _rename(alerts: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Give every service its new name wherever an alert has the old one, callees in descriptions included."""
    parts = []
    for service, part in alerts.groupby("service", observed=True, sort=False):
        old, new = str(service), names[str(service)]
        texts = {
            name: part[name].astype("str").str.replace(old, new, regex=False)
            for name in ("alertname", "rule_key", "summary")
        }
        resources = part["resources"].map(lambda arns, old=old, new=new: [arn.replace(old, new) for arn in arns])
        said = part["description"].map(lambda text: _swap(text, names), na_action="ignore").astype("str")
        parts.append(part.assign(service=new, resources=resources, description=said, **texts))
    renamed = pd.concat(parts).sort_index()
    return renamed.assign(**{name: renamed[name].astype("category") for name in ("service", "alertname", "rule_key")})


def _swap(text: str, names: dict[str, str]) -> str:
    words = [word.partition(":") for word in text.split(" ")]
    return " ".join(names.get(word, word) + colon + port for word, colon, port in words)
