"""The kind of one alert is that which a table of it would give."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab.entities.symptoms import classify_symptoms, symptom_of
from stanza_lab.patterns.kinds import BY, alert_kinds
from stanza_lab.patterns.streaming import kind_of

TEXTS = st.sampled_from(
    [None, "", "High latency", "orders-db down", "[Error] disk filling up", "HTTP 503", "error-tracker", "x",
     "</script>", "a\nb", "\u202etimeout", "x" * 10_000, "9" * 399 + " timeout"]
)  # fmt: skip
LABELS = st.sampled_from([None, "{}", '{"metric":"aws.rds.cpuutilization"}', '{"__name__": "http_5xx"}', "no JSON"])
ALERTS = st.fixed_dictionaries(
    {
        "service": st.sampled_from([None, "", "orders-db", "error-tracker", "latency", "; }"]),
        "alertname": TEXTS,
        "rule_key": st.sampled_from([None, "r1"]),
        "labels": LABELS,
        "summary": TEXTS,
        "description": TEXTS,
    }
)


@settings(max_examples=30)
@given(alert=ALERTS)
def test_one_alert_has_the_symptom_that_a_table_of_it_gives(alert: dict[str, str | None]) -> None:
    told = classify_symptoms(pd.DataFrame([alert], dtype="object")).iloc[0]
    assert symptom_of(alert) == (None if pd.isna(told) else told)


@pytest.mark.parametrize("by", BY)
@settings(max_examples=30)
@given(alert=ALERTS)
def test_one_alert_is_of_the_kind_that_a_table_of_it_gives(by: str, alert: dict[str, str | None]) -> None:
    assert kind_of(alert, by=by) == alert_kinds(pd.DataFrame([alert], dtype="object"), by=by)["kind"].iloc[0]


def test_what_is_missing_is_unknown() -> None:
    assert [kind_of({}, by=by) for by in BY] == ["unknown: unknown", "unknown: unknown", "unknown"]
