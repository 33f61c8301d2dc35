"""Names in fields, tags and text -> entities; one name for one thing; who owns it."""

from __future__ import annotations

from stanza_lab.entities.find import find_entities
from stanza_lab.entities.ownership import read_ownership
from stanza_lab.entities.resolve import resolve_entities

__all__ = ["find_entities", "read_ownership", "resolve_entities"]
