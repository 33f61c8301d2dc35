from __future__ import annotations

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab import schema
from stanza_lab.simulate.truth import alert_labels, ownership, render_truth, service_aliases


@pytest.fixture(scope="module")
def production():
    return sl.simulate_production(services=24, teams=4, days=40, incidents=20)


def test_columns_are_those_of_the_shared_recordings(production) -> None:
    heads = {path: text.partition("\n")[0] for path, text in render_truth(production)}
    assert heads == {
        "truth/alert_labels.csv": "source_file,native_id,timestamp,kind,service,incident_id",
        "truth/incidents.csv": "incident_id,start,end,root_service,fault_type,pattern_id",
        "truth/call_graph.csv": "caller,callee",
        "truth/services.csv": "service,alias",
        "ownership.csv": "service,team,repository,on_call,tier",
    }


def test_columns_match_a_real_recording(production, shared) -> None:
    real = shared / "data" / "nezha_tt_0129"
    for path, text in render_truth(production):
        if path.startswith("truth/"):
            assert text.partition("\n")[0] == (real / path).read_text().partition("\n")[0]


def test_labels_name_every_record_of_every_alert(production) -> None:
    labels = alert_labels(production)
    told = labels[labels["source_file"].str.startswith(("datadog", "sentry", "cloudwatch_alarm_history"))]
    alerts = told[told["kind"] != "change"]
    assert sorted(alerts["native_id"]) == sorted(production.records["native_id"])
    assert set(labels["kind"]) == {"firing", "renotification", "recovery", "acknowledgement", "note", "change"}
    assert labels.loc[labels["kind"] == "change", "incident_id"].isna().all()


def test_labels_agree_with_the_labels_of_the_alerts(production) -> None:
    by_record = alert_labels(production).drop_duplicates("native_id").set_index("native_id")["incident_id"]
    raised = by_record[production.alerts["event_ids"].str[0]].reset_index(drop=True)
    pd.testing.assert_series_equal(raised, production.labels["incident_id"], check_names=False, check_dtype=False)


def test_aliases_cover_every_service_once(production) -> None:
    aliases = service_aliases(production)
    assert aliases["alias"].is_unique
    assert set(aliases["service"]) == set(production.services["service"])
    assert set(production.services["service"]) <= set(aliases["alias"])


def test_ownership_is_the_catalogue(production) -> None:
    catalogue = ownership(production)
    assert list(catalogue.columns) == schema.OWNERSHIP.names
    assert catalogue["service"].is_monotonic_increasing
    assert catalogue.notna().all().all()
