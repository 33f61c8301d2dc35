from __future__ import annotations

import functools

import pandas as pd
import pytest

from stanza_lab import schema
from stanza_lab.dependencies import DependencyModel
from stanza_lab.errors import ParameterError
from stanza_lab.production import ProductionMap
from stanza_lab.production.place.profile import Profile

START = pd.Timestamp("2026-03-01T14:00Z")
OWNERS = pd.DataFrame({"service": ["db", "orders", "search"], "team": ["storage", "orders", "orders"]})


def _times(*, days: int, since: int = 0, late: str = "0s") -> list[pd.Timestamp]:
    return [START + pd.Timedelta(days=day, hours=day % 7) + pd.Timedelta(late) for day in range(since, days, 2)]


@functools.cache
def made() -> ProductionMap:
    """Orders needs db, all the time; search comes on day 20 and is never near them."""
    fired = [("db", _times(days=60)), ("orders", _times(days=60, late="70s")), ("search", _times(days=60, since=21))]
    rows = [{"service": name, "starts_at": at} for name, times in fired for at in times]
    alerts = pd.DataFrame(rows).sort_values("starts_at", ignore_index=True)
    alerts["ends_at"] = alerts["starts_at"] + pd.Timedelta("2h")
    model = DependencyModel().fit(alerts)
    return ProductionMap(model.edges_, alerts, ownership=OWNERS, model=model)


def test_the_map_of_a_day_is_that_of_a_model_fitted_to_the_alerts_before_it() -> None:
    production = made()
    assert production.alerts is not None
    at = pd.Timestamp("2026-03-15", tz="UTC")
    early = production.alerts[production.alerts["starts_at"] < at]
    then = production.as_of(at)
    pd.testing.assert_frame_equal(then.edges, ProductionMap(DependencyModel().fit(early).edges_).edges)
    assert list(then.services["service"]) == ["db", "orders"]
    assert then.services["alerts"].sum() == len(early)


@pytest.mark.parametrize("at", ["2026-03-15", "2026-03-15T00:00Z", "2026-03-15T02:00+02:00"])
def test_a_date_means_its_start_and_a_naive_time_is_utc(at: str) -> None:
    assert repr(made().as_of(at)) == "ProductionMap(2 services, 2 teams, 1 link; as of 2026-03-15)"


def test_what_ended_later_was_open_then() -> None:
    then = made().as_of("2026-03-01T15:00")
    assert then.alerts is not None
    assert list(then.alerts["ends_at"].isna()) == [True, True]


def test_within_a_day_its_alerts_are_there_and_its_dependencies_are_not_yet() -> None:
    then = made().as_of("2026-03-01T15:00")
    assert then.edges.empty
    assert "they count once their day is over" in then.unseen["words"].iloc[0]


def test_the_day_before_the_first_alert_is_an_empty_map() -> None:
    then = made().as_of("2026-02-01")
    assert repr(then) == "ProductionMap(0 services, 0 teams, 0 links; as of 2026-02-01)"
    assert then.heading == "0 services, as of 2026-02-01"
    assert "0 services" in then._repr_html_()
    assert then.unseen["what"].tolist() == ["catalogue"]


def test_a_view_stays_the_same_view() -> None:
    then = made().near("orders", hops=1).as_of("2026-03-15")
    assert then.focus is not None
    assert (then.focus.name, then.focus.hops) == ("orders", 1)
    assert list(then.services["service"]) == ["db", "orders"]
    assert "as of 2026-03-15" in repr(then)
    assert then.whole.as_of("2026-03-10").whole is not then.whole


def test_a_view_of_what_was_not_there_yet_is_empty() -> None:
    then = made().near("search").as_of("2026-03-10")
    assert then.services.empty
    assert "within 2 hops of search" in repr(then)


def test_a_team_and_a_profile_keep_the_services_of_today() -> None:
    assert list(made().team("orders").as_of("2026-03-15").services["service"]) == ["orders"]
    profile = Profile(name="mine", services=("db", "search"))
    assert list(made().team(profile).as_of("2026-03-15").services["service"]) == ["db"]


def test_traced_and_declared_edges_carry_no_date_and_the_map_says_so() -> None:
    production = made()
    edges = production.edges
    seen = edges.assign(provenance=[["inferred", "traced"]] * len(edges), verdict="confirmed")
    rows = [{"src": "shop", "dst": "orders", "confidence": 0.9, "support": 0, "provenance": ["declared"]}]
    edges = pd.concat([seen, schema.build(rows, schema.EDGES)], ignore_index=True)
    whole = ProductionMap(edges, production.alerts, model=production._model)
    then = whole.as_of("2026-02-01")
    assert set(then.links["src"]) | set(then.links["dst"]) == {"db", "orders", "shop"}
    assert then.links["seen"].all()
    assert then.unseen["words"].iloc[0] == (
        "since when 3 edges that traces or a declaration show are there: they carry no date, and stay on every map"
    )
    # What alerts could not have told by then was not inferred then.
    both = then.edges.set_index(["src", "dst"])
    assert both.loc[("orders", "db"), "provenance"] == ["traced"]
    assert both.loc[("orders", "db"), "verdict"] == "trace-only"
    assert both.loc[("orders", "db"), "support"] == 0
    later = whole.as_of("2026-04-20").edges.set_index(["src", "dst"])
    assert later.loc[("orders", "db"), "provenance"] == ["inferred", "traced"]


def test_a_calibration_of_today_is_missed_on_an_older_map() -> None:
    production = made()
    edges = production.edges
    half = edges.assign(confidence=edges["confidence"] / 2, link_confidence=edges["link_confidence"] / 2)
    then = ProductionMap(half, production.alerts, model=production._model).as_of("2026-03-20")
    assert "calibration" in set(then.unseen["what"])
    assert "calibration" not in set(production.as_of("2026-03-20").unseen["what"])


def test_without_a_model_it_says_what_to_pass() -> None:
    with pytest.raises(ParameterError, match=r"no model; make it with sl.ProductionMap\(model.edges_, .*model=model"):
        ProductionMap(made().edges).as_of("2026-03-15")


def test_an_older_map_does_not_know_the_future() -> None:
    with pytest.raises(ParameterError, match="ask the map of today"):
        made().as_of("2026-03-15").as_of("2026-03-20")
    assert repr(made().as_of("2026-03-15").as_of("2026-03-10")).endswith("as of 2026-03-10)")


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(ParameterError, match="at='soon' is not a time"):
        made().as_of("soon")
