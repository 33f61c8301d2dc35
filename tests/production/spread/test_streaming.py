"""Where a growing incident began: what is told alert by alert is what `rank_origins` says of the same alerts."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.production import ProductionMap
from stanza_lab.production.spread import streaming
from stanza_lab.production.spread.origins import rank_origins
from stanza_lab.production.spread.streaming import OriginTeller, Told
from tests.patterns.streaming.streams import rows
from tests.production.spread.test_origins import EDGES, FAILING, ONCE, alerts

TEXTS = ("CPU saturation", "Instance down", "High latency", "5xx rate")
PRODUCTION = ProductionMap(
    EDGES, alerts(*ONCE), ownership=pd.DataFrame({"service": ["cart-db", "shop"], "team": ["data", "front"]})
)


def agree(told: Told, production: ProductionMap, table: pd.DataFrame) -> None:
    ranked = rank_origins(production, alerts=table, top=1)
    assert told.origin == ranked["service"].iloc[0]
    assert told.probability == pytest.approx(ranked["probability"].iloc[0], abs=1e-4)


def test_after_each_alert_of_a_simulated_incident_it_is_what_the_table_up_to_it_gives() -> None:
    made = sl.simulate_production(services=20, teams=4, days=20, incidents=25, random_state=41)
    known = made.alerts.assign(fault=made.labels["incident_id"].to_numpy()).sort_values("starts_at")
    past, later = known.iloc[: len(known) // 2], known.iloc[len(known) // 2 :]
    production = ProductionMap(sl.DependencyModel().fit(past).edges_, past.drop(columns="fault"))
    teller, compared = OriginTeller(production), 0
    for _, whole in later.dropna(subset=["fault"]).groupby("fault"):
        began, table = past["starts_at"].max() + pd.Timedelta("1h"), whole.drop(columns="fault")
        if table["starts_at"].min() < began or table["service"].isna().all():
            continue
        for seen in (1, 2, 3, 5, len(table)):
            now = table.head(seen)
            if now["service"].notna().any():
                agree(teller.tell(rows(now)), production, now)
                compared += 1
    assert compared > 20


@pytest.mark.parametrize("seen", range(1, 5))
def test_what_the_alerts_say_counts_as_in_the_table(seen: int) -> None:
    table = alerts(*FAILING, ("not-on-the-map", 20_003.0)).assign(alertname=[*TEXTS, "x"]).head(seen)
    agree(OriginTeller(PRODUCTION).tell(rows(table)), PRODUCTION, table)


def test_many_services_are_told_as_in_the_table() -> None:
    edges = pd.DataFrame([("web", f"s{n}", 0.6) for n in range(70)], columns=["src", "dst", "confidence"])
    production = ProductionMap(edges)
    table = alerts(*((f"s{n}", float(n % 7)) for n in range(70)))
    agree(OriginTeller(production).tell(rows(table)), production, table)


def test_a_silent_service_can_be_the_origin() -> None:
    names = [f"caller-{n}" for n in range(6)]
    quiet = ProductionMap(pd.DataFrame([(name, "db", 0.99) for name in names], columns=["src", "dst", "confidence"]))
    table = alerts(*((name, 20_000.0 + n) for n, name in enumerate(names)))
    told = OriginTeller(quiet).tell(rows(table))
    assert told.origin == "db"
    agree(told, quiet, table)


def test_the_team_is_whose_the_origin_is() -> None:
    told = OriginTeller(PRODUCTION).tell(rows(alerts(*FAILING)))
    assert (told.origin, told.team) == ("cart-db", "data")
    assert OriginTeller(PRODUCTION).tell(rows(alerts(("reports", 1.0)))).team in {None, "data"}


@pytest.mark.parametrize(
    "alert",
    [
        {},
        {"service": None, "starts_at": 0},
        {"service": " Unknown ", "starts_at": 0},
        {"service": "", "starts_at": 0},
        {"service": "shop", "starts_at": None},
    ],
)
def test_no_service_or_no_time_is_no_origin(alert: dict[str, Any]) -> None:
    assert OriginTeller(PRODUCTION).tell([alert]) == Told(None, 0.0, None)


def test_hostile_names_are_only_names_and_nothing_given_is_changed() -> None:
    given = [{"service": name, "starts_at": 0} for name in ("</script>", "../x", "x" * 10_000, "\u202e", "=cmd()")]
    before = [dict(one) for one in given]
    told = OriginTeller(PRODUCTION).tell(given)
    assert told.origin in {one["service"] for one in given}
    assert given == before


def test_what_is_remembered_is_bounded_and_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    table = rows(alerts(*FAILING))
    free = OriginTeller(PRODUCTION).tell(table)
    monkeypatch.setattr(streaming, "_REMEMBERED", 0)
    bound = OriginTeller(PRODUCTION)
    monkeypatch.setattr(bound, "_most", 1)
    assert [bound.tell(table), bound.tell(table)] == [free, free]
    assert len(bound._needs) == len(bound._reached) == 1
