"""Past incidents alike: what they share, weighed by how unusual it is."""

from stanza_lab.patterns.lookalikes.looking_up import look_alikes
from stanza_lab.patterns.lookalikes.similarity import incident_similarity

__all__ = ["incident_similarity", "look_alikes"]
