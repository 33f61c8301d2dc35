"""Names in fields, tags and text -> entities; one name for one thing; who owns it."""

from __future__ import annotations

from stanza_lab.entities.coverage import Coverage, coverage
from stanza_lab.entities.find import find_entities
from stanza_lab.entities.owners import infer_ownership
from stanza_lab.entities.ownership import read_ownership
from stanza_lab.entities.repositories import map_repositories
from stanza_lab.entities.resolve import resolve_entities
from stanza_lab.entities.scan import extract_entities
from stanza_lab.entities.teams import relate_teams, summarize_teams

__all__ = [
    "Coverage",
    "coverage",
    "extract_entities",
    "find_entities",
    "infer_ownership",
    "map_repositories",
    "read_ownership",
    "relate_teams",
    "resolve_entities",
    "summarize_teams",
]
