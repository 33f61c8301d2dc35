"""What the loader reads back from the log of PagerDuty webhooks is what was simulated."""

from __future__ import annotations

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.loaders import read_files
from stanza_lab.simulate.exports import pagerduty

TIMES = {"incident.triggered": "starts_at", "incident.acknowledged": "acked_at", "incident.resolved": "ends_at"}


@pytest.fixture(scope="module")
def webhooks():
    return pagerduty.webhooks(sl.simulate_production())


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("simulated")
    sl.simulate_production().export(path)
    return path / pagerduty.FILE


@pytest.fixture(scope="module")
def pages(file, webhooks):
    """Return the alerts read, by the id of their page."""
    ids = set(webhooks["page_id"])
    read = sl.read_alerts(file)
    return read.assign(page_id=[next(i for i in found if i in ids) for found in read["event_ids"]]).set_index("page_id")


def test_every_webhook_is_an_event(file, webhooks) -> None:
    [batch] = read_files(file)
    assert (batch.records, len(batch.events)) == (len(webhooks), len(webhooks))


def test_every_page_is_one_alert_with_its_times(pages, webhooks) -> None:
    states = webhooks[webhooks["event_type"].isin(list(TIMES))]
    sent = states.pivot(index="page_id", columns="event_type", values="at_ms").rename(columns=TIMES)
    sent = sent.apply(pd.to_datetime, unit="ms", utc=True).astype("datetime64[us, UTC]")
    pd.testing.assert_frame_equal(pages.sort_index()[list(sent)], sent.sort_index(), check_names=False)


def test_who_did_what_is_read_back_as_it_was_sent(file, webhooks) -> None:
    [batch] = read_files(file)
    did = sl.read_engagements(batch.events)
    sent = webhooks[webhooks["event_type"] != "incident.triggered"]
    kinds = {"incident.acknowledged": "acknowledged", "incident.resolved": "resolved", "incident.annotated": "noted"}
    told = did[did["kind"] != "assigned"].sort_values(["at", "page"]).reset_index(drop=True)
    assert told["kind"].tolist() == sent["event_type"].map(kinds).tolist()
    assert told["page"].tolist() == sent["page_id"].tolist()
    assert told["text"].dropna().tolist() == sent["note"].dropna().tolist()
    assert told["person"].notna().tolist() == (sent["agent"] >= 0).tolist()
    people = pd.crosstab(told["person"].fillna("nobody"), sent["agent"].to_numpy()).astype(bool)
    assert people.sum(axis=0).eq(1).all()
    assert people.sum(axis=1).eq(1).all()


def test_pages_say_what_they_copy(pages, webhooks) -> None:
    sent = webhooks.drop_duplicates("page_id").set_index("page_id").loc[pages.index]
    assert pages["service"].astype("str").tolist() == sent["service"].tolist()
    assert pages["team"].astype("str").tolist() == sent["team"].str.title().tolist()
    assert pages["origin"].astype("str").tolist() == sent["origin"].tolist()
    assert pages["summary"].tolist() == sent["title"].tolist()
    assert pages["severity"].isna().all()  # urgency is all they state
    states = webhooks[webhooks["event_type"].isin(list(TIMES))]
    assert set(states["native_id"]) <= set(pages["event_ids"].explode())
    rules = pages.groupby("rule_key", observed=True).ngroup()
    assert pd.crosstab(rules, sent["rule_key"]).astype(bool).sum().eq(1).all()
