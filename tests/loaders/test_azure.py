from __future__ import annotations

import json

import pandas as pd
import pytest

from stanza_lab import fold_events

GUID = "66114d64-d9d9-478b-95c9-b789d6502101"
GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourcegroups/shop-rg"
VM = f"{GROUP}/providers/microsoft.compute/virtualmachines/web-1"
LISTED = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/shop-rg/providers/Microsoft.Compute/"
    f"virtualMachines/web-1/providers/Microsoft.AlertsManagement/alerts/{GUID}"
)
FIRED, RESOLVED = pd.Timestamp("2024-05-14T14:02:11.123456Z"), pd.Timestamp("2024-05-14T14:31:40Z")


@pytest.mark.shared
def test_real_list(shared, event) -> None:
    got = event((shared / "formats/samples/azure/synthetic_alertsmanagement_list.json").read_bytes())
    del got["raw"], got["labels"]
    assert got == {
        "source": "azure",
        "event_id": f"{GUID}|resolved",
        "native_ids": [LISTED],
        "occurrence_key": GUID,
        "rule_key": f"cpu-high|{VM}",
        "at": RESOLVED,
        "time_source": "event",
        "kind": "resolved",
        "has_recovery": True,
        "alertname": "cpu-high",
        "starts_at": FIRED,
        "ends_at": RESOLVED,
        "severity": "error",
        "severity_raw": "Sev1",
        "summary": "cpu-high resolved on web-1",
        "resources": [VM],
        "trace_ids": [],
    }


def common(condition="Fired", context=None, **essentials):
    """Return a notification of the common alert schema."""
    about = {
        "alertId": f"/subscriptions/s/providers/Microsoft.AlertsManagement/alerts/{GUID.upper()}",
        "alertRule": "cpu-high",
        "severity": "Sev1",
        "signalType": "Metric",
        "monitorCondition": condition,
        "monitoringService": "Platform",
        "alertTargetIDs": [
            VM.upper().replace("/SUBSCRIPTIONS/", "/subscriptions/").replace("/PROVIDERS/", "/providers/")
        ],
        "configurationItems": ["web-1"],
        "originAlertId": "3f2d_shop-rg_microsoft.insights_metricAlerts_cpu-high_-117781227",
        "firedDateTime": "2024-05-14T14:02:11.1234567Z",
        "description": "CPU of the shop",
        **essentials,
    }
    if condition == "Resolved":
        about["resolvedDateTime"] = "2024-05-14T14:31:40.0000001Z"
    return {"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": about, "alertContext": context or {}}}


def listed(condition="Fired", state="New", **fields):
    """Return an alert of the Alerts Management list."""
    essentials = {
        "severity": "Sev1",
        "signalType": "Metric",
        "alertState": state,
        "monitorCondition": condition,
        "targetResource": VM,
        "targetResourceName": "web-1",
        "alertRule": "/subscriptions/s/resourceGroups/shop-rg/providers/Microsoft.Insights/metricAlerts/cpu-high",
        "startDateTime": "2024-05-14T14:02:11.1234567Z",
        "lastModifiedDateTime": "2024-05-14T14:20:00Z",
        "lastModifiedUserName": "jane@example.com",
        **fields,
    }
    if condition == "Resolved":
        essentials["monitorConditionResolvedDateTime"] = "2024-05-14T14:31:40.0000001Z"
    return {
        "id": f"/subscriptions/s/providers/Microsoft.AlertsManagement/alerts/{GUID}",
        "type": "Microsoft.AlertsManagement/alerts",
        "name": GUID,
        "properties": {"essentials": essentials},
    }


def test_notification_of_a_metric_alert(event) -> None:
    criterion = {
        "metricName": "Percentage CPU",
        "dimensions": [{"name": "Computer", "value": "host-7"}],
        "linkToSearchResultsUI": "https://portal.azure.com/x",
    }
    got = event(common(context={"condition": {"allOf": [criterion]}, "properties": {"Team": "web", "env": "prod"}}))
    del got["raw"]
    assert json.loads(got.pop("labels")) == {
        "dimensions": {"Computer": "host-7"},
        "metric": "Percentage CPU",
        "monitoring_service": "Platform",
        "origin_alert_id": "3f2d_shop-rg_microsoft.insights_metricAlerts_cpu-high_-117781227",
        "properties": {"env": "prod", "team": "web"},
        "signal_type": "Metric",
    }
    assert got == {
        "source": "azure",
        "event_id": f"{GUID}|fired",
        "native_ids": [f"/subscriptions/s/providers/Microsoft.AlertsManagement/alerts/{GUID.upper()}"],
        "occurrence_key": GUID,
        "rule_key": f"cpu-high|{VM}",
        "at": FIRED,
        "time_source": "event",
        "kind": "fired",
        "has_recovery": True,
        "alertname": "cpu-high",
        "starts_at": FIRED,
        "severity": "error",
        "severity_raw": "Sev1",
        "summary": "cpu-high fired on web-1",
        "description": "CPU of the shop",
        "url": "https://portal.azure.com/x",
        "environment": "prod",
        "team": "web",
        "resources": [VM, "host-7"],
        "trace_ids": [],
    }


def test_notifications_and_the_list_tell_the_same_facts(read) -> None:
    export = [common(), common("Resolved"), listed("Resolved")]
    events = read(export).events
    assert events["event_id"].tolist() == [f"{GUID}|fired", f"{GUID}|resolved", f"{GUID}|resolved"]
    assert events["rule_key"].unique().tolist() == [f"cpu-high|{VM}"]
    [alert] = fold_events(events).to_dict("records")
    assert (alert["starts_at"], alert["ends_at"], alert["resources"]) == (FIRED, RESOLVED, [VM])
    assert len(alert["event_ids"]) == 2


@pytest.mark.parametrize(
    ("condition", "state", "kind", "at", "ends_at"),
    [
        ("Fired", "New", "fired", "2024-05-14T14:02:11.123456Z", None),
        ("Fired", "Acknowledged", "acknowledged", "2024-05-14T14:20:00Z", None),
        ("Fired", "Closed", "resolved", "2024-05-14T14:20:00Z", "2024-05-14T14:20:00Z"),
        ("Resolved", "New", "resolved", "2024-05-14T14:31:40Z", "2024-05-14T14:31:40Z"),
        ("Resolved", "Closed", "resolved", "2024-05-14T14:31:40Z", "2024-05-14T14:31:40Z"),
    ],
)
def test_listed_alert_is_read_in_its_state(read, condition, state, kind, at, ends_at) -> None:
    events = read({"value": [listed(condition, state)], "nextLink": "https://management.azure.com/x"}).events
    assert (events["kind"].tolist(), events["at"].tolist()) == ([kind], [pd.Timestamp(at)])
    [alert] = fold_events(events).to_dict("records")
    assert alert["starts_at"] == FIRED
    assert alert["ends_at"] == pd.Timestamp(ends_at) if ends_at else alert["ends_at"] is pd.NaT


def test_rows_of_resource_graph(event) -> None:
    row = {**listed("Resolved"), "type": "microsoft.alertsmanagement/alerts", "tenantId": "t", "resourceGroup": ""}
    page = {"totalRecords": 1, "count": 1, "data": [row], "facets": [], "resultTruncated": "false"}
    assert event(page)["event_id"] == f"{GUID}|resolved"
    as_text = {**row, "properties": json.dumps(row["properties"])}  # as its table is saved to CSV
    assert event(as_text)["ends_at"] == RESOLVED


def test_log_alert_keeps_its_hosts_and_no_local_date(event) -> None:
    context = {
        "SearchIntervalStartTimeUtc": "3/22/2019 1:36:31 PM",
        "LinkToSearchResults": "https://portal.azure.com/search",
        "Dimensions": [{"name": "Computer", "value": "db-1"}],
    }
    told = common(context=context, signalType="Log", alertTargetIDs=[f"{VM}/workspaces/w"], configurationItems=["db-2"])
    got = event(told)
    assert (got["resources"], got["url"]) == ([f"{VM}/workspaces/w", "db-1", "db-2"], "https://portal.azure.com/search")


def test_activity_log_alert_has_no_recovery(event) -> None:
    context = {"operationName": "Microsoft.Compute/virtualMachines/restart/action", "caller": "jane@example.com"}
    got = event(common(context=context, signalType="Activity Log", severity="Sev4"))
    assert (got["has_recovery"], got["severity"]) == (False, "info")
    assert json.loads(got["labels"])["operation"] == "Microsoft.Compute/virtualMachines/restart/action"


def service_health(stage, **properties):
    about = {
        "title": "SQL Database: connectivity",
        "trackingId": "ABC1-DEF",
        "incidentType": "Incident",
        "impactStartTime": "2024-05-14T13:00:00Z",
        "impactMitigationTime": "2024-05-14T16:00:00Z" if stage == "Resolved" else None,
        "stage": stage,
        **properties,
    }
    # Each message is an alert of its own, which Azure never resolves.
    alert = {"alertId": f"/x/alerts/{stage.lower()}", "signalType": "Activity Log", "configurationItems": [GUID]}
    return common(context={"properties": about}, alertTargetIDs=["/subscriptions/s"], **alert)


def test_service_health_is_one_alert_from_its_messages(read) -> None:
    events = read([service_health("Active"), service_health("Resolved")]).events
    assert events["kind"].tolist() == ["fired", "resolved"]
    [alert] = fold_events(events).to_dict("records")
    assert (alert["starts_at"], alert["ends_at"]) == (
        pd.Timestamp("2024-05-14T13:00:00Z"),
        pd.Timestamp("2024-05-14T16:00:00Z"),
    )
    assert (alert["summary"], alert["resources"]) == ("SQL Database: connectivity", [])


def test_planned_maintenance_is_a_change(event) -> None:
    assert event(service_health("Planned", incidentType="Maintenance"))["kind"] == "changed"


def test_labels_of_a_prometheus_rule_are_stated(event) -> None:
    got = event(common(context={"labels": {"Environment": "Prod", "service": "checkout"}}))
    assert (got["environment"], got["service"]) == ("Prod", "checkout")


@pytest.mark.parametrize("wrap", [lambda told: told["data"], lambda told: {"body": json.dumps(told)}])
def test_wrappings_are_seen_through(event, wrap) -> None:
    assert event(wrap(common()))["event_id"] == f"{GUID}|fired"


def metric_alert(status):
    """Return a metric alert as it was sent before the common schema."""
    context = {
        "timestamp": "2021-11-15T09:35:12.9703687Z",
        "id": "/subscriptions/s/resourceGroups/rg/providers/microsoft.insights/metricAlerts/cpu-high",
        "name": "cpu-high",
        "description": "CPU of the shop",
        "severity": "3",
        "condition": {"allOf": [{"metricName": "Percentage CPU", "dimensions": []}]},
        "resourceName": "web-1",
        "resourceId": VM,
        "portalLink": "https://portal.azure.com/r",
    }
    properties = {"team": "web"}
    return {
        "schemaId": "AzureMonitorMetricAlert",
        "data": {"status": status, "context": context, "properties": properties},
    }


@pytest.mark.parametrize(("status", "kind"), [("Activated", "fired"), ("Deactivated", "resolved")])
def test_metric_alert_of_old(event, status, kind) -> None:
    got = event(metric_alert(status))
    assert (got["kind"], got["at"]) == (kind, pd.Timestamp("2021-11-15T09:35:12.970368Z"))
    assert (got["rule_key"], got["severity"], got["severity_raw"]) == (f"cpu-high|{VM}", "info", "3")
    assert (got["team"], got["url"], got["resources"]) == ("web", "https://portal.azure.com/r", [VM])


def test_rules_and_other_objects_are_counted(read) -> None:
    rule = {"id": "/x", "type": "Microsoft.Insights/metricAlerts", "name": "cpu-high", "properties": {"enabled": True}}
    group = {"id": "/x", "type": "Microsoft.AlertsManagement/smartGroups", "properties": {}}
    assert read({"value": [rule, group]}).ignored == {"azure alert rule": 1, "azure object that is no alert": 1}


@pytest.mark.parametrize(
    ("export", "reason"),
    [
        (common(firedDateTime=None), "no_time"),
        (common(firedDateTime="5/14/2024 2:02:11 PM"), "bad_time"),
        (common(alertId=None), "missing_field"),
        (common("Sleeping"), "bad_state"),
        ({"schemaId": "azureMonitorCommonAlertSchema"}, "missing_field"),
        (listed("Fired", startDateTime=None), "no_time"),
        (metric_alert("Unknown"), "bad_state"),
    ],
)
def test_alert_that_cannot_be_placed_is_rejected(read, export, reason) -> None:
    assert read(export).rejected["reason"].tolist() == [reason]
