"""Records of Datadog, CloudWatch, AWS, Sentry, PagerDuty, Honeycomb and Slack."""

from __future__ import annotations

import json
from typing import Any

from tests.loaders.exports import Fact, Kind, Record, iso, under

ACCOUNT = "123456789012"


# -- Datadog -----------------------------------------------------------------------------------------------------------


def _datadog_event(f: Fact) -> Record:
    inner = {
        "title": f"[{f.word('Triggered', 'Recovered')} on {{service:shop}}] {f.name}",
        "status": f.word("error", "success"),
        "monitor_id": f.number,
        "monitor_groups": ["service:shop"],
        "monitor": {"id": f.number, "name": f.name, "priority": 2},
    }
    return {
        "id": f"E{f.number}-{f.minute}-{f.firing}",
        "type": "event",
        "attributes": {"timestamp": iso(f.at), "tags": ["service:shop", "env:prod"], "attributes": inner},
    }


def _datadog_partner(f: Fact) -> Record:
    monitor = {"id": f.number, "org_id": 3, "type": "query alert", "name": f.name, "query": "avg(last_5m):x > 5"}
    return {
        "version": "0",
        "id": f"b-{f.number}-{f.minute}",
        "detail-type": "Datadog Alert Notification",
        "account": ACCOUNT,
        "source": "aws.partner/datadog.com/acme",
        "time": iso(f.at, fraction=0),
        "region": "us-east-1",
        "resources": [],
        "detail": {
            "alert_type": f.word("error", "success"),
            "event_type": "query_alert_monitor",
            "meta": {
                "monitor": monitor,
                "result": {"result_ts": f.at, "metadata": {"metric": "errors"}},
                "transition": {
                    "trans_name": f.word("Triggered", "Recovered"),
                    "trans_type": f.word("alert", "alert recovery"),
                },
                "states": {"source_state": f.word("OK", "Alert"), "dest_state": f.word("Alert", "OK")},
            },
            "priority": "normal",
            "tags": ["env:prod", "service:shop", "monitor"],
        },
    }


def _datadog_v1(f: Fact) -> Record:
    return {
        "id": 7_500_000_000_000_000_000 + 100 * f.number + f.minute,
        "date_happened": f.at,
        "alert_type": f.word("error", "success"),
        "title": f"[{f.word('Triggered', 'Recovered')} on {{service:shop}}] {f.name}",
        "text": "%%%\nErrors.\n%%%",
        "tags": ["service:shop", "env:prod", "monitor"],
        "monitor_id": f.number,
        "monitor_groups": ["service:shop"],
        "priority": "normal",
        "host": "web-1",
        "url": "/event/event?id=75",
    }


def _datadog_group(f: Fact) -> Record:
    return {
        "monitor_id": f.number,
        "monitor_name": f.name,
        "group": "service:shop",
        "group_tags": ["service:shop"],
        "last_triggered_ts": f.start,
        "last_resolved_ts": 0 if f.firing else f.at,
        "last_nodata_ts": 0,
        "status": f.word("Alert", "OK"),
        "all_tags": ["team:pay"],
        "priority": 2,
    }


def _datadog_monitor(f: Fact) -> Record:
    group = {
        "name": "service:shop",
        "status": f.word("Alert", "OK"),
        "last_triggered_ts": f.start,
        "last_resolved_ts": None if f.firing else f.at,
        "last_nodata_ts": None,
    }
    return {
        "id": f.number,
        "type": "query alert",
        "name": f.name,
        "message": "Errors are high. @slack-oncall",
        "tags": ["service:shop", "team:pay"],
        "query": "sum(last_5m):sum:errors{env:prod} by {service} > 5",
        "options": {},
        "priority": 2,
        "modified": "2026-01-01T10:00:00.5+00:00",
        "overall_state": f.word("Alert", "OK"),
        "state": {"groups": {"service:shop": group}},
    }


def _datadog_row(f: Fact) -> Record:
    return {
        "id": str(7_500_000_000_000_000_000 + 100 * f.number + f.minute),
        "title": f.name,
        "date": str(f.at * 1000),
        "monitor_id": str(f.number),
        "transition": f.word("Triggered", "Recovered"),
        "scope": "service:shop, zone:a",
        "event_tags": "env:prod, service:shop,team:pay, monitor",
        "alert_priority": "P1",
        "host": "web-1",
    }


def _datadog_webhook(f: Fact) -> Record:
    return {
        "body": "%%%\nErrors are high.\n%%%",
        "last_updated": str(f.at * 1000),
        "event_type": "query_alert_monitor",
        "title": f"[P2] [{f.word('Triggered', 'Recovered')} on {{service:shop}}] {f.name}",
        "date": str(f.at * 1000),
        "org": {"id": "321813", "name": "acme"},
        "id": str(7_500_000_000_000_000_000 + 100 * f.number + f.minute),
        "link": f"https://app.datadoghq.com/monitors/{f.number}",
    }


# -- CloudWatch and AWS ------------------------------------------------------------------------------------------------


def _arn(name: str) -> str:
    return f"arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:alarm:{name}"


def _history(f: Fact) -> Record:
    states = {"oldState": {"stateValue": f.word("OK", "ALARM")}, "newState": {"stateValue": f.word("ALARM", "OK")}}
    return {
        "AlarmName": f.name,
        "Timestamp": iso(f.at),
        "HistoryItemType": "StateUpdate",
        "HistoryData": json.dumps(states),
        "HistorySummary": f"Alarm updated from {f.word('OK to ALARM', 'ALARM to OK')}",
    }


def _metrics() -> list[Record]:
    metric = {"namespace": "AWS/EC2", "name": "CPU", "dimensions": {"InstanceId": "i-0abc"}}
    return [{"id": "m1", "metricStat": {"metric": metric, "period": 60, "stat": "Average"}, "returnData": True}]


def _eventbridge(f: Fact, kind: str, detail: Record) -> Record:
    return {
        "version": "0",
        "id": f"c-{f.number}-{f.minute}-{f.firing}",
        "source": "aws.cloudwatch",
        "detail-type": kind,
        "account": ACCOUNT,
        "region": "eu-west-1",
        "time": iso(f.at, fraction=0),
        "resources": [_arn(f.name)],
        "detail": {"alarmName": f.name, **detail},
    }


def _alarm_change(f: Fact) -> Record:
    detail = {
        "state": {"value": f.word("ALARM", "OK"), "reason": "...", "timestamp": iso(f.at, zone="+0000")},
        "previousState": {"value": f.word("OK", "ALARM"), "reason": "..."},
        "configuration": {"description": "CPU of the shop", "metrics": _metrics()},
    }
    return _eventbridge(f, "CloudWatch Alarm State Change", detail)


def _sns(f: Fact) -> Record:
    return {
        "AlarmName": f.name,
        "AlarmArn": _arn(f.name),
        "AWSAccountId": ACCOUNT,
        "Region": "EU (Ireland)",
        "OldStateValue": f.word("OK", "ALARM"),
        "NewStateValue": f.word("ALARM", "OK"),
        "NewStateReason": "Threshold Crossed",
        "StateChangeTime": iso(f.at, zone="+0000"),
        "Trigger": {
            "Namespace": "AWS/EC2",
            "MetricName": "CPU",
            "Dimensions": [{"name": "InstanceId", "value": "i-0abc"}],
        },
    }


def _alarm_configuration(f: Fact) -> Record:
    configuration = {"alarmName": f.name, "description": "CPU", "metrics": _metrics(), "timestamp": iso(f.at)}
    state = {"value": "INSUFFICIENT_DATA", "timestamp": iso(f.at)}
    detail = {"operation": f.word("create", "update"), "state": state, "configuration": configuration}
    return _eventbridge(f, "CloudWatch Alarm Configuration Change", detail)


def _alarm_definition(f: Fact) -> Record:
    return {
        "AlarmName": f.name,
        "AlarmArn": _arn(f.name),
        "AlarmDescription": "CPU of the shop",
        "StateValue": f.word("ALARM", "OK"),
        "StateUpdatedTimestamp": iso(f.at),
        "AlarmConfigurationUpdatedTimestamp": iso(f.start),
        "MetricName": "CPU",
        "Namespace": "AWS/EC2",
        "Dimensions": [{"Name": "InstanceId", "Value": "i-0abc"}],
    }


def _aws(f: Fact, source: str, kind: str, detail: Record) -> Record:
    return {
        "id": f"e-{f.number}-{f.minute}-{f.firing}",
        "account": ACCOUNT,
        "region": "eu-west-1",
        "time": iso(f.at, fraction=0),
        "resources": [f"arn:aws:ecs:eu-west-1:{ACCOUNT}:service/prod/checkout"],
        "source": source,
        "detail-type": kind,
        "detail": detail,
    }


def _deploy(f: Fact) -> Record:
    name = f.word("SERVICE_DEPLOYMENT_FAILED", "SERVICE_DEPLOYMENT_COMPLETED")
    detail = {"eventType": f.word("ERROR", "INFO"), "eventName": name, "deploymentId": f"ecs-svc/{f.number}"}
    return _aws(f, "aws.ecs", "ECS Deployment State Change", {**detail, "reason": "..."})


def _health(f: Fact) -> Record:
    detail = {
        "eventArn": f"arn:aws:health:eu-west-1::event/EC2/AWS_EC2_OPERATIONAL_ISSUE/{f.number}",
        "service": "EC2",
        "eventTypeCode": "AWS_EC2_OPERATIONAL_ISSUE",
        "eventTypeCategory": "issue",
        "startTime": iso(f.start, fraction=0),
        "statusCode": f.word("open", "closed"),
        "communicationId": f"{f.number}-{f.minute}-{f.firing}",
        "eventDescription": [{"language": "en_US", "latestDescription": "We are investigating"}],
    }
    return _aws(f, "aws.health", "AWS Health Event", detail if f.firing else {**detail, "endTime": iso(f.at)})


# -- Sentry ------------------------------------------------------------------------------------------------------------


def _hex(f: Fact) -> str:
    return f"{f.number:08x}{f.minute:08x}{int(f.firing):016x}"


def _sentry_event(f: Fact) -> Record:
    return {
        "event_id": _hex(f),
        "issue_id": str(f.number),
        "datetime": iso(f.at, fraction=6),
        "timestamp": f.at + 0.123,
        "title": f"TypeError: {f.name}",
        "culprit": "cart in pay",
        "level": f.word("fatal", "warning"),
        "platform": "python",
        "tags": [["environment", "prod"], ["server_name", "web-1"]],
        "url": "https://sentry.io/api/0/projects/acme/web/events/e/",
        "contexts": {"trace": {"trace_id": _hex(f)}},
    }


def _issue_alert(f: Fact) -> Record:
    data = {"event": _sentry_event(f), "triggered_rule": "every issue"}
    return {"action": "triggered", "data": data, "installation": {"uuid": "u"}, "actor": {"type": "application"}}


def _metric_alert(f: Fact) -> Record:
    alert = {
        "id": str(f.number),
        "identifier": str(f.number),
        "organization_id": "5",
        "status": 20 if f.firing else 2,
        "date_started": iso(f.start, fraction=0),
        "date_detected": iso(f.start),
        "date_closed": None if f.firing else iso(f.at),
        "alert_rule": {
            "id": "7",
            "name": f.name,
            "aggregate": "count()",
            "query": "level:error",
            "environment": "prod",
            "projects": ["shop"],
            "owner": "team:payments",
        },
    }
    return {
        "action": f.word("critical", "resolved"),
        "data": {"metric_alert": alert, "description_title": f"Critical: {f.name}", "description_text": "412 events"},
        "installation": {"uuid": "u"},
    }


def _issue(f: Fact) -> Record:
    return {
        "id": str(f.number),
        "shortId": f"SHOP-{f.number}",
        "title": f"TypeError: {f.name}",
        "culprit": "cart in pay",
        "level": "error",
        "status": f.word("unresolved", "resolved"),
        "substatus": f.word("ongoing", "archived_forever"),
        "priority": "high",
        "count": "150",
        "firstSeen": iso(f.start, fraction=6),
        "lastSeen": iso(f.at, fraction=0),
        "project": {"id": "2", "slug": "shop", "name": "The shop", "platform": "python"},
        "assignedTo": {"type": "team", "id": "9", "name": "payments"},
        "permalink": f"https://sentry.io/organizations/acme/issues/{f.number}/",
        "stats": {"24h": [[f.at, 3]]},
    }


def _issue_webhook(f: Fact) -> Record:
    data = {"issue": _issue(f)}
    return {"action": f.word("created", "resolved"), "data": data, "installation": {"uuid": "u"}}


def _error_webhook(f: Fact) -> Record:
    return {"action": "created", "data": {"error": _sentry_event(f)}, "installation": {"uuid": "u"}}


def _plugin(f: Fact) -> Record:
    event = {"event_id": _hex(f), "title": f.name, "timestamp": f.at + 0.5, "tags": [["environment", "prod"]]}
    return {
        "id": str(f.number),
        "project": "shop",
        "project_name": "The shop",
        "project_slug": "shop",
        "logger": "root",
        "level": "error",
        "culprit": "cart in pay",
        "message": "",
        "triggering_rules": ["every issue"],
        "url": f"https://sentry.io/organizations/acme/issues/{f.number}/",
        "event": event,
    }


def _listed_event(f: Fact) -> Record:
    return {
        "eventID": _hex(f),
        "id": _hex(f),
        "groupID": str(f.number),
        "dateCreated": iso(f.at, fraction=0),
        "title": f"TypeError: {f.name}",
        "message": "",
        "culprit": "cart in pay",
        "platform": "python",
        "projectID": "2",
        "tags": [{"key": "environment", "value": "prod"}, {"key": "level", "value": "error"}],
    }


def _activity(f: Fact) -> Record:
    kind = f.word("set_regression", "set_resolved")
    return {"id": f"9{f.number:03}{f.minute:02}", "type": kind, "data": {}, "dateCreated": iso(f.at, fraction=0)} | {
        "issue": _issue(f)
    }


def _sentry_row(f: Fact) -> Record:
    return {
        "id": _hex(f),
        "issue.id": f.number,
        "issue": f"SHOP-{f.number}",
        "project.name": "shop",
        "timestamp": iso(f.at, fraction=0, zone="+00:00"),
        "title": f"TypeError: {f.name}",
        "level": "error",
        "environment": "prod",
        "event.type": "error",
        "trace": _hex(f),
    }


def _sentry_table(f: Fact) -> Record:
    return {"data": [_sentry_row(f)], "meta": {"fields": {"id": "string", "title": "string"}}}


# -- PagerDuty ---------------------------------------------------------------------------------------------------------

SERVICE = {"id": "PSVC1", "type": "service_reference", "summary": "Checkout"}
TEAMS = [{"id": "PT1", "type": "team_reference", "summary": "Payments"}]


def _incident(f: Fact) -> Record:
    return {
        "id": f"Q{f.number}",
        "type": "incident",
        "incident_number": f.number,
        "title": f.name,
        "created_at": iso(f.start, fraction=0),
        "last_status_change_at": iso(f.start if f.firing else f.at, fraction=0),
        "status": f.word("triggered", "resolved"),
        "incident_key": f"key-{f.name}",
        "service": SERVICE,
        "teams": TEAMS,
        "priority": {"id": "PP2", "summary": "P2"},
        "urgency": "high",
    }


def _log_entry(f: Fact) -> Record:
    return {
        "id": f"R{f.number}-{f.minute}-{f.firing}",
        "type": f.word("trigger_log_entry", "resolve_log_entry"),
        "created_at": iso(f.at, fraction=0),
        "agent": {"id": "PU1", "type": "user_reference", "summary": "Some Body"},
        "channel": {"type": "website"},
        "incident": {"id": f"Q{f.number}", "type": "incident_reference", "summary": f"[#{f.number}] {f.name}"},
        "service": SERVICE,
        "teams": TEAMS,
    }


def _webhook_v3(f: Fact) -> Record:
    data = {**_incident(f), "number": f.number}
    return {
        "event": {
            "id": f"01-{f.number}-{f.minute}-{f.firing}",
            "event_type": f.word("incident.triggered", "incident.resolved"),
            "resource_type": "incident",
            "occurred_at": iso(f.at),
            "agent": None,
            "data": {key: value for key, value in data.items() if key != "incident_number"},
        }
    }


def _webhook_v2(f: Fact) -> Record:
    return {
        "id": f"m-{f.number}-{f.minute}-{f.firing}",
        "event": f.word("incident.trigger", "incident.resolve"),
        "created_on": iso(f.at, fraction=0),
        "incident": _incident(f),
        "log_entries": [_log_entry(f)],
        "webhook": {"id": "PW1"},
    }


def _sent(f: Fact) -> Record:
    payload = {
        "summary": f.name,
        "source": "web-1",
        "severity": "critical",
        "component": "shop",
        "timestamp": iso(f.at),
    }
    sent = {"routing_key": "[redacted]", "event_action": f.word("trigger", "resolve"), "dedup_key": f"key-{f.number}"}
    return {**sent, "payload": payload}


def _change_event(f: Fact) -> Record:
    return {
        "id": f"01C{f.number}-{f.minute}",
        "type": "change_event",
        "summary": f"Deployed {f.name}",
        "timestamp": iso(f.at, fraction=0),
        "services": [SERVICE],
    }


def _pagerduty_alert(f: Fact) -> Record:
    return {
        "id": f"A{f.number}",
        "type": "alert",
        "created_at": iso(f.start, fraction=0),
        "resolved_at": None if f.firing else iso(f.at, fraction=0),
        "status": f.word("triggered", "resolved"),
        "alert_key": f"key-{f.name}",
        "summary": f.name,
        "severity": "error",
        "suppressed": False,
        "service": SERVICE,
        "incident": {"id": f"Q{f.number}", "type": "incident_reference"},
        "body": {"type": "alert_body", "details": {"host": "web-1"}},
    }


def _incident_row(f: Fact) -> Record:
    return {
        "id": f"Q{f.number}",
        "incident_number": f.number,
        "description": f.name,
        "created_at": iso(f.start, fraction=0),
        "resolved_at": None if f.firing else iso(f.at, fraction=0),
        "seconds_to_first_ack": 109,
        "seconds_to_resolve": None if f.firing else f.at - f.start,
        "service_id": "PSVC1",
        "service_name": "Checkout",
        "team_name": "Payments",
        "priority_name": "P2",
        "escalation_policy_name": "On call",
        "urgency": "high",
    }


def _analytics(f: Fact) -> Record:
    row = _incident_row(f)
    naive = {
        key: value and value.removesuffix("Z") for key, value in row.items() if key in ("created_at", "resolved_at")
    }
    return {"data": [{**row, **naive}], "more": False, "time_zone": "Etc/UTC"}


# -- Honeycomb ---------------------------------------------------------------------------------------------------------


def _honeycomb(f: Fact) -> Record:
    return {
        "version": "v0.1.0",
        "id": f"Jw{f.number}",
        "name": f.name,
        "trigger_description": "",
        "trigger_url": f"https://ui.honeycomb.io/acme/environments/prod/datasets/checkout/triggers/Jw{f.number}",
        "status": f.word("TRIGGERED", "OK"),
        "summary": f"{f.word('Triggered', 'Resolved')}: {f.name}",
        "description": "Currently greater than threshold value (2000)",
        "operator": "greater than",
        "threshold": 2000,
        "result_url": "",
        "result_groups": [{"Group": {"host": "web-1"}, "Result": 3000}],
        "result_groups_triggered": [{"Group": {"host": "web-1"}, "Result": 3000}],
        "is_test": False,
    }


def _honeycomb_template(f: Fact) -> Record:
    url = f"https://ui.honeycomb.io/acme/environments/prod/datasets/checkout/triggers/Jw{f.number}"
    trigger = {"name": f.name, "id": f"Jw{f.number}", "url": url}
    return {"trigger": trigger, "state": f.word("triggered", "resolved"), "result_groups": "[]"}


# -- Slack -------------------------------------------------------------------------------------------------------------


def _slack_message(f: Fact) -> Record:
    return {
        "type": "message",
        "subtype": "bot_message",
        "ts": f"{f.at}.{f.number:06}",
        "username": "Alerts",
        "bot_id": "B1",
        "channel": "prod",
        "text": "",
        "attachments": [{"title": f"[{f.word('FIRING:1', 'RESOLVED')}] {f.name} (prod cart)", "text": "...", "id": 1}],
    }


def _slack_page(f: Fact) -> Record:
    message = {key: value for key, value in _slack_message(f).items() if key != "channel"}
    return {"ok": True, "channel_id": "C1", "name": "prod", "messages": [message], "has_more": False}


def _slack_thread(f: Fact) -> Record:
    parent = {"type": "message", "user": "U1", "text": "see thread", "ts": f"{f.at}.9{f.number:05}", "channel": "prod"}
    return {**parent, "slackdump_thread_replies": [_slack_message(f)]}


def _slack_posted(f: Fact) -> Record:
    title = f"[{f.word('FIRING:1', 'RESOLVED')}] {f.name} (prod cart)"
    attachment = {"title": title, "color": f.word("danger", "good"), "text": "", "fallback": title}
    return {"channel": "#prod", "username": "Alerts", "attachments": [attachment]}


def _messages(records: list[Any]) -> Record:
    return {"ok": True, "messages": records, "has_more": False, "response_metadata": {"next_cursor": ""}}


FIRST = (
    Kind("datadog", "event", _datadog_event, lambda r: {"data": r, "meta": {"page": {"after": "x"}}}),
    Kind("datadog", "EventBridge event", _datadog_partner),
    Kind("datadog", "event of API v1", _datadog_v1, lambda r: {"events": r, "status": "ok"}),
    Kind("datadog", "monitor group", _datadog_group, lambda r: {"groups": r, "metadata": {"page": 0}}),
    Kind("datadog", "monitor definition", _datadog_monitor, lambda r: {"monitors": r}),
    Kind("datadog", "CSV row", _datadog_row, flat=True),
    Kind("datadog", "webhook", _datadog_webhook),
    Kind("cloudwatch", "history item", _history, lambda r: {"AlarmHistoryItems": r, "NextToken": "t"}),
    Kind("cloudwatch", "alarm state change", _alarm_change),
    Kind("cloudwatch", "SNS message", _sns),
    Kind("cloudwatch", "configuration change", _alarm_configuration),
    Kind("cloudwatch", "alarm definition", _alarm_definition, lambda r: {"MetricAlarms": r, "CompositeAlarms": []}),
    Kind("aws", "change", _deploy),
    Kind("aws", "Health event", _health),
    Kind("sentry", "issue alert", _issue_alert),
    Kind("sentry", "metric alert", _metric_alert),
    Kind("sentry", "issue webhook", _issue_webhook, timeless=True),
    Kind("sentry", "error webhook", _error_webhook),
    Kind("sentry", "plugin webhook", _plugin),
    Kind("sentry", "event", _listed_event),
    Kind("sentry", "SDK event", _sentry_event),
    Kind("sentry", "issue", _issue),
    Kind("sentry", "issue activity", _activity),
    Kind("sentry", "table", _sentry_table),
    Kind("sentry", "table row", _sentry_row, flat=True),
    Kind("pagerduty", "log entry", _log_entry, under("log_entries")),
    Kind("pagerduty", "webhook v3", _webhook_v3),
    Kind("pagerduty", "webhook v1 or v2", _webhook_v2, lambda r: {"messages": r}),
    Kind("pagerduty", "event as sent", _sent, timeless=True),
    Kind("pagerduty", "change event", _change_event, under("change_events")),
    Kind("pagerduty", "incident", _incident, under("incidents")),
    Kind("pagerduty", "alert", _pagerduty_alert, under("alerts")),
    Kind("pagerduty", "analytics page", _analytics),
    Kind("pagerduty", "incident as a row", _incident_row, flat=True),
    Kind("honeycomb", "webhook", _honeycomb, timeless=True),
    Kind("honeycomb", "webhook of a template", _honeycomb_template, timeless=True),
    Kind("slack", "page or dump", _slack_page),
    Kind("slack", "message with replies", _slack_thread, _messages),
    Kind("slack", "message", _slack_message, _messages),
    Kind("slack", "posted message", _slack_posted, timeless=True),
)
