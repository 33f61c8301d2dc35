"""Datadog records whose keys their user chose (webhooks, CSV columns), laid out as the events of API v2.

Nothing is decided here but which field is which.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from stanza_lab.loaders._records import Record, embedded, listing, name, text

# Of the names users choose only letters and digits are compared.
_NAMES = {
    "id": ("id", "eventid", "evtid", "ddeventid", "datadogeventid"),
    "monitor_id": ("monitorid", "alertid", "attributesmonitorid", "ddmonitorid"),
    "monitor_name": ("monitorname", "alertname"),
    "title": ("title", "eventtitle", "alerttitle", "event", "subject", "name", "summary", "monitorname", "alertname"),
    "message": (
        *("body", "eventmsg", "eventmessage", "textonlymsg", "message", "text", "msg", "content", "description"),
        *("alertmessage", "alertstatus"),
    ),
    "transition": ("alerttransition", "transition", "transitionname", "monitortransition", "transname"),
    "state": ("alertstate", "alertstatus", "state", "status", "severity", "monitorstatus"),
    "status": ("alerttype", "status", "level", "severity", "type"),
    "priority": ("alertpriority", "monitorpriority", "priority", "severity"),
    "scope": ("alertscope", "scope", "monitorgroups", "monitorgroup", "groups", "group", "alertgroup"),
    "tags": ("tags", "eventtags", "alerttags", "tag", "tagslist", "ddtags"),
    "hostname": ("hostname", "host"),
    "service": ("service", "servicename"),
    "url": ("link", "url", "eventlink", "eventurl", "alerturl", "monitorurl", "alertlink", "href"),
    # When the event happened; when it was last updated is that too, for an event is written once.
    "at": (
        *("date", "dateposix", "eventdate", "datehappened", "timestamp", "eventtimestamp", "time", "datetime"),
        *("lastupdated", "lastupdatedposix"),
    ),
    "event_type": ("eventtype", "alerteventtype", "monitortype"),
    "query": ("alertquery", "query", "monitorquery"),
    "metric": ("alertmetric", "metric"),
    "cycle_key": ("alertcyclekey", "cyclekey", "cycleid", "alertcycleid"),
    "aggregation_key": ("aggregkey", "aggregationkey"),
    "source": ("source", "sourcetypename", "sourcename"),
    "org": ("orgid", "orgname", "organizationid", "organizationname"),
}
_TAGS = ("env", "environment", "team", "owner", "squad")  # columns and keys that say what a tag says
_PARENTS = ("alert", "monitor", "org", "organization")
_SITE = re.compile(r"https?://[\w.-]*(?:datadoghq\.(?:com|eu)|ddog-gov\.com)/")
_MONITOR = re.compile(r"(?:datadoghq\.(?:com|eu)|ddog-gov\.com)/monitors[#/](\d+)")
_JUMP = re.compile(r"[?&](?:event_id|id)=(\d{5,})")
_EVENT_TYPE = re.compile(r"[a-z0-9_]+_(?:monitor|alert)|service_check|event_alert|monitor_alert")
_UNFILLED = re.compile(r"\$[A-Z_]+(?:\[.*\])?")  # a variable of the webhook's template that nobody replaced
_PRIORITY = re.compile(r"[Pp]?[1-5]")
_MONITOR_ID_DIGITS = 12  # ids of events have 19


class Said:
    """What a record of free keys says, by our names for its fields."""

    def __init__(self, record: Record) -> None:
        self._values = _folded(record)

    def __contains__(self, field: str) -> bool:
        return any(key in self._values for key in _NAMES[field])

    def values(self, field: str) -> list[Any]:
        """Return what stands under the keys that may mean `field`, the likeliest first."""
        return [self._values[key] for key in _NAMES[field] if key in self._values]

    def name(self, field: str) -> str | None:
        """Return the first identifier among them."""
        return next((found for value in self.values(field) if (found := name(value))), None)

    def text(self, field: str) -> str | None:
        """Return the first prose among them."""
        return next((found for value in self.values(field) if (found := text(value))), None)

    def key(self, key: str) -> str | None:
        """Return the identifier under one key."""
        return name(self._values.get(key))


def _folded(record: Record) -> Record:
    """Return the values by key, letters and digits alone; of the objects users group them in also the inner ones."""
    folded: Record = {}
    for key, value in record.items():
        parent = _letters(key)
        if isinstance(value, dict) and parent in _PARENTS:
            for inner, held in value.items():
                child = _letters(inner)
                whole = child if child.startswith(parent) else parent + child
                folded.setdefault(whole, held)
                if parent == "alert" and child not in ("id", "name", "type", "url"):
                    folded.setdefault(child, held)
        elif not isinstance(value, dict) and not (isinstance(value, str) and _UNFILLED.fullmatch(value.strip())):
            folded[parent] = value
    return folded


@lru_cache(4096)
def _letters(key: str) -> str:
    return "".join(filter(str.isalnum, key.lower()))


def flat(record: Record, *, row: bool = False) -> Record:
    """Lay out a webhook, an event of API v1, or a CSV row, which may show title and message in one column."""
    said = Said(record)
    title, message = _title(said), said.text("message")
    if row and title is None and message is not None:
        title, _, message = message.partition("\n")
    event_id, monitor_id = _ids(said)
    monitor_name = said.text("monitor_name")
    tags = [tag for value in said.values("tags") for tag in _split(value)]
    tags += [f"{key}:{value}" for key in _TAGS if (value := said.key(key)) and f"{key}:{value}" not in tags]
    inner = {
        "title": title,
        "status": next((word for v in said.values("status") if (word := name(v)) and word.lower() in _STATUSES), None),
        "monitor_id": monitor_id,
        "monitor_groups": next((found for value in said.values("scope") if (found := _split(value))), []),
        "hostname": said.name("hostname"),
        "service": said.name("service"),
        "url": said.text("url"),
        "aggregation_key": said.name("aggregation_key"),
        "monitor": {
            "id": monitor_id,
            # Some put the title there: it names the state too.
            "name": monitor_name if monitor_name and not monitor_name.startswith("[") else None,
            "query": said.text("query"),
            "priority": next((p for v in said.values("priority") if (p := name(v)) and _PRIORITY.fullmatch(p)), None),
            "transition": {"trans_name": said.name("transition")},
        },
    }
    at = next((value for value in said.values("at") if value not in (None, "", "null", "None")), None)
    return {
        "id": event_id,
        "attributes": {"timestamp": at, "tags": tags, "message": message, "attributes": inner},
        "source": said.name("source"),
        "states": [word for value in said.values("state") if (word := name(value))],
        "labels": {
            "cycle_key": said.name("cycle_key"),
            "event_type": said.name("event_type"),
            "metric": said.name("metric"),
        },
    }


_STATUSES = ("error", "failure", "warning", "warn", "success", "ok", "info", "critical", "fatal")


def _title(said: Said) -> str | None:
    titles = [found for value in said.values("title") if (found := text(value))]
    return next((found for found in titles if found.startswith("[")), titles[0] if titles else None)


def _ids(said: Said) -> tuple[str | None, str | None]:
    """Return the ids of event and monitor; links have them where the record has not."""
    event_id, monitor_id = said.name("id"), said.name("monitor_id")
    links = [link for value in (*said.values("url"), *said.values("message")) if (link := text(value))]
    if monitor_id is None:
        linked = {found for link in links for found in _MONITOR.findall(link)}
        monitor_id = linked.pop() if len(linked) == 1 else None
    if event_id and event_id.isdecimal() and len(event_id) <= _MONITOR_ID_DIGITS and "transition" in said:
        # Templates exist that send the monitor's id as "id", and nothing that would tell one event from another.
        bare = not any(field in said for field in ("at", "event_type", "monitor_id"))
        event_id, monitor_id = (None, event_id) if bare else (event_id, monitor_id)
    if event_id is None:
        jumps = [jump[1] for link in said.values("url") if isinstance(link, str) and (jump := _JUMP.search(link))]
        event_id = jumps[0] if jumps and "/event" in str(said.text("url")) else None
    return event_id, monitor_id


def _split(value: Any) -> list[str]:
    """Return tags, or groups, given as a list, as its JSON, or as one text with commas."""
    value = embedded(value)
    if isinstance(value, str):
        value = value.strip("{}[] ").split(",")
    return [found for tag in listing(value) if (found := name(tag))]


def is_webhook(record: Record) -> tuple[bool, bool, bool]:
    """Return whether Datadog wrote this surely; if a state has a key of any name; if title or transition name one."""
    if not any(_tells(_letters(key), value) for key, value in record.items()):
        return False, False, False
    said = Said(record)
    kind = bool(_EVENT_TYPE.fullmatch(said.name("event_type") or ""))
    tools = [(said.key(key) or "").lower() for key in ("source", "provider", "origin", "tool", "vendor", "system")]
    strong = (
        kind,
        any(_SITE.match(link) for value in said.values("url") if (link := text(value))),
        any("datadog" in tool for tool in tools),
        any(field in said for field in ("cycle_key", "aggregation_key")),
        any(said.key(key) for key in _OWN),
    )
    weak = "monitor_id" in said or (said.text("message") or "").startswith("%%%")
    return kind and ("org" in said or said.key("lastupdated") is not None), any(strong), any(strong) or weak


def _tells(key: str, value: Any) -> bool:
    """Return whether a field may name a state, at little cost: this is asked of every record of every system."""
    if key in _TITLES:
        return isinstance(value, str) and "[" in value[:8]
    return key in _STATING or (key in _STATES and isinstance(value, str) and value[:3].lower() in _BEGINNINGS)


def is_row(record: Record) -> tuple[bool, bool]:
    """Return whether these are columns of the Events Explorer surely, and whether they are if a title names a state."""
    keys = set(map(_letters, record))
    if _TIMES.isdisjoint(keys) or _TOLD.isdisjoint(keys) or any(isinstance(value, dict) for value in record.values()):
        return False, False
    facets = {_letters(key) for key in record if key.startswith("@")}
    # Tables of others have some of these columns too, but not these and none of their own.
    surely = {"date", "status", "source", "title"} <= keys and keys - facets <= _COLUMNS | _BESIDE
    return surely and len(keys & _COLUMNS) >= 3, len(keys & _COLUMNS) >= 2


_TITLES = frozenset(_NAMES["title"])
_STATES = frozenset(_NAMES["state"])
_BEGINNINGS = frozenset(("tri", "re-", "rec", "war", "no ", "ren"))  # of states as Datadog alone writes them
_STATING = frozenset((*_NAMES["transition"], *_NAMES["event_type"], "alert"))
_TOLD = frozenset((*_NAMES["title"], *_NAMES["message"]))
_TIMES = frozenset(("date", "timestamp", "time", "datetime"))
_COLUMNS = frozenset(
    ("status", "source", "service", "host", "hostname", "tags", "monitorid", "monitorname", "priority")
)
_BESIDE = frozenset(("date", "title", "message", "content", "version", "id", "eventid", *_TAGS))
_OWN = ("alertscope", "alertquery", "alertmetric", "alerttransition", "textonlymsg", "eventmsg", "monitorid")
