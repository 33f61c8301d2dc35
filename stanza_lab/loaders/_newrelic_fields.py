"""Fields of New Relic by whatever an export calls them, and what an entity's id says."""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache

from stanza_lab.loaders._records import Envelope, Record, embedded, instant, name


def fields_of(record: Record) -> Record:
    """Return the fields of a row by names in lower case without spaces: exports differ in both."""
    fields: Record = {}
    for key, value in record.items():
        plain = "".join(key.split()).replace("_", "").lower()
        if plain in ("tags", "labels", "entity") and isinstance(value, dict):
            fields |= {f"{plain}.{inner}".lower(): held for inner, held in value.items()}
        else:
            fields[plain] = value
    return fields


def names(fields: Record, keys: tuple[str, ...]) -> list[str]:
    """Return the first of `keys` that says something: one name, a list of them, or a list inside text."""
    for key in keys:
        value = embedded(fields.get(key))
        found = [each for item in (value if isinstance(value, list) else [value]) if (each := name(item))]
        if found:
            return list(dict.fromkeys(found))
    return []


def first(fields: Record, keys: tuple[str, ...]) -> str | None:
    return next(iter(names({key: fields.get(key) for key in keys}, keys)), None)


def instant_of(fields: Record, keys: tuple[str, ...], envelope: Envelope) -> int | None:
    return next((at for key in keys if (at := instant(fields.get(key), key, envelope)) is not None), None)


@lru_cache(4096)
def guid_parts(guid: str) -> tuple[str | None, str | None, str | None]:
    """Return account, domain and type from an entity's id: base64 of ``account|domain|type|id``, without padding."""
    try:
        account, domain, kind, _ = base64.b64decode(guid + "=" * (-len(guid) % 4)).decode().split("|", 3)
    except (binascii.Error, ValueError):
        return None, None, None
    return name(account), name(domain), name(kind)


def keys_of(record: Record) -> frozenset[str]:
    """Return the names of a record's fields as `fields_of` has them."""
    return _plain_keys(tuple(record))


@lru_cache(4096)
def _plain_keys(keys: tuple[str, ...]) -> frozenset[str]:
    return frozenset("".join(key.split()).replace("_", "").lower() for key in keys)
