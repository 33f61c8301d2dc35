"""Elastic: alerts of Kibana (see `_elastic_kibana`), watches, and alerts that other systems store in Elasticsearch.

A shape looks at the hit, not at the ``_source`` inside, for `_index` and `_id` stand only there. The document alone
(NDJSON of ``_source``, a row of Discover's CSV) is read as well. Times in a CSV are the browser's: they need ``tz=``.

https://www.elastic.co/docs/explore-analyze/alerting/watcher/watch-history-data
"""

from __future__ import annotations

import hashlib

import orjson

from stanza_lab.loaders import _elastic_document as doc
from stanza_lab.loaders import _elastic_kibana as kibana
from stanza_lab.loaders import _times
from stanza_lab.loaders._elastic_document import lookup, opened
from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Ignored,
    Record,
    Shape,
    canonical,
    ignore,
    listing,
    mapping,
    need,
    severity,
    text,
)

# Executions whose condition was met though no action may have run.
_MET = ("executed", "throttled", "acknowledged", "partially_throttled")


def _watch(record: Record) -> Record:
    """Return the execution of a watch in a document; old exports wrap it once more."""
    document = opened(record)
    return mapping(document.get("watch_record")) or document


def _is_watch(record: Record) -> bool:
    watch = _watch(record)
    return "watch_id" in watch and ("trigger_event" in watch or "result" in watch or "state" in watch)


def _read_watch(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read one execution of a watch: while its condition is met, it fires; that it ends is never told."""
    watch = _watch(record)
    state = doc.name(watch, "state")
    met = lookup(watch, "result.condition.met")
    met = met[0] if isinstance(met, list) and met else met
    if met in (False, "false"):
        return Ignored("elastic watch execution, condition not met")
    if met not in (True, "true") and state not in _MET[1:]:
        return Ignored("elastic watch execution that failed or was skipped")
    watch_id = need(doc.name(watch, "watch_id"), "watch_id")
    at = doc.moment(
        watch,
        envelope,
        "result.execution_time",
        "trigger_event.triggered_time",
        "@timestamp",
        "trigger_event.schedule.scheduled_time",
    )
    word = doc.name(watch, "metadata.severity", "metadata.priority")
    alertname = doc.name(watch, "metadata.name") or watch_id
    event_id = f"{watch_id}|{_times.iso_ms(at)}"
    acknowledged = _acknowledged(watch, envelope)
    return {
        "event_id": event_id,
        "native_ids": [doc.name(record, "_id") or envelope.delivery_id or event_id],
        "rule_key": watch_id,
        "at": at,
        "kind": "renotified" if state in _MET[1:] else "fired",
        "has_recovery": False,
        "alertname": alertname,
        "acked_at": acknowledged if acknowledged is not None and acknowledged <= at else None,
        "severity": severity(word),
        "severity_raw": word,
        "summary": doc.text(watch, "metadata.summary", "metadata.title") or alertname,
        "description": doc.text(watch, "metadata.description", "messages"),
        "service": doc.name(watch, "metadata.service", "metadata.service.name"),
        "environment": doc.name(watch, "metadata.environment", "metadata.env"),
        "team": doc.name(watch, "metadata.team", "metadata.owner"),
        "resources": list(doc.names(watch, "metadata.host")),
        "labels": canonical(
            {
                "actions": sorted(
                    f"{action}:{doc.name(run, 'status') or 'unknown'}"
                    for run in map(mapping, listing(lookup(watch, "result.actions")))
                    if (action := doc.name(run, "id"))
                ),
                "metadata": mapping(watch.get("metadata")),
                "state": state,
            }
        ),
    }


def _acknowledged(watch: Record, envelope: Envelope) -> int | None:
    """Return when a person acknowledged the watch, if every action that says so is still acknowledged."""
    acks = [mapping(mapping(action).get("ack")) for action in mapping(lookup(watch, "status.actions")).values()]
    if not acks or any(ack.get("state") != "acked" for ack in acks):
        return None
    times = [doc.instant(ack, envelope, "timestamp") for ack in acks]
    return min((at for at in times if at is not None), default=None)


def _is_document(record: Record) -> bool:
    """Return whether a record is an alert of another system: ECS, or as Wazuh, Suricata and AMiner write them."""
    document = opened(record)
    if not any(lookup(document, path) is not None for path in _TIMES):
        return False
    rule = mapping(document.get("rule"))
    ecs = doc.name(document, "event.kind") in ("alert", "signal") and doc.name(document, *_NAMES) is not None
    wazuh = "level" in rule and "description" in rule and ("agent" in document or "manager" in document)
    suricata = document.get("event_type") == "alert" and lookup(document, "alert.signature") is not None
    return ecs or wazuh or suricata or lookup(document, "AnalysisComponent.AnalysisComponentName") is not None


_TIMES = ("@timestamp", "timestamp", "LogData.Timestamps")
_NAMES = (
    *("rule.name", "rule.description", "alert.signature", "suricata.eve.alert.signature"),
    *("AnalysisComponent.AnalysisComponentName", "rule.id", "event.action", "message"),
)
_RULES = ("rule.uuid", "rule.id", "alert.signature_id", "suricata.eve.alert.signature_id")
_HOSTS = ("host.name", "host.hostname", "agent.name", "agent.hostname", "host")
# Ids an alert brings along; `id` is Wazuh's.
_IDS = ("event.id", "id", "kibana.alert.uuid")


def _read_document(record: Record, envelope: Envelope) -> Event:
    """Read an alert that another system stored: nobody says when it ends."""
    document = doc.flat(record)
    alertname = need(doc.name(document, *_NAMES), "rule.name")
    rule = doc.name(document, *_RULES) or alertname
    host = doc.name(document, *_HOSTS)
    said = doc.tags(document, "tags")
    about = doc.about(document, said)
    worst, word = _severity(document, said.get("severity"))
    own = doc.name(record, "_id") or doc.name(document, *_IDS)
    event_id = own or envelope.delivery_id or _digest(document)
    product = doc.name(document, "observer.product", "event.module", "observer.vendor") or _product(document)
    return {
        "event_id": event_id,
        "native_ids": [event_id],
        "origin": product.lower() if product else None,
        "rule_key": "|".join(filter(None, (rule, host))),
        "at": doc.moment(document, envelope, *_TIMES),
        "kind": "fired",
        "has_recovery": False,
        "alertname": alertname,
        "severity": worst,
        "severity_raw": word,
        "summary": doc.text(document, "rule.description", "message") or alertname,
        "description": doc.text(document, "full_log", "event.reason", "AnalysisComponent.Message"),
        "url": doc.text(document, "event.url", "rule.reference"),
        **about,
        "resources": about["resources"] or ([host] if host else []),
        "labels": canonical(
            {
                "agent_ip": doc.name(document, "agent.ip", "host.ip"),
                "category": doc.name(document, "rule.category", "alert.category", "event.category"),
                "dataset": doc.name(document, "event.dataset"),
                "groups": sorted(doc.names(document, "rule.groups")),
                "index": text(record.get("_index")),
                "level": doc.number(document, "rule.level", "alert.severity", "event.severity"),
                "rule": doc.name(document, *_RULES),
                "tags": sorted(doc.all_tags(document, "tags")),
            }
        ),
    }


def _severity(document: Record, tagged: str | None) -> tuple[str | None, str | None]:
    """Return severity and the word for it: a word as such, a number only where its vendor says what it means."""
    word = doc.name(document, "log.level", "level", "event.severity_label", "rule.severity") or tagged
    if word:
        return severity(word), word
    for path, classes in _CLASSES.items():
        if level := doc.name(document, path):
            return classes.get(level), level
    return None, doc.name(document, "event.severity")


# The classes of the vendors: those of Wazuh's dashboard (0 to 16), those of Suricata's classification.config.
_SURICATA = {"1": "error", "2": "warning", "3": "info", "4": "info"}
_CLASSES = {
    "rule.level": {
        str(n): "info" if n < 7 else "warning" if n < 12 else "error" if n < 15 else "critical" for n in range(17)
    },
    "alert.severity": _SURICATA,
    "suricata.eve.alert.severity": _SURICATA,
}


def _product(document: Record) -> str | None:
    """Return who raised an alert that does not say so, by the way it is written."""
    if "AnalysisComponent.AnalysisComponentName" in document:
        return "aminer"
    if document.get("event_type") == "alert":
        return "suricata"
    return "wazuh" if "rule.level" in document else None


def _digest(document: Record) -> str:
    """Return an id for a document exported without its own: equal documents are one fact."""
    return hashlib.blake2b(orjson.dumps(document, option=orjson.OPT_SORT_KEYS), digest_size=10).hexdigest()


SHAPES = (
    Shape("elastic", "watch execution", _is_watch, _read_watch),
    Shape("elastic", "event log entry", kibana.is_logged, kibana.read_logged),
    Shape("elastic", "alert history", kibana.is_history, kibana.read_history),
    Shape("elastic", "alert", kibana.is_alert, kibana.read_alert),
    Shape("elastic", "document of another system's alert", _is_document, _read_document),
    ignore("elastic", "rule definition", lambda r: "rule_type_id" in r and isinstance(r.get("schedule"), dict)),
    ignore("elastic", "watch definition", lambda r: isinstance(mapping(r.get("watch")).get("trigger"), dict)),
)
PAGES = ("hits", "responses")
