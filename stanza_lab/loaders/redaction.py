"""Secrets and personal data, taken out of a record before anything of it is kept.

The same name, address or secret gets the same pseudonym in every record, file, source and run, so that what belongs
together still does. Pseudonyms are keyed hashes. The key is public unless one is given: whoever has a list of names or
addresses can then find out which pseudonym is whose, so they keep people out of sight but not from being looked for.
With a secret key of one's own only its owner can, and pseudonyms under different keys do not match. A secret cannot be
found out that way unless it can be guessed.

Secrets, addresses and logins are told by the key they stand under and by their form, names only by the key (an
assignee, an object of type "user"); a full name told that way is replaced in the record's other texts as well. Names in
free text that stand nowhere else, numbers, and names of machines and services are kept, as are IP addresses unless they
are asked for or are those of a user.
"""

from __future__ import annotations

import csv
import ipaddress
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from stanza_lab.loaders import _redaction_keys as keys
from stanza_lab.loaders import _redaction_rules as rules
from stanza_lab.loaders._records import PLACEHOLDERS, Record

if TYPE_CHECKING:
    import pyarrow as pa

SECRET, EMAIL, NAME, ADDRESS = "secret", "e-mail", "name", "IP"
_PREFIX = {SECRET: "redacted-", EMAIL: "person-", NAME: "person-", ADDRESS: "address-"}
_DOMAIN = "@redacted.invalid"
_DONE = re.compile(r"(?:redacted|person|address)-[0-9a-f]{10}(?:@redacted\.invalid)?")
# Already taken out by others, or what a template left behind.
_NOTHING = re.compile(
    r"[\W_]*(?:redacted|filtered|masked|hidden|removed|scrubbed|[x*])*[\W_]*|.*\{\{.*|[$%<]\w+[%>]?", re.I
)
_NOBODY = re.compile(
    r"(?:system|unknown|unassigned|nobody|anonymous|root|automatic(?:ally)?|auto|true|false|yes|no)"
    r"|\d{4}-\d\d-\d\d[T ].*|(?:team:|#|arn:|system:|@[a-z]+-).*",
    re.IGNORECASE | re.DOTALL,
)
_NAMED = re.compile(r"\"?([^\"<>@]{2,100}?)\"?\s*(<[^<>]*>)")  # Jane Doe <jane@example.com>
_ADDRESSED = 300  # characters such a name with its address has at most
_OBJECT = re.compile(r"(\"([^\"\\]{1,80})\\{0,4}\" {0,3}: {0,3}\{)([^{}]{1,2000})")
# Beside these a signature, token or key is one whatever it looks like.
_SURE = frozenset(("SignatureVersion", "SigningCertURL", "SigningCertUrl", "event_action", "event_type"))
# Lists of what keeps an alert quiet, not of who.
_QUIET = ("silencedby", "mutedby", "inhibitedby")
_WRAPPERS = frozenset(("stringValue", "arrayValue", "values", "display_value", "link", "value"))
_PUBLIC_KEY = b"stanza_lab"


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
        self._suspicious = rules.SUSPICIOUS + (rules.SUSPICIOUS_ADDRESS if redaction.redact_ips else "")
        self._names: dict[str, str] = {}  # full names met in the record at hand
        key = _PUBLIC_KEY if redaction.key is None else redaction.key.encode("utf-8", "surrogatepass")
        self._key = blake2b(key, digest_size=32).digest()
        self._digest: Callable[[str], str] = lru_cache(2**14)(self._digested)
        self._is_clean: Callable[[str], bool] = lru_cache(2**14)(self._nothing_in)

    def suspects(self, raws: pa.Array) -> list[int]:
        """Return which records, as JSON, may hold something to replace."""
        import numpy as np
        import pyarrow.compute as pc

        if self._off:
            return []
        flags = pc.fill_null(pc.match_substring_regex(raws, self._suspicious), fill_value=False)
        return [int(row) for row in np.flatnonzero(flags.to_numpy(zero_copy_only=False))]

    def record(self, record: Record) -> Record:
        """Return a record without what must not be kept; nothing else of it changes."""
        return type(record)(self.anything(record))  # a row of a table stays one

    def anything(self, value: Any) -> Any:
        """Return a JSON value without what must not be kept."""
        if self._off or not isinstance(value, (str, list, dict)):
            return value
        if isinstance(value, str):
            return self.text(self._table(value))
        self._names = {}
        redacted = self._rebuilt(value, person=False)
        if self._names:
            self._rename(redacted)
        return redacted

    def text(self, text: str) -> str:
        """Return a text, or JSON that is not whole, without what must not be kept."""
        if self._off or (self._is_clean(text) if len(text) < 300 else self._nothing_in(text)):
            return text
        if '"' in text:
            text = rules.PAIR.sub(partial(self._pair, person=False), _OBJECT.sub(self._object, text))
        low = text.lower()
        if ("@" in text and "/" in text) or any(sign in low for sign in rules.SIGNS):
            text = rules.SECRETS.sub(self._secret_in, text)
        if "@" in text:
            text = rules.EMAIL.sub(lambda found: self._email(found[0]), text)
            text = rules.MENTION.sub(self._mention, text)
            text = rules.MAILTO.sub(lambda found: found[1] + self._person(found[2]), text)
        if "=" in text:
            text = rules.USER.sub(lambda found: found[1] + self._person(found[2]), text)
        return rules.ADDRESS.sub(lambda found: self._address(found[0]), text) if self._ips else text

    def _nothing_in(self, text: str) -> bool:
        """Return whether a text surely holds nothing to replace: cheaper than to look for it."""
        if "@" in text or '"' in text or (self._ips and ("." in text or ":" in text)):
            return False
        low = text.lower()
        return not any(sign in low for sign in rules.SIGNS) and ("=" not in text or not rules.USER.search(text))

    def _rebuilt(self, value: Any, *, person: bool, rule: str | None = None) -> Any:
        """Return a copy of an array or object without what must not be kept, however deep it is."""
        top: Any = [] if isinstance(value, list) else {}
        todo: list[tuple[Any, Any, bool, str | None, bool]] = [(value, top, person, rule, False)]
        while todo:
            held, new, person, rule, listed = todo.pop()
            if isinstance(held, list):
                tag = held[0] if listed and len(held) == 2 and isinstance(held[0], str) else ""  # [[key, value], ...]
                for place, item in enumerate(held):
                    under = keys.rule_of(tag) if tag and place else None
                    ruled = under if under in keys.BY_NAME else rule
                    new.append(self._placed(tag if place else "", ruled, item, todo, person=person, listed=True))
                continue
            person, sibling = keys.is_person(held, person=person), not _SURE.isdisjoint(held)
            for (key, item), under in zip(held.items(), keys.rules_of(held, rule), strict=True):
                if under == keys.TOKEN and sibling:
                    under = keys.SECRET
                new[self.text(key)] = self._placed(key, under, item, todo, person=person)
        return top

    def _placed(
        self, key: str, rule: str | None, item: Any, todo: list[Any], *, person: bool, listed: bool = False
    ) -> Any:
        """Return what stands in the place of `item`, to be filled later if it is an array or object."""
        if isinstance(item, str):
            return self._leaf(key, rule, item, person=person)
        if isinstance(item, list):
            new: Any = []
            rule = None if key.replace("_", "").lower() in _QUIET else rule
            todo.append((item, new, person or rule == keys.PERSON, rule, listed))
            return new
        if not isinstance(item, dict):
            return item
        new = {}
        carried = rule if rule == keys.COOKIES or (rule and item and _WRAPPERS.issuperset(item)) else None
        inner = rule == keys.PERSON or (person and (listed or key in ("profile", "effective")))
        inner = inner or (rule == keys.MAYBE and any(map(keys.PERSONAL.fullmatch, item)))
        todo.append((item, new, inner and carried is None, carried, False))
        return new

    def _leaf(self, key: str, rule: str | None, text: str, *, person: bool) -> str:
        if len(text) > 6 and text.lstrip()[:1] in ("{", "[", '"'):
            return self._embedded(key, rule, text, person=person)
        return self._plain(key, rule, text, person=person)

    def _plain(self, key: str, rule: str | None, text: str, *, person: bool) -> str:
        if rule in (keys.SECRET, keys.COOKIES) or (rule and keys.is_secret(key, rule, text)):
            return self._replaced(SECRET, text)
        if rule == keys.PERSON or (person and keys.is_own(key)):
            return self._person(text, several=key.lower().endswith(("s", "list")))
        return self.text(text)

    def _embedded(self, key: str, rule: str | None, text: str, *, person: bool) -> str:
        """Return JSON in a text, written anew only if something in it was replaced."""
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return self._plain(key, rule, text, person=person)
        before = self.found.total()
        if isinstance(value, str):
            value = self._leaf(key, rule, value, person=person)
        else:
            value = self._rebuilt(value, person=person or rule == keys.PERSON, rule=rule)
        if self.found.total() == before:
            return text
        signs = (", ", ": ") if '": ' in text else (",", ":")
        try:
            return json.dumps(value, separators=signs, ensure_ascii=False)
        except RecursionError:
            return self.text(text)

    def _person(self, name: str, *, several: bool = False) -> str:
        if several and ("," in name or ";" in name):
            return "".join(part if part.strip() in ",;" else self._person(part) for part in re.split("([,;] *)", name))
        if "<" in name and len(name) < _ADDRESSED and (named := _NAMED.fullmatch(name.strip())):
            return name.replace(named[1], self._person(named[1]), 1).replace(named[2], self.text(named[2]), 1)
        whole = name.strip()
        if _NOBODY.fullmatch(whole) or "{{" in whole or ("@" in whole and rules.EMAIL.search(whole)):
            return self.text(name)
        if rules.ADDRESS.fullmatch(whole):
            return self._address(name)
        pseudonym = self._replaced(NAME, name)
        if pseudonym != name and 5 <= len(whole) < 100 and " " in whole and not whole.startswith("http"):
            self._names[whole.lower()] = pseudonym
        return pseudonym

    def _rename(self, top: Any) -> None:
        """Replace the full names met in a record in all its texts."""
        longest = sorted(self._names, key=len, reverse=True)
        names = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest))})(?!\w)", re.IGNORECASE)

        def renamed(found: re.Match[str]) -> str:
            return self._replaced(NAME, found[0])

        todo = [top]
        while todo:
            held = todo.pop()
            items: Iterable[tuple[Any, Any]] = enumerate(held) if isinstance(held, list) else list(held.items())
            for place, item in items:
                if isinstance(item, str):
                    held[place] = names.sub(renamed, item)
                elif isinstance(item, (dict, list)):
                    todo.append(item)

    def _object(self, found: re.Match[str]) -> str:
        person = keys.rule_of(found[2]) == keys.PERSON
        return found[1] + (rules.PAIR.sub(partial(self._pair, person=True), found[3]) if person else found[3])

    def _pair(self, found: re.Match[str], *, person: bool) -> str:
        key, rule = found[2], keys.rule_of(found[2])
        known = rule in keys.BY_NAME or (person and keys.is_own(key))
        return found[1] + (self._leaf(key, rule, found[3], person=person) if known else found[3])

    def _table(self, text: str) -> str:
        """Return a table as text without what stands in its columns of people and secrets."""
        header, _, rows = text.partition("\n")
        delimiter = max(",;\t|", key=header.count)
        ruled = [keys.rule_of(name.strip(' "\r')) for name in header.split(delimiter)]
        if len(ruled) < 2 or not rows or '":' in header or not any(rule in keys.BY_NAME for rule in ruled):
            return text
        found: dict[str, str] = {}
        for row in csv.reader(rows.split("\n"), delimiter=delimiter):
            for rule, cell in zip(ruled, row, strict=False):
                if rule in keys.BY_NAME and len(cell) > 1:
                    found[cell] = self._leaf("", rule, cell, person=False)
        cells = re.compile(
            "|".join(rf"(?<!\w){re.escape(cell)}(?!\w)" for cell in sorted(found, key=len, reverse=True))
        )
        return f"{header}\n{cells.sub(lambda match: found[match[0]], rows)}" if found else text

    def _mention(self, found: re.Match[str]) -> str:
        name = "" if found[2] is None else "|" + self._person(found[2])
        return f"<@{self._replaced(NAME, found[1])}{name}>"

    def _address(self, address: str) -> str:
        return self._replaced(ADDRESS, address) if _is_address(address.strip()) else address

    def _email(self, address: str) -> str:
        if rules.NO_EMAIL.fullmatch(address):
            return address
        return self._replaced(EMAIL, address) + _DOMAIN

    def _secret_in(self, found: re.Match[str]) -> str:
        kept = next((part for part in found.groups() if part), "")
        return kept + self._replaced(SECRET, found[0][len(kept) :])

    def _replaced(self, kind: str, value: str) -> str:
        whole = value.strip()
        if whole.lower() in PLACEHOLDERS or _DONE.fullmatch(whole) or _NOTHING.fullmatch(whole):
            return value
        self.found[kind] += 1
        return _PREFIX[kind] + self._digest(whole if kind == SECRET else whole.lower())

    def _digested(self, value: str) -> str:
        return blake2b(value.encode("utf-8", "surrogatepass"), key=self._key, digest_size=5).hexdigest()


def _is_address(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)
