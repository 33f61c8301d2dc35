"""What the loaders read back from the exports is what was simulated; more of the pages is in test_pages_round_trip."""

from __future__ import annotations

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.loaders import read_files


@pytest.fixture(scope="module")
def production():
    return sl.simulate_production()


@pytest.fixture(scope="module")
def directory(production, tmp_path_factory):
    path = tmp_path_factory.mktemp("simulated")
    production.export(path)
    return path


@pytest.fixture(scope="module")
def read(directory):
    return sl.read_alerts(directory / "exports")


@pytest.fixture(scope="module")
def both(production, read):
    """Return the alerts simulated beside those read, without the pages that copy some of them."""
    told = read[read["source"] != "pagerduty"]
    return production.alerts.merge(told, on="alert_id", how="outer", suffixes=("", "_read"), indicator=True)


def test_every_record_is_understood(directory) -> None:
    batches = list(read_files([directory / "exports"]))
    assert sum(len(batch.rejected) for batch in batches) == 0
    ignored = sum((batch.ignored for batch in batches), start=type(batches[0].ignored)())
    assert ignored == {}


def test_the_same_alerts_come_back(both) -> None:
    assert (both["_merge"] == "both").all()
    assert both["source"].astype("str").equals(both["source_read"].astype("str"))


@pytest.mark.parametrize(
    "column", ["starts_at", "ends_at", "alertname", "severity", "severity_raw", "environment", "team"]
)
def test_each_says_the_same(both, column) -> None:
    left, right = both[column].astype("str"), both[f"{column}_read"].astype("str")
    pd.testing.assert_series_equal(left, right, check_names=False)


def test_every_event_is_found(both) -> None:
    assert all(set(sent) <= set(read) for sent, read in zip(both["event_ids"], both["event_ids_read"], strict=True))


def test_every_service_goes_by_one_of_its_names(both, directory) -> None:
    canonical = pd.read_csv(directory / "truth" / "services.csv").set_index("alias")["service"]
    read = both["service_read"].astype("str")
    stated = read.notna()
    assert (read[stated].map(canonical) == both.loc[stated, "service"].astype("str")).all()
    assert set(both.loc[~stated, "source"]) == {"cloudwatch"}  # an alarm names a resource, no service


def test_archived_state_changes_are_duplicates(both) -> None:
    changes = both[both["source"] == "cloudwatch"]
    longer = changes["event_ids_read"].map(len) > changes["event_ids"].map(len)
    assert 0.2 < longer.mean() < 0.6


def test_every_row_of_the_truth_but_deploys_and_notes_is_found(read, directory) -> None:
    labels = pd.read_csv(directory / "truth" / "alert_labels.csv")
    assert labels["source_file"].str.startswith("pagerduty").any()
    told = labels[~labels["kind"].isin(["change", "note"])]
    assert set(told["native_id"]) <= set(read["event_ids"].explode())


def test_copies_are_told_by_their_origin(read) -> None:
    copied = read[read["origin"].notna()].astype({"source": "str", "origin": "str"})
    assert set(read.loc[read["origin"].isna(), "source"]) == {"cloudwatch", "datadog", "sentry"}
    assert set(zip(copied["source"], copied["origin"], strict=True)) == {
        ("pagerduty", "cloudwatch"),
        ("pagerduty", "datadog"),
    }


def test_the_catalogue_is_read(directory, production) -> None:
    catalogue = sl.read_ownership(directory / "ownership.csv")
    assert len(catalogue) == len(production.services)
    assert set(catalogue["team"]) == set(production.services["team"])


def test_traces_show_true_calls_only(directory, production) -> None:
    edges = sl.call_edges(sl.read_traces(directory / "traces"))
    true = set(production.call_graph.itertuples(index=False, name=None))
    traced = set(edges[["src", "dst"]].itertuples(index=False, name=None))
    assert traced <= true
    assert 0.2 < len(traced) / len(true) < 0.8
