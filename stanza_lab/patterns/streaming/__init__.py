"""What is known of a growing incident from patterns and reactions, told alert by alert."""

from stanza_lab.patterns.streaming.kinds import kind_of
from stanza_lab.patterns.streaming.patterns import PatternTeller
from stanza_lab.patterns.streaming.reactions import ReactionTeller

__all__ = ["PatternTeller", "ReactionTeller", "kind_of"]
