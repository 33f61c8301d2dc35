from __future__ import annotations

import csv
import json
import zipfile

import pandas as pd
import pytest

from stanza_lab import fold_events
from stanza_lab.loaders import Redaction, read_files

TS = "1715695325.000100"  # 2024-05-14T14:02:05.000100Z
LATER = "1715697104.000000"  # 2024-05-14T14:31:44Z
AT = pd.Timestamp("2024-05-14T14:02:05.000100Z")
ENDED = pd.Timestamp("2024-05-14T14:31:44Z")


def bot(text="", *, ts=TS, name="Alerts", **fields):
    """Return a message of an integration of the old kind."""
    message = {"type": "message", "subtype": "bot_message", "ts": ts, "username": name, "bot_id": "B1", "text": text}
    return message | fields


def app(text="", *, ts=TS, name="PagerDuty", app_id="A1FKYAUUX", **fields):
    """Return a message of an app."""
    profile = {"id": "B3", "app_id": app_id, "name": name}
    return {"type": "message", "user": "UB", "bot_id": "B3", "bot_profile": profile, "ts": ts, "text": text} | fields


def titled(title, colour=None, text="", **fields):
    """Return attachments with one title."""
    return [{"id": 1, "title": title, "color": colour, "text": text, "fallback": title, **fields}]


def section(text):
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


@pytest.fixture
def export(tmp_path):
    """Return a function that writes a workspace export, a zip or a folder, and reads all of it."""

    def export(channels, *, zipped=True):
        files = {f"{channel}/2024-05-14.json": messages for channel, messages in channels.items()}
        if zipped:
            path = tmp_path / "export.zip"
            with zipfile.ZipFile(path, "w") as archive:
                for name, messages in files.items():
                    archive.writestr(name, json.dumps(messages))
        else:
            path = tmp_path / "export"
            for name, messages in files.items():
                (path / name).parent.mkdir(parents=True)
                (path / name).write_text(json.dumps(messages))
        return pd.concat([batch.events for batch in read_files(path)], ignore_index=True)

    return export


# Samples


@pytest.mark.shared
def test_sample_export(shared) -> None:
    batches = {b.file.rpartition("/")[2]: b for b in read_files(shared / "formats/samples/slack/synthetic_export")}
    assert {name: dict(batch.ignored) for name, batch in batches.items()} == {
        "2024-05-14.json": {"slack join or leave": 1, "slack message of a person": 1},
        "channels.json": {"slack channel": 1},
        "integration_logs.json": {},
        "users.json": {"slack user": 2},
    }
    assert sum(len(batch.rejected) for batch in batches.values()) == 0
    events = batches["2024-05-14.json"].events.astype(object)
    events = events.where(events.notna(), None)
    shown = ["origin", "kind", "alertname", "rule_key", "at", "severity", "service", "environment", "resources"]
    assert events[shown].to_numpy().tolist() == [
        [
            *("alertmanager", "fired", "KubePodCrashLooping"),
            *("alerts-prod|KubePodCrashLooping|shop checkout-api critical", pd.Timestamp("2024-05-14T14:02:05.0001Z")),
            *("critical", None, None, ["checkout-api-7d9f8b6c5d-x2x4k"]),
        ],
        [
            *("datadog", "fired", "checkout error rate is high", "alerts-prod|145678901|env:prod,service:checkout"),
            *(pd.Timestamp("2024-05-14T14:02:11.0001Z"), "error", "checkout", "prod", []),
        ],
        [
            *("pagerduty", "resolved", "checkout error rate is high"),
            *("alerts-prod|checkout error rate is high|Checkout API", pd.Timestamp("2024-05-14T14:31:44Z")),
            *("error", "Checkout API", None, []),
        ],
        [
            *("cloudwatch", "fired", "alb-shop-5xx", "alerts-prod|alb-shop-5xx|us-east-1|111122223333"),
            *(pd.Timestamp("2024-05-14T14:02:45.0001Z"), None, None, None, ["app/shop-public/50dc6c495c0c9188"]),
        ],
        [
            *("sentry", "fired", "OperationalError", "alerts-prod|1889724436"),
            *(pd.Timestamp("2024-05-14T14:02:20.0001Z"), None, "checkout", None, []),
        ],
        [
            *("alertmanager", "resolved", "KubePodCrashLooping"),
            *("alerts-prod|KubePodCrashLooping|shop checkout-api critical", pd.Timestamp("2024-05-14T14:33:05.0001Z")),
            *("critical", None, None, []),
        ],
    ]
    assert events["starts_at"].tolist()[2] == pd.Timestamp("2024-05-14T14:02:14.0001Z")
    assert events["ends_at"].tolist()[2] == pd.Timestamp("2024-05-14T14:31:44Z")
    assert events["has_recovery"].tolist() == [True, True, True, True, False, True]
    monitor, event_id = "https://app.datadoghq.com/monitors/145678901", "7500000000000000001"
    assert events["url"].tolist() == [
        "http://alertmanager.example.com/#/alerts?receiver=slack",
        f"{monitor}?group=env%3Aprod%2Cservice%3Acheckout&from_ts=1715694431000&to_ts=1715695631000&event_id={event_id}",
        "https://acme.pagerduty.com/incidents/Q1CHECKOUT000",
        "https://console.aws.amazon.com/cloudwatch/home?region=us-east-1#alarm:alarmFilter=ANY;name=alb-shop-5xx",
        "https://acme.sentry.io/issues/1889724436/?referrer=slack",
        "http://alertmanager.example.com/#/alerts?receiver=slack",
    ]
    assert events["native_ids"].tolist()[1] == ["1715695331.000100"]
    assert json.loads(events["labels"][0]) == {
        "alert": "Pod is crash looping - critical",
        "bot": "AlertManager",
        "channel": "alerts-prod",
        "group": "shop checkout-api critical",
        "namespace": "shop",
        "pod": "checkout-api-7d9f8b6c5d-x2x4k",
        "severity": "critical",
    }
    alerts = fold_events(batches["2024-05-14.json"].events)
    assert len(alerts) == 5
    [pod] = alerts[alerts["alertname"] == "KubePodCrashLooping"].to_dict("records")
    assert pod["event_ids"] == ["1715695325.000100", "1715697185.000100"]


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "event_aws_health_event",
            [("aws_health", "fired", "AWS_EC2_INSTANCE_STORE_DRIVE_PERFORMANCE_DEGRADED", None, ["i-abcd1111"])],
        ),
        ("event_cloudwatch_alarm", [("cloudwatch", "fired", "Example", None, [])]),
        (
            "event_guardduty_finding_high",
            [
                (
                    *("guardduty", "fired"),
                    *("SAMPLE Unprotected port on EC2 instance i-123123123 is being probed", "error", []),
                )
            ],
        ),
        (
            "message_backup",
            [
                (
                    *("aws_backup", "fired", alertname, None),
                    ["arn:aws:ec2:us-west-1:123456789012:volume/vol-012f345df6789012e"],
                )
                for alertname in ("An AWS Backup job failed", "An AWS Backup job failed to complete in time")
            ]
            + [("aws_backup", "fired", "An AWS Copy job was completed but was failed or was aborted", None, [])],
        ),
        ("message_cloudwatch_alarm", [("cloudwatch", "resolved", "DBMigrationRequired", None, [])]),
        ("message_dms_notification", []),
        ("message_glue_notification", [("aws_glue", "fired", "Glue Job State Change", "error", [])]),
        (
            "message_guardduty_finding",
            [
                (
                    *("guardduty", "fired"),
                    *("SAMPLE Unprotected port on EC2 instance i-123123123 is being probed", "error", []),
                )
            ],
        ),
        (
            "message_guardduty_malware_protection_object_scan_result",
            [("guardduty", "fired", "GuardDuty Malware Scan Result", None, ["amzn-s3-demo-bucket"])],
        ),
        ("message_text_message", []),
    ],
)
def test_real_messages_of_notify_slack(shared, read, name, expected) -> None:
    batch = read((shared / f"formats/samples/slack/notify_slack_{name}.json").read_bytes())
    got = batch.events.astype(object).where(batch.events.notna(), None)
    columns = ["origin", "kind", "alertname", "severity", "resources"]
    assert list(got[columns].itertuples(index=False, name=None)) == expected
    assert got["source"].unique().tolist() == ["slack"] * bool(expected)
    # They are as they were posted: without ts. Only the message about a Glue job states when.
    times = [(pd.Timestamp("2021-06-18T12:34:06Z"), "event")] if "glue" in name else [(None, "none")] * len(expected)
    assert list(got[["at", "time_source"]].itertuples(index=False, name=None)) == times
    assert set(batch.ignored) <= {"slack message of a bot that is no alert"}
    assert len(batch.rejected) == 0


@pytest.mark.shared
def test_every_label_of_a_real_uptime_channel_is_found(shared) -> None:
    data = shared / "data/upptime_manticore"
    with (data / "truth/alert_labels.csv").open() as labels:
        rows = list(csv.DictReader(labels))
    events = pd.concat([batch.events for batch in read_files(data / "alerts")], ignore_index=True)
    kinds = {"firing": "fired", "recovery": "resolved"}
    expected = {row["native_id"]: (kinds[row["kind"]], row["service"], row["timestamp"][:19]) for row in rows}
    got = {
        event["native_ids"][0]: (event["kind"], event["service"], event["at"].strftime("%Y-%m-%dT%H:%M:%S"))
        for event in events.to_dict("records")
    }
    assert got == expected
    with (data / "truth/services.csv").open() as services:
        assert set(events["service"]) <= {row["alias"] for row in csv.DictReader(services)}
    alerts = fold_events(events)
    assert len(alerts) == sum(row["kind"] == "firing" for row in rows)
    assert alerts["starts_at"].notna().all()
    assert alerts["ends_at"].notna().all()


# Bots


@pytest.mark.parametrize(
    ("message", "origin", "kind", "alertname", "rule"),
    [
        (bot(attachments=titled("[FIRING:1] High CPU (web)")), "alertmanager", "fired", "High CPU", "High CPU|web"),
        (bot(attachments=titled("[RESOLVED] High CPU (web)")), "alertmanager", "resolved", "High CPU", "High CPU|web"),
        (bot(attachments=titled("[FIRING:1, RESOLVED:2] X (a)")), "alertmanager", "fired", "X", "X|a"),
        (bot("<!channel> [FIRING:3] :fire: X"), "alertmanager", "fired", "X", "X"),
        (
            bot(attachments=titled("[RESOLVED:1] (DiskFull db prod)", footer="Grafana v10.1.0")),
            *("grafana", "resolved", "DiskFull", "DiskFull db prod"),
        ),
        (bot(name="Grafana", attachments=titled("[Alerting] Disk full")), "grafana", "fired", "Disk full", "Disk full"),
        (bot(name="Grafana", attachments=titled("[OK] Disk full")), "grafana", "resolved", "Disk full", "Disk full"),
        (
            bot(name="Datadog", attachments=titled("Re-Triggered: [P1] cpu on host:web-1")),
            *("datadog", "renotified", "cpu", "cpu|host:web-1"),
        ),
        (
            bot(name="Datadog", attachments=titled("Recovered: [P1] cpu on {host:web-1,env:prod}")),
            *("datadog", "resolved", "cpu", "cpu|env:prod,host:web-1"),
        ),
        (bot(name="Datadog", attachments=titled("No data: cpu")), "datadog", "fired", "cpu", "cpu"),
        (
            bot(attachments=titled("Warn: disk", title_link="https://app.datadoghq.eu/monitors/7?group=host%3Aa")),
            *("datadog", "fired", "disk", "7|host:a"),
        ),
        (
            bot(attachments=titled("CloudWatch Alarm | a | eu-west-1 | Account: 1", "2eb886")),
            *("cloudwatch", "resolved", "a", "a|eu-west-1|1"),
        ),
        (
            bot(
                attachments=[
                    {
                        "text": "AWS CloudWatch notification - a",
                        "fields": [
                            {"title": "Alarm Name", "value": "`a`"},
                            {"title": "Old State", "value": "`ALARM`"},
                            {"title": "Current State", "value": "`INSUFFICIENT_DATA`"},
                        ],
                    }
                ]
            ),
            *("cloudwatch", "resolved", "a", "a"),
        ),
        (
            bot(name="PagerDuty", text="*Triggered* <https://acme.pagerduty.com/incidents/Q1|#12: DB down>"),
            *("pagerduty", "fired", "DB down", "DB down"),
        ),
        (
            app(
                name="Sentry",
                app_id="AS",
                blocks=[section(":red_circle: <https://acme.sentry.io/issues/5/?r=1|*Boom &amp; bang*>")],
            ),
            *("sentry", "fired", "Boom & bang", "5"),
        ),
        (
            app(
                name="Honeycomb.io",
                app_id="AH",
                blocks=[
                    section(
                        "*Triggered:* <https://ui.honeycomb.io/a/environments/prod/datasets/cart/triggers/T1|p99 high>"
                    )
                ],
            ),
            *("honeycomb", "fired", "p99 high", "cart|T1"),
        ),
        (
            bot(
                name="Opsgenie",
                attachments=titled("#31: Disk full", "d13212", pretext='New alert created via API - "x"'),
            ),
            *("opsgenie", "fired", "Disk full", "Disk full"),
        ),
        (
            bot('Alert "<https://opsg.in/a/i/x|#31: Disk full>" is closed by policy', name="Ops"),
            *("opsgenie", "resolved", "Disk full", "Disk full"),
        ),
        (
            app(
                name="New Relic",
                app_id="AN",
                blocks=[
                    section("*Critical priority issue is active*"),
                    section("<https://radar-api.service.newrelic.com/x|Error rate high>"),
                ],
            ),
            *("newrelic", "fired", "Error rate high", "Error rate high"),
        ),
        (
            app(
                name="New Relic",
                app_id="AN",
                blocks=[
                    section("*Critical priority issue is closed*"),
                    section("<https://radar-api.service.newrelic.com/x|Error rate high>"),
                ],
            ),
            *("newrelic", "resolved", "Error rate high", "Error rate high"),
        ),
        (
            bot(":large_green_circle: Recovered: cpu <https://kibana.example.com:5601/app/x|open>"),
            *("elastic", "resolved", "cpu open", "cpu open"),
        ),
        (bot("🟥 Shop is down (502 in 457 ms)"), "upptime", "fired", "Shop", "Shop"),
        (bot("🟩 Shop performance has improved (200 in 4 ms)"), "upptime", "resolved", "Shop", "Shop"),
        (bot("🟨 Shop experiencing degraded performance", name="Upptime"), "upptime", "fired", "Shop", "Shop"),
        (bot("🟩 Shop (https://shop.example.com) is back up.", name="Upptime"), "upptime", "resolved", "Shop", "Shop"),
        (
            bot("Monitor is DOWN: Shop ( https://shop.example.com ) - Reason: timeout", name="UptimeRobot"),
            *("uptimerobot", "fired", "Shop", "Shop"),
        ),
        (bot("[Shop] [✅ Up] 200 - OK", name="Uptime Kuma"), "uptimekuma", "resolved", "Shop", "Shop"),
        (bot('The check "Nightly" is DOWN.', name="Healthchecks.io"), "healthchecks", "fired", "Nightly", "Nightly"),
        (bot("*PROBLEM*: disk of web-1"), None, "fired", "disk of web-1", "disk of web-1"),
        (bot("[Resolved][critical] disk"), None, "resolved", "disk", "disk"),
        (bot(attachments=titled("Queue is long", "#a30200")), None, "fired", "Queue is long", "Queue is long"),
        (bot(attachments=titled("Queue is long", "good")), None, "resolved", "Queue is long", "Queue is long"),
        (
            bot(attachments=titled("Queue", fields=[{"title": "Status", "value": "acknowledged"}])),
            *(None, "acknowledged", "Queue", "Queue"),
        ),
    ],
)
def test_bots_are_read_back_into_alerts(event, message, origin, kind, alertname, rule) -> None:
    got = event(message)
    assert (got.get("origin"), got["kind"], got["alertname"], got["rule_key"]) == (origin, kind, alertname, rule)
    assert (got["source"], got["native_ids"], got["event_id"]) == ("slack", [TS], f"{TS}|{rule}")
    assert (got["at"], got["time_source"]) == (AT, "event")


@pytest.mark.parametrize(
    ("fired", "resolved"),
    [
        (bot("🚨 Queue is down"), bot("✅ Queue is back up")),
        (bot("[P2] [Triggered] Queue"), bot("[P2] [Recovered] Queue")),
        (bot("ALERT: Queue"), bot("Resolved: Queue")),
        (bot("Queue is firing"), bot("Queue has recovered after 5m")),
        (bot("[FIRING:2] Queue (a)"), bot("[RESOLVED] Queue (a)")),
        (bot(attachments=titled("Queue", "daa038")), bot(attachments=titled("Queue", "36a64f"))),
        (bot(":red_circle: Queue"), bot(":white_check_mark: Queue")),
    ],
)
def test_a_firing_and_its_recovery_are_one_alert(export, fired, resolved) -> None:
    [alert] = fold_events(export({"prod": [fired, resolved | {"ts": LATER}]})).to_dict("records")
    assert (alert["starts_at"], alert["ends_at"], alert["event_ids"]) == (AT, ENDED, [TS, LATER])


@pytest.mark.parametrize(
    ("message", "severity", "service", "environment", "team", "resources"),
    [
        (
            bot(
                attachments=titled(
                    "[FIRING:1] X",
                    text="*Labels:*\n - service = cart\n - env = prod\n - severity = warning\n"
                    " - pod = cart-1\n - team = core",
                )
            ),
            *("warning", "cart", "prod", "core", ["cart-1"]),
        ),
        (
            bot(
                attachments=titled(
                    "[FIRING:2] X", text="• *service:* `a`\n• *pod:* `a-1`\n• *service:* `b`\n• *pod:* `b-1`"
                )
            ),
            *(None, None, None, None, ["a-1", "b-1"]),
        ),
        (
            bot(
                name="Datadog", attachments=titled("Triggered: [P3] cpu on env:prod,host:web-1,service:cart,team:core")
            ),
            *("warning", "cart", "prod", "core", ["web-1"]),
        ),
        (
            bot(
                name="Opsgenie",
                attachments=titled(
                    "#3: Disk",
                    "d13212",
                    fields=[
                        {"title": "Priority", "value": "P1-Critical"},
                        {"title": "Tags", "value": "env:prod, service:cart"},
                        {"title": "Routed Teams", "value": "core"},
                    ],
                ),
            ),
            *("critical", "cart", "prod", "core", []),
        ),
        (bot("[FIRING:1] X (prod cart page)"), "critical", None, None, None, []),
        (
            bot("[FIRING:1] X", blocks=[section("Service: the one that people use to pay for the things")]),
            *[None] * 4,
            [],
        ),
    ],
)
def test_what_fields_labels_and_scopes_state(event, message, severity, service, environment, team, resources) -> None:
    got = event(message)
    keys = ("severity", "service", "environment", "team", "resources")
    assert tuple(got.get(key) for key in keys) == (severity, service, environment, team, resources)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"type": "message", "user": "U1", "text": "prod is down!", "ts": TS}, "slack message of a person"),
        ({"type": "message", "user": "U1", "text": "x", "ts": TS, "attachments": titled("x", "danger")}, None),
        (bot(subtype="channel_join", user="U1", text="joined"), "slack join or leave"),
        (bot(subtype="channel_topic", user="U1", text="topic"), "slack notice about a channel"),
        (bot(subtype="tombstone", text="This message was deleted."), "slack deleted message"),
        (bot("Good morning"), "slack message of a bot that is no alert"),
        (bot(attachments=titled("Deploy of cart finished", "good")), "slack message of a bot that is no alert"),
        (bot(name="GitHub", attachments=titled("#12 Fix", "good")), "slack message of a bot that is no alert"),
        (bot(attachments=titled("x", "danger", is_msg_unfurl=True)), "slack message of a bot that is no alert"),
        (bot("[FIRING:1] Watchdog"), "alertmanager heartbeat"),
        (bot("resolved by Jane", thread_ts="1715695000.000100"), "slack update in a thread"),
        ({"id": "C1", "name": "a", "created": 1, "members": [], "topic": {}, "purpose": {}}, "slack channel"),
        ({"id": "D1", "created": 1, "members": ["U1", "U2"]}, "slack channel"),
        ({"id": "U1", "deleted": False, "profile": {"email": "x"}}, "slack user"),
        ({"user_id": "U1", "date": "1", "change_type": "added", "service_type": "Datadog"}, "slack integration log"),
        ({"id": "F1", "filetype": "quip", "url_private": "https://x"}, "slack file"),
        ({"ok": True, "members": [{"id": "U1"}]}, "slack list of channels or users"),
        ({"ok": True, "messages": [], "has_more": False, "pin_count": 0}, "slack page without messages"),
        ({"t": 3, "ts": 1, "n": 1, "u": [{"id": "U1"}]}, "slack chunk without messages"),
    ],
)
def test_what_is_no_alert_is_counted_by_kind(read, message, kind) -> None:
    assert read(message).ignored == {kind or "slack message of a person": 1}


# Text


@pytest.mark.parametrize(
    ("mrkdwn", "plain"),
    [
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("<https://x.example/?a=1&amp;b=2|rate &gt; 5>", "rate > 5"),
        ("see <https://x.example/a>", "see https://x.example/a"),
        ("<@U1> <@U1|jo> <#C1|ops> <!here> <!subteam^S1|@sre>", "@U1 @jo #ops @here @sre"),
        ("<!date^1715695333^{date} at {time}|May 14>", "May 14"),
        ("*bold* `code` ~gone~ _it_ a_b_c 2*3*4", "bold code gone it a_b_c 2*3*4"),
        ("`<unknown>`", "<unknown>"),
    ],
)
def test_mrkdwn_is_unescaped_once_and_behind_its_links(event, mrkdwn, plain) -> None:
    export = bot(attachments=titled("[FIRING:1] X", text=f"about {mrkdwn}"))
    assert event(export, redaction=Redaction(keep_personal_data=True))["description"] == f"about {plain}"


def test_nested_rich_text_is_read_and_not_unescaped(event) -> None:
    part = {"type": "rich_text_section", "elements": [{"type": "text", "text": "service = cart &amp; x"}]}
    rich = {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [
                    {"type": "emoji", "name": "fire"},
                    {"type": "text", "text": " Firing: "},
                    {"type": "link", "url": "https://x.example/a", "text": "Queue"},
                ],
            },
            {"type": "rich_text_list", "style": "bullet", "elements": [part]},
        ],
    }
    got = event(app(name="Any", app_id="A", blocks=[rich]))
    assert (got["alertname"], got["url"], got["service"]) == ("Queue", "https://x.example/a", "cart &amp; x")
    assert got["description"] == "Firing: Queue\n• service = cart &amp; x"


def test_headers_fields_context_and_fallback_are_read(event) -> None:
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "🔴 Queue is long"}},
        {"type": "section", "fields": [{"type": "mrkdwn", "text": "*Service:*\n`cart`"}]},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "Environment: *prod*   Team: core"}]},
        {"type": "actions", "elements": [{"type": "button", "text": {"text": "Open"}, "url": "https://x.example/1"}]},
    ]
    got = event(app("stub", name="Any", app_id="A", attachments=[{"color": "a30200", "blocks": blocks}]))
    keys = ("alertname", "kind", "service", "environment", "team", "url")
    assert [got[key] for key in keys] == ["Queue is long", "fired", "cart", "prod", "core", "https://x.example/1"]
    assert event(bot(attachments=[{"color": "a30200", "fallback": "Queue"}]))["alertname"] == "Queue"


# Time, edits, threads


@pytest.mark.parametrize(
    ("ts", "at", "native_id"),
    [
        ("1715695325.482919", "2024-05-14T14:02:05.482919Z", "1715695325.482919"),
        ("1715695325.1", "2024-05-14T14:02:05.1Z", "1715695325.1"),
        (1715695325.482919, "2024-05-14T14:02:05.482919Z", "1715695325.482919"),
        (1715695325, "2024-05-14T14:02:05Z", "1715695325"),
    ],
)
def test_ts_is_exact_to_the_microsecond(event, ts, at, native_id) -> None:
    got = event(bot("[FIRING:1] X", ts=ts))
    assert (got["at"], got["native_ids"]) == (pd.Timestamp(at), [native_id])


def test_a_ts_that_is_none_is_refused(read) -> None:
    assert read(bot("[FIRING:1] X", ts="yesterday")).rejected["reason"].tolist() == ["bad_time"]


def test_a_message_edited_in_place_fired_when_it_was_posted(read) -> None:
    message = bot("[RESOLVED] Queue", edited={"user": "B1", "ts": LATER})
    events = read(message).events
    assert events["at"].tolist() == [ENDED]
    [alert] = fold_events(events).to_dict("records")
    assert (alert["starts_at"], alert["ends_at"], alert["event_ids"]) == (AT, ENDED, [TS])


def test_an_earlier_export_of_an_edited_message_is_the_same_alert(read) -> None:
    link = "<https://acme.pagerduty.com/incidents/Q1|#12: DB down>"
    events = read([app(f"*Triggered* {link}"), app(f"*Resolved* {link}", edited={"ts": LATER})]).events
    assert events["event_id"].nunique() == 1
    [alert] = fold_events(events).to_dict("records")
    assert (alert["starts_at"], alert["ends_at"], alert["event_ids"]) == (AT, ENDED, [TS])


def test_an_acknowledged_incident_says_when_it_was_taken(event) -> None:
    got = event(app("*Acknowledged* <https://acme.pagerduty.com/incidents/Q1|#12: DB down>", edited={"ts": LATER}))
    assert (got["kind"], got["starts_at"], got["acked_at"]) == ("acknowledged", AT, ENDED)


def test_a_final_state_of_unknown_time_leaves_the_end_open(read) -> None:
    events = read(app("*Resolved* <https://acme.pagerduty.com/incidents/Q1|#12: DB down>")).events
    [alert] = fold_events(events).to_dict("records")
    assert (alert["starts_at"], alert["ends_at"]) == (AT, pd.NaT)
    assert json.loads(alert["labels"])["told_state"] == "resolved"


def test_threads_tell_what_happened_to_the_incident(read) -> None:
    link = "<https://acme.pagerduty.com/incidents/Q1|#12: DB down>"
    thread = {"thread_ts": TS, "parent_user_id": "UB"}
    messages = [
        app(f"*Resolved* {link}", thread_ts=TS, reply_count=4),
        app("*Acknowledged* by <@U1>", ts="1715695400.000100", **thread),
        app("<@U1> added a note", ts="1715695500.000100", **thread),
        {"type": "message", "user": "U1", "text": "resolved it", "ts": "1715695600.000100", **thread},
        app("Resolved by <@U1>", ts=LATER, **thread),
    ]
    batch = read(messages)
    assert batch.ignored == {"slack update in a thread": 1, "slack message of a person": 1}
    assert batch.events["kind"].tolist() == ["fired", "acknowledged", "resolved"]
    [alert] = fold_events(batch.events).to_dict("records")
    assert (alert["alertname"], alert["starts_at"], alert["ends_at"]) == ("DB down", AT, ENDED)
    assert alert["acked_at"] == pd.Timestamp("2024-05-14T14:03:20.000100Z")


def test_a_recovery_posted_into_the_thread_pairs_by_its_title(read) -> None:
    events = read([bot("[FIRING:1] X"), bot("[RESOLVED] X", ts=LATER, thread_ts=TS)]).events
    [alert] = fold_events(events).to_dict("records")
    assert (alert["starts_at"], alert["ends_at"]) == (AT, ENDED)


def test_the_old_integration_of_pagerduty_sent_a_message_per_change(read) -> None:
    link = "<https://acme.pagerduty.com/incidents/Q1|#12: DB down>"
    events = read(
        [bot(f"*Triggered* {link}", name="PagerDuty"), bot(f"*Resolved* {link}", name="PagerDuty", ts=LATER)]
    ).events
    [alert] = fold_events(events).to_dict("records")
    assert (alert["starts_at"], alert["ends_at"], alert["event_ids"]) == (AT, ENDED, [TS, LATER])


def test_a_page_of_datadog_on_call(event) -> None:
    fields = [{"type": "mrkdwn", "text": f"*{key}:* {value}"} for key, value in _PAGE.items()]
    blocks = [section("*Page #42: checkout is slow*"), {"type": "section", "fields": fields}]
    got = event(app(name="Datadog On-Call", app_id="AD", blocks=blocks, edited={"ts": LATER}))
    assert (got["origin"], got["kind"], got["alertname"], got["team"]) == (
        "datadog",
        "resolved",
        "checkout is slow",
        "core",
    )
    assert (got["starts_at"], got["ends_at"]) == (AT, ENDED)
    assert "severity" not in got  # urgency is none


_PAGE = {"Status": "Resolved", "Urgency": "High", "Team": "core"}


# Shapes


@pytest.mark.parametrize("zipped", [True, False])
def test_the_folder_names_the_channel(export, zipped) -> None:
    events = export({"alerts-prod": [bot("[FIRING:1] X")]}, zipped=zipped)
    assert events["rule_key"].tolist() == ["alerts-prod|X"]
    assert json.loads(events["labels"][0])["channel"] == "alerts-prod"


def test_one_ts_in_two_channels_is_two_alerts(export) -> None:
    alerts = fold_events(export({"prod": [bot("[FIRING:1] X")], "staging": [bot("[FIRING:1] X")]}))
    assert sorted(alerts["rule_key"]) == ["prod|X", "staging|X"]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda message: {"ok": True, "messages": [message], "has_more": False, "pin_count": 0},
        lambda message: {"ok": True, "query": "q", "messages": {"total": 1, "matches": [message]}},
        lambda message: {"channel_id": "C1", "name": "prod", "messages": [message]},
        lambda message: {
            "channel_id": "C1",
            "name": "prod",
            "messages": [{**_parent(), "slackdump_thread_replies": [message]}],
        },
        lambda message: {"channel_info": {"id": "C1", "name": "prod"}, "messages": [message]},
        lambda message: {"t": 0, "ts": 1715699999, "id": "C1", "n": 1, "m": [message]},
        lambda message: {"type": "event_callback", "event": message, "event_id": "Ev1"},
        lambda message: {
            "type": "event_callback",
            "event": {"type": "message", "subtype": "message_changed", "ts": LATER, "message": message},
        },
    ],
)
def test_every_shape_tells_the_same_fact(read, export, wrap) -> None:
    exported = export({"prod": [bot("[FIRING:1] X")]})
    batch = read(wrap(bot("[FIRING:1] X")))
    assert len(batch.rejected) == 0
    both = pd.concat([exported, batch.events[batch.events["alertname"] == "X"]], ignore_index=True)
    assert both["event_id"].tolist() == [f"{TS}|X"] * 2


def _parent():
    return {"type": "message", "user": "U1", "text": "see thread", "ts": "1715695000.000100"}


def test_a_page_of_the_api_and_the_export_are_one_alert(read, export) -> None:
    page = {"ok": True, "messages": [bot("[RESOLVED] X", ts=LATER), bot("[FIRING:1] X")], "has_more": False}
    events = pd.concat([export({"prod": [bot("[FIRING:1] X")]}), read(page).events], ignore_index=True)
    [alert] = fold_events(events).to_dict("records")
    assert (alert["rule_key"], alert["starts_at"], alert["ends_at"]) == ("prod|X", AT, ENDED)


def test_a_posted_message_takes_the_time_of_its_receipt(event, read) -> None:
    posted = {"channel": "#prod", "username": "Alerts", "attachments": titled("[FIRING:1] X", "danger")}
    got = event({"received_at": "2024-05-14T14:02:05Z", "body": posted})
    assert (got["at"], got["time_source"]) == (pd.Timestamp("2024-05-14T14:02:05Z"), "receipt")
    assert got["rule_key"] == "prod|X"
    twice = read([posted, posted]).events
    assert (twice["event_id"].nunique(), twice["at"].isna().all()) == (1, True)


def test_odd_types_never_break_the_reading(read) -> None:
    odd = bot(attachments=[7, {"fields": "x", "color": 3, "blocks": [None, {"type": "section", "fields": [1]}]}])
    assert read([odd, bot(blocks={"a": 1}, text=None), {"ok": True, "messages": [5, bot("[FIRING:1] X")]}]).records == 4
