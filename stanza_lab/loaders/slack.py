"""Slack: messages of bots read back into the alerts they carry; people's messages and notices are counted.

A message is known by its `ts`, within its channel. An export names the channel by the folder of the file, a dump by a
field, a page of the API not at all: the event's id does without it, the rule has it in front where it is known (one
alert posted into the channels of two environments is two).

https://slack.com/help/articles/220556107 and https://docs.slack.dev/reference/methods/conversations.history
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

import orjson

from stanza_lab.loaders import _slack_shapes as shapes
from stanza_lab.loaders import _times
from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Ignored,
    Record,
    Shape,
    canonical,
    dated,
    ignore,
    mapping,
    moment,
    name,
    need,
    severity,
)
from stanza_lab.loaders._slack_alert import Alert, Bot, origin_of, update_of
from stanza_lab.loaders._slack_bots import alert_of
from stanza_lab.loaders._slack_text import Content, content

_IN_EXPORT = re.compile(r"(?:^|[/!\\])(?P<channel>[^/!\\]+)[/\\]\d{4}-\d\d-\d\d\.json(?:\.gz)?$")
_JOINS = ("channel_join", "channel_leave", "group_join", "group_leave", "bot_add", "bot_remove")
_OF_PEOPLE = ("me_message", "file_share", "file_comment", "file_mention", "reply_broadcast", "thread_broadcast")
_OF_BOTS = ("bot_message", "message_changed", "message_replied")
_ON_CALL = re.compile(r"on[ -]?call", re.IGNORECASE)

_SERVICE = ("service", "service_name", "service.name", "app", "application")
_ENVIRONMENT = ("environment", "env", "deployment.environment", "stage")
_TEAM = ("team", "squad")
_SEVERITY = ("severity", "priority", "level")
_RESOURCES = frozenset(
    [
        *("pod", "pod_name", "node", "host", "hostname", "instance", "instance_id", "container", "resource arn", "arn"),
        *("affected resources", "s3 bucket", "instanceid", "volumeid", "loadbalancer", "loadbalancername"),
        *("targetgroup", "dbinstanceidentifier", "dbclusteridentifier", "cacheclusterid", "functionname", "queuename"),
        *("topicname", "tablename", "streamname", "autoscalinggroupname", "replicationgroupid", "podname", "nodename"),
    ]
)


def _read(record: Record, envelope: Envelope) -> Event | Ignored:
    message, subtype = record, name(record.get("subtype"))
    if subtype in ("message_changed", "message_replied"):  # an event of the API around the message as it is now
        message = {**mapping(record.get("message")), "channel": record.get("channel")}
        subtype = name(message.get("subtype"))
    if (ignored := _no_bot(message, subtype)) is not None:
        return ignored
    said = content(message)
    bot = _bot(message)
    written, at = _ts(message.get("ts"), "ts", envelope)
    root, _ = _ts(message.get("thread_ts"), "thread_ts", envelope)
    if root and root != written:
        return _reply(message, envelope, said, bot, written, at, root)
    alert = alert_of(said, bot)
    return alert if isinstance(alert, Ignored) else _event(message, envelope, said, bot, alert, written, at)


def _event(
    message: Record, envelope: Envelope, said: Content, bot: Bot, alert: Alert, written: str | None, at: int | None
) -> Event:
    stated = {key: value for key, value in {**said.stated, **alert.stated}.items() if value}
    channel = _channel(message, envelope)
    time = alert.time or said.time
    when: Event = {"at": at, "time_source": "event"} if at is not None else dated(time, "attachments.ts", envelope)
    interval = _interval(message, envelope, alert, written, at)
    services = {value for key, value in said.pairs if key in _SERVICE}
    resources = [*(value for key, value in said.pairs if key in _RESOURCES), *_values(alert.stated, _RESOURCES)]
    word = alert.severity or _first(stated, _SEVERITY)
    id_ = written or envelope.delivery_id or _digest(message, when["at"])
    http = next((url for url, _ in said.links if url.startswith("http")), None)
    return {
        **when,
        "origin": alert.origin,
        "event_id": f"{id_}|{alert.rule}",
        "native_ids": [id_],
        "rule_key": "|".join(filter(None, (channel, alert.rule))),
        "kind": alert.kind,
        "has_recovery": alert.has_recovery,
        "alertname": alert.alertname,
        "severity": severity(word),
        "severity_raw": word if severity(word) else None,
        "summary": alert.summary or next(iter((*said.titles, *said.heads)), alert.alertname),
        "description": "\n".join(said.lines) or None,
        "url": alert.url or http,
        # A group of alerts about several services is about none of them alone.
        "service": alert.service or (_first(stated, _SERVICE) if len(services) < 2 else None),
        "environment": _first(stated, _ENVIRONMENT),
        "team": _first(stated, _TEAM),
        "resources": list(dict.fromkeys(resources)),
        **interval,
        "labels": canonical(
            {
                **stated,
                "bot": next(iter(bot.names), None),
                "channel": channel,
                "told_state": alert.kind if interval.get("kind", alert.kind) != alert.kind else None,
            }
        ),
    }


def _interval(message: Record, envelope: Envelope, alert: Alert, written: str | None, at: int | None) -> Event:
    """Return what a message says of the interval it stands for.

    One that was edited shows the last state under the time of the first: it was posted when the alert fired and edited
    when that state came. One whose bot edits without leaving a mark fired then, and when it ended is not known.
    """
    occurrence = _occurrence(alert.origin, written) if alert.in_place and written else alert.occurrence
    if at is None or written is None or alert.kind not in ("acknowledged", "resolved"):
        return {"occurrence_key": occurrence}
    _, edited = _ts(mapping(message.get("edited")).get("ts"), "edited.ts", envelope)
    if edited is not None and edited > at:
        ended = {"ends_at" if alert.kind == "resolved" else "acked_at": edited}
        occurrence = occurrence or f"{written}|{alert.rule}"
        return {"occurrence_key": occurrence, "at": edited, "starts_at": at, **ended}
    return {"occurrence_key": occurrence, **({"kind": "fired"} if alert.in_place else {})}


def _occurrence(origin: str | None, root: str) -> str:
    return f"{origin}|{root}"


def _reply(
    message: Record, envelope: Envelope, said: Content, bot: Bot, written: str | None, at: int | None, root: str
) -> Event | Ignored:
    """Read a message in a thread: of an app that keeps its message up to date, what happened to the alert there."""
    origin, alert = origin_of(said, bot), alert_of(said, bot)
    paged = origin in ("pagerduty", "opsgenie") or (origin == "datadog" and _ON_CALL.search(" ".join(bot.names)))
    if alert.in_place if isinstance(alert, Alert) else paged and not bot.old:
        kind = update_of(said)
        if kind is None:
            return Ignored("slack update in a thread")
        kind = "renotified" if kind == "fired" else kind
        channel = _channel(message, envelope)
        return {
            "at": at,
            "origin": origin,
            "event_id": f"{need(written, 'ts')}|{origin}",
            "native_ids": [written],
            "occurrence_key": _occurrence(origin, root),
            "rule_key": "|".join(filter(None, (channel, alert.rule))) if isinstance(alert, Alert) else None,
            "kind": kind,
            "has_recovery": True,
            "alertname": alert.alertname if isinstance(alert, Alert) else None,
            "summary": next(iter((*said.titles, *said.heads)), None),
            "labels": canonical({"bot": next(iter(bot.names), None), "channel": channel, "thread": root}),
        }
    if isinstance(alert, Ignored):
        return Ignored("slack update in a thread")
    return _event(message, envelope, said, bot, alert, written, at)


def _no_bot(message: Record, subtype: str | None) -> Ignored | None:
    """Return what kind of message it is if no bot wrote it."""
    if subtype in _JOINS:
        return Ignored("slack join or leave")
    if subtype in ("tombstone", "message_deleted"):
        return Ignored("slack deleted message")
    if subtype not in (None, *_OF_PEOPLE, *_OF_BOTS):
        return Ignored("slack notice about a channel")
    if message.get("hidden") is True and not (message.get("text") or message.get("attachments")):
        return Ignored("slack deleted message")
    by_bot = subtype == "bot_message" or any(
        message.get(key) for key in ("bot_id", "bot_profile", "app_id", "username", "icon_emoji", "icon_url", "icons")
    )
    # What is posted has no author: it is by whoever holds the webhook.
    posted = "ts" not in message and "user" not in message
    return None if by_bot or posted else Ignored("slack message of a person")


def _bot(message: Record) -> Bot:
    profile = mapping(message.get("bot_profile"))
    names = (name(message.get("username")), name(profile.get("name")))
    app_id = name(profile.get("app_id")) or name(message.get("app_id"))
    old = message.get("subtype") == "bot_message" and not profile and app_id is None
    return Bot(tuple(dict.fromkeys(filter(None, names))), app_id, old)


def _ts(value: Any, field: str, envelope: Envelope) -> tuple[str | None, int | None]:
    """Return a ts as Slack writes it and in microseconds; never by way of a float, which would change it."""
    if value in (None, "", 0):
        return None, None
    if isinstance(value, float):
        value = f"{value:.6f}"  # somebody's tool read it as one; to the microsecond it still is exact
    written = need(name(value), field)
    if match := shapes.TS.fullmatch(written):
        return written, int(match[1]) * 1_000_000 + int(match[2].ljust(6, "0"))
    return written, moment(written, field, envelope)


def _channel(message: Record, envelope: Envelope) -> str | None:
    """Return the channel: what a dump says, else the folder of the export, else what the message says."""
    held = message.get("channel")
    stated = name(mapping(held).get("name")) or name(mapping(held).get("id"))
    folder = _IN_EXPORT.search(envelope.file)
    return stated or (folder["channel"] if folder else (name(held) or "").removeprefix("#") or None)


def _values(stated: dict[str, Any], keys: frozenset[str]) -> list[str]:
    return [found for key, value in stated.items() if key in keys and (found := name(value))]


def _first(stated: dict[str, Any], keys: tuple[str, ...]) -> str | None:
    return next((found for key in keys if (found := name(stated.get(key)))), None)


def _digest(message: Record, at: int | None) -> str:
    """Return the id of a message that was posted and kept without ts: equal ones of one time are one."""
    body = orjson.dumps(message, option=orjson.OPT_SORT_KEYS)
    digest = hashlib.blake2b(body, digest_size=8).hexdigest()
    return digest if at is None else f"{digest}|{_times.iso_ms(at)}"


def _read_listed(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read a message of a page; a page that lists none comes whole."""
    return Ignored("slack page without messages") if shapes.held(record) == [] else _read(record, envelope)


SHAPES = (
    Shape("slack", "page or dump", lambda r: shapes.held(r) is not None, _read_listed, shapes.page),
    Shape(
        "slack",
        "message with replies",
        lambda r: shapes.REPLIES in r and shapes.is_message(r),
        _read,
        shapes.with_replies,
    ),
    Shape("slack", "message", shapes.is_message, _read),
    Shape("slack", "posted message", shapes.is_posted, _read),
    ignore("slack", "channel", shapes.is_channel),
    ignore("slack", "user", shapes.is_user),
    ignore("slack", "integration log", lambda r: "service_type" in r and "change_type" in r),
    ignore("slack", "file", shapes.is_file),
    ignore("slack", "list of channels or users", shapes.is_list),
    ignore("slack", "chunk without messages", shapes.is_chunk),
)
PAGES = ("messages",)
