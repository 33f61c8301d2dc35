from __future__ import annotations

import numpy as np
import pytest

from stanza_lab.simulate.topology import TIERS, make_topology


@pytest.fixture(scope="module")
def topology():
    return make_topology(np.random.default_rng(0), services=120, teams=10)


def test_every_tier_is_there_and_callers_stand_first(topology) -> None:
    assert topology.services["tier"].unique().tolist() == list(TIERS)
    assert (topology.calls["caller"] < topology.calls["callee"]).all()
    assert not topology.calls.duplicated(["caller", "callee"]).any()


def test_aws_resources_have_arns_and_belong_to_their_services_team(topology) -> None:
    services = topology.services
    data = services[services["tier"] == "data"]
    assert data["resource"].str.match(r"arn:aws:(rds|sqs|dynamodb|elasticache):eu-west-1:111122223333:").all()
    assert data["alias"].tolist() == [f"prod-{name}" for name in data["service"]]
    owners = services[services["domain"] != "edge"].groupby("domain")["team"].nunique()
    assert owners.eq(1).all()


def test_databases_call_nobody_and_apis_are_called(topology) -> None:
    tier = topology.services["tier"].to_numpy()
    assert "data" not in tier[topology.calls["caller"]]
    apis = topology.services.index[topology.services["service"].str.endswith("-api")]
    assert set(apis) <= set(topology.calls["callee"])


def test_some_services_are_hubs(topology) -> None:
    degree = topology.call_graph["callee"].value_counts()
    assert {"auth-api", "config-api"} & set(degree.index[:4])
    assert degree.iloc[0] > 5 * degree.median()


def test_a_repository_holds_one_to_three_services(topology) -> None:
    sizes = topology.services["repository"].value_counts()
    assert sizes.between(1, 3).all()
    assert (sizes == 3).any()


def test_any_number_of_services_has_names_of_its_own() -> None:
    for count in (6, 9, 700):
        services = make_topology(np.random.default_rng(1), services=count, teams=2).services["service"]
        assert len(services) == count
        assert services.is_unique


def test_names_look_like_a_shop(topology) -> None:
    names = topology.services["service"]
    assert {"storefront-web", "checkout-api", "payments-api", "orders-api", "auth-api"} <= set(names)
    assert names.str.fullmatch(r"[a-z]+(-[a-z]+)+").all()
    assert topology.services.set_index("service").loc["storefront-web", "alias"] == "web-storefront"
