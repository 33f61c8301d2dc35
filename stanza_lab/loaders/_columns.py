"""What the columns of a table of unknown origin mean, guessed from their headers alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

# Our columns, in the order in which they choose, each with the headers it takes, best first. A column of the table is
# taken once. "resources" takes all that it knows. "rule_id" is a rule without the group it fired for.
_NAMES: dict[str, str] = {
    "starts_at": """starts_at start_at start start_time start_date started_at started start_timestamp fired_at fired
        fired_time firing_at firing_since triggered_at triggered trigger_time triggered_time opened_at opened opened_on
        open_time opened_time raised_at raised raised_time raise_time begin begins_at begin_time began_at active_at
        problem_start first_seen first_seen_at first_occurrence detected_at onset alarm_raised_time""",
    "ends_at": """ends_at end_at end end_time end_date ended_at ended end_timestamp resolved_at resolved resolved_on
        resolved_time resolve_time resolution_time resolved_date closed_at closed closed_on close_time closed_time
        closed_date cleared_at cleared clear_time cleared_time recovered_at recovered recovery_time recovered_time
        restored_at finished_at finished problem_end alarm_cleared_time""",
    "acked_at": """acked_at acknowledged_at acknowledged_on ack_time acknowledge_time acknowledged_time ack_at acked
        acknowledged taken_at""",
    "at": """timestamp time at datetime date_time event_time event_timestamp event_at ts occurred_at occurred
        alert_time alert_timestamp alarm_time when date notified_at sent_at received_at logged_at time_utc
        timestamp_utc created_at created created_on created_time create_time created_date creation_time creation_date
        date_created updated_at updated last_updated""",
    "state": """state status alert_state alert_status alarm_state alarm_status current_state current_status
        incident_state incident_status event_state event_status new_state transition condition event_type event kind
        action""",
    "severity": """severity sev alert_severity alarm_severity severity_level event_severity incident_severity priority
        alert_priority incident_priority perceived_severity criticality alert_level level urgency""",
    "alertname": """alertname alert_name alert alarm_name alarm alarmname rule_name rulename rule monitor_name monitor
        check_name check trigger_name event_name incident_title alert_title title problem_name problem name subject
        headline policy_name condition_name alarm_type alert_type issue""",
    "summary": "summary short_description message msg alert_message text event_message",
    "description": """description details detail alert_description long_description body reason output plugin_output
        note notes comment comments info annotation""",
    "service": """service service_name servicename app application app_name application_name business_service
        affected_service impacted_service component component_name project project_name microservice job workload
        deployment""",
    "environment": "environment env environment_name env_name deployment_environment stage",
    "resources": """arn resource_arn resource resources resource_name resource_id affected_resource
        affected_resources host hostname host_name hosts instance instance_id instance_name node node_name
        network_element server server_name device device_name machine vm pod pod_name container container_name ci
        cmdb_ci configuration_item target target_name entity entity_name""",
    "team": """team team_name teams owning_team owner_team responsible_team assigned_team support_team squad
        assignment_group support_group owner group""",
    "rule_key": """rule_key fingerprint dedup_key dedupkey deduplication_key dedupe_key dedup_id dedup alias alert_key
        alarm_key message_key key""",
    "rule_id": "rule_id rule_uuid monitor_id check_id trigger_id alarm_definition_id alert_rule_id condition_id",
    "event_id": """event_id alert_id alarm_id id uuid guid alert_uuid event_uuid record_id number incident_number
        tiny_id sys_id uid""",
    "occurrence_key": "occurrence_key occurrence_id incident_id incident problem_id episode_id incident_key",
    "url": "url link html_url permalink web_url alert_url incident_url event_url href generator_url",
    "trace_ids": "trace_id trace_ids traceid",
}
_CANDIDATES = {ours: tuple(names.split()) for ours, names in _NAMES.items()}
TARGETS = (*_CANDIDATES, "origin", "labels")  # the last: kept, but means none of the others
TIMES = ("starts_at", "ends_at", "acked_at", "at")
_UPDATED = ("updated_at", "updated", "last_updated")  # never the start of a record that has an end as well
_LOOSE_TIME = re.compile(r"(?:^|_)(?:time|timestamp|datetime|date|at)$")
_LOOSE_NAMES = (
    ("alertname", re.compile(r"^(?:alert|alarm|monitor|check|rule)_|_title$")),
    ("rule_key", re.compile(r"^dedup|fingerprint$")),
)
_PREFIX = re.compile(r"^(?:labels?|tags?|fields?|attributes?|annotations?|payload)_")
_EDGES = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@lru_cache(2**14)
def plain(header: str) -> str:
    """Return a header in lower case with one underscore between words: "startsAt" and "Starts At" are starts_at."""
    return re.sub(r"\W+|_+", "_", _EDGES.sub("_", header)).strip("_").lower()


def guess_columns(headers: Iterable[str]) -> dict[str, str]:
    """Guess what the columns of a table mean.

    Parameters
    ----------
    headers : iterable of str
        The headers as the table writes them.

    Returns
    -------
    dict
        Their column -> ours, for those that are understood, in the order of the table. Ours are the columns of
        `schema.EVENTS`, "state" (open, closed ...) and "rule_id" (a rule without its group).

    Examples
    --------
    >>> from stanza_lab.loaders.tabular import guess_columns
    >>> guess_columns(["Fired At", "alert", "sev", "hostname", "x"])
    {'Fired At': 'at', 'alert': 'alertname', 'sev': 'severity', 'hostname': 'resources'}
    """
    return dict(_guess(tuple(headers)))


def columns_of(headers: tuple[str, ...], given: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Return the `given` columns, and beside them the guess for the headers and meanings that are left."""
    return _guess(headers, given) if given else _guess(headers)


@lru_cache(4096)
def _guess(headers: tuple[str, ...], given: tuple[tuple[str, str], ...] = ()) -> dict[str, str]:
    told = dict(given)
    free: dict[str, str] = {}  # plain name -> header; of two that are alike the first counts
    for header in headers:
        if header not in told:
            free.setdefault(plain(header), header)
    for name, header in list(free.items()):  # labels.severity is a severity if there is no other
        free.setdefault(_PREFIX.sub("", name), header)
    found: dict[str, str] = {}
    for ours, names in _CANDIDATES.items():
        if ours in told.values():
            continue
        for name in names:
            taken = free.get(name)
            if taken is None or taken in found:
                continue
            found[taken] = ours
            if ours != "resources":
                break
    _settle(free, found, set(told.values()))
    found |= told
    return {header: found[header] for header in (*headers, *told) if header in found}


def _settle(free: dict[str, str], found: dict[str, str], told: set[str]) -> None:
    """Fill what is missing by what headers begin or end with; a time is a start only where there is an end."""
    ours = {column: header for header, column in found.items()}
    if not (ours.keys() | told) & {"at", "starts_at"}:
        loose = next((h for name, h in free.items() if h not in found and _LOOSE_TIME.search(name)), None)
        if loose is not None:
            found[loose] = "at"
    for column, pattern in _LOOSE_NAMES:
        if column not in ours.keys() | told and not (column == "alertname" and "summary" in ours):
            loose = next((h for name, h in free.items() if h not in found and pattern.search(name)), None)
            if loose is not None:
                found[loose] = column
    if "ends_at" in ours.keys() | told:
        if not (ours.keys() | told) & {"starts_at"} and "at" in ours and plain(ours["at"]) not in _UPDATED:
            found[ours["at"]] = "starts_at"
    elif "starts_at" in ours and "at" not in ours.keys() | told:
        found[ours["starts_at"]] = "at"


def describe(columns: Mapping[str, str], headers: tuple[str, ...] = ()) -> str:
    """Say in one line how a table is read: what each of our columns is taken from, and which of `headers` are not used.

    Examples
    --------
    >>> from stanza_lab.loaders.tabular import describe
    >>> describe({"fired_at": "at", "summary": "summary"}, ("fired_at", "summary", "x"))
    "read as a table: time from 'fired_at', summary from 'summary', not used: 'x'"
    """
    sources: dict[str, list[str]] = {}
    for theirs, ours in columns.items():
        sources.setdefault(ours, []).append(repr(theirs))
    order = [ours for ours in TARGETS if ours in sources and ours != "labels"]
    said = [f"{_WORDS.get(ours, ours)} from {' and '.join(sources[ours])}" for ours in order]
    unused = [repr(h) for h in headers if columns.get(h, "labels") == "labels"] or sources.get("labels", [])
    if unused:
        said.append(f"not used: {', '.join(unused)}")
    return f"read as a table: {', '.join(said)}"


_WORDS = {
    "starts_at": "start",
    "ends_at": "end",
    "acked_at": "acknowledgement",
    "at": "time",
    "alertname": "title",
    "rule_key": "key",
    "rule_id": "rule",
    "event_id": "id",
    "occurrence_key": "occurrence",
    "trace_ids": "trace",
}
