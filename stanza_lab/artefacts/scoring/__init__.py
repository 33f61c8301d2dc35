"""Scoring new alerts as they come in: the incident, why, where it likely began, whose it is, what could be done."""

from stanza_lab.artefacts.scoring.lines import LineScorer
from stanza_lab.artefacts.scoring.scorer import Scorer
from stanza_lab.artefacts.scoring.tables import ANSWERS

__all__ = ["ANSWERS", "LineScorer", "Scorer"]
