from __future__ import annotations

import pytest

import stanza_lab as sl


@pytest.fixture(scope="module")
def production():
    return sl.simulate_production(services=24, teams=4, days=30, incidents=20)


def test_every_record_is_told_once(production) -> None:
    told = production.alerts["event_ids"].explode()
    assert sorted(told) == sorted(production.records["native_id"])


def test_an_alert_belongs_to_what_raised_it(production) -> None:
    incident = production.records.set_index("native_id")["incident"]
    raised = incident[production.alerts["event_ids"].str[0]].to_numpy()
    labels = production.labels["incident_id"]
    assert (labels.isna() == (raised == -1)).all()
    ids = production.incidents["incident_id"].to_numpy()[raised]
    assert (labels[labels.notna()] == ids[labels.notna()]).all()


def test_each_vendor_states_what_it_states(production) -> None:
    alerts = production.alerts.astype({"source": "str", "environment": "str"})
    by_source = alerts.groupby("source")
    assert by_source["environment"].unique().map(list).to_dict()["datadog"] == ["prod"]
    assert alerts.loc[alerts["source"] == "cloudwatch", ["environment", "team", "severity"]].isna().all().all()
    assert alerts.loc[alerts["source"] == "datadog", ["team", "severity"]].notna().all().all()
    assert alerts.loc[alerts["source"] == "sentry", "team"].isna().all()
    assert alerts.loc[alerts["source"] == "cloudwatch", "resources"].str[0].str.startswith("arn:aws:").all()
