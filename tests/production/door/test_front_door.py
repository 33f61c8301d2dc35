from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from stanza_lab.errors import SchemaError, UnknownNameError
from stanza_lab.production import ProductionMap
from stanza_lab.production.place.profile import Profile

# web -> cart -> cart-db (traced); cart - queue (way unknown)
EDGES = pd.DataFrame(
    {
        "src": ["web", "cart", "cart"],
        "dst": ["cart", "cart-db", "queue"],
        "confidence": [0.9, 0.5, 0.3],
        "link_confidence": [0.92, 0.6, 0.55],
        "support": [14, 0, 2],
        "lag_s": [40.0, None, 5.0],
        "provenance": [["inferred"], ["traced"], ["inferred"]],
    }
)
OWNERS = pd.DataFrame(
    {
        "service": ["web", "cart", "cart-db", "asleep"],
        "team": ["front", "shop", "shop", "shop"],
        "repository": ["acme/web", "acme/cart", "acme/cart", None],
        "on_call": ["front-primary", "shop-primary", "shop-primary", None],
        "tier": ["edge", "core", "data", None],
    }
)
TIMES = ["2026-07-01T00:00Z", "2026-07-01T00:01Z", "2026-07-04T12:00Z", "2026-07-08T00:00Z"]
ALERTS = pd.DataFrame(
    {
        "service": ["cart", "web", "web", "cart"],
        "starts_at": pd.to_datetime(TIMES, utc=True),
        "alertname": ["High p99 latency", "Error rate", "Error rate", "High p99 latency"],
        "rule_key": ["1", "2", "2", "1"],
        "severity": ["critical", "error", "error", "warning"],
        "incident_id": [0, 0, 1, -1],
    }
)
CONTRIBUTED = """
team: shop
reviewed: {by: maria, on: 2025-01-01}
on_call: shop-nights
contacts: ["#shop"]
runbooks:
  - {name: Slow cart, service: "cart*", url: https://wiki.example.com/cart}
  - {name: Trap, service: cart, url: "javascript:alert(1)"}
  - {name: Web, service: web, url: https://wiki.example.com/web}
diagnostics:
  - {name: Restarts, when: {service: web}, command: kubectl get pods, risk: low}
mitigations:
  - {name: Fail over, when: {service: cart, near: [{service: "*-db"}]}, command: "failover <now> && echo", risk: high}
  - {name: Drain, when: {service: cart, symptom: latency}, command: drain, risk: low}
slos:
  - {name: Answered, service: cart, objective: 99.9, window: 30d}
"""


@pytest.fixture
def production() -> ProductionMap:
    return ProductionMap(EDGES, ALERTS, ownership=OWNERS)


@pytest.fixture
def contributed(tmp_path: Path) -> Path:
    path = tmp_path / "shop.yaml"
    path.write_text(CONTRIBUTED, encoding="utf-8")
    return path


def test_whose_it_is(production: ProductionMap) -> None:
    door = production.front_door("cart")
    assert (door.title, door.owner, door.on_call, door.tier, door.repository) == (
        "cart (service)", "shop", "shop-primary", "core", "acme/cart",
    )  # fmt: skip
    assert door.words[0] == "Team shop owns cart; on call is shop-primary."


def test_what_it_does_to_others_and_others_to_it(production: ProductionMap) -> None:
    door = production.front_door("cart")
    shown = ["service", "team", "through", "probability", "seen", "lag_s"]
    assert door.does[shown].to_numpy().tolist() == [["web", "front", "cart", 0.9, "", 40.0]]
    assert door.suffers[["service", "probability", "seen"]].to_numpy().tolist() == [["cart-db", 1.0, "traced"]]
    assert services(door.linked) == ["queue"]
    assert door.does["words"].tolist() == [
        "web depends on it (0.90); web usually alerts 40 s after it, 14 times together"
    ]
    assert door.suffers["words"].tolist() == ["it depends on cart-db (traced)"]
    assert "Linked, which way is not known: queue." in door.words


def test_the_other_end_sees_the_same_link_the_other_way(production: ProductionMap) -> None:
    door = production.front_door("web")
    assert door.suffers["words"].tolist() == [
        "it depends on cart (0.90); cart usually alerts 40 s before it, 14 times together"
    ]
    assert door.suffers["lag_s"].tolist() == [40.0]


def test_its_alerts_and_incidents(production: ProductionMap) -> None:
    door = production.front_door("cart")
    assert door.alerts[["rule", "count", "severity"]].to_numpy().tolist() == [["High p99 latency", 2, "critical"]]
    assert door.incidents[["incident_id", "services", "first"]].to_numpy().tolist() == [[0, 2, True]]
    assert production.front_door("web").incidents["first"].tolist() == [True, False]
    assert (
        "2 alerts of 1 rule in 8 days, the last at 2026-07-08 00:00 UTC; loudest: High p99 latency (2 times)."
        in door.words
    )
    assert (
        "In 1 incident in 8 days, the last on 2026-07-01; it alerted first in 1 (order within a minute means little)."
        in door.words
    )


def test_what_people_contributed_applies_where_it_says_low_risk_first(
    production: ProductionMap, contributed: Path
) -> None:
    door = production.front_door("cart", contributed=contributed)
    assert door.actions[["name", "kind", "risk", "services"]].to_numpy().tolist() == [
        ["Drain", "mitigation", "low", ["cart"]],
        ["Fail over", "mitigation", "high", ["cart"]],
    ]
    assert door.actions["why"].tolist() == [
        "when cart has an alert about latency (2 times in 8 days)",
        "cart-db is within 1 hop of cart",
    ]
    assert door.runbooks["name"].tolist() == ["Slow cart", "Trap"]
    assert door.slos["objective"].tolist() == [99.9]
    assert (door.on_call, door.contacts) == ("shop-nights", ["#shop"])
    assert "last reviewed on 2025-01-01 by maria" in door.cautions[0]


def test_a_team_has_a_door_too(production: ProductionMap, contributed: Path) -> None:
    door = production.front_door("shop", contributed=contributed)
    assert (door.title, door.owner, door.services) == ("shop (team)", "shop", ["cart", "cart-db"])
    assert door.does[["service", "through"]].to_numpy().tolist() == [["web", "cart"]]
    assert "cart-db" not in services(door.suffers)  # it is inside
    assert door.does["words"].tolist() == [
        "web depends on cart (0.90); web usually alerts 40 s after cart, 14 times together"
    ]
    assert door.actions["name"].tolist() == ["Drain", "Fail over"]


def test_a_profile_has_a_door_too(production: ProductionMap) -> None:
    door = production.front_door(Profile(name="mine", services=("web", "cart", "gone")))
    assert (door.title, door.owner, door.services) == ("mine (profile)", "front, shop", ["cart", "web"])


def test_a_service_that_nothing_is_seen_of_has_a_door_that_says_so(production: ProductionMap) -> None:
    door = production.front_door("asleep")
    assert (door.owner, door.on_call) == ("shop", "")
    assert "No dependency is known, either way." in door.words
    assert "anything but the catalogue's word of asleep: no alert, no link" in door.unseen
    assert "None" not in door.html()
    assert "nan" not in str(door)


def test_a_map_of_edges_alone_says_what_to_pass() -> None:
    door = ProductionMap(EDGES).front_door("cart")
    assert door.alerts.empty
    assert door.incidents.empty
    assert "the map was made without alerts" in door.html()
    said = " ".join(door.unseen)
    for name in ("alerts=", "ownership=", "contributed="):
        assert name in said
    assert "the map was made without alerts" in door.html()


def test_a_view_opens_the_door_of_the_whole_map(production: ProductionMap) -> None:
    assert services(production.near("cart", hops=1).front_door("web").suffers) == ["cart"]


def test_unknown_names_are_said(production: ProductionMap) -> None:
    with pytest.raises(UnknownNameError, match="service or team 'crat' not found; did you mean 'cart'"):
        production.front_door("crat")
    with pytest.raises(SchemaError, match="there is no such file"):
        production.front_door("cart", contributed="/nowhere.yaml")


def test_only_addresses_of_the_web_are_links(production: ProductionMap, contributed: Path) -> None:
    page = production.front_door("cart", contributed=contributed).html()
    assert 'href="https://wiki.example.com/cart"' in page
    assert 'href="javascript' not in page
    assert "Trap (javascript:alert(1))" in page
    assert "<pre>failover &lt;now&gt; &amp;&amp; echo</pre>" in page


@pytest.mark.parametrize(
    "bad", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</style><svg onload=alert(1)>", "{{7*7}}"]
)
def test_hostile_text_shows_as_text(bad: str, tmp_path: Path) -> None:
    edges = EDGES.replace({"queue": bad, "web": f"web {bad}"})
    alerts = ALERTS.assign(alertname=bad, rule_key=bad, service=["cart", f"web {bad}", f"web {bad}", "cart"])
    owned = OWNERS.assign(team=f"shop {bad}", on_call=bad, repository=bad, tier=bad)
    door = ProductionMap(edges, alerts, ownership=owned).front_door("cart")
    page = door._repr_html_() + door.html()
    for tag in ("<script", "<img", "<svg"):
        assert tag not in page
    assert page.count("</style>") == 2


def test_the_card_is_small_however_much_there_is() -> None:
    names = [f"service-with-a-long-name-{n:04}" for n in range(400)]
    edges = pd.DataFrame({"src": names[1:], "dst": names[0], "confidence": 0.9, "support": 3, "lag_s": 9.0})
    many = pd.DataFrame(
        {"service": names[0], "starts_at": pd.date_range("2026-07-01", periods=500, freq="h", tz="UTC")}
    )
    many["alertname"] = [f"rule {n} " + "x" * 200 for n in range(500)]
    door = ProductionMap(edges, many).front_door(names[0])
    assert len(door._repr_html_()) < 50_000
    assert len(door.does) == 399
    assert "and 391 more" in door.html()


def test_text_for_a_terminal_names_what_matters(production: ProductionMap, contributed: Path) -> None:
    said = str(production.front_door("cart", contributed=contributed))
    for part in ("cart (service)", "Runbook: Slow cart", "Mitigation (low risk): Drain", "SLO: Answered, 99.9 %"):
        assert part in said
    assert repr(production.front_door("cart")) == "FrontDoor(cart (service): 1 dependant, 1 rule, 1 incident)"


def services(table: pd.DataFrame) -> list[str]:
    return list(table["service"])


def test_an_incident_without_a_time_is_shown_as_such() -> None:
    timeless = ALERTS.assign(starts_at=ALERTS["starts_at"].where(ALERTS["incident_id"] != 1))
    door = ProductionMap(EDGES, timeless).front_door("web")
    assert "Incident at an unknown time" in str(door)
    assert "at an unknown time" in door._repr_html_()


def test_a_community_is_no_team_and_owns_nothing() -> None:
    production = ProductionMap(EDGES)
    name = str(production.clusters["cart"])
    door = production.front_door(name)
    assert (door.kind, door.owner) == ("cluster", "")
    assert door.words[0].startswith(f"4 services {name}; ")


def test_a_catalogue_row_without_a_service_is_nobody() -> None:
    nameless = pd.concat([OWNERS, pd.DataFrame({"service": [None], "team": ["ghosts"]})], ignore_index=True)
    production = ProductionMap(EDGES, ownership=nameless)
    assert set(production.choices.loc[production.choices["kind"] == "service", "name"]) == {
        "web", "cart", "cart-db", "queue", "asleep"
    }  # fmt: skip


def test_without_alerts_nobody_is_said_to_be_silent() -> None:
    said = ProductionMap(EDGES).unseen.set_index("what")["words"]
    assert said["alerts"] == "any alert of 4 services: the map was made without alerts"
    said = ProductionMap(EDGES, ALERTS).unseen.set_index("what")["words"]
    assert said["alerts"] == "any alert of 2 services: what happens there shows only in others"
