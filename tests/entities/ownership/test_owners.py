from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stanza_lab as sl
from stanza_lab import schema


def paged(**teams: int) -> pd.DataFrame:
    """Return alerts of service web, so many per team; `none` names none."""
    rows = [None if team == "none" else team for team, number in teams.items() for _ in range(number)]
    return pd.DataFrame({"service": ["web"] * len(rows), "team": rows})


def catalog(**teams: str | None) -> pd.DataFrame:
    return pd.DataFrame({"service": [*teams], "team": [*teams.values()]})


def row(alerts: pd.DataFrame, owned: pd.DataFrame | None = None) -> pd.Series:
    return sl.infer_ownership(alerts, catalog=owned).set_index("service").loc["web"]


SHARED = "nobody declares it; others: pay 3; it may have two owners, or be two services under one name"
ORPHAN = "the catalogue names no team and none of its alerts names one; list its team in the catalogue"


@pytest.mark.parametrize(
    ("alerts", "owned", "team", "basis", "conflict", "words"),
    [
        (
            paged(shop=2, none=1), catalog(web="shop"), "shop", "both", None,
            "the catalogue says shop, and all its 2 alerts that name a team name it",
        ),
        (
            paged(none=1), catalog(web="shop"), "shop", "declared", None,
            "the catalogue says shop; no alert of it names a team",
        ),
        (
            paged(shop=1, pay=3), catalog(web="shop"), "shop", "declared", "catalogue",
            "the catalogue says shop, but 3 of its 4 alerts that name a team name pay: correct one of them",
        ),
        (paged(shop=1), None, "shop", "paged", None, "its one alert with a team names shop; nobody declares it"),
        (
            paged(shop=5, pay=3), None, "shop", "paged", "shared",
            f"5 of its 8 alerts that name a team name shop; {SHARED}",
        ),
        (paged(none=2), catalog(web=None), None, "none", None, f"nobody's: {ORPHAN}"),
    ],
)  # fmt: skip
def test_each_way_to_own_a_service(alerts, owned, team, basis, conflict, words) -> None:
    found = row(alerts, owned)
    said = [None if pd.isna(value) else value for value in found[["team", "basis", "conflict", "words"]]]
    assert said == [team, basis, conflict, words]


def test_the_table_counts_and_keeps_what_the_catalogue_knows() -> None:
    owned = catalog(web="shop").assign(repository="acme/web", on_call="shop-primary")
    found = row(paged(pay=3, ops=1, none=2), owned)
    assert found[["declared", "paged", "pages", "share", "also_paged", "alerts"]].tolist() == [
        "shop", "pay", 4, 0.75, ["ops"], 6,
    ]  # fmt: skip
    assert found[["repository", "on_call"]].tolist() == ["acme/web", "shop-primary"]


def test_services_without_alerts_and_alerts_without_catalogue_are_rows() -> None:
    found = sl.infer_ownership(paged(shop=1), catalog=catalog(search="find"))
    assert found["service"].tolist() == ["search", "web"]
    assert found["alerts"].tolist() == [0, 1]
    schema.check(found, schema.OWNERS)


def test_confidence_is_pages_and_one_that_nobody_saw() -> None:
    # One team is known, and one that is not: half of the unseen page is shop's.
    assert row(paged(shop=1))["confidence"] == pytest.approx((1 + 1 / 2) / 2)
    assert row(paged(shop=9))["confidence"] == pytest.approx((9 + 1 / 2) / 10)
    # The catalogue agrees on the one service that has both: right on 10 of 11.
    assert row(paged(shop=1), catalog(web="shop"))["confidence"] == pytest.approx((1 + 10 / 11) / 2)
    # It does not: right on 9 of 11, and three pages went elsewhere.
    assert row(paged(pay=3), catalog(web="shop"))["confidence"] == pytest.approx((9 / 11) / 4)
    assert np.isnan(row(paged(none=1))["confidence"])


def test_confidence_is_how_often_the_next_page_goes_there() -> None:
    random = np.random.default_rng(0)
    teams, services = 6, 1500
    shares = random.dirichlet(np.full(teams, 1 / teams), size=services)
    known = np.array([random.choice(teams, size=4, p=p) for p in shares])
    alerts = pd.DataFrame({"service": np.repeat([f"node{i:04d}" for i in range(services)], 4), "team": known.ravel()})
    alerts["team"] = "team" + alerts["team"].astype(str)
    owners = sl.infer_ownership(alerts)
    following = np.array([random.choice(teams, p=p) for p in shares])
    hit = owners["team"].astype(str).to_numpy() == np.char.add("team", following.astype(str))
    for low, high in ((0.0, 0.6), (0.6, 0.8), (0.8, 1.0)):
        inside = owners["confidence"].between(low, high).to_numpy()
        assert inside.sum() > 50
        assert hit[inside].mean() == pytest.approx(owners["confidence"][inside].mean(), abs=0.06)


def test_spellings_of_a_team_and_a_service_are_one() -> None:
    alerts = pd.DataFrame({"service": ["Orders_DB", "orders-db"], "team": ["team-storage", "Storage"]})
    found = sl.infer_ownership(alerts, catalog=pd.DataFrame({"service": ["orders-db"], "team": ["storage"]}))
    assert found[["service", "team", "basis", "pages"]].values.tolist() == [["orders-db", "storage", "both", 2]]


def test_teams_of_the_catalogue_are_no_pages() -> None:
    alerts = pd.DataFrame({"service": ["web", "web"], "team": [None, None]})
    assert row(alerts, catalog(web="shop"))["pages"] == 0


def test_a_longer_name_in_the_catalogue_means_the_same_service() -> None:
    owned = pd.DataFrame({"service": ["prod-orders-db"], "team": ["storage"]})
    alerts = pd.DataFrame({"service": ["orders-db"], "team": ["storage"]})
    assert sl.infer_ownership(alerts, catalog=owned)["basis"].tolist() == ["both"]


def test_names_that_look_like_markup_stay_text() -> None:
    assert "<b>" in row(paged(**{"<b>": 1}))["words"]  # escaped where it is shown


@pytest.mark.parametrize("alerts", [pd.DataFrame(), pd.DataFrame({"service": [None]}), schema.empty(schema.ALERTS)])
def test_nothing_known_is_an_empty_table(alerts: pd.DataFrame) -> None:
    found = sl.infer_ownership(alerts)
    assert found.empty
    assert found.columns.tolist() == schema.OWNERS.names


@settings(max_examples=20)
@given(
    st.lists(
        st.tuples(st.sampled_from(["web", "db", "mq", None]), st.sampled_from(["shop", "pay", None])), max_size=30
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_rows_does_not_matter_and_nothing_is_changed(rows, random) -> None:
    alerts = pd.DataFrame(rows, columns=["service", "team"], dtype=object)
    before = alerts.copy()
    mixed = alerts.sample(frac=1, random_state=random.randrange(2**31))
    pd.testing.assert_frame_equal(sl.infer_ownership(alerts), sl.infer_ownership(mixed))
    pd.testing.assert_frame_equal(alerts, before)
    found = sl.infer_ownership(alerts)
    assert found["confidence"].dropna().between(0, 1).all()
    assert found["alerts"].sum() == alerts["service"].notna().sum()
