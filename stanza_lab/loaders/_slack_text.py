"""What a Slack message says: its blocks, attachments and text as plain lines, stated fields, links and a colour.

https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import colorsys
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from stanza_lab.loaders._records import Record, listing, mapping, name, text

# Only these are links and mentions: "<unknown>" that a bot did not escape stays as it is.
_LINK = re.compile(r"<(?P<what>[@#!][^<>|]*|[a-z][a-z0-9+.-]*:[^<>|]+)(?:\|(?P<label>[^<>]*))?>", re.IGNORECASE)
_MARKS = (
    re.compile(r"```(?P<held>.+?)```", re.DOTALL),
    re.compile(r"`(?P<held>[^`\n]+)`"),
    re.compile(r"(?<![\w*])\*(?P<held>\S(?:[^*\n]*\S)?)\*(?![\w*])"),
    re.compile(r"(?<![\w~])~(?P<held>\S(?:[^~\n]*\S)?)~(?![\w~])"),
    re.compile(r"(?<![\w_`])_(?P<held>\S(?:[^_\n]*\S)?)_(?![\w_`])"),
)
_NEXT_KEY = re.compile(r"(?<=[^\s•*>·–-])[ \t]+(?=\*[^*\n]{1,40}:\*)")
# A key has at most three words and its value at most eight: with more a line is a sentence.
_STATED = re.compile(
    r"[\s•*>·–-]*(?P<key>[A-Za-z][\w./()-]*(?:[ ][\w./()-]+){0,2})\s*(?:=|:(?=\s))\s*(?P<value>\S+(?:\s+\S+){0,7})\s*"
)
_TAG = re.compile(r"([A-Za-z][\w./-]*)([:=])([^\s,;]+)")
_URL = re.compile(r"(?<![\w<|\"'=])https?://[^\s<>|`\"']+")
_BROADCAST = re.compile(r"(?:@(?:here|channel|everyone|subteam)\b\s*)+")
_SHORTCODE = re.compile(r":[a-z0-9_+'-]*[a-z][a-z0-9_+'-]*:", re.IGNORECASE)
_COLOURS = {"danger": "red", "warning": "yellow", "good": "green"}
_NO_PREVIEW = "[no preview available]"


@dataclass(slots=True)
class Content:
    """What a message says, in reading order.

    Attributes
    ----------
    titles, heads : list of str
        Headers and titles; the first line of every other piece.
    lines : list of str
        All lines of text.
    pairs : list of (str, str)
        What fields and lines of the form "key: value" or "key = value" say, keys in lower case.
    stated : dict
        The first value of each key.
    links : list of (str, str)
        Addresses and their labels.
    colour : str or None
        red, yellow or green.
    emoji : list of str
        Emoji that stood before titles and heads.
    footer : str
        Footers.
    time : object
        The first time an attachment states.
    """

    titles: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    pairs: list[tuple[str, str]] = field(default_factory=list)
    stated: dict[str, str] = field(default_factory=dict)
    links: list[tuple[str, str]] = field(default_factory=list)
    colour: str | None = None
    emoji: list[str] = field(default_factory=list)
    footer: str = ""
    time: Any = None


def content(message: Record) -> Content:
    """Read a message: blocks, then attachments, then its text, which often only repeats them."""
    said = Content()
    _blocks(said, message.get("blocks"))
    for attachment in map(mapping, listing(message.get("attachments"))):
        if not _is_preview(attachment):
            _attachment(said, attachment)
    _add(said, message.get("text"))
    said.heads = list(dict.fromkeys(said.heads))
    for key, value in list(said.pairs):
        if key in ("tags", "labels"):
            said.pairs += [(k.strip().lower(), v.strip()) for k, _, v in _TAG.findall(value)]
    said.stated = dict(reversed(said.pairs))
    return said


def plain(mrkdwn: str, links: list[tuple[str, str]] | None = None) -> str:
    """Return mrkdwn as plain text, its links added to `links`. Escapes are undone once, behind the links."""
    found: list[tuple[str, str]] = []

    def shown(match: re.Match[str]) -> str:
        what, label = match["what"], match["label"]
        if what[0] in "@#":
            return what[0] + (label or what[1:]).lstrip(what[0])
        if what[0] == "!":
            return label or "@" + what[1:].partition("^")[0]
        found.append((unescape(what), unescape(unmarked(label or ""))))
        return label or what

    result = unescape(unmarked(_LINK.sub(shown, mrkdwn)))
    if links is not None:
        known = [url for url, _ in found]
        links.extend(found)
        links.extend((url, "") for url in _URL.findall(result) if url not in known)  # posted ones need no marks
    return result


def unescape(value: str) -> str:
    """Undo Slack's three escapes, once."""
    return value.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def unmarked(value: str) -> str:
    """Return text without the marks for bold, code, strike and italics."""
    for mark in _MARKS:
        value = mark.sub(lambda match: match["held"], value)
    return value


def without_emoji(line: str, emoji: list[str] | None = None) -> str:
    """Return a line without the emoji at its ends; those at its start are added to `emoji`."""
    line = line.strip()
    while line:
        code = _SHORTCODE.match(line)
        if code is None and not _is_symbol(line[0]):
            break
        symbol = code[0].strip(":") if code else line[0]
        if emoji is not None:
            emoji.append(symbol.lower())
        line = line[len(code[0]) if code else 1 :].lstrip()
    while line and _is_symbol(line[-1]):
        line = line[:-1].rstrip()
    return line


def _is_symbol(character: str) -> bool:
    return unicodedata.category(character) in ("So", "Mn", "Cf") or "\U0001f3fb" <= character <= "\U0001f3ff"


def _add(said: Content, mrkdwn: Any, *, title: bool = False, links: bool = True) -> None:
    """Add a piece of text: its lines, what they state, its first line as a title or head."""
    raw = text(mrkdwn)
    if raw is None:
        return
    shown = plain(_NEXT_KEY.sub("\n", raw), said.links) if links else raw
    lines = [line.strip() for line in shown.splitlines() if line.strip()]
    if not lines:
        return
    head = without_emoji(_BROADCAST.sub("", without_emoji(lines[0], said.emoji)), said.emoji)
    if head:
        (said.titles if title else said.heads).append(head)
    if not title:
        said.lines += [shown for line in lines if (shown := without_emoji(line)) and shown not in said.lines]
        for line in lines:
            if match := _STATED.fullmatch(line):
                _state(said, match["key"], match["value"])


def _state(said: Content, key: str, value: str) -> None:
    known = name(value)
    if known and known.strip("<>").lower() != "unknown":
        said.pairs.append((key.strip(" *:").lower(), known))


def _blocks(said: Content, blocks: Any) -> None:
    for block in map(mapping, listing(blocks)):
        kind = block.get("type")
        if kind == "header":
            _add(said, mapping(block.get("text")).get("text"), title=True)
        elif kind == "section":
            _add(said, mapping(block.get("text")).get("text"))
            for item in map(mapping, listing(block.get("fields"))):
                _field(said, item.get("text"))
            _button(said, mapping(block.get("accessory")))
        elif kind == "context":
            for item in map(mapping, listing(block.get("elements"))):
                pairs = text(item.get("text"))
                shown = plain(pairs, said.links) if pairs else ""
                for pair in re.split(r"\n| {2,}", shown):
                    if match := _STATED.fullmatch(pair):
                        _state(said, match["key"], match["value"])
                    if pair.strip():
                        said.lines.append(pair.strip())
        elif kind == "rich_text":
            # Text of rich text is not escaped and its links are elements.
            _add(said, unmarked("".join(_rich(block, said.links))), links=False)
        elif kind == "markdown":
            _add(said, block.get("text"))
        elif kind == "actions":
            for item in map(mapping, listing(block.get("elements"))):
                _button(said, item)


def _button(said: Content, element: Record) -> None:
    if address := text(element.get("url")):
        said.links.append((unescape(address), text(mapping(element.get("text")).get("text")) or ""))


def _rich(element: Record, links: list[tuple[str, str]]) -> Iterator[str]:
    """Yield the text inside a rich text element, however deep; sections and items of lists are lines."""
    kind = element.get("type")
    if kind == "link":
        address, label = text(element.get("url")) or "", text(element.get("text"))
        links.append((address, label or ""))
        yield label or address
    elif kind == "text":
        yield element["text"] if isinstance(element.get("text"), str) else ""
    elif kind == "emoji":
        yield f":{name(element.get('name')) or 'emoji'}:"
    elif kind in ("user", "usergroup", "channel", "broadcast"):
        mark = "#" if kind == "channel" else "@"
        yield mark + (next((v for k in (f"{kind}_id", "range") if (v := name(element.get(k)))), kind))
    elif kind == "date":
        yield text(element.get("fallback")) or name(element.get("timestamp")) or ""
    else:
        listed = kind == "rich_text_list"
        for item in map(mapping, listing(element.get("elements"))):
            if listed:
                yield "• "
            yield from _rich(item, links)
            if str(item.get("type")).startswith("rich_text"):
                yield "\n"


def _field(said: Content, value: Any) -> None:
    """Read a field of a section: its key stands in the first line, or before the colon of its only one."""
    raw = text(value)
    if raw is None:
        return
    key, _, rest = plain(raw, said.links).partition("\n")
    if rest.strip():
        _state(said, key, rest)
    elif match := _STATED.fullmatch(key):
        _state(said, match["key"], match["value"])
    else:
        said.lines.append(key)


def _attachment(said: Content, attachment: Record) -> None:
    before = len(said.titles) + len(said.heads)
    said.colour = said.colour or colour(attachment.get("color"))
    said.time = said.time or attachment.get("ts")
    address, title = text(attachment.get("title_link")), text(attachment.get("title"))
    if address:
        said.links.append((unescape(address), plain(title or "")))
    _add(said, attachment.get("pretext"))
    _add(said, title, title=True)
    _add(said, attachment.get("text"))
    _fields(said, [mapping(item) for item in listing(attachment.get("fields"))])
    _blocks(said, attachment.get("blocks"))
    said.footer = f"{said.footer} {text(attachment.get('footer')) or ''}".strip()
    if len(said.titles) + len(said.heads) == before and attachment.get("fallback") != _NO_PREVIEW:
        _add(said, attachment.get("fallback"))


def _fields(said: Content, fields: list[Record]) -> None:
    """Read fields: title and value, a title alone, or keys and values taking turns."""
    bare: list[str] = []
    for item in fields:
        title, value = text(item.get("title")), text(item.get("value"))
        if title and value:
            shown = plain(value, said.links)
            _state(said, plain(title), shown)
            said.lines.append(f"{plain(title)}: {shown}")
        elif title:
            _add(said, title, title=True)
        elif value:
            bare.append(value)
    pairs = list(zip(bare[::2], bare[1::2], strict=False))
    if pairs and len(bare) % 2 == 0 and all("`" not in key and "\n" not in key for key, _ in pairs):
        for key, value in pairs:
            _state(said, plain(key), plain(value, said.links))
            said.lines.append(f"{plain(key)}: {plain(value)}")
    else:
        for value in bare:
            _add(said, value)


def colour(value: Any) -> str | None:
    """Return red, yellow or green for a colour by name or as hex, with or without '#'."""
    given = (name(value) or "").lower().removeprefix("#")
    if given in _COLOURS:
        return _COLOURS[given]
    if not re.fullmatch(r"[0-9a-f]{6}", given):
        return None
    hue, saturation, _ = colorsys.rgb_to_hsv(*(int(given[i : i + 2], 16) / 255 for i in (0, 2, 4)))
    if saturation < 0.25:
        return None
    degrees = hue * 360
    if degrees < 22 or degrees >= 335:
        return "red"
    return "yellow" if degrees < 70 else "green" if degrees < 175 else None


def _is_preview(attachment: Record) -> bool:
    """Tell the preview of a link somebody pasted from what a bot attached."""
    return bool(attachment.get("is_msg_unfurl") or attachment.get("is_share") or attachment.get("original_url"))
