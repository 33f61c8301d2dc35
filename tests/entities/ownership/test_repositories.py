from __future__ import annotations

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab import schema

CATALOG = pd.DataFrame(
    {"service": ["web", "worker", "db"], "team": ["shop", "shop", None], "repository": ["acme/shop", "acme/shop", None]}
)


def text(repository: str) -> str:
    return f"deploy of https://github.com/{repository}/commit/abc failed"


def table(alerts: pd.DataFrame, catalog: pd.DataFrame | None = None) -> list[list[object]]:
    found = sl.map_repositories(alerts, catalog=catalog)
    return found[["repository", "service", "basis", "mentions", "alerts"]].values.tolist()


def test_the_catalogue_is_told_both_ways() -> None:
    assert table(pd.DataFrame({"service": ["web", "web", "db"]}), CATALOG) == [
        ["acme/shop", "web", "declared", 0, 2],
        ["acme/shop", "worker", "declared", 0, 0],
    ]


def test_what_alerts_mention_confirms_or_adds() -> None:
    alerts = pd.DataFrame({"service": ["web", "db", "db"], "summary": [text("Acme/Shop"), text("acme/db"), "full"]})
    assert table(alerts, CATALOG) == [
        ["acme/db", "db", "mentioned", 1, 2],
        ["acme/shop", "web", "both", 1, 1],
        ["acme/shop", "worker", "declared", 0, 0],
    ]


def test_an_alert_counts_once_however_often_it_names_it() -> None:
    alerts = pd.DataFrame({"service": ["db"], "summary": [text("acme/db") * 2], "description": [text("acme/db")]})
    assert table(alerts) == [["acme/db", "db", "mentioned", 1, 1]]


def test_owners_take_the_one_most_mentioned_but_no_common_one() -> None:
    services = ["db", "web", "mq", "cache"]
    alerts = pd.DataFrame({"service": services * 2, "summary": [text("acme/runbooks")] * 4 + [""] * 4})
    assert sl.infer_ownership(alerts)["repository"].isna().all()
    own = pd.DataFrame({"service": ["db"] * 3, "summary": [text("acme/db"), text("acme/db"), text("acme/lib")]})
    assert sl.infer_ownership(own)["repository"].tolist() == ["acme/db"]


def test_on_call_is_read_where_a_field_names_it() -> None:
    alerts = pd.DataFrame({"service": ["web"], "labels": ['{"escalation_policy":"Payments primary"}']})
    assert sl.infer_ownership(alerts)["on_call"].tolist() == ["Payments primary"]


@pytest.mark.parametrize("alerts", [pd.DataFrame(), pd.DataFrame({"service": [None], "summary": [text("a/b")]})])
def test_nothing_known_is_an_empty_table(alerts: pd.DataFrame) -> None:
    found = sl.map_repositories(alerts)
    assert found.empty
    schema.check(found, schema.REPOSITORIES)


def test_a_catalogue_without_teams_and_alerts_without_teams_still_tell_the_repository() -> None:
    catalog = pd.DataFrame({"service": ["web", "db"], "team": [None, None], "repository": ["acme/web", "acme/db"]})
    table = sl.map_repositories(pd.DataFrame({"service": ["web"]}), catalog=catalog)
    assert table[["repository", "alerts"]].values.tolist() == [["acme/db", 0], ["acme/web", 1]]
    assert table["team"].isna().all()
