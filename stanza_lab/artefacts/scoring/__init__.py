"""Scoring new alerts as they come in: the incident, why, where it likely began, whose it is, what could be done."""

from stanza_lab.artefacts.scoring.lines import LineScorer
from stanza_lab.artefacts.scoring.scorer import ANSWERS, Scorer

__all__ = ["ANSWERS", "LineScorer", "Scorer"]
