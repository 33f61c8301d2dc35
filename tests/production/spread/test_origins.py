"""Where an incident began: who is named, why, how sure, and what is said when nothing speaks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stanza_lab as sl
from stanza_lab.errors import ParameterError, SchemaError
from stanza_lab.production import ProductionMap
from stanza_lab.production.spread import origin_weights, suspects
from stanza_lab.production.spread.origins import COLUMNS, rank_origins

START = pd.Timestamp("2026-03-01T00:00Z")
# shop -> cart -> cart-db, shop -> search; reports -> cart-db
EDGES = pd.DataFrame(
    [("shop", "cart", 0.9), ("cart", "cart-db", 0.9), ("shop", "search", 0.9), ("reports", "cart-db", 0.9)],
    columns=["src", "dst", "confidence"],
)
ONCE = [
    (name, 5000.0 + 1700 * k + 97 * n) for n, name in enumerate(["shop", "cart", "search", "reports"]) for k in range(4)
]


def alerts(*rows: tuple[str | None, float]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["service", "minute"])
    return table.assign(starts_at=START + pd.to_timedelta(table.pop("minute"), unit="min"))


def production(*rows: tuple[str | None, float], edges: pd.DataFrame = EDGES) -> ProductionMap:
    return ProductionMap(edges, alerts(*ONCE, *rows))


def ranked(*rows: tuple[str | None, float], **parameters: object) -> pd.DataFrame:
    return rank_origins(production(*rows), alerts=alerts(*rows), **parameters)


FAILING = (("cart-db", 20_000.0), ("cart", 20_001.0), ("reports", 20_001.5), ("shop", 20_002.0))


def test_whose_failure_explains_the_rest_comes_first() -> None:
    found = ranked(*FAILING)
    assert found["service"].iloc[0] == "cart-db"
    assert found["probability"].iloc[0] > 0.5
    assert found["rank"].tolist() == list(range(1, len(found) + 1))
    assert found.attrs["words"][0].startswith("it likely began at cart-db (0.")


def test_columns_and_dtypes_are_as_documented() -> None:
    found = ranked(*FAILING)
    assert list(found.columns) == list(COLUMNS)
    assert {name: str(kind) for name, kind in found.dtypes.items()} == {
        "rank": "int64",
        "service": "str",
        "probability": "float64",
        "alerts": "int64",
        "first_at": "datetime64[us, UTC]",
        "silent": "bool",
        "reasons": "object",
        "words": "str",
    }


def test_probabilities_and_none_of_them_add_up_to_one() -> None:
    found = ranked(*FAILING)
    assert found["probability"].sum() + found.attrs["outside"] == pytest.approx(1.0)
    assert found["probability"].is_monotonic_decreasing


def test_a_service_that_never_alerts_is_named_through_the_graph() -> None:
    found = ranked(("cart", 20_001.0), ("reports", 20_001.5), ("shop", 20_002.0)).set_index("service")
    row = found.loc["cart-db"]
    assert (bool(row["silent"]), int(row["alerts"])) == (True, 0)
    assert pd.isna(row["first_at"])
    assert row["reasons"][0] == "it never alerts: nothing shows when it fails"
    assert "it would explain cart, reports, shop" in row["reasons"]
    assert found.loc["cart-db", "rank"] <= 3
    assert any("suspected through the links alone" in line for line in found.attrs["words"])


def test_a_silent_service_that_usually_alerts_is_less_likely_than_one_that_never_does() -> None:
    rows = (("cart", 20_001.0), ("shop", 20_002.0))
    often = [("cart-db", 400.0 + 900 * k) for k in range(20)]
    noisy = rank_origins(production(*often, *rows), alerts=alerts(*rows)).set_index("service")
    never = ranked(*rows).set_index("service")
    assert noisy.loc["cart-db", "probability"] < never.loc["cart-db", "probability"]
    assert "against it: it is silent, and alerted 20 times outside this incident" in noisy.loc["cart-db", "reasons"]


def test_reasons_say_what_speaks_for_and_against() -> None:
    found = ranked(*FAILING[:3], ("shop", 20_009.0)).set_index("service")
    assert "it would explain cart, reports, shop" in found.loc["cart-db", "reasons"]
    assert "against it: began to alert 9 min after the first" in found.loc["shop", "reasons"]
    against = next(why for why in found.loc["shop", "reasons"] if "may depend on" in why)
    assert against.startswith("against it: it may depend on cart, cart-db (0.")
    assert "began within 2 min of the first: their order says little" in found.loc["cart-db", "reasons"]


def test_who_should_have_noticed_and_is_silent_speaks_against() -> None:
    often = [("search-ui", 300.0 + 500 * k) for k in range(30)]
    edges = pd.concat([EDGES, pd.DataFrame({"src": ["search-ui"], "dst": ["search"], "confidence": [0.95]})])
    found = rank_origins(production(*often, edges=edges), alerts=alerts(("search", 20_000.0)))
    said = found.set_index("service").loc["search", "reasons"]
    assert any(why.startswith("against it: search-ui") and "did not" in why for why in said)


def test_a_chronic_service_says_less_than_one_that_seldom_alerts() -> None:
    edges = pd.DataFrame({"src": ["web", "web"], "dst": ["chronic", "quiet"], "confidence": [0.9, 0.9]})
    chronic = [("chronic", 100.0 + 40 * k) for k in range(490)]
    rows = (("chronic", 20_000.0), ("quiet", 20_000.0), ("web", 20_001.0))
    history = ProductionMap(edges, alerts(*chronic, ("quiet", 50.0), ("web", 60.0), *rows))
    found = rank_origins(history, alerts=alerts(*rows)).set_index("service")
    assert found.loc["quiet", "probability"] > found.loc["chronic", "probability"]
    assert any(why.startswith("against it: it often alerts") for why in found.loc["chronic", "reasons"])
    assert any(why.startswith("it seldom alerts") for why in found.loc["quiet", "reasons"])


def test_a_change_just_before_speaks_for_a_service_and_one_after_does_not() -> None:
    rows = (("cart", 20_000.0), ("search", 20_000.0))
    changes = (
        alerts(("search", 19_990.0), ("cart", 20_010.0)).rename(columns={"starts_at": "at"}).assign(kind="changed")
    )
    with_changes, without = ranked(*rows, events=changes), ranked(*rows)
    share = with_changes.set_index("service")["probability"] - without.set_index("service")["probability"]
    assert share["search"] > 0 > share["cart"]
    assert any(why.startswith("changed at ") for why in with_changes.set_index("service").loc["search", "reasons"])
    assert any("pass events=" in line for line in without.attrs["words"])
    assert not any("pass events=" in line for line in with_changes.attrs["words"])


def test_the_future_is_not_looked_at() -> None:
    early, at = FAILING[:2], START + pd.Timedelta(minutes=20_001)
    then = rank_origins(production(*FAILING, ("cart-db", 20_050.0)), alerts=alerts(*FAILING), at=at)
    assert then.set_index("service")["alerts"].to_dict() == {"cart-db": 1, "cart": 1}
    known = rank_origins(production(*early), alerts=alerts(*early), at=at)
    both = then.merge(known, on="service")
    assert both["probability_x"].tolist() == pytest.approx(both["probability_y"].tolist(), abs=1e-9)


def test_saturation_and_restarts_speak_for_a_cause_of_its_own() -> None:
    rows = alerts(("cart", 20_000.0), ("search", 20_000.0))
    plain = rows.assign(alertname=["High error rate", "High error rate"])
    full = rows.assign(alertname=["High error rate", "CPU above 85% of limit"])
    share = [
        rank_origins(production(), alerts=table).set_index("service")["probability"]["search"]
        for table in (plain, full)
    ]
    assert share[1] > share[0]
    said = rank_origins(production(), alerts=full).set_index("service").loc["search", "reasons"]
    assert "it says saturation, which seldom comes from elsewhere" in said


def test_alerts_without_a_service_are_counted_and_not_used() -> None:
    found = ranked(*FAILING, (None, 20_000.0), ("unknown", 20_001.0))
    assert "unknown" not in set(found["service"])
    assert "2 alerts say no service and could not be used" in found.attrs["words"]


def test_nothing_to_suspect_is_said_and_not_guessed() -> None:
    nowhere = ranked((None, 20_000.0), ("Unknown", 20_001.0))
    assert len(nowhere) == 0
    assert nowhere.attrs == {
        "outside": 1.0,
        "words": ["no service can be suspected: none of 2 alerts says its service"],
    }
    before = ranked(*FAILING, at=START)
    assert before.attrs["words"] == ["no service can be suspected: there is no alert until 2026-03-01 00:00 UTC"]
    assert before.dtypes.equals(ranked(*FAILING).dtypes)


def test_unrelated_services_leave_it_open() -> None:
    rows = tuple((f"lone-{k}", 20_000.0 + 0.1 * k) for k in range(12))
    found = ranked(*rows)
    assert found["probability"].max() < 0.5
    assert found.attrs["words"][0].startswith("no service ")
    assert found.attrs["outside"] > found["probability"].max()


def test_a_service_that_is_not_on_the_map_and_a_map_without_alerts_will_do() -> None:
    found = rank_origins(ProductionMap(EDGES), alerts=alerts(("elsewhere", 20_000.0), ("shop", 20_000.0)))
    assert {"elsewhere", "shop"} <= set(found["service"])
    assert any("pass alerts= to the map" in line for line in found.attrs["words"])


def test_top_cuts_and_keeps_what_is_said() -> None:
    all_of_them, two = ranked(*FAILING), ranked(*FAILING, top=2)
    assert two["service"].tolist() == all_of_them["service"].tolist()[:2]
    assert two.attrs == all_of_them.attrs


def test_several_incidents_no_map_and_a_missing_column_are_refused() -> None:
    with pytest.raises(ParameterError, match="alerts are of 2 incidents; pass those of one"):
        rank_origins(production(), alerts=alerts(*FAILING[:2]).assign(incident_id=[1, 2]))
    with pytest.raises(SchemaError, match="production must be a ProductionMap"):
        rank_origins(EDGES, alerts=alerts(*FAILING))  # type: ignore[arg-type]
    with pytest.raises(SchemaError, match="starts_at"):
        rank_origins(production(), alerts=pd.DataFrame({"service": ["a"]}))
    with pytest.raises(ParameterError, match="top"):
        ranked(*FAILING, top=0)


def test_nothing_given_is_changed_and_a_view_asks_the_whole_map() -> None:
    whole, given_alerts = production(*FAILING), alerts(*FAILING)
    before = given_alerts.copy()
    found = rank_origins(whole, alerts=given_alerts)
    pd.testing.assert_frame_equal(given_alerts, before)
    pd.testing.assert_frame_equal(rank_origins(whole.near("shop", hops=1), alerts=given_alerts), found)


@settings(max_examples=6)
@given(st.permutations(range(4)), st.integers(-10_000, 10_000))
def test_neither_the_order_of_rows_nor_the_date_matters(order: list[int], minutes: int) -> None:
    plain, moved = ranked(*FAILING), pd.Timedelta(minutes=minutes)
    rows = alerts(*(FAILING[k] for k in order))
    shifted = rows.assign(starts_at=rows["starts_at"] + moved)
    history = alerts(*ONCE, *FAILING)
    found = rank_origins(ProductionMap(EDGES, history.assign(starts_at=history["starts_at"] + moved)), alerts=shifted)
    assert found["service"].tolist() == plain["service"].tolist()
    np.testing.assert_allclose(found["probability"], plain["probability"])


def test_what_should_count_for_a_service_does_not_count_against_it() -> None:
    against = {"silent", "silent_noticed", "missing", "explained", "explained_before"}
    for name in suspects.FEATURES:
        weight = origin_weights.WEIGHTS[name]
        assert weight <= 0 if name in against else weight >= 0, name
    assert set(origin_weights.WEIGHTS) == {*suspects.FEATURES, *suspects.OUTSIDE}


def test_a_simulated_root_is_named_more_often_than_by_the_first_or_the_most_alerts() -> None:
    made = sl.simulate_production(services=20, teams=4, days=20, incidents=25, random_state=41)
    known = made.alerts.assign(fault=made.labels["incident_id"].to_numpy())
    whole = ProductionMap(sl.DependencyModel().fit(made.alerts).edges_, made.alerts)
    right = {"ours": 0, "first": 0, "most": 0}
    for fault in made.incidents[made.incidents["root_service"].notna()].itertuples():
        there = known[known["fault"] == fault.incident_id]
        if len(there) > 1:
            services = there["service"].astype("str")
            right["ours"] += rank_origins(whole, alerts=there, top=1)["service"].iloc[0] == fault.root_service
            right["first"] += services.iloc[0] == fault.root_service
            right["most"] += services.value_counts().index[0] == fault.root_service
    assert right["ours"] > max(right["first"], right["most"])


def test_a_change_counts_however_its_tool_spells_the_service() -> None:
    edges = pd.DataFrame({"src": ["shop"], "dst": ["orders-db"], "confidence": [0.9]})
    fired = pd.DataFrame({"starts_at": pd.to_datetime(["2026-03-01T14:02Z"] * 2), "service": ["orders-db", "shop"]})
    told = pd.DataFrame({"at": pd.to_datetime(["2026-03-01T13:50Z"]), "kind": "changed", "service": ["Orders_DB"]})
    found = rank_origins(sl.ProductionMap(edges, fired), alerts=fired, events=told).set_index("service")
    assert "changed at 13:50 UTC, 12 min before the first alert" in found.loc["orders-db", "reasons"]
