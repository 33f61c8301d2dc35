"""The same change in the words of each tool: which field of which object to edit, and what a person must look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_THRESHOLD = "Or raise the threshold so that such short peaks stay below it; values are not in the history."
_EVERY = {
    "delete": "Read why it was made before it goes; switch it off for a while first.",
    "notify": "See that somebody reads what it notifies.",
    "hold": f"The time it waits already counts on top. {_THRESHOLD}",
    "debounce": "See that it still says when the trouble is over.",
    "group": "See that whoever is paged first sees what joined later.",
    "route": "Ask both teams first.",
}
_GENERAL = {
    "delete": "Delete the rule, or switch it off.",
    "notify": "Lower its severity, or send it to a channel instead of the pager.",
    "hold": "Let the condition hold for {minutes} min longer before it fires.",
    "debounce": "Keep the alert open until the condition has been clear for {minutes} min.",
    "group": "Group notifications by {by} for {minutes} min.",
    "route": "Send its pages to {to}.",
}
# {minutes}, {seconds}, {by}, {to}, {leaders}: of the change; anything else comes from the alert's own labels.
_TERMS: dict[str, dict[str, str]] = {
    "datadog": {
        "delete": "Mute the monitor, later delete it.",
        "notify": "Take the pager's @-handle out of `message` and set `priority` to 4 or 5.",
        "hold": "Let its query look back {minutes} min further (`last_...` in `query`), or raise "
        "`options.thresholds.critical`.",
        "debounce": "Datadog has no hold of {minutes} min before a monitor recovers. Set "
        "`options.thresholds.critical_recovery` on the safe side of the threshold, at a value taken from the metric "
        "(look it up); or let a query that takes `max` (for low values `min`) look back {minutes} min further "
        "(`last_...` in `query`): then one peak keeps it in alert so much longer.",
        "group": "Group by {by}: leave that tag alone in `options.notify_by`; across monitors make it one composite "
        "monitor with: {leaders}.",
        "route": "Replace the @-handle in `message` by that of {to}.",
    },
    "cloudwatch": {
        "delete": "Switch its actions off (`ActionsEnabled: false`), later delete the alarm.",
        "notify": "Take the pager's SNS topic out of `AlarmActions`.",
        "hold": "Raise `EvaluationPeriods` and `DatapointsToAlarm` each by {seconds} s / `Period`.",
        "debounce": "Raise `EvaluationPeriods` and leave `DatapointsToAlarm` as it is (M out of N), so that it stays "
        "in ALARM for {minutes} min.",
        "group": "Move its actions to a composite alarm with `ActionsSuppressor` on the alarms it joins ({leaders}) "
        "and `ActionsSuppressorExtensionPeriod: {seconds}`.",
        "route": "Replace the SNS topic in `AlarmActions` by that of {to}.",
    },
    "alertmanager": {
        "delete": "Delete the alerting rule from its rule file.",
        "notify": "Set `labels: severity:` to one whose route has no pager.",
        "hold": "Make `for:` of the alerting rule {minutes}m longer.",
        "debounce": "Add `keep_firing_for: {minutes}m` to the alerting rule.",
        "group": "Route: `group_by: [{by}]`, `group_interval: {minutes}m`; or an `inhibit_rules` entry whose source "
        "are: {leaders}.",
        "route": "Add a route with a matcher on this alert and the receiver of {to}.",
    },
    "sentry": {
        "delete": "Archive the issue, or take it out of the alert rule by a filter.",
        "notify": "Take the pager out of the `actions` of the alert rule.",
        "hold": "Add a condition of `EventFrequencyCondition` over {minutes} min to the alert rule.",
        "debounce": "Raise `frequency` of the alert rule to {minutes} (minutes between two actions for one issue).",
        "group": "Sentry groups within an issue only: group by {by} in the pager, for {seconds} s.",
        "route": "Set `owner` of the alert rule, or its action, to {to}.",
    },
    "pagerduty": {
        "delete": "Suppress it by an event rule of the service; delete it where it is made.",
        "notify": "Event rule: urgency `low`.",
        "hold": "`auto_pause_notifications_parameters`: enabled, `timeout` the next of 120, 180, 300, 600, 900 to "
        "{seconds}.",
        "debounce": "Alert grouping `content_based` on its key, `time_window: {seconds}`.",
        "group": "Alert grouping `content_based` by {by}, `time_window: {seconds}` (300 to 3600).",
        "route": "Move the integration, or an event rule, to the service of {to}.",
    },
}
_TERMS["prometheus"] = _TERMS["alertmanager"]
_TERMS["grafana"] = _TERMS["alertmanager"] | {
    "delete": "Pause the alert rule, later delete it.",
    "hold": "Make the pending period (`for`) {minutes}m longer.",
    "debounce": "Set `keep_firing_for` to {minutes}m.",
    "group": "Notification policy: `group_by: [{by}]`, `group_interval: {minutes}m`.",
}
_BY = {"alertmanager": {"service": "service", "alertname": "alertname", "team": "team"}}


class Edit(NamedTuple):
    """One line of a list of edits; all of it text for people, nothing is applied."""

    where: str
    edit: str
    look: str


def edit(row: Mapping[Any, Any], labels: Mapping[str, Any], leaders: str) -> Edit:
    """Return what to edit for one change, in the terms of the tool that raises the alert."""
    source = row["source"] if isinstance(row["source"], str) else ""
    kind = str(row["change"])
    seconds = int(row["seconds"])
    words = {
        "seconds": f"{seconds}",
        "minutes": f"{seconds // 60}",
        "by": str(row["by"]),
        "to": str(row["value"]),
        "leaders": leaders or "those of the same value",
    }
    known = _TERMS.get(source, _GENERAL)
    said = known[kind].format_map(words)
    look = _EVERY[kind]
    if source not in _TERMS:
        look += f" How this is written in {source or 'its tool'} is not known here."
    return Edit(_where(source, str(row["rule_key"]), labels), said, look + _caution(source, kind, row, labels))


def _where(source: str, key: str, labels: Mapping[str, Any]) -> str:
    """Return the object to edit, by the id that the tool itself gave it."""
    if source == "datadog":
        monitor, _, group = key.partition("|")
        monitor = str(labels.get("monitor_id") or monitor)
        return f"monitor {monitor}" + (f", group {group}" if group else "")
    if source == "cloudwatch":
        arn = str(labels.get("alarm_arn") or key)
        name = arn.partition(":alarm:")[2] or arn
        region = labels.get("region")
        return f"alarm {name}" + (f" in {region}" if isinstance(region, str) else "")
    if source == "sentry":
        rule, project = labels.get("rule"), labels.get("project")
        said = [f"issue {labels.get('issue') or key}"]
        said += [f"alert rule {rule!r}"] if isinstance(rule, str) else []
        said += [f"project {project}"] if isinstance(project, str) else []
        return ", ".join(said)
    if source == "pagerduty":
        service, _, rest = key.partition("|")
        return f"service {service}" + (f", key {rest}" if rest else "")
    return f"rule {key}"


def _caution(source: str, kind: str, row: Mapping[Any, Any], labels: Mapping[str, Any]) -> str:
    said = ""
    if source == "datadog" and "|" in str(row["rule_key"]) and kind != "group":
        said += " The monitor watches several groups: this was tried for the one named only."
    query = labels.get("query")
    if kind == "hold" and isinstance(query, str):
        said += f" Its query is: {query}"
    if kind == "hold" and source == "cloudwatch":
        said += " `Period` is not in the history: look it up."
    if row["only_rule"]:
        said += " It is the only rule of its service that pages."
    return said
