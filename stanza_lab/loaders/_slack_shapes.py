"""How the records of a Slack export, of the API and of dumps are told, and the messages that pages hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from stanza_lab.loaders._records import Record, listing, mapping, name, text

REPLIES = "slackdump_thread_replies"
TS = re.compile(r"(\d{9,11})\.(\d{1,6})")


def is_message(record: Record) -> bool:
    written = record.get("ts")
    if record.get("type") == "message":
        return written is not None and any(
            key in record for key in ("text", "subtype", "attachments", "blocks", "user", "bot_id", "message", "files")
        )
    return (
        isinstance(written, str)
        and TS.fullmatch(written) is not None
        and any(key in record for key in ("text", "attachments", "blocks"))
        and any(key in record for key in ("user", "bot_id", "username", "bot_profile", "subtype"))
    )


def is_posted(record: Record) -> bool:
    """Tell a message as it is posted to Slack: what bots attach, or a text and whom to show as its author."""
    if any(key in record for key in ("ts", "type", "status", "id")):
        return False
    attached = [mapping(item) for item in listing(record.get("attachments"))]
    if attached and all(any(key in item for key in _ATTACHED) or {"title", "text"} <= item.keys() for item in attached):
        return True
    blocks = [mapping(item).get("type") for item in listing(record.get("blocks"))]
    if blocks and all(kind in _BLOCKS for kind in blocks):
        return True
    shown = ("icon_emoji", "icon_url", "username", "mrkdwn", "unfurl_links", "link_names")
    return text(record.get("text")) is not None and "channel" in record and any(key in record for key in shown)


_ATTACHED = ("fallback", "color", "fields", "blocks", "pretext", "mrkdwn_in")
_BLOCKS = ("section", "header", "context", "divider", "rich_text", "actions", "image", "markdown")


def held(record: Record) -> list[Any] | None:
    """Return the messages a page or dump lists, None when it is neither."""
    found = record.get("messages")
    if isinstance(found, dict):  # search.messages
        found = found.get("matches") if "total" in found else None
    if isinstance(found, list) and (
        (isinstance(record.get("ok"), bool) and ("has_more" in record or "query" in record or _any_message(found)))
        or "channel_id" in record
        or "channel_info" in record
        or ("channel" in record and _any_message(found))
    ):
        return found
    # A chunk of slackdump: its number of kind, an id, and messages.
    if isinstance(record.get("t"), int) and "id" in record and "ts" in record and isinstance(record.get("m"), list):
        return list(record["m"])
    return None


def _any_message(found: list[Any]) -> bool:
    return any(is_message(item) for item in found if isinstance(item, dict))


def page(record: Record) -> Iterator[tuple[str, Record]]:
    """Yield the messages of a page or dump, with its channel where it says one."""
    channel = mapping(record.get("channel_info")) or mapping(record.get("channel"))
    called = name(channel.get("name")) or name(record.get("channel")) or name(record.get("name"))
    called = called or name(record.get("channel_id")) or name(channel.get("id"))
    for index, message in enumerate(held(record) or ()):
        where = f".messages[{index}]"
        if not isinstance(message, dict):
            yield where, message
            continue
        for suffix, part in with_replies(message):
            known = not called or not isinstance(part, dict) or "channel" in part
            yield where + suffix, part if known else {**part, "channel": called}


def with_replies(message: Record) -> Iterator[tuple[str, Record]]:
    """Yield a message and the replies slackdump keeps inside it."""
    replies = message.get(REPLIES)
    if not isinstance(replies, list):
        yield "", message
        return
    yield "", {key: value for key, value in message.items() if key != REPLIES}
    for index, reply in enumerate(replies):
        yield f".{REPLIES}[{index}]", reply


def is_channel(record: Record) -> bool:
    """Tell a channel, a group or a conversation of few; those have no name."""
    listed = isinstance(record.get("members"), list) or isinstance(record.get("purpose"), dict)
    return "id" in record and "created" in record and listed


def is_user(record: Record) -> bool:
    return isinstance(record.get("profile"), dict) and "id" in record and ("deleted" in record or "is_bot" in record)


def is_file(record: Record) -> bool:
    return "id" in record and "filetype" in record and ("url_private" in record or "mimetype" in record)


def is_list(record: Record) -> bool:
    return record.get("ok") is True and any(isinstance(record.get(key), list) for key in ("channels", "members"))


def is_chunk(record: Record) -> bool:
    kept = ("f", "u", "ch", "ci", "w", "cu", "sm", "sf")
    return isinstance(record.get("t"), int) and "ts" in record and any(key in record for key in kept)
