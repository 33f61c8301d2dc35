from __future__ import annotations

import json

import pandas as pd
import pytest

from stanza_lab import fold_events
from stanza_lab.loaders import read_files

COLUMNS = [
    *("kind", "at", "starts_at", "acked_at", "ends_at", "severity", "severity_raw"),
    *("summary", "rule_key", "service", "team", "environment", "resources", "native_ids"),
]
SERVICE = {"id": "PSVC1", "type": "service_reference", "summary": "Checkout"}
TEAMS = [{"id": "PT1", "type": "team_reference", "summary": "Payments"}]


def incident(**more):
    """Return an incident as a page lists it."""
    return {
        "id": "Q1",
        "type": "incident",
        "incident_number": 7,
        "title": "errors high",
        "created_at": "2026-03-01T14:02:11Z",
        "last_status_change_at": "2026-03-01T14:02:11Z",
        "status": "triggered",
        "incident_key": "checkout-errors",
        "service": SERVICE,
        "teams": TEAMS,
        "priority": {"id": "PP2", "summary": "P2"},
        "urgency": "low",
    } | more


def resolved(**more):
    end = "2026-03-01T14:31:40Z"
    return incident(status="resolved", resolved_at=end, last_status_change_at=end, **more)


def log_entry(kind, at, **more):
    return {
        "id": f"R{kind}",
        "type": f"{kind}_log_entry",
        "created_at": at,
        "agent": {"id": "PU1", "type": "user_reference", "summary": "Some Body"},
        "channel": {"type": "website"},
        "incident": {"id": "Q1", "type": "incident_reference", "summary": "[#7] errors high"},
        "service": SERVICE,
        "teams": TEAMS,
    } | more


def webhook(kind, at, *, event_type=None, **more):
    data = incident(number=7, status=kind, **more)
    for key in ("incident_number", "last_status_change_at"):
        del data[key]
    event = {"id": f"01{kind}", "event_type": event_type or f"incident.{kind}", "resource_type": "incident"}
    return {"event": {**event, "occurred_at": at, "client": {"name": "AWS CloudWatch"}, "data": data}}


def values(row, columns=COLUMNS):
    """Return a row's values, times as text and nulls as None."""
    cells = [row[column] for column in columns]
    return [
        c if isinstance(c, list) else str(c) if isinstance(c, pd.Timestamp) else c if c == c else None for c in cells
    ]


def utc(text):
    return f"{text.replace('T', ' ')}+00:00"


def times(alerts):
    return [values(row, ["starts_at", "acked_at", "ends_at"]) for row in alerts.to_dict("records")]


FIRE = ["The server is on fire.", "PIJ90N7|The server is on fire.", "My Mail Service", "Engineering"]
LOGGED = ["PIJ90N7|The server is on fire.", "My Mail Service", "Engineering", None, [], ["Q02JTSNZWHSEKV", "PT4KHLK"]]
CHECKOUT = ["[P2] checkout error rate is high", "PSVC001|145678901-checkout", "Checkout API", "Payments", None, []]
OCT, NOV, MAY = "2015-10-06T21", "2015-11-10T00", "2024-05-14T14"
SAMPLES = {
    "incidents_list.json": [
        [
            *("resolved", utc(f"{OCT}:38:23"), utc(f"{OCT}:30:42"), None, utc(f"{OCT}:38:23"), "error", "P2"),
            *(*FIRE, None, [], ["PT4KHLK"]),
        ]
    ],
    "incident_detail.json": [
        [
            *("acknowledged", utc(f"{OCT}:38:23"), utc(f"{OCT}:30:42"), utc(f"{NOV}:32:52"), None, "error", "P2"),
            *(*FIRE, "production", [], ["PT4KHLK"]),
        ]
    ],
    "incident_alerts.json": [
        [
            *("renotified", utc(f"{OCT}:30:42"), None, None, None, "critical", "critical"),
            *(*FIRE[:3], None, None, [], ["PT4KHLK"]),
        ]
    ],
    "incident_log_entries.json": [
        ["fired", utc("2015-11-07T00:14:20"), None, None, None, None, None, FIRE[0], *LOGGED],
    ],
    "log_entries.json": [
        ["fired", utc("2015-11-07T00:14:20"), None, None, None, None, None, FIRE[0], *LOGGED],
    ],
    "analytics_raw_incidents.json": [
        [
            *("resolved", utc("2023-05-31T10:15:00"), utc("2023-05-31T10:05:00"), utc("2023-05-31T10:05:05")),
            *(utc("2023-05-31T10:15:00"), None, None, "The server is on fire!", "PPSCXAN|The server is on fire!"),
            *("Engineering", None, None, [], ["PYC0H08"]),
        ],
        [  # as documented: it ends before it starts
            *("resolved", utc("2023-05-30T10:00:05"), utc("2023-05-31T10:00:00"), utc("2023-05-31T10:00:48")),
            *(utc("2023-05-30T10:00:05"), "warning", "SEV-2", "Reply on social media", "PPSCXAN|Reply on social media"),
            *("Social media tracking", "Marketing", None, [], ["PCOOHCY"]),
        ],
    ],
    "events_v2_enqueue_event.json": [
        [
            *("fired", "2015-07-17 08:42:58.315000+00:00", None, None, None, "critical", "critical"),
            *("DISK at 99% on machine prod-datapipe03.example.com", "srv01/mysql", None, None, None),
            *(["prod-datapipe03.example.com"], ["srv01/mysql"]),
        ]
    ],
    "synthetic_incidents_export.csv": [
        [
            *("resolved", utc(f"{MAY}:31:40"), utc(f"{MAY}:02:11"), utc(f"{MAY}:04:00"), utc(f"{MAY}:31:40")),
            *(None, None, CHECKOUT[0], f"PSVC001|{CHECKOUT[0]}", "Checkout API", None, None, [], ["Q1CHECKOUT000"]),
        ],
        [
            *("fired", utc(f"{MAY}:40:00"), utc(f"{MAY}:40:00"), None, None, None, None),
            *("Disk 91% on db-7", "PSVC002|Disk # on db-7", "Orders DB", None, None, [], ["Q1DISK000000"]),
        ],
    ],
    "synthetic_webhooks_v3.jsonl": [
        [kind, utc(f"{at}.123000"), starts, None, None, "error", "P2", *CHECKOUT, [event_id, "Q1CHECKOUT000"]]
        for kind, at, starts, event_id in [
            ("fired", f"{MAY}:02:11", utc(f"{MAY}:02:11.123000"), "01EXAMPLE1715695331"),
            ("acknowledged", f"{MAY}:04:00", utc(f"{MAY}:02:11"), "01EXAMPLE1715695440"),
            ("renotified", f"{MAY}:10:00", None, "01EXAMPLE1715695800"),
            ("resolved", f"{MAY}:31:40", utc(f"{MAY}:02:11"), "01EXAMPLE1715697100"),
            ("fired", "2024-05-14T15:00:00", utc("2024-05-14T15:00:00.123000"), "01EXAMPLE1715698800"),
        ]
    ],
}


@pytest.mark.shared
@pytest.mark.parametrize("file", SAMPLES)
def test_samples(shared, file) -> None:
    [batch] = read_files(shared / "formats/samples/pagerduty" / file)
    assert batch.rejected["message"].tolist() == []
    assert set(batch.events["source"]) == {"pagerduty"}
    assert [values(row) for row in batch.events.to_dict("records")] == SAMPLES[file]


@pytest.mark.shared
def test_every_sample_is_tested(shared) -> None:
    assert {path.name for path in (shared / "formats/samples/pagerduty").iterdir()} == set(SAMPLES)


@pytest.mark.shared
def test_recorded_incidents_are_all_found(shared) -> None:
    directory = shared / "data/format_samples"
    labels = pd.read_csv(directory / "labels.csv").query("source_file == 'pagerduty_incidents.json'")
    [batch] = read_files(directory / "pagerduty_incidents.json")
    found = batch.events.assign(native_id=batch.events["native_ids"].str[0]).merge(labels, on="native_id")
    assert len(found) == len(labels) == len(batch.events) == 60
    assert (found["service_x"].astype("str") == found["service_y"]).all()
    assert (found["starts_at"] == pd.to_datetime(found["timestamp"]).dt.floor("s")).all()
    # They are resolved, but do not say when: only that they fired is told.
    assert set(found["kind"]) == {"fired"}
    assert found["ends_at"].isna().all()
    assert found["rule_key"].nunique() == 7


def test_incident(event) -> None:
    got = event({"incidents": [resolved(acknowledgements=[])], "limit": 25, "offset": 0, "more": False})
    got.pop("raw")
    assert json.loads(got.pop("labels")) == {
        "incident_number": "7",
        "key": "checkout-errors",
        "priority": "P2",
        "status": "resolved",
        "urgency": "low",
    }
    assert got == {
        "source": "pagerduty",
        "event_id": "Q1|resolve|2026-03-01T14:31:40Z",
        "native_ids": ["Q1"],
        "occurrence_key": "Q1",
        "rule_key": "PSVC1|checkout-errors",
        "at": pd.Timestamp("2026-03-01T14:31:40Z"),
        "time_source": "event",
        "kind": "resolved",
        "has_recovery": True,
        "alertname": "errors high",
        "starts_at": pd.Timestamp("2026-03-01T14:02:11Z"),
        "ends_at": pd.Timestamp("2026-03-01T14:31:40Z"),
        "severity": "error",
        "severity_raw": "P2",
        "summary": "errors high",
        "service": "Checkout",
        "team": "Payments",
        "resources": [],
        "trace_ids": [],
    }


def test_older_incident_ends_when_its_status_last_changed(event) -> None:
    old = resolved()
    del old["resolved_at"]
    assert event({"incident": old})["ends_at"] == pd.Timestamp("2026-03-01T14:31:40Z")
    del old["last_status_change_at"]
    got = event({"incident": old})
    assert (got["kind"], got["at"]) == ("fired", pd.Timestamp("2026-03-01T14:02:11Z"))
    assert "ends_at" not in got


def test_acknowledged_incident(event) -> None:
    taken = [{"at": f"2026-03-01T14:0{minute}:00Z", "acknowledger": {"summary": "x"}} for minute in (6, 4)]
    got = event(incident(status="acknowledged", last_status_change_at="2026-03-01T14:06:00Z", acknowledgements=taken))
    assert values(got, ["kind", "at", "starts_at", "acked_at"]) == [
        *("acknowledged", utc("2026-03-01T14:06:00"), utc("2026-03-01T14:02:11"), utc("2026-03-01T14:04:00"))
    ]
    got = event(incident(status="acknowledged", last_status_change_at="2026-03-01T14:06:00Z"))
    assert got["acked_at"] == pd.Timestamp("2026-03-01T14:06:00Z")


def test_merged_incident_says_into_which(event) -> None:
    reason = {"type": "merge_resolve_reason", "incident": {"id": "Q9", "type": "incident_reference"}}
    labels = json.loads(event(resolved(resolve_reason=reason))["labels"])
    assert (labels["resolve_reason"], labels["merged_into"]) == ("merge_resolve_reason", "Q9")
    labels = json.loads(event(webhook("resolved", "2026-03-01T14:31:40.123Z", resolve_reason=reason))["labels"])
    assert labels["merged_into"] == "Q9"


def test_first_trigger_tells_severity_resource_and_origin(event) -> None:
    cef = {
        "severity": "warning",
        "source_origin": "web-1.example",
        "source_component": "nginx",
        "event_class": "latency",
        "service_group": "web",
        "details": {"env": "prod", "pod_name": "web-1-abc"},
    }
    agent = {"id": "PI1", "type": "generic_events_api_inbound_integration_reference", "summary": "Datadog"}
    first = {"id": "R1", "type": "trigger_log_entry", "agent": agent, "channel": {"type": "api", "cef_details": cef}}
    channel = first["channel"] | {"client": "Datadog"}
    got = event(incident(priority=None, first_trigger_log_entry=first | {"channel": channel}))
    assert values(got, ["severity", "origin", "environment", "resources"]) == [
        *("warning", "datadog", "prod", ["web-1.example", "web-1-abc"])
    ]
    labels = json.loads(got["labels"])
    assert (labels["component"], labels["class"], labels["group"]) == ("nginx", "latency", "web")


@pytest.mark.parametrize(
    ("key", "title", "rule_key"),
    [
        ("checkout-errors", "errors 91%", "PSVC1|checkout-errors"),
        # Drawn at random, empty or not there: the title, without what varies.
        ("baf7cf21b1da41b4b0221008339ff357", "errors at 91.5% on db-7", "PSVC1|errors at # on db-7"),
        ("", "pod web-7b6dc75c45-bxkzq: 12 restarts", "PSVC1|pod web#: # restarts"),
        (None, "[#12] p99 of 10.0.0.1 > 3s", "PSVC1|p99 of 10.0.0.1 > #"),
    ],
)
def test_rule(event, key, title, rule_key) -> None:
    assert event(incident(incident_key=key, title=title))["rule_key"] == rule_key


def test_urgency_is_no_severity(event) -> None:
    got = event(incident(priority=None, urgency="high"))
    assert "severity" not in got
    assert event(incident(priority={"summary": "SEV-1"}))["severity"] == "error"
    got = event(incident(priority={"summary": "Whenever"}))
    assert ("severity" not in got, got["severity_raw"]) == (True, "Whenever")


def test_alert_joins_its_incident(read) -> None:
    alert = {
        "id": "A1",
        "type": "alert",
        "created_at": "2026-03-01T14:02:11Z",
        "status": "resolved",
        "alert_key": "checkout-errors",
        "summary": "errors high on web-1",
        "severity": "critical",
        "suppressed": False,
        "service": SERVICE,
        "incident": {"id": "Q1", "type": "incident_reference"},
        "body": {"type": "alert_body", "details": {"host": "web-1"}},
        "integration": {"type": "generic_events_api_inbound_integration_reference", "summary": "New Relic"},
    }
    second = alert | {"id": "A2", "created_at": "2026-03-01T14:12:00Z", "severity": "info"}
    events = read([{"alerts": [alert, second]}, {"incidents": [resolved(priority=None)]}]).events
    assert events["origin"].astype("str").tolist()[0] == "newrelic"
    [got] = fold_events(events).to_dict("records")
    assert values(got, ["starts_at", "ends_at", "severity", "rule_key", "resources", "event_ids"]) == [
        *(utc("2026-03-01T14:02:11"), utc("2026-03-01T14:31:40"), "critical", "PSVC1|checkout-errors"),
        *(["web-1"], ["A1", "A2", "Q1"]),
    ]


def test_suppressed_alert_is_its_own(event) -> None:
    got = event(
        {
            "alert": {
                "id": "A1",
                "type": "alert",
                "created_at": "2026-03-01T14:02:11Z",
                "resolved_at": "2026-03-01T14:05:00Z",
                "status": "resolved",
                "summary": "disk 91% full",
                "suppressed": True,
                "service": SERVICE,
            }
        }
    )
    assert values(got, ["kind", "at", "starts_at", "ends_at", "occurrence_key", "rule_key"]) == [
        *("resolved", utc("2026-03-01T14:05:00"), utc("2026-03-01T14:02:11"), utc("2026-03-01T14:05:00")),
        *("A1", "PSVC1|disk # full"),
    ]
    assert json.loads(got["labels"])["suppressed"] is True


LOG = [
    log_entry("trigger", "2026-03-01T14:02:11Z", channel={"type": "api", "client": "Datadog"}),
    log_entry("acknowledge", "2026-03-01T14:04:00Z"),
    log_entry("escalate", "2026-03-01T14:10:00Z"),
    log_entry("annotate", "2026-03-01T14:15:00Z", channel={"type": "note", "notes": "rolled back"}),
    log_entry("resolve", "2026-03-01T14:31:40Z"),
]
HOOKS = [
    webhook("triggered", "2026-03-01T14:02:11.123Z"),
    webhook("acknowledged", "2026-03-01T14:04:00.123Z"),
    webhook("escalated", "2026-03-01T14:10:00.123Z"),
    webhook("annotated", "2026-03-01T14:15:00.123Z"),
    webhook("resolved", "2026-03-01T14:31:40.123Z"),
]
KINDS = ["fired", "acknowledged", "renotified", "note", "resolved"]


def test_log_and_webhook_tell_the_same_facts(read) -> None:
    log, hooks = read({"log_entries": LOG}).events, read(HOOKS).events
    assert log["kind"].tolist() == hooks["kind"].tolist() == KINDS
    assert log["event_id"].tolist() == hooks["event_id"].tolist()
    assert log["event_id"].tolist()[:2] == ["Q1|trigger|2026-03-01T14:02:11Z", "Q1|acknowledge|2026-03-01T14:04:00Z"]
    assert log["origin"].tolist()[0] == "datadog"
    assert set(hooks["origin"]) == {"cloudwatch"}
    assert log["description"].tolist()[3] == "rolled back"
    assert "Some Body" not in "".join(log["labels"])


V2 = [
    {
        "messages": [
            {
                "id": f"m{number}",
                "event": f"incident.{word}",
                "created_on": at,
                "incident": incident(),
                "log_entries": [log_entry(word, at)],
                "webhook": {"id": "PW1", "endpoint_url": "https://example.com/hook"},
            }
        ]
    }
    for number, (word, at) in enumerate(
        [
            ("trigger", "2026-03-01T14:02:11Z"),
            ("acknowledge", "2026-03-01T14:04:00Z"),
            ("resolve", "2026-03-01T14:31:40Z"),
        ]
    )
]


@pytest.mark.parametrize(
    ("exports", "ids"),
    [
        ([{"log_entries": LOG}], 5),
        (HOOKS, 5),
        (V2, 4),
        ([{"incidents": [resolved()]}], 1),
        ([*V2, *HOOKS, {"log_entries": LOG[::-1]}, resolved()], 12),
    ],
    ids=["log entries", "webhooks v3", "webhooks v2", "incident", "all of them"],
)
def test_shapes_fold_into_one_alert(read, exports, ids) -> None:
    [got] = fold_events(read(exports).events).to_dict("records")
    assert [got[key].floor("s") for key in ("starts_at", "ends_at")] == [
        pd.Timestamp("2026-03-01T14:02:11Z"),
        pd.Timestamp("2026-03-01T14:31:40Z"),
    ]
    if exports != [{"incidents": [resolved()]}]:  # an incident forgets who took it once it is resolved
        assert got["acked_at"].floor("s") == pd.Timestamp("2026-03-01T14:04:00Z")
    assert len(got["event_ids"]) == ids
    assert (got["service"], got["team"]) == ("Checkout", "Payments")


def test_reopened_states_that_it_begins_again(event) -> None:
    got = event(webhook("triggered", "2026-03-01T15:00:00.123Z", event_type="incident.reopened"))
    assert values(got, ["kind", "occurrence_key", "starts_at"]) == [*("fired", "Q1", utc("2026-03-01T15:00:00.123000"))]


def test_log_that_begins_late_knows_the_start(read) -> None:
    alerts = fold_events(read(HOOKS[-1]).events)
    assert times(alerts) == [[utc("2026-03-01T14:02:11"), None, utc("2026-03-01T14:31:40.123000")]]


def test_webhook_v1(event) -> None:
    message = {
        "id": "m1",
        "type": "incident.acknowledge",
        "created_on": "2026-03-01T14:04:00Z",
        "data": {
            "incident": {
                "id": "Q1",
                "incident_number": 7,
                "created_on": "2026-03-01T14:02:11Z",
                "status": "acknowledged",
                "html_url": "https://acme.pagerduty.com/incidents/Q1",
                "incident_key": "null",
                "service": {"id": "PSVC1", "name": "Checkout"},
                "trigger_summary_data": {"subject": "errors 91%", "description": "null"},
            }
        },
    }
    got = event({"messages": [message]})
    assert values(got, ["event_id", "kind", "starts_at", "rule_key", "service", "url", "native_ids"]) == [
        *("Q1|acknowledge|2026-03-01T14:04:00Z", "acknowledged", utc("2026-03-01T14:02:11"), "PSVC1|errors #"),
        *("Checkout", "https://acme.pagerduty.com/incidents/Q1", ["m1", "Q1"]),
    ]


def test_note_of_an_incident(event) -> None:
    hook = webhook("annotated", "2026-03-01T14:15:00.123Z")
    hook["event"]["data"] = {"id": "N1", "type": "incident_note", "content": "rolled back", "incident": incident()}
    got = event(hook)
    assert values(got, ["kind", "occurrence_key", "description"]) == ["note", "Q1", "rolled back"]


def sent(**more):
    payload = {"summary": "disk full", "source": "db-7.example", "severity": "error", "custom_details": {"env": "prod"}}
    payload["timestamp"] = "2026-03-01T14:02:11.123+0000"
    return {"routing_key": "[redacted]", "event_action": "trigger", "dedup_key": "db-7/disk", "payload": payload} | more


def test_sent_events_pair_by_their_key(read) -> None:
    end = {"routing_key": "[redacted]", "event_action": "resolve", "dedup_key": "db-7/disk"}
    lines = [sent(client="Alertmanager"), {"received_at": "2026-03-01T14:31:40Z", "payload": end}]
    events = read(lines).events
    assert events["time_source"].tolist() == ["event", "receipt"]
    [got] = fold_events(events).to_dict("records")
    assert values(got, ["starts_at", "ends_at", "severity", "origin", "environment", "resources", "rule_key"]) == [
        *(utc("2026-03-01T14:02:11.123000"), utc("2026-03-01T14:31:40"), "error", "alertmanager", "prod"),
        *(["db-7.example"], "db-7/disk"),
    ]


def test_sent_event_with_a_key_drawn_at_random(read) -> None:
    key = "baf7cf21b1da41b4b0221008339ff357"
    end = {"event_action": "resolve", "dedup_key": key, "routing_key": "[redacted]"}
    events = read([sent(dedup_key=key), {"received_at": "2026-03-01T14:31:40Z", "payload": end}]).events
    alerts = fold_events(events)
    assert alerts["rule_key"].tolist() == ["db-7.example|disk full"]
    assert times(alerts) == [[utc("2026-03-01T14:02:11.123000"), None, utc("2026-03-01T14:31:40")]]


def test_sent_event_without_time_or_key(event, read) -> None:
    got = event({"routing_key": "[redacted]", "event_action": "acknowledge", "dedup_key": "a"})
    assert values(got, ["kind", "time_source"]) == ["acknowledged", "none"]
    assert "at" not in got
    rejected = read({"routing_key": "[redacted]", "event_action": "resolve"}).rejected
    assert rejected["reason"].tolist() == ["missing_field"]


def test_sent_event_v1(event) -> None:
    got = event(
        {
            "service_key": "[redacted]",
            "event_type": "trigger",
            "incident_key": "web-1/http",
            "description": "HTTP down",
            "client": "Nagios",
            "details": {"host": "web-1"},
        }
    )
    assert values(got, ["kind", "rule_key", "summary", "origin", "resources"]) == [
        *("fired", "web-1/http", "HTTP down", "nagios", ["web-1"])
    ]


@pytest.mark.parametrize(
    "export",
    [
        {
            "routing_key": "[redacted]",
            "payload": {"summary": "Deployed 4.2", "timestamp": "2026-03-01T14:00:00Z", "source": "jenkins"},
        },
        {
            "change_events": [
                {
                    "id": "01C",
                    "type": "change_event",
                    "summary": "Deployed 4.2",
                    "timestamp": "2026-03-01T14:00:00Z",
                    "services": [SERVICE],
                }
            ]
        },
    ],
    ids=["sent", "listed"],
)
def test_change_event(event, export) -> None:
    got = event(export)
    assert values(got, ["kind", "at", "summary"]) == ["changed", utc("2026-03-01T14:00:00"), "Deployed 4.2"]


def row(**more):
    """Return a row of analytics."""
    return {
        "id": "Q1",
        "incident_number": 7,
        "description": "errors high",
        "created_at": "2026-03-01T14:02:11",
        "resolved_at": "2026-03-01T14:31:40",
        "seconds_to_first_ack": 109,
        "seconds_to_resolve": 1769,
        "service_id": "PSVC1",
        "service_name": "Checkout",
        "team_name": "Payments",
        "priority_name": "P2",
        "escalation_policy_name": "On call",
        "urgency": "high",
        "major": True,
    } | more


@pytest.mark.parametrize(("zone", "hours"), [("Etc/UTC", 0), ("America/New_York", 5), (None, 0)])
def test_analytics_are_read_in_the_zone_the_request_asked_for(event, zone, hours) -> None:
    got = event({"data": [row()], "more": False, "time_zone": zone} if zone else row())
    by = pd.Timedelta(hours, unit="h")
    assert [got[key] - by for key in ("starts_at", "acked_at", "ends_at", "at")] == [
        pd.Timestamp(f"2026-03-01T14:{at}Z") for at in ("02:11", "04:00", "31:40", "31:40")
    ]
    assert values(got, ["kind", "severity", "team", "rule_key"]) == [
        *("resolved", "error", "Payments", "PSVC1|errors high")
    ]


def test_empty_page_of_analytics_and_summaries_are_ignored(read) -> None:
    empty = {"data": [], "more": False, "filters": {}, "order_by": "created_at", "time_zone": "Etc/UTC"}
    summary = {"data": [{"mean_seconds_to_resolve": 7, "service_id": "PSVC1"}], "time_zone": "Etc/UTC"}
    assert read([empty, summary]).ignored == {
        "pagerduty analytics page without incidents": 1,
        "pagerduty analytics summary": 1,
    }
    batch = read({"data": [row()], "time_zone": "Nowhere/Else"})
    assert batch.rejected["reason"].tolist() == ["bad_time"]


def test_report_of_another_generation(event) -> None:
    got = event(
        {
            "Incident Number": "#7",
            "Title": "errors high",
            "Urgency": "high",
            "Service": "Checkout",
            "Escalation Policy": "On call",
            "Created On": "2026-03-01 09:02:11 -0500",
            "Resolved On": "",
            "Seconds To First Ack": "109.0",
        }
    )
    assert values(got, ["kind", "at", "starts_at", "acked_at", "native_ids", "rule_key", "service"]) == [
        *("acknowledged", utc("2026-03-01T14:04:00"), utc("2026-03-01T14:02:11"), utc("2026-03-01T14:04:00")),
        *(["#7"], "Checkout|errors high", "Checkout"),
    ]


@pytest.mark.parametrize("seconds", [10**15, "inf", "nan", -1, "soon", True, None, ""])
def test_seconds_that_cannot_be_are_no_time(event, seconds) -> None:
    got = event(row(resolved_at=None, seconds_to_first_ack=None, seconds_to_resolve=seconds))
    assert values(got, ["kind"]) == ["fired"]


def test_who_was_woken_is_kept_as_a_note_each(read) -> None:
    people = [{"id": f"PU{i}", "type": "user_reference"} for i in (1, 2)]
    woken = [log_entry("notify", "2026-03-01T14:02:12Z") | {"id": f"R{user['id']}", "user": user} for user in people]
    batch = read({"log_entries": woken})
    assert batch.events["kind"].tolist() == ["note", "note"]
    assert batch.events["event_id"].is_unique  # in one second


def test_report_without_zone_needs_one(event, read) -> None:
    report = {"id": "Q1", "created_on": "2026-03-01 09:02:11", "service_name": "Checkout", "seconds_to_resolve": ""}
    assert read(report).rejected["reason"].tolist() == ["bad_time"]
    assert event(report, tz="America/New_York")["starts_at"] == pd.Timestamp("2026-03-01T14:02:11Z")


@pytest.mark.parametrize(
    ("export", "kind"),
    [
        (log_entry("exhaust_escalation_path", "2026-03-01T14:02:12Z"), "pagerduty log entry that changes nothing"),
        (
            webhook("x", "2026-03-01T14:02:12Z", event_type="incident.conference_bridge.updated"),
            "pagerduty webhook that tells no change of state",
        ),
        (
            webhook("x", "2026-03-01T14:02:12Z", event_type="pagey.ping"),
            "pagerduty webhook that tells no change of state",
        ),
        ({"services": [SERVICE | {"type": "service", "name": "Checkout"}]}, "pagerduty service, team, user ..."),
        ({"teams": TEAMS, "more": False}, "pagerduty service, team, user ..."),
        (
            {"user": {"id": "PU1", "type": "user", "self": "https://api.pagerduty.com/users/PU1"}},
            "pagerduty service, team, user ...",
        ),
        (
            {"oncalls": [{"escalation_policy": {"id": "P1"}, "escalation_level": 1, "user": {"id": "PU1"}}]},
            "pagerduty on call",
        ),
        ({"status": "success", "message": "Event processed", "dedup_key": "a"}, "pagerduty answer of the Events API"),
    ],
)
def test_what_is_no_alert_is_ignored(read, export, kind) -> None:
    batch = read(export)
    assert batch.rejected["message"].tolist() == []
    assert batch.ignored == {kind: 1}


@pytest.mark.parametrize("pages", [{"incidents": [], "limit": 25, "offset": 0, "total": None, "more": False}])
def test_empty_page(read, pages) -> None:
    assert read(pages).records == 0


@pytest.mark.parametrize(
    ("export", "reason"),
    [
        (incident(status="on fire"), "bad_state"),
        (incident(created_at=None), "no_time"),
        (incident(created_at="yesterday"), "bad_time"),
        (log_entry("resolve", "2026-03-01T14:31:40Z", incident={}), "missing_field"),
        (incident(id=None), "missing_field"),
    ],
)
def test_what_cannot_be_used_is_refused(read, export, reason) -> None:
    assert read(export).rejected["reason"].tolist() == [reason]


@pytest.mark.parametrize(
    "record",
    [
        # ServiceNow, GCP and Datadog call other things incidents.
        {"number": "INC1", "short_description": "x", "state": "1", "opened_at": "2026-03-01 14:02:11"},
        {"version": "1.2", "incident": {"incident_id": "0.x", "state": "open", "started_at": 1772373731}},
        {"data": [{"id": "i", "type": "incidents", "attributes": {"title": "x", "state": "active"}}]},
        {"id": "1", "number": 3, "title": "x", "created_at": "2026-03-01T14:02:11Z", "state": "open", "user": {}},
    ],
)
def test_look_alikes_are_not_taken(read, record) -> None:
    batch = read(record)
    assert "pagerduty" not in set(batch.events["source"])
    assert not any("pagerduty" in kind for kind in batch.ignored)
