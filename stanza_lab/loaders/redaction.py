"""Secrets and personal data, taken out of a record before anything of it is kept.

The same name, address or secret gets the same pseudonym everywhere, so that what belongs together still does. Names are
known by where they stand (an assignee, an object of type "user"), addresses and secrets by what they look like too.
What only looks harmless may be missed: free text can hold anything.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from stanza_lab.loaders._records import PLACEHOLDERS, Record

if TYPE_CHECKING:
    import pyarrow as pa

SECRET, EMAIL, NAME, ADDRESS = "secret", "e-mail", "name", "IP"
_PERSON, _REDACTED, _DOMAIN = "person-", "redacted-", "@redacted.invalid"
_DONE = re.compile(rf"{_PERSON}[0-9a-f]{{10}}(?:{re.escape(_DOMAIN)})?|{_REDACTED}[0-9a-f]{{10}}")

# Keys, in lower case and without signs. A value of the first is a secret whatever it looks like; of the second if it
# looks like one: a rule may be called a signature.
_SECRET_KEY = re.compile(
    r"secret|passw(or)?d|passphrase|api_?key|private_?key|authorization|credentials|routingkey|integrationkey|servicekey"
    r"|accesskey|subscribeurl|receipthandle|webhookurl|responseurl|urlprivate|permalinkpublic|setcookie|^cookies?$"
    r"|^ackid$|integrationemail|conferenceurl|conferencenumber"
)
_TOKEN_KEY = re.compile(r"token$|signature$|^code$|sessionid$")
_TOKEN = re.compile(r"[A-Za-z0-9+/=_.~%:-]{16,}")
_NAME_KEY = re.compile(
    r"^(e?mail|user|username|userlogin|login|realname|fullname|assignee|author|creator|caller|callerid|mutatedby"
    r"|(last)?(acknowledged|resolved|closed|opened|created|updated|assigned|modified|muted|cancell?ed|snoozed)by"
    r"(user|username)?|sys(created|updated)by|lastmodifiedusername|workflowuser|assignedto|watchlist|.*username|.*usernames"
    r"|enduserid|.*useremail|principalemail|handle|notificationhandles)$"
)
# Objects that are people, by the key they stand under, unless their type says otherwise, and what names them in there.
_PEOPLE_KEY = re.compile(
    r"^(users?|assignees?|assignedto|acknowledger|actor|author|creator|userprofile|assignedtouser|resolvedbyuser|enduser"
    r"|oncallusers?|seenby|participants|laststatuschangeby|openedby|resolvedby|closedby|callerid|mutatedby|createdby"
    r"|acknowledgedby|modifiedby|updatedby|notifiedusers|userstobenotified)$"
)
_PERSON_FIELD = re.compile(
    r"^(name|summary|(full|first|last|real|display|given|family)name(normalized)?|displayvalue|login|handle|address|title"
    r"|phone|htmlurl|id|ipaddress)$|avatar|^image|email|username"
)
_PICTURE_KEY = re.compile(r"avatar|^gravatar")
_USER = ("user", "user_reference")
_MESSAGE = frozenset(("attachments", "blocks", "bot_id", "bot_profile"))

_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,8}\.[A-Za-z]{2,24}\b")
# A login at a machine (a database's user at its host, a git remote) is no address of a person.
_MACHINE = re.compile(
    r"\.(?:amazonaws\.com(?:\.cn)?|internal|local|localdomain|lan|svc|cluster|consul|compute|windows\.net|azure\.com"
    r"|cloudapp\.net|appspot\.com|googleusercontent\.com|gserviceaccount\.com)$|^(?:git|ssh|hg|svn)@",
    re.IGNORECASE,
)
_IP = re.compile(r"(?<![\w.:])(?:(?:\d{1,3}\.){3}\d{1,3}|(?:[0-9A-Fa-f]{1,4}:){4,7}:?[0-9A-Fa-f]{1,4})(?![\w.:])")
# Secrets in text; what a pattern names "keep" stays before the pseudonym.
_IN_TEXT = re.compile(
    r"(?P<keep>https?://(?:hooks\.slack\.com/|(?:ptb\.|canary\.)?discord(?:app)?\.com/api/webhooks/"
    r"|[\w.-]{1,80}\.webhook\.office\.com/|outlook\.office(?:365)?\.com/webhook/|events(?:\.eu)?\.pagerduty\.com/"
    r"(?:integration|x-ere|generic)/|api\.telegram\.org/bot|chat\.googleapis\.com/))[^\s\"'<>|\\]+"
    r"|(?P<keep1>[a-z][a-z0-9+.-]{1,20}://)[^\s/\"'@:]{1,100}:[^\s/\"'@]{1,200}(?=@)"
    r"|(?P<keep2>[?&;](?:amp;)?(?:[\w.-]{0,40}(?:token|secret|signature|password|credential)|api_?key|apikey|sig|auth|"
    r"tokenid|key)=)[^\s&\"'<>|\\]+"
    r"|\bxox[a-z]-[A-Za-z0-9-]{8,}|\bgh[a-z]_[A-Za-z0-9]{16,}|\bglpat-[\w-]{16,}|\b(?:AKIA|ASIA)[0-9A-Z]{12,}"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?|\b[rs]k_(?:live|test)_\w{8,}|\bSG\.[\w-]{16,}\.[\w-]{16,}|\bAIza[\w-]{30,}"
    r"|(?P<keep3>\b(?:[Bb]earer|[Bb]asic|GenieKey|Token token=)\s{1,4})[A-Za-z0-9._~+/=-]{8,}"
    r"|(?P<keep4>-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----)[^-]*"
    r"|(?P<keep5>\b(?:[\w-]{0,40}(?:secret|passw(?:or)?d|token|api[_-]?key|routing_key|integration_key))\\{0,4}[\"']?\s{0,3}"
    r"(?:=|:)\s{0,3}\\{0,4}[\"']?)(?=[^\s\"'\\,;&]{0,200}[0-9])[^\s\"'\\,;&<>|]{8,}",
    re.IGNORECASE,
)
# What a record that holds any of this looks like, in the dialect of RE2: searched for in many records at once.
_SUSPECT = (
    r"(?i)[a-z0-9._%+-]@[a-z0-9-]+\."
    r"|\"[\w. -]*(?:user|assign|author|creator|actor|caller|login|avatar|real_?name|acknowledg|participants|seenby"
    r"|handle|by|secret|passw|passphrase|api_?key|private_?key|credential|(?:routing|integration|service|access)_?key|cookie"
    r"|subscribe_?url|receipt_?handle|webhook_?url|response_?url|url_private|token|signature|code|ack_?id|mail|watch_?list"
    r"|session_?id|conference)[\w.-]*\\*\""
    r"|(?:token|secret|passw(?:or)?d|api[_-]?key|_key)\\*[\"']?\s*[=:]|(?:token|secret|signature|password|credential|key"
    r"|sig|auth|tokenid)=|hooks\.slack|/webhooks?/|webhook\.office|/integration/|/x-ere/|api\.telegram|chat\.googleapis"
    r"|://[^/\"\s@:]+:[^/\"\s@]+@|xox[a-z]-|gh[a-z]_|glpat-|akia|asia|eyj|[rs]k_(?:live|test)|\bsg\.|aiza|bearer\s|basic\s"
    r"|geniekey|private key"
)
_SUSPECT_IP = r"|\d\.\d{1,3}\.\d{1,3}\.\d|[0-9a-f]{1,4}:[0-9a-f]{1,4}:[0-9a-f]{1,4}:"
_PUBLIC_KEY = b"stanza_lab"  # the same pseudonyms everywhere; a key of one's own keeps names from being guessed


@dataclass(frozen=True)
class Redaction:
    """What to take out: nothing, secrets and personal data, IP addresses as well; `key` makes the pseudonyms."""

    keep_personal_data: bool = False
    redact_ips: bool = False
    key: str | None = None


class Redactor:
    """Replace what must not be kept; `found` counts the replacements by kind."""

    def __init__(self, redaction: Redaction) -> None:
        self.found: Counter[str] = Counter()
        self._off = redaction.keep_personal_data
        self._ips = redaction.redact_ips
        self._suspect = _SUSPECT + (_SUSPECT_IP if redaction.redact_ips else "")
        self._names: dict[str, str] = {}  # full names met in the record at hand
        key = _PUBLIC_KEY if redaction.key is None else redaction.key.encode()
        self._key = blake2b(key, digest_size=32).digest()
        self._digest: Callable[[str], str] = lru_cache(2**14)(self._digested)

    def suspects(self, raws: pa.Array) -> list[int]:
        """Return which records, as JSON, may hold something to replace."""
        import numpy as np
        import pyarrow.compute as pc

        if self._off:
            return []
        flags = pc.match_substring_regex(raws, self._suspect)
        return [int(row) for row in np.flatnonzero(flags.to_numpy(zero_copy_only=False))]

    def record(self, record: Record) -> Record:
        """Return a record without what must not be kept.

        A full name that stands in the record as such is replaced in its other texts too.
        """
        self._names = {}
        redacted: Record = self._within(record, person=False)
        if self._names:
            redacted = self._renamed(redacted)
        return type(record)(redacted)  # a row of a table stays one

    def text(self, text: str) -> str:
        """Return a text without the addresses and secrets in it."""
        if self._off:
            return text
        if "@" in text:
            text = _EMAIL.sub(lambda found: self._email(found[0]), text)
        text = _IN_TEXT.sub(self._secret_in, text)
        return _IP.sub(lambda found: self._replaced(ADDRESS, found[0], _REDACTED), text) if self._ips else text

    def _within(self, value: Any, *, person: bool) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            if len(value) == 2 and isinstance(value[0], str) and _class_of(value[0]):  # a tag as [key, value]
                return [value[0], self._under(value[0], value[1], person=person)]
            return [self._within(item, person=person) for item in value]
        if not isinstance(value, dict):
            return value
        kind = value.get("type")
        person = (person and not (isinstance(kind, str) and "user" not in kind.lower())) or kind in _USER
        # A message of a chat is posted under the name of a bot; people have ids there.
        bots = "username" if _MESSAGE.intersection(value) else None
        found = {key: held if key == bots else self._under(key, held, person=person) for key, held in value.items()}
        key, held = value.get("key"), value.get("value")
        if isinstance(key, str) and _class_of(key):  # a tag or attribute as {"key": ..., "value": ...}
            found["value"] = self._under(key, held, person=person)
        return found

    def _under(self, key: str, value: Any, *, person: bool) -> Any:
        """Return the value that stands under a key."""
        kind = _class_of(key)
        if isinstance(value, str):
            if kind == "secret" or (kind == "token" and _TOKEN.fullmatch(value)):
                return self._replaced(SECRET, value, _REDACTED)
            if kind in ("name", "people") or (person and _PERSON_FIELD.search(_plain(key))) or kind == "picture":
                return self._person(value)
            return self.text(value)
        if (
            isinstance(value, dict)
            and kind == "name"
            and set(value) <= {"stringValue", "display_value", "link", "value"}
        ):
            return {inner: self._person(held) if isinstance(held, str) else held for inner, held in value.items()}
        if isinstance(value, list) and kind in ("secret", "name"):
            return [self._under(key, item, person=person) for item in value]
        # What stands inside an object that is a person is not one by that: its team, its device.
        return self._within(value, person=kind == "people" or (person and isinstance(value, list)))

    def _person(self, name: str) -> str:
        if name.startswith(("team:", "#")) or ("@" in name and _EMAIL.search(name)):
            return self.text(name)
        pseudonym = self._replaced(NAME, name, _PERSON)
        if pseudonym != name and " " in name.strip() and len(name) < 100:
            self._names[name.strip()] = pseudonym
        return pseudonym

    def _renamed(self, value: Any) -> Any:
        if isinstance(value, str):
            for name, pseudonym in self._names.items():
                value = value.replace(name, pseudonym)
            return value
        if isinstance(value, list):
            return [self._renamed(item) for item in value]
        return {key: self._renamed(held) for key, held in value.items()} if isinstance(value, dict) else value

    def _email(self, address: str) -> str:
        if address.endswith(_DOMAIN) or _MACHINE.search(address):
            return address
        return self._replaced(EMAIL, address, _PERSON) + _DOMAIN

    def _secret_in(self, found: re.Match[str]) -> str:
        kept = next((part for part in found.groups() if part), "")
        return kept + self._replaced(SECRET, found[0][len(kept) :], _REDACTED)

    def _replaced(self, kind: str, value: str, prefix: str) -> str:
        if value.strip().lower() in PLACEHOLDERS or _DONE.fullmatch(value.strip()):
            return value
        self.found[kind] += 1
        return prefix + self._digest(value.strip().lower() if kind in (EMAIL, NAME) else value)

    def _digested(self, value: str) -> str:
        return blake2b(value.encode("utf-8", "surrogatepass"), key=self._key, digest_size=5).hexdigest()


def _plain(key: str) -> str:
    return "".join(filter(str.isalnum, key)).lower()


@lru_cache(2**14)
def _class_of(key: str) -> str | None:
    """Return what a value under this key is: secret, token, name, people, picture, or nothing of these."""
    plain = _plain(key)
    last = _plain(key.rpartition(".")[2])  # "user.email", "http.request.headers.authorization"
    for form in (plain, last):
        if _SECRET_KEY.search(form):
            return "secret"
        if _TOKEN_KEY.search(form):
            return "token"
        if _PICTURE_KEY.search(form):
            return "picture"
    if _NAME_KEY.match(plain) or _NAME_KEY.match(last) or plain.startswith(("usere", "usern", "useri")):
        return "people" if _PEOPLE_KEY.match(plain) else "name"
    return "people" if _PEOPLE_KEY.match(plain) else None
