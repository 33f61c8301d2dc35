from __future__ import annotations

import pandas as pd

from stanza_lab.production import ProductionMap
from stanza_lab.reliability.quieter import tune_down
from tests.reliability.quieter.histories import alert, table

EDGES = pd.DataFrame({"src": ["shop"], "dst": ["orders-db"], "confidence": [0.9]})


def catalogue(shop: str) -> pd.DataFrame:
    return pd.DataFrame({"service": ["shop", "orders-db"], "team": [shop, "storage"]})


def incidents(causes: int) -> pd.DataFrame:
    rows = []
    for day in range(20):
        if day < causes:
            rows.append(alert("disk", day, incident=day, service="orders-db", team="storage", severity="info"))
        rows.append(alert("errors", day, incident=day, after_s=60, team="web"))
    return table(rows)


def routes(alerts: pd.DataFrame, owner: str = "web") -> pd.DataFrame:
    production = ProductionMap(EDGES, alerts, ownership=catalogue(owner))
    found = tune_down(alerts, production=production).changes
    return found[found["change"] == "route"]


def test_pages_of_a_service_that_another_team_owns_are_moved() -> None:
    found = routes(incidents(0), owner="sales")
    assert found[["rule", "value", "verdict", "pages_saved"]].to_numpy().tolist() == [["errors", "sales", "look", 0]]
    assert "the catalogue says that sales owns shop" in found["words"].iloc[0]


def test_pages_whose_cause_usually_lies_with_another_team_are_questioned() -> None:
    found = routes(incidents(18))
    assert found[["rule", "value"]].to_numpy().tolist() == [["errors", "storage"]]
    assert "in 18 of 20 incidents orders-db of storage, which it depends on, alerted first" in found["words"].iloc[0]


def test_half_of_them_is_no_habit() -> None:
    assert routes(incidents(11)).empty


def test_without_a_map_it_is_said_that_nobody_knows() -> None:
    tuned = tune_down(incidents(18))
    assert "route" not in set(tuned.changes["change"])
    assert tuned.unseen[-1] == "Without production= nobody can tell which pages belong to another team."
