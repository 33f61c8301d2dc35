"""Duplicates across tools, compression and actionability."""

from __future__ import annotations

import pandas as pd
import pytest

from stanza_lab.errors import ParameterError, SchemaError
from stanza_lab.reliability.load import actions, duplicates, pages, stages

DELAY = pd.Timedelta("5min")


def alerts(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    """Return alerts from (source, service, alertname, starts_at)."""
    table = pd.DataFrame(rows, columns=["source", "service", "alertname", "starts_at"])
    return pages.filled(table.assign(alert_id=[f"a{i}" for i in range(len(table))]))


def test_the_same_symptom_of_a_service_in_another_tool_is_a_duplicate() -> None:
    table = alerts(
        ("datadog", "shop", "High latency", "2026-03-01T10:00Z"),
        ("sentry", "shop", "p99 latency", "2026-03-01T10:04Z"),  # again
        ("sentry", "db", "p99 latency", "2026-03-01T10:04Z"),  # another service
        ("sentry", "shop", "Error rate", "2026-03-01T10:04Z"),  # another symptom
        ("sentry", "shop", "p99 latency", "2026-03-01T11:00Z"),  # too late
        ("datadog", "shop", "Slow latency", "2026-03-01T10:01Z"),  # the same tool
    )
    found = duplicates.table(table, [table], delay=DELAY)
    assert found[["how", "source", "other", "alerts", "of_alerts"]].to_numpy().tolist() == [
        ["same symptom", "sentry", "datadog", 1, 4]
    ]
    assert found["example"].tolist() == ["shop: latency"]
    assert found["share"].tolist() == [0.25]


def test_copies_say_whose_they_are() -> None:
    table = alerts(
        ("datadog", "shop", "High latency", "2026-03-01T10:00Z"),
        ("slack", "shop", "High latency", "2026-03-01T10:00Z"),
        ("slack", "shop", "High latency", "2026-03-01T12:00Z"),
    )
    table["origin"] = pd.Series(["", "datadog", "nagios"], dtype="category")
    found = duplicates.table(table.head(1).assign(origin=None), [table], delay=DELAY)
    assert found[["how", "source", "other", "alerts", "of_alerts"]].to_numpy().tolist() == [
        ["copy", "slack", "datadog", 1, 2]  # nagios is not in the history
    ]
    assert found["words"].tolist() == ["1 of 2 alerts of slack pass on what datadog raised."]


def test_compression_is_one_less_what_is_left() -> None:
    table = alerts(*[("datadog", "shop", "x", f"2026-03-01T1{i}:00Z") for i in range(4)])
    table = table.assign(event_ids=[["a", "b", "c"], ["d", "e"], ["f", "g"], ["h"]], incident_id=[0, 0, 1, -1])
    found = stages.table(table, pd.DataFrame({"incident": [0, 0]}), paged=2)
    assert found.to_numpy().tolist() == [
        ["events to alerts", 8, 4, 0.5],
        ["alerts to incidents", 4, 3, 0.25],
        ["alerts to pages", 4, 2, 0.5],
        ["pages to incidents that paged", 2, 1, 0.5],
    ]


def test_a_stage_that_is_not_told_is_left_out() -> None:
    table = alerts(("datadog", "shop", "x", "2026-03-01T10:00Z"))
    assert stages.table(table, pd.DataFrame({"incident": []}), paged=0)["stage"].tolist() == ["alerts to pages"]


def tagged(**tags: str) -> pd.DataFrame:
    return pd.DataFrame({"alert_id": list(tags), "tag": list(tags.values())})


def test_actionable_is_of_what_is_tagged_and_applies() -> None:
    table = pd.DataFrame({"alert_id": list("abcdef"), "team": ["web", "web", "web", "db", "db", None]})
    tags = actions.read(tagged(a="issue", b="viewissue", c="checkfaulty", d="na", x="issue"))
    found = actions.table(table, tags)
    everything = found.iloc[0]
    assert everything[["alerts", "action", "no_action", "excluded", "untagged"]].tolist() == [6, 2, 1, 1, 2]
    assert everything[["actionable", "noise_ratio", "coverage"]].tolist() == [2 / 3, 1 / 3, 3 / 6]
    assert found["team"].fillna("all").tolist() == ["all", "db", "web"]
    assert found["coverage"].tolist() == [0.5, 0, 1]
    assert pd.isna(found["actionable"].iloc[1])


def test_mean_time_to_sleep_is_from_woken_to_back_asleep() -> None:
    tags = tagged(a="issue", b="issue", c="issue").assign(
        woken_at=["2026-03-01T03:00Z", "2026-03-02T03:00Z", None],
        asleep_at=["2026-03-01T03:40Z", "2026-03-02T04:20Z", None],
    )
    found = actions.table(pd.DataFrame({"alert_id": list("abc"), "team": "web"}), actions.read(tags)).iloc[0]
    assert found[["mtts_s", "n_slept"]].tolist() == [3600, 2]


def test_tags_of_another_vocabulary_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"\['noise'\] are no tags of opsweekly"):
        actions.read(tagged(a="noise"))
    with pytest.raises(SchemaError, match="tagged twice"):
        actions.read(pd.concat([tagged(a="issue"), tagged(a="na")]))
    with pytest.raises(SchemaError, match="'tag'"):
        actions.read(pd.DataFrame({"alert_id": ["a"]}))
