from __future__ import annotations

import pandas as pd

from stanza_lab.production import neighbours, tables


def edges(rows: list[tuple]) -> pd.DataFrame:
    return tables.complete(pd.DataFrame(rows, columns=["src", "dst", "confidence", "support", "lag_s", "provenance"]))


def test_what_was_seen_is_sure_and_what_is_unknown_is_not() -> None:
    found = neighbours.strength(
        edges([("a", "b", 0.2, 1, 0, ["traced"]), ("a", "c", 0.2, 1, 0, ["inferred"]), ("a", "d", None, 1, 0, [])])
    )
    assert found.tolist() == [1.0, 0.2, 0.0]


def test_the_usual_lead_is_the_median_by_cofirings_seen_from_us() -> None:
    table = edges(
        [
            ("us", "b", 0.9, 1, 500.0, ["inferred"]),
            ("us", "c", 0.5, 9, 30.0, ["inferred"]),
            ("d", "us", 0.4, 1, 10.0, ["inferred"]),
        ]
    )
    cluster = pd.Series({"us": "ours", "b": "theirs", "c": "theirs", "d": "theirs"})
    across = neighbours.border(table, {"us"}, cluster)
    assert across["lead_s"].tolist() == [500.0, 30.0, -10.0]
    row = neighbours.summarize(across, cluster, {"ours", "theirs"}).iloc[0]
    assert (row["lag_s"], row["direction"], row["confidence"], row["edges"]) == (30.0, "downstream", 0.9, 3)


def test_a_much_less_sure_edge_does_not_turn_the_direction() -> None:
    table = edges([("us", "b", 0.9, 1, 5.0, ["inferred"]), ("b", "us", 0.2, 1, -5.0, ["inferred"])])
    cluster = pd.Series({"us": "ours", "b": "theirs"})
    row = neighbours.summarize(neighbours.border(table, {"us"}, cluster), cluster, {"theirs"}).iloc[0]
    assert row["direction"] == "downstream"


def test_services_without_team_or_edge_share_a_cluster() -> None:
    services = pd.DataFrame({"service": ["a", "b", "c"], "team": [None, None, "web"]})
    found = neighbours.clusters(services, edges([]))
    assert found.to_dict() == {"a": neighbours.ALONE, "b": neighbours.ALONE, "c": "web"}


def test_nobody_over_the_border_is_an_empty_table() -> None:
    cluster = pd.Series({"a": "ours"})
    table = neighbours.summarize(neighbours.border(edges([]), {"a"}, cluster), cluster, {"ours"})
    assert table.empty
    assert "words" in table.columns
