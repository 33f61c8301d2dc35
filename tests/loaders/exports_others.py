"""Records of Elastic, Grafana, Alertmanager, Opsgenie, New Relic, Azure, GCP, Splunk, ServiceNow, logs and tables."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.loaders.exports import Fact, Kind, Record, iso, under

UUID = "{:08x}-0000-4000-8000-bf62bcd975ff"
UNSET = "0001-01-01T00:00:00Z"


# -- Elastic -----------------------------------------------------------------------------------------------------------


def _hit(index: str, found: str, source: Record) -> Record:
    return {"_index": index, "_id": found, "_score": None, "_source": source}


def _hits(records: list[Any]) -> Record:
    total = {"value": len(records), "relation": "eq"}
    return {"took": 5, "timed_out": False, "hits": {"total": total, "max_score": None, "hits": records}}


def _watch(f: Fact) -> Record:
    source = {
        "watch_id": f"watch-{f.name}",
        "state": f.word("executed", "execution_not_needed"),
        "trigger_event": {"type": "schedule", "triggered_time": iso(f.at)},
        "metadata": {"name": f.name, "service": "orders", "team": "orders", "severity": "critical"},
        "result": {
            "execution_time": iso(f.at),
            "condition": {"met": f.firing},
            "actions": [{"id": "notify", "status": "success"}] if f.firing else [],
        },
    }
    return _hit(".watcher-history-16-2026.03.01", f"{f.number}-{iso(f.at)}", source)


def _event_log(f: Fact) -> Record:
    source = {
        "@timestamp": iso(f.at),
        "event": {
            "provider": "alerting",
            "action": f.word("new-instance", "recovered-instance"),
            "kind": "alert",
            "start": iso(f.start),
            **({} if f.firing else {"end": iso(f.at)}),
        },
        "kibana": {
            "alert": {"uuid": UUID.format(f.number)},
            "alerting": {"instance_id": "checkout", "action_group_id": f.word("critical", "recovered")},
        },
        "rule": {"id": UUID.format(0), "name": f.name, "category": "x"},
        "message": "an alert changed",
    }
    return _hit(".ds-.kibana-event-log-8.15.0-000001", f"log-{f.number}-{f.minute}-{f.firing}", source)


def _alert_history(f: Fact) -> Record:
    return {
        "@timestamp": iso(f.at),
        "event": {"kind": "alert"},
        "tags": ["service:checkout", "env:prod"],
        "rule": {"id": UUID.format(0), "name": f.name, "type": "t", "space": "default"},
        "kibana": {
            "alert": {
                "id": f"checkout-{f.number}",
                "actionGroup": f.word("critical", "recovered"),
                "context": {"observability__rules": {"reason": "12 errors", "viewInAppUrl": "https://kibana/x"}},
            }
        },
    }


def _kibana_alert(f: Fact) -> Record:
    found = UUID.format(f.number)
    source = {
        "@timestamp": iso(f.at),
        "event.action": f.word("active", "close"),
        "event.kind": "signal",
        "kibana.alert.action_group": f.word("metrics.threshold.fired", "recovered"),
        "kibana.alert.instance.id": "checkout",
        "kibana.alert.reason": f"{f.name} is 12.5%",
        "kibana.alert.rule.category": "Custom threshold",
        "kibana.alert.rule.name": f.name,
        "kibana.alert.rule.tags": ["service:checkout", "env:prod"],
        "kibana.alert.rule.uuid": UUID.format(0),
        "kibana.alert.start": iso(f.start),
        "kibana.alert.status": f.word("active", "recovered"),
        "kibana.alert.uuid": found,
        "kibana.alert.workflow_status": "open",
    }
    if not f.firing:
        source["kibana.alert.end"] = iso(f.at)
    return _hit(".internal.alerts-observability.threshold.alerts-default-000001", found, source)


def _suricata(f: Fact) -> Record:
    alert = {"signature": f.name, "signature_id": f.number, "severity": 2}
    source = {"timestamp": iso(f.at, zone="+0000"), "event_type": "alert", "src_ip": "10.0.0.9", "host": "fw-1"}
    return _hit("some-alerts", f"doc-{f.number}-{f.minute}", {**source, "alert": alert})


# -- Grafana and Alertmanager ------------------------------------------------------------------------------------------


def _labels(f: Fact, **more: str) -> Record:
    return {"alertname": f.name, "service": "checkout", "severity": "warning", "env": "prod", **more}


def _fingerprint(f: Fact) -> str:
    return f"{f.number:016x}"


def _annotation(f: Fact) -> Record:
    return {
        "id": 1000 * f.number + 2 * f.minute + f.firing,
        "alertId": 0,
        "alertName": f.name,
        "dashboardUID": "abc",
        "panelId": 2,
        "newState": f.word("Alerting", "Normal"),
        "prevState": f.word("Normal", "Alerting"),
        "time": f.at * 1000,
        "timeEnd": f.at * 1000,
        "text": f"{f.name} {{alertname={f.name}, grafana_folder=shop, service=checkout}} - B=2400.0",
        "tags": [],
    }


def _history_line(f: Fact) -> Record:
    return {
        "schemaVersion": 1,
        "previous": f.word("Pending", "Alerting"),
        "current": f.word("Alerting", "Normal"),
        "values": {"B": 2400},
        "fingerprint": _fingerprint(f),
        "ruleTitle": f.name,
        "ruleUID": f"uid{f.number}",
        "labels": _labels(f, grafana_folder="shop"),
    }


def _loki_stream(f: Fact) -> Record:
    stream = {"from": "state-history", "orgID": "1", "group": "eval-1m"}
    return {"stream": stream, "values": [[f"{f.at}000000000", json.dumps(_history_line(f))]]}


def _loki_page(records: list[Any]) -> Record:
    return {"status": "success", "data": {"resultType": "streams", "result": records, "stats": {}}}


def _loki_line(f: Fact) -> Record:
    line = json.dumps(_history_line(f))
    return {"labels": {"from": "state-history"}, "line": line, "timestamp": iso(f.at, fraction=0)}


def _frame(f: Fact) -> Record:
    fields = [{"name": "time"}, {"name": "line"}, {"name": "labels"}]
    return {"schema": {"fields": fields}, "data": {"values": [[f.at * 1000], [_history_line(f)], [{}]]}}


def _grafana_alert(f: Fact) -> Record:
    return {
        "status": f.word("firing", "resolved"),
        "labels": _labels(f, grafana_folder="shop"),
        "annotations": {"summary": f"{f.name} on the shop"},
        "startsAt": iso(f.start, fraction=0),
        "endsAt": UNSET if f.firing else iso(f.at, fraction=0),
        "values": {"B": 2400},
        "generatorURL": f"/alerting/grafana/uid{f.number}/view?orgId=1",
        "fingerprint": _fingerprint(f),
        "valueString": "[ var='B' labels={instance=web-1:80, job=y} value=120 ]",
    }


def _notification(f: Fact, **more: Any) -> Record:
    return {
        "receiver": "wh",
        "status": f.word("firing", "resolved"),
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "https://monitoring.example.com/",
        "groupKey": "{}:{}",
        "truncatedAlerts": 0,
        **more,
    }


def _grafana(f: Fact) -> Record:
    title = f"[{f.word('FIRING:1', 'RESOLVED')}] {f.name}"
    more = {"version": "1", "orgId": 1, "title": title, "state": f.word("alerting", "ok"), "message": "..."}
    return _notification(f, alerts=[_grafana_alert(f)], **more)


def _grafana_listed(f: Fact) -> Record:
    far = iso(f.at + 240, fraction=0)  # a firing alert ends at the time it would if nobody told of it again
    status = {"state": "active", "silencedBy": [], "inhibitedBy": []}
    return {**_grafana_alert(f), "status": status, "endsAt": far, "updatedAt": iso(f.at, fraction=0)}


def _grafana_legacy(f: Fact) -> Record:
    return {
        "ruleId": f.number,
        "ruleName": f.name,
        "ruleUrl": "https://grafana/d/x",
        "title": f"[{f.word('Alerting', 'OK')}] {f.name}",
        "state": f.word("alerting", "ok"),
        "message": "high",
        "orgId": 1,
        "dashboardId": 3,
        "panelId": 4,
        "evalMatches": [],
        "tags": {"service": "web", "severity": "critical", "team": "core"},
    }


def _on_call(f: Fact) -> Record:
    payload = {"alerts": [{"labels": _labels(f)}], "status": "firing"}
    return {
        "id": f"I{f.number}",
        "integration_id": "CFRPV98RPR1U8",
        "route_id": "R",
        "alerts_count": 3,
        "state": f.word("acknowledged", "resolved"),
        "created_at": iso(f.start, fraction=6),
        "acknowledged_at": iso(f.start + 30, fraction=0),
        "resolved_at": None if f.firing else iso(f.at, fraction=0),
        "title": f.name,
        "permalinks": {"slack": None, "web": "https://oncall/I1"},
        "last_alert": {"id": "A1", "payload": payload},
    }


def _prometheus_alert(f: Fact) -> Record:
    return {
        "status": f.word("firing", "resolved"),
        "labels": _labels(f),
        "annotations": {"summary": "errors above 5 %", "runbook_url": "https://runbooks/x"},
        "startsAt": iso(f.start, fraction=9),
        "endsAt": UNSET if f.firing else iso(f.at, fraction=9),
        "generatorURL": "http://prometheus/graph",
        "fingerprint": _fingerprint(f),
    }


def _alertmanager(f: Fact) -> Record:
    return _notification(f, version="4", alerts=[_prometheus_alert(f)])


def _am_listed(f: Fact) -> Record:
    status = {"state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": []}
    ends = iso(f.at + 240)
    return {**_prometheus_alert(f), "status": status, "endsAt": ends, "receivers": [], "updatedAt": iso(f.at)}


def _am_group(f: Fact) -> Record:
    return {"alerts": [_am_listed(f)], "labels": {}, "receiver": {"name": "by-name"}}


def _rule_alert(f: Fact) -> Record:
    return {
        "labels": _labels(f),
        "annotations": {"summary": "errors above 5 %"},
        "state": "firing",
        "activeAt": iso(f.start),
        "value": "1e+00",
    }


def _prometheus_page(records: list[Any]) -> Record:
    return {"status": "success", "data": {"alerts": records}}


def _series(f: Fact) -> Record:
    values = [[f.start + 60 * step, "1"] for step in range(3 + f.minute % 3)]
    metric = {"__name__": "ALERTS", "alertstate": "firing", **_labels(f), "instance": f"web-{f.number}"}
    return {"resultType": "matrix", "result": [{"metric": metric, "values": values}]}


# -- Opsgenie and New Relic --------------------------------------------------------------------------------------------


def _opsgenie_id(f: Fact) -> str:
    return f"{UUID.format(f.number)}-{f.start * 1000}"


def _opsgenie_webhook(f: Fact) -> Record:
    alert = {
        "alertId": _opsgenie_id(f),
        "tinyId": str(f.number),
        "alias": f"alias-{f.name}",
        "message": f.name,
        "createdAt": f.start * 1000,
        "updatedAt": f.at * 10**9,
        "insertedAt": f.start * 10**9,
        "priority": 3,
        "entity": "web-1",
        "tags": ["env:prod"],
        "teams": ["payments"],
        "details": {"service": "checkout"},
    }
    return {"action": f.word("Create", "Close"), "alert": alert, "source": {"name": "web", "type": "web"}}


def _opsgenie(f: Fact) -> Record:
    return {
        "id": _opsgenie_id(f),
        "tinyId": str(f.number),
        "alias": f"alias-{f.name}",
        "message": f.name,
        "status": f.word("open", "closed"),
        "acknowledged": False,
        "createdAt": iso(f.start),
        "updatedAt": iso(f.at),
        "lastOccurredAt": iso(f.start),
        "priority": "P1",
        "source": "10.1.2.3",
        "tags": ["env:prod", "service:checkout"],
        "teams": [{"id": UUID.format(9)}],
        "report": None if f.firing else {"closeTime": (f.at - f.start) * 1000},
    }


def _newrelic_legacy(f: Fact) -> Record:
    return {
        "account_id": 1,
        "condition_name": f.name,
        "current_state": f.word("open", "closed"),
        "details": "CPU > 90 for 5 minutes",
        "event_type": "INCIDENT",
        "incident_id": f.number,
        "incident_url": f"https://alerts.newrelic.com/accounts/1/incidents/{f.number}",
        "policy_name": "Hosts",
        "severity": "CRITICAL",
        "timestamp": f.at * 1000,
        "duration": (f.at - f.start) * 1000,
        "targets": [{"name": "web-1", "type": "Host", "labels": {"team": "web", "environment": "prod"}}],
    }


def _newrelic_incident(f: Fact) -> Record:
    return {
        "event": f.word("open", "close"),
        "timestamp": f.at * 1000,
        "incidentId": f"i-{f.number}",
        "issueId": f"s-{f.number}",
        "title": f.name,
        "conditionName": f.name,
        "policyName": "Hosts",
        "priority": "critical",
        "openTime": f.start * 1000,
        "closeTime": None if f.firing else f.at * 1000,
        "targetName": "web-1",
        "entity.guid": "MXxJTkZSQXxIT1NUfDQy",
        "entity.name": "web-1",
        "entity.type": "HOST",
        "tags.environment": "prod",
        "tags.team": "web",
    }


def _newrelic_issue(f: Fact) -> Record:
    return {
        "id": f"s-{f.number}",
        "issueUrl": f"https://radar-api.service.newrelic.com/accounts/1/issues/s-{f.number}",
        "title": f.name,
        "priority": "HIGH",
        "impactedEntities": ["web-1"],
        "totalIncidents": 1,
        "state": f.word("ACTIVATED", "CLOSED"),
        "trigger": "STATE_CHANGE",
        "isCorrelated": False,
        "createdAt": f.start * 1000,
        "updatedAt": f.at * 1000,
        "closedAt": None if f.firing else f.at * 1000,
        "sources": ["newrelic"],
        "alertPolicyNames": ["Hosts"],
        "alertConditionNames": [f.name],
        "workflowName": "all",
    }


def _nerdgraph(f: Fact) -> Record:
    issue = {
        "issueId": f"s-{f.number}",
        "state": f.word("ACTIVATED", "CLOSED"),
        "priority": "HIGH",
        "title": [f.name],
        "conditionName": [f.name],
        "policyName": ["Hosts"],
        "entityNames": ["web-1"],
        "entityTypes": ["HOST"],
        "createdAt": f.start * 1000,
        "activatedAt": f.start * 1000,
        "closedAt": None if f.firing else f.at * 1000,
    }
    return {"data": {"actor": {"account": {"aiIssues": {"issues": {"issues": [issue], "nextCursor": None}}}}}}


# -- Azure and GCP -----------------------------------------------------------------------------------------------------

VM = "/subscriptions/s/resourcegroups/shop-rg/providers/microsoft.compute/virtualmachines/web-1"
ALERTS = "/subscriptions/s/providers/Microsoft.AlertsManagement/alerts/"


def _azure(f: Fact) -> Record:
    essentials = {
        "alertId": ALERTS + UUID.format(f.number),
        "alertRule": f.name,
        "severity": "Sev1",
        "signalType": "Metric",
        "monitorCondition": f.word("Fired", "Resolved"),
        "monitoringService": "Platform",
        "alertTargetIDs": [VM.upper()],
        "configurationItems": ["web-1"],
        "originAlertId": f"origin-{f.number}",
        "firedDateTime": iso(f.start, fraction=7),
        "description": "CPU of the shop",
        **({} if f.firing else {"resolvedDateTime": iso(f.at, fraction=7)}),
    }
    return {"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": essentials, "alertContext": {}}}


def _azure_listed(f: Fact) -> Record:
    essentials = {
        "severity": "Sev1",
        "signalType": "Metric",
        "alertState": "New",
        "monitorCondition": f.word("Fired", "Resolved"),
        "targetResource": VM,
        "targetResourceName": "web-1",
        "alertRule": f"/subscriptions/s/resourceGroups/shop-rg/providers/Microsoft.Insights/metricAlerts/{f.name}",
        "startDateTime": iso(f.start, fraction=7),
        "lastModifiedDateTime": iso(f.at, fraction=0),
        **({} if f.firing else {"monitorConditionResolvedDateTime": iso(f.at, fraction=7)}),
    }
    found = UUID.format(f.number)
    return {
        "id": ALERTS + found,
        "type": "Microsoft.AlertsManagement/alerts",
        "name": found,
        "properties": {"essentials": essentials},
    }


def _azure_metric(f: Fact) -> Record:
    context = {
        "timestamp": iso(f.at, fraction=7),
        "id": "/subscriptions/s/resourceGroups/rg/providers/microsoft.insights/metricAlerts/cpu-high",
        "name": f.name,
        "description": "CPU of the shop",
        "severity": "3",
        "condition": {"allOf": [{"metricName": "Percentage CPU", "dimensions": []}]},
        "resourceName": f"web-{f.number}",
        "resourceId": f"{VM}{f.number}",
        "portalLink": "https://portal.azure.com/r",
    }
    data = {"status": f.word("Activated", "Deactivated"), "context": context, "properties": {"team": "web"}}
    return {"schemaId": "AzureMonitorMetricAlert", "data": data}


INSTANCE = {
    "resource": {"type": "gce_instance", "labels": {"instance_id": "1234567890123456789", "project_id": "shop-prod"}},
    "metric": {"type": "compute.googleapis.com/instance/cpu/utilization", "labels": {"instance_name": "web-1"}},
}


def _gcp_incident(f: Fact) -> Record:
    return {
        "incident_id": f"0.{f.number}",
        "scoping_project_id": "shop-prod",
        "started_at": f.start,
        "ended_at": None if f.firing else f.at,
        "state": f.word("open", "closed"),
        "policy_name": f.name,
        "condition_name": "CPU > 90%",
        **INSTANCE,
        "metadata": {"system_labels": {}, "user_labels": {"env": "prod", "app": "shop"}},
        "policy_user_labels": {"team": "web"},
        "summary": "CPU is high.",
    }


def _gcp(f: Fact) -> Record:
    return {"version": "1.2", "incident": _gcp_incident(f)}


def _pubsub(f: Fact) -> Record:
    data = base64.b64encode(json.dumps(_gcp(f)).encode()).decode()
    return {"data": data, "messageId": f"m-{f.number}-{f.minute}-{f.firing}"}


def _gcp_alert(f: Fact) -> Record:
    return {
        "name": f"projects/12345/alerts/0.{f.number}",
        "state": f.word("OPEN", "CLOSED"),
        "openTime": iso(f.start, fraction=0),
        "closeTime": None if f.firing else iso(f.at, fraction=9),
        **INSTANCE,
        "metadata": {"userLabels": {"env": "prod", "app": "shop"}},
        "policy": {"name": "projects/shop-prod/alertPolicies/1", "displayName": f.name, "severity": "WARNING"},
    }


# -- Splunk and ServiceNow ---------------------------------------------------------------------------------------------


def _sid(f: Fact) -> str:
    return f"scheduler__admin__search__RMD5abc{f.number}_at_{f.at}_64"


def _splunk_webhook(f: Fact) -> Record:
    url = "https://splunk.example.com/app/search/@go?sid=x"
    about = {"sid": _sid(f), "search_name": f.name, "app": "search", "owner": "admin", "results_link": url}
    return {**about, "result": {"_time": str(f.at), "host": "web-1", "count": "412"}}


def _splunk_audit(f: Fact) -> Record:
    return {
        "_time": iso(f.at, zone="+00:00"),
        "action": "alert_fired",
        "ss_name": f.name,
        "ss_app": "search",
        "severity": "4",
        "sid": _sid(f),
        "trigger_time": str(f.at),
        "host": "search-head",
    }


def _splunk_fired(f: Fact) -> Record:
    content = {
        "savedsearch_name": f.name,
        "sid": _sid(f),
        "severity": 4,
        "trigger_time": f.at,
        "actions": "email",
        "alert_type": "number of events",
        "eai:acl": {"app": "search", "owner": "admin"},
    }
    return {"name": _sid(f), "id": "https://splunk:8089/x", "updated": "1970-01-01T00:00:00+00:00", "content": content}


def _notable(f: Fact) -> Record:
    return {
        "_time": iso(f.at, zone="+00:00"),
        "search_name": f"Access - {f.name} - Rule",
        "rule_name": f.name,
        "rule_title": f"{f.name} against db-1",
        "rule_description": "many failures",
        "event_id": f"ABC@@notable@@{f.number}",
        "security_domain": "access",
        "urgency": "high",
        "severity": "critical",
        "dest": "db-1",
        "src": "10.0.0.9",
        "status": f.word("1", "5"),
        "status_label": f.word("New", "Closed"),
    }


def _utc(at: int) -> str:
    return iso(at, fraction=0, zone="").replace("T", " ")


def _em_alert(f: Fact) -> Record:
    return {
        "sys_id": f"{f.number:032x}",
        "number": f"Alert{f.number:07}",
        "state": f.word("Open", "Closed"),
        "severity": "2",
        "node": "web-1.example",
        "type": "CPU",
        "metric_name": "% Processor Time",
        "source": "Dynatrace",
        "message_key": f"key-{f.number}",
        "description": f.name,
        "initial_event_time": _utc(f.start),
        "last_event_time": _utc(f.at),
        "closed_at": "" if f.firing else _utc(f.at),
    }


def _sn_incident(f: Fact) -> Record:
    return {
        "sys_id": f"{f.number:032x}",
        "number": f"INC{f.number:07}",
        "short_description": f.name,
        "description": "Customers cannot pay",
        "state": f.word("1", "6"),
        "priority": "2",
        "opened_at": _utc(f.start),
        "resolved_at": "" if f.firing else _utc(f.at),
        "closed_at": "",
        "assignment_group": "Payments",
        "business_service": "Checkout",
    }


# -- logs and tables ---------------------------------------------------------------------------------------------------


def _otlp(f: Fact) -> Record:
    log = {
        "timeUnixNano": f"{f.at}123000000",
        "severityNumber": 17,
        "severityText": "ERROR",
        "body": {"stringValue": f"{f.name}: no route to 10.0.0.{f.number}"},
        "traceId": f"{f.number:032X}",
        "spanId": f"{f.minute:016X}",
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "checkout"}}]}
    scope = {"scope": {"name": "a.B"}, "logRecords": [log]}
    return {"resourceLogs": [{"resource": resource, "scopeLogs": [scope]}]}


def _subscription(f: Fact) -> Record:
    message = json.dumps({"level": "ERROR", "message": f"{f.name}: no route"})
    event = {"id": f"{f.number}{f.minute:02}", "timestamp": f.at * 1000, "message": message}
    return {
        "messageType": "DATA_MESSAGE",
        "owner": "1",
        "logGroup": "/aws/lambda/pay",
        "logStream": "s",
        "logEvents": [event],
    }


def _log_line(f: Fact) -> Record:
    return {
        "timestamp": iso(f.at),
        "level": "error",
        "service": "checkout",
        "trace_id": f"{f.number:032x}",
        "message": f"{f.name}: could not connect to 10.0.0.{f.number}:5432 after 250ms",
    }


def _row(f: Fact) -> Record:
    return {
        "alert_id": f"T-{f.number}-{f.minute}-{f.firing}",
        "title": f.name,
        "time": iso(f.at, fraction=0),
        "status": f.word("firing", "resolved"),
        "priority": "P2",
        "app": "checkout",
        "host": f"web-{f.number}",
    }


OTHERS = (
    Kind("elastic", "watch execution", _watch, _hits),
    Kind("elastic", "event log entry", _event_log, _hits),
    Kind("elastic", "alert history", _alert_history),
    Kind("elastic", "alert", _kibana_alert, _hits),
    Kind("elastic", "document of another system's alert", _suricata, _hits),
    Kind("grafana", "alert annotation", _annotation),
    Kind("grafana", "state history", _loki_stream, _loki_page),
    Kind("grafana", "state history line", _loki_line),
    Kind("grafana", "state history frame", _frame),
    Kind("grafana", "notification", _grafana),
    Kind("grafana", "alert", _grafana_listed),
    Kind("grafana", "legacy notification", _grafana_legacy, timeless=True),
    Kind("grafana", "OnCall alert group", _on_call, lambda r: {"count": len(r), "next": None, "results": r}),
    Kind("alertmanager", "notification", _alertmanager),
    Kind("alertmanager", "alert group", _am_group),
    Kind("alertmanager", "alert", _am_listed),
    Kind("alertmanager", "alert of Prometheus", _rule_alert, _prometheus_page),
    Kind("alertmanager", "query result", _series),
    Kind("opsgenie", "webhook", _opsgenie_webhook),
    Kind("opsgenie", "alert", _opsgenie, lambda r: {"data": r, "paging": {"first": "x"}, "took": 0.1}),
    Kind("newrelic", "webhook of the old alerts", _newrelic_legacy),
    Kind("newrelic", "incident", _newrelic_incident, lambda r: {"results": r}, flat=True),
    Kind("newrelic", "issue", _newrelic_issue),
    Kind("newrelic", "NerdGraph answer", _nerdgraph),
    Kind("azure", "alert notification", _azure),
    Kind("azure", "alert", _azure_listed, lambda r: {"value": r, "nextLink": None}),
    Kind("azure", "metric alert", _azure_metric),
    Kind("gcp", "webhook", _gcp),
    Kind("gcp", "incident", _gcp_incident),
    Kind("gcp", "Pub/Sub message", _pubsub),
    Kind("gcp", "alert", _gcp_alert, lambda r: {"alerts": r, "nextPageToken": ""}),
    Kind("splunk", "webhook", _splunk_webhook),
    Kind("splunk", "audit of a fired alert", _splunk_audit, lambda r: {"results": r}, flat=True),
    Kind("splunk", "fired alert", _splunk_fired, under("entry")),
    Kind("splunk", "notable event", _notable, lambda r: {"results": r}, flat=True),
    Kind("servicenow", "alert", _em_alert, lambda r: {"result": r}),
    Kind("servicenow", "incident", _sn_incident, lambda r: {"result": r}),
    Kind("logs", "OTLP log record", _otlp),
    Kind("logs", "CloudWatch Logs subscription", _subscription),
    Kind("logs", "log line", _log_line, flat=True),
    Kind("table", "row of a table", _row, flat=True),
)
