"""Names in fields, tags and text -> entities; one name for one thing; who owns it."""

from __future__ import annotations

from stanza_lab.entities.coverage.coverage import Coverage, coverage
from stanza_lab.entities.extraction.scan import extract_entities
from stanza_lab.entities.find import find_entities
from stanza_lab.entities.ownership.catalogues import read_ownership
from stanza_lab.entities.ownership.owners import infer_ownership
from stanza_lab.entities.ownership.repositories import map_repositories
from stanza_lab.entities.ownership.teams import relate_teams, summarize_teams
from stanza_lab.entities.resolve import resolve_entities
from stanza_lab.entities.symptoms import classify_symptoms

__all__ = [
    "Coverage",
    "classify_symptoms",
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
