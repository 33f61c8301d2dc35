"""Teams, symptoms and roles are counted by alert."""

from __future__ import annotations

import pandas as pd
import pytest

from stanza_lab.dependencies.evidence import count_traits, merge_traits


def _alerts(rows: list[dict[str, object]]) -> pd.DataFrame:
    table = pd.DataFrame([{"starts_at": "2026-03-01T14:00Z"} | row for row in rows])
    return table.assign(starts_at=pd.to_datetime(table["starts_at"], utc=True))


def _told(traits: pd.DataFrame) -> list[tuple[str, str, int]]:
    return [*traits[["node", "trait", "count"]].itertuples(index=False, name=None)]


def test_each_alert_counts_once_for_each_kind() -> None:
    row = {"service": "orders-db", "team": "payments", "summary": "CPU high"}
    assert _told(count_traits(_alerts([row, row, row | {"team": None}]))) == [
        ("orders-db", "role:store", 3),
        ("orders-db", "symptom:saturation", 3),
        ("orders-db", "team:payments", 2),
    ]


@pytest.mark.parametrize(
    ("said", "role"),
    [
        ({"resources": ["arn:aws:sqs:eu-west-1:123456789012:orders"]}, "queue"),
        ({"labels": '{"dimensions":{"TableName":"orders"},"namespace":"AWS/DynamoDB"}'}, "store"),
        ({"labels": '{"namespace":"AWS/ApiGateway"}'}, "edge"),
        ({"labels": '{"query":"avg(last_5m):avg:aws.rds.cpuutilization{*} > 80"}'}, "store"),
        ({"labels": '{"dimensions":{"ServiceName":"orders","ServiceType":"AWS::Lambda"}}'}, "service"),
        ({"resources": ["arn:aws:kms:eu-west-1:123456789012:key/some-key"]}, "managed"),
    ],
)
def test_what_an_alert_is_about_tells_the_role(said: dict[str, object], role: str) -> None:
    assert _told(count_traits(_alerts([{"service": "orders", **said}]))) == [("orders", f"role:{role}", 1)]


def test_a_name_says_more_than_anothers_resource() -> None:
    arn = "arn:aws:rds:eu-west-1:123456789012:db:users"
    rows = [{"service": "orders-api", "resources": [arn]}]
    assert _told(count_traits(_alerts(rows))) == [("orders-api", "role:service", 1)]


def test_teams_have_no_role_and_page_no_team() -> None:
    assert count_traits(_alerts([{"team": "storage-db", "service": "x"}]), node="team").empty


def test_slices_add_up() -> None:
    rows = [
        {"service": "orders-db", "team": "a"},
        {"service": "orders-db", "team": "b", "starts_at": "2026-03-02T01:00Z"},
    ]
    whole = count_traits(_alerts(rows))
    assert whole["slice"].nunique() == 2
    pd.testing.assert_frame_equal(merge_traits([count_traits(_alerts([row])) for row in rows]), whole)
    assert [str(dtype) for dtype in count_traits(_alerts(rows)[:0]).dtypes] == [
        "datetime64[us, UTC]", "str", "category", "int64",
    ]  # fmt: skip
