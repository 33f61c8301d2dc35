"""Datadog records of API v1, EventBridge, and monitors and their groups, laid out as the events of API v2.

Nothing is decided here but which field is which.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stanza_lab.loaders._datadog_keys import flat
from stanza_lab.loaders._records import Record, listing, mapping, name, text

_BY = re.compile(r"\bby\s*\{([^}]*)\}")


def is_partner(record: Record) -> bool:
    """Return whether this is what Datadog puts on an EventBridge bus, or the detail of it."""
    source = record.get("source")
    if isinstance(source, str) and source.startswith("aws.partner/datadog.com"):
        return isinstance(record.get("detail"), dict)
    meta = mapping(record.get("meta"))
    return isinstance(meta.get("monitor"), dict) and isinstance(meta.get("transition"), dict)


def partner(record: Record) -> Record:
    """Lay out an EventBridge event, or its detail."""
    detail = mapping(record.get("detail")) or record
    meta = mapping(detail.get("meta"))
    monitor, result, states = (mapping(meta.get(key)) for key in ("monitor", "result", "states"))
    tags = [tag for tag in listing(detail.get("tags")) if isinstance(tag, str)]
    groups = listing(meta.get("groups")) or listing(monitor.get("groups"))
    if not groups:  # the detail does not state its group: it is the tags by which the query groups
        by = {key.strip().lower() for keys in _BY.findall(text(monitor.get("query")) or "") for key in keys.split(",")}
        groups = [tag for tag in dict.fromkeys(tags) if tag.partition(":")[0].lower() in by]
    at = result.get("result_ts") or detail.get("date_happened") or detail.get("date") or record.get("time")
    inner = {
        "title": detail.get("title") or detail.get("event_title"),
        "status": detail.get("alert_type"),
        "monitor_id": monitor.get("id"),
        "monitor_groups": groups,
        "hostname": detail.get("host") or detail.get("hostname"),
        "aggregation_key": detail.get("aggregation_key"),
        "monitor": {**monitor, "transition": mapping(meta.get("transition")), "result": result},
    }
    evt = mapping(detail.get("evt"))
    return {
        "id": name(detail.get("id")) or name(detail.get("event_id")) or name(evt.get("id")),
        "delivery_id": name(record.get("id")) if "detail" in record else None,
        "attributes": {
            "timestamp": at,
            "tags": tags,
            "message": detail.get("message") or monitor.get("message"),
            "attributes": inner,
        },
        "labels": {
            "account": name(record.get("account")),
            "event_type": name(detail.get("event_type")),
            "metric": name(mapping(result.get("metadata")).get("metric")),
            "new_state": name(states.get("dest_state")) or name(states.get("destination_state")),
            "old_state": name(states.get("source_state")),
            "region": name(record.get("region")),
        },
    }


def group(record: Record) -> Record:
    """Lay out the last trigger of a group, of ``/monitor/groups/search`` or of a monitor with ``group_states``."""
    monitor = mapping(record.get("monitor"))
    monitor_id = record.get("monitor_id") or monitor.get("id")
    tags = [tag for key in ("env_tags", "team_tags", "service_tags") for tag in listing(record.get(key))]
    resolved = record.get("last_resolved_ts") if "last_triggered_ts" not in record else None
    inner = {
        "monitor_id": monitor_id,
        "monitor_groups": listing(record.get("group_tags")) or record.get("group"),
        "monitor": {
            "id": monitor_id,
            "name": record.get("monitor_name") or monitor.get("name"),
            "type": monitor.get("type"),
            "query": monitor.get("query"),
            "message": monitor.get("message"),
            "tags": [*listing(record.get("all_tags")), *listing(monitor.get("tags"))],
            "priority": record.get("priority") or monitor.get("priority"),
            "transition": {"trans_name": "Recovered" if resolved else "Triggered"},
        },
    }
    return {
        "id": None,
        "attributes": {
            "timestamp": resolved or record.get("last_triggered_ts"),
            "tags": [*listing(record.get("group_tags")), *tags],
            "attributes": inner,
        },
        "labels": {"status": name(record.get("status"))},
    }


def monitor_parts(record: Record) -> Iterator[tuple[str, Record]]:
    """Yield a monitor's definition, then what it tells of its groups when exported with ``group_states``."""
    state = mapping(record.get("state"))
    monitor = {key: value for key, value in record.items() if key != "state"}
    yield "", monitor
    for key, value in mapping(state.get("groups")).items():
        told = mapping(value)
        for field in ("last_triggered_ts", "last_resolved_ts"):
            if told.get(field):
                part = {"monitor": monitor, "group": told.get("name") or key, "status": told.get("status")}
                yield f".state.groups[{key!r}].{field}", {**part, field: told[field]}


def event_parts(record: Record) -> Iterator[tuple[str, Record]]:
    """Yield an event of API v1, then those it stands for where the API had put several together."""
    yield "", {key: value for key, value in record.items() if key != "children"}
    for index, child in enumerate(listing(record.get("children"))):
        if name(mapping(child).get("id")) not in (None, name(record.get("id"))):
            yield f".children[{index}]", {**record, "children": [child]}


def event(record: Record) -> Record:
    """Lay out an event of API v1; the title of several put together is that of one of them, not of each."""
    if not listing(record.get("children")):
        return flat(record)
    child = mapping(record["children"][0])
    laid = flat({**record, **child})
    word = "Recovered" if name(child.get("alert_type")) == "success" else "Triggered"
    laid["attributes"]["attributes"]["monitor"]["transition"] = {"trans_name": word}
    return laid
