"""How recurring sequences are found: groups of incidents alike, their steps, their significance."""

from stanza_lab.patterns.mining.mine import mine_patterns

__all__ = ["mine_patterns"]
