"""Evidence other than times: what alerts say of each other in text, traces, resources, teams, names and roles.

Each source is a count that adds up over time slices (`count_claims` between nodes, `count_traits` of nodes), works when
every other one is missing, and tells of itself in words (`words_for`). `pair_claims` makes numbers of them.
"""

from __future__ import annotations

from stanza_lab.dependencies.evidence.claims import candidates, count_claims, merge_claims
from stanza_lab.dependencies.evidence.features import FEATURES, pair_claims
from stanza_lab.dependencies.evidence.roles import ROLES, role_of_name
from stanza_lab.dependencies.evidence.traits import count_traits, merge_traits
from stanza_lab.dependencies.evidence.words import PairWords, words_by_source, words_for

__all__ = [
    "FEATURES",
    "ROLES",
    "PairWords",
    "candidates",
    "count_claims",
    "count_traits",
    "merge_claims",
    "merge_traits",
    "pair_claims",
    "role_of_name",
    "words_by_source",
    "words_for",
]
