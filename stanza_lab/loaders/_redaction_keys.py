"""What stands under a key: a secret, a person, or nothing of these.

Keys are written here in lower case with "_" for what may part two words ("real_name" is also "realName" and "Real
name").
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stanza_lab.loaders._records import Record

# What stands under a key: a secret; one whatever it is made of; one if it looks random; the secret address of a hook; a
# person.
SECRET, COOKIES, TOKEN, CODE, HOOK, PERSON = "secret", "cookies", "token", "code", "hook", "person"
MAYBE = "maybe"  # a person if it has what only people have
BY_NAME = (SECRET, COOKIES, TOKEN, PERSON)  # told by the name of a tag or column too

_DID = (
    "(?:acknowledged|acked|resolved|closed|opened|created|updated|assigned|modified|cancell?ed|snoozed|deleted|reported"
    "|requested|approved|deployed|merged|changed|edited|declared|escalated|commented|invited|muted|mutated|silenced"
    "|submitted|committed|started|joined|notified|status_change)"
)
_WHO = "(?:assignee|reporter|requester|creator|caller|acknowledger|resolver|approver|commander|actor|author|end_user)"
# For each: how a key ends, and what a key is as a whole or after its last ".", "/" or ":".
_KEYS = {
    COOKIES: ("(?:set_|http_)cookies?", "cookies?"),
    SECRET: (
        (
            "(?:secret|passw(?:or)?d|passphrase)s?(?:_key|_value|_token|_hash|_text|_access_key)?|authorization"
            "|(?:api|private|encryption|signing)_key(?:_value)?|credentials?|receipt_handle|web_?hook_urls?"
        ),
        (
            "(?:un)?subscribe_url|response_url|url_private(?:_download)?|permalink_public|ack_id|integration_email"
            "|conference_(?:url|number)"
        ),
    ),
    TOKEN: (
        (
            "tokens?|signature|session_id"
            "|(?:routing|integration|service|access|account|license|instrumentation|ingest)_keys?(?:_id)?"
        ),
        "",
    ),
    CODE: ("", "code"),
    HOOK: ("", "target|endpoint_url"),
    PERSON: (
        (
            "users?|user_?(?:full|real|display)?_?(?:name|login|e_?mail|id|principal_name)s?|user_profiles?"
            "|avatar(?:_url|_hash)?"
        ),
        (
            f"(?:sys_)?(?:last_)?{_DID}_by(?:_user)?s?(?:_name|_id|_e_?mail|_login)?s?"
            f"|{_WHO}s?(?:_id|_login|_e_?mail|_user)?s?|(?:assignee|reporter|requester|caller)_name"
            "|assigned_to|watch_list|watchers|participants|seen_by|notification_handles|handles?|claims|login|upn"
            "|e_?mails?(?:_address(?:es)?)?|(?:real|full|first|last|given|family|nick|sur)_?name(?:_normalized)?"
            "|users_to_be_notified|gravatar|principal_e_?mail|principal_subject"
        ),
    ),
}


def _spelled(keys: str) -> str:
    return keys.replace("_?", "_").replace("_", "[ _.-]?")


_RULES = tuple(
    (
        rule,
        re.compile(rf"[a-z0-9_ .-]*(?:{_spelled(end)})" if end else "(?!)", re.I | re.A),
        re.compile(_spelled(whole) or "(?!)", re.I | re.A),
    )
    for rule, (end, whole) in _KEYS.items()
)
# A code or target is told by more than its key.
ENDS, WHOLE = (
    _spelled("|".join(keys[i] for rule, keys in _KEYS.items() if keys[i] and rule not in (CODE, HOOK))) for i in (0, 1)
)
# Logins of machines, and keys that only speak of people.
_NO_PERSON = re.compile(
    r"(?:.*[_.])?(?:db|database|container|process|image|sys|super)[_.]?user(?:_?name)?", re.IGNORECASE
)
# An object under such a key is a person if it has what only people have, or says that it is one.
_POSSIBLY = re.compile(r"(?:owner|responder|recipient|member|agent|contact|manager)s?|profile|on_?call", re.IGNORECASE)
PERSONAL = re.compile(r"e?[_-]?mail(?:_?address)?|login|user_?name|(?:real|first|full)_?name", re.IGNORECASE)
# What tells a person in an object that is one.
_OWN = re.compile(
    r"name|summary|(?:full|first|last|real|display|given|family|nick|sur)name(?:normalized)?|displayvalue|login|handle"
    r"|address|title|phone|mobile|skype|htmlurl|self|link|id|ipaddr(?:ess)?|.*avatar.*|image\w*|.*email.*|.*username"
    r"|(?:name|user)identifier|upn|oid|puid"
)
_PARTS = re.compile(r"[./:]")
_SIGNS = re.compile(r"[\s_.'\"-]+")


@lru_cache(2**14)
def rule_of(key: str) -> str | None:
    """Return what stands under a key, None for nothing known."""
    key = key.strip(" '")
    for form in dict.fromkeys((key, _PARTS.split(key)[-1])):
        for rule, end, whole in _RULES:
            if (end.fullmatch(form) or whole.fullmatch(form)) and not (rule == PERSON and _NO_PERSON.fullmatch(key)):
                return rule
    return None


@lru_cache(2**14)
def is_own(key: str) -> bool:
    """Return whether what stands under a key in an object that is a person tells who it is."""
    return _OWN.fullmatch(_SIGNS.sub("", _PARTS.split(key)[-1]).lower()) is not None


_RANDOM = re.compile(r"(?=[\w+/=~.%:-]*\d)[\w+/=~.%:-]{8,}|[\w+/=~.%:-]{16,}")
_KEYLIKE = re.compile(r"(?=[\w+/=~-]*\d)[\w+/=~-]{16,}")
_SIGNATURE = re.compile(r"(?:\w{2,8}=)?[0-9a-fA-F]{32,}|(?=\S*\d)[\w+/=.~%-]{40,}")
_HEX = re.compile(r"[0-9a-fA-F]{24,}")
_URL = re.compile(r"https?://", re.IGNORECASE)
# A message of a chat that has any of these was posted under the name of a bot.
_BOTS = frozenset(("attachments", "blocks", "bot_id", "bot_profile", "icon_emoji", "icon_url", "icons"))
_BOTS_TEXT = frozenset(("mrkdwn", "channel", "subtype"))  # or these and a text
_NAMING, _VALUE = ("key", "Key", "name", "Name", "title"), ("value", "Value", "stringValue")
_USER, _HUMAN = ("user", "user_reference"), ("person", "human", "member", "email")


def rules_of(held: Record, carried: str | None) -> list[str | None]:
    """Return what stands under each key of an object."""
    if carried not in (None, MAYBE):
        return [carried] * len(held)
    kind = held.get("type")
    hook = isinstance(kind, str) and ("webhook" in kind.lower() or "pagerduty" in kind.lower())
    bot = not _BOTS.isdisjoint(held) or ("text" in held and not _BOTS_TEXT.isdisjoint(held))
    found: list[str | None] = []
    for key in held:
        rule = rule_of(key) or (MAYBE if _POSSIBLY.fullmatch(key) else None)
        if (rule == HOOK and not hook) or (key == "username" and bot):
            rule = None
        found.append(rule)
    # A tag, attribute, header or field as {"key": ..., "value": ...}.
    named = next((held[key] for key in _NAMING if isinstance(held.get(key), str)), None)
    if named is not None and (rule := rule_of(named)) in BY_NAME:
        found = [rule if key in _VALUE else was for key, was in zip(held, found, strict=True)]
    return found


def is_person(held: Record, *, person: bool) -> bool:
    kind = held.get("type")
    if isinstance(kind, str) and kind:
        kind = kind.lower()
        return kind in _USER or (person and ("user" in kind or kind in _HUMAN))
    return (person or "real_name" in held) and held.get("is_bot") is not True


def is_secret(key: str, rule: str, text: str) -> bool:
    """Return whether a text under a key that is no sure sign of a secret looks like one."""
    if rule == TOKEN:
        low = key.lower()
        form = _SIGNATURE if "signature" in low else _RANDOM if "token" in low or "session" in low else _KEYLIKE
        return form.fullmatch(text.strip()) is not None
    if rule == HOOK:
        return _URL.match(text) is not None or _HEX.fullmatch(text) is not None
    return rule == CODE and _HEX.fullmatch(text) is not None
