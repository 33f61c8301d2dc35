from __future__ import annotations

import json

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import SchemaError
from stanza_lab.reliability.load.engagements import ENGAGEMENTS

ANNA = {"id": "PU1", "type": "user_reference", "summary": "Anna Adler"}
BEN = {"id": "PU2", "type": "user_reference", "summary": "Ben Bauer"}
SERVICE = {"id": "PS1", "type": "service_reference", "summary": "shop"}


def events(*records: dict[str, object], source: str = "pagerduty", page: str = "Q1") -> pd.DataFrame:
    minutes = pd.date_range("2026-03-01T14:00Z", periods=len(records), freq="min")
    return pd.DataFrame(
        {
            "source": source,
            "at": minutes,
            "kind": "note",
            "occurrence_key": page,
            "service": "shop",
            "team": "web",
            "labels": '{"escalation_policy":"web on call"}',
            "raw": [json.dumps(record) for record in records],
        }
    )


def webhook(word: str, agent: object = None, **data: object) -> dict[str, object]:
    return {"occurred_at": "x", "event_type": f"incident.{word}", "agent": agent, "data": {"id": "Q1", **data}}


def done(table: pd.DataFrame) -> list[tuple[object, object]]:
    people = {name: f"{letter}" for name, letter in zip(dict.fromkeys(table["person"].dropna()), "ABC", strict=False)}
    persons = [people.get(name) for name in table["person"]]
    return list(zip(table["kind"].tolist(), persons, strict=True))


def test_webhooks_tell_who_was_given_took_wrote_and_closed_a_page() -> None:
    found = sl.read_engagements(
        events(
            webhook("triggered", assignees=[ANNA]),
            webhook("acknowledged", ANNA),
            webhook("escalated", assignees=[BEN]),
            webhook("annotated", BEN, content="Restarted orders-db."),
            webhook("resolved", BEN),
        )
    )
    assert done(found) == [
        ("assigned", "A"), ("acknowledged", "A"), ("escalated", "B"), ("noted", "B"), ("resolved", "B"),
    ]  # fmt: skip
    assert found["text"].dropna().tolist() == ["Restarted orders-db."]
    assert found.loc[4, ["page", "service", "team", "policy", "automatic"]].tolist() == [
        "Q1", "shop", "web", "web on call", False,
    ]  # fmt: skip


def test_what_a_machine_resolved_is_automatic_and_of_nobody() -> None:
    found = sl.read_engagements(events(webhook("resolved"), webhook("resolved", SERVICE)))
    assert found["automatic"].tolist() == [True, True]
    assert found["person"].isna().all()


def test_responders_are_asked_and_join_or_decline() -> None:
    found = sl.read_engagements(
        events(
            webhook("responder.added", user=ANNA, message="please help", state="pending"),
            webhook("responder.replied", user=ANNA, state="accepted"),
            webhook("responder.replied", user=BEN, state="declined"),
        )
    )
    assert done(found) == [("asked", "A"), ("joined", "A"), ("declined", "B")]


def test_log_entries_tell_whose_phone_rang() -> None:
    found = sl.read_engagements(
        events(
            {"type": "notify_log_entry", "agent": SERVICE, "channel": {}, "user": ANNA},
            {"type": "acknowledge_log_entry", "agent": ANNA, "channel": {}},
            {"type": "annotate_log_entry", "agent": ANNA, "channel": {"type": "note", "summary": "looking"}},
            {"type": "resolve_log_entry", "agent": SERVICE, "channel": {}},
        )
    )
    assert done(found) == [("notified", "A"), ("acknowledged", "A"), ("noted", "A"), ("resolved", None)]
    assert found["automatic"].tolist()[-1] is True


def test_an_incident_as_listed_tells_each_thing_at_its_own_time() -> None:
    listed = {
        "status": "resolved",
        "assignments": [{"at": "2026-03-01T10:00:00Z", "assignee": ANNA}],
        "acknowledgements": [{"at": "2026-03-01T10:02:00Z", "acknowledger": ANNA}],
        "last_status_change_by": BEN,
    }
    found = sl.read_engagements(events(listed))
    assert done(found) == [("assigned", "A"), ("acknowledged", "A"), ("resolved", "B")]
    assert found["at"].dt.strftime("%H:%M").tolist() == ["10:00", "10:02", "14:00"]


def test_older_webhooks_are_read_by_the_log_entry_they_carry() -> None:
    entry = {"type": "acknowledge_log_entry", "agent": ANNA, "channel": {}, "created_at": "2026-03-01T10:00:00Z"}
    found = sl.read_engagements(events({"event": "incident.acknowledge", "incident": {}, "log_entries": [entry]}))
    assert done(found) == [("acknowledged", "A")]


def test_opsgenie_tells_who_acknowledged_and_what_was_noted() -> None:
    found = sl.read_engagements(
        events(
            {"action": "Acknowledge", "alert": {"alertId": "a", "username": "anna@example.com"}},
            {"action": "AddNote", "alert": {"alertId": "a", "username": "anna@example.com", "note": "scaled up"}},
            {"action": "Close", "alert": {"alertId": "a", "username": "System"}},
            source="opsgenie",
        )
    )
    assert done(found) == [("acknowledged", "A"), ("noted", "A"), ("resolved", None)]
    assert found["automatic"].tolist() == [False, False, True]


def test_grafana_oncall_tells_whom_it_notified() -> None:
    record = {"event": {"type": "acknowledge", "time": "2026-03-01T15:00:00Z"}, "user": {"id": "U1"}}
    group = {"alert_group": {"id": "g"}, "notified_users": [{"id": "U1"}]}
    found = sl.read_engagements(events(record | group, source="grafana", page="oncall|g"))
    assert done(found) == [("notified", "A"), ("acknowledged", "A")]
    assert found["page"].tolist() == ["g", "g"]


def test_nobody_is_named_and_a_redacted_history_gives_the_same_pseudonyms() -> None:
    from stanza_lab.loaders.redaction import Redaction, Redactor

    kept = webhook("acknowledged", ANNA)
    found, redacted = (sl.read_engagements(events(record)) for record in (kept, Redactor(Redaction()).record(kept)))
    assert found["person"].tolist() == redacted["person"].tolist()
    assert found["person"].str.fullmatch(r"person [0-9a-f]{6}").all()


def test_one_person_by_id_or_by_name_is_one_person() -> None:
    by_name = {"type": "user_reference", "summary": "Anna Adler"}
    found = sl.read_engagements(events(webhook("acknowledged", ANNA), webhook("resolved", by_name)))
    assert found["person"].nunique() == 1


def test_one_fact_in_two_shapes_counts_once() -> None:
    twice = events(webhook("acknowledged", ANNA), {"type": "acknowledge_log_entry", "agent": ANNA, "channel": {}})
    twice["at"] = pd.to_datetime(["2026-03-01T14:00:00.250Z", "2026-03-01T14:00:00.000Z"])
    assert len(sl.read_engagements(twice)) == 1


@pytest.mark.parametrize("raw", ["[]", "not json", "null", '{"event_type": 3, "occurred_at": 1}', '{"type": "x"}'])
def test_records_that_tell_nothing_are_passed_over(raw: str) -> None:
    found = sl.read_engagements(events({}).assign(raw=raw))
    assert found.empty
    assert found.dtypes.astype(str).tolist() == [str(pd.Series(dtype=dtype).dtype) for dtype in ENGAGEMENTS.values()]


def test_events_without_their_records_are_refused() -> None:
    with pytest.raises(SchemaError, match="raw"):
        sl.read_engagements(events({}).drop(columns="raw"))
