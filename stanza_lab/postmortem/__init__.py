"""Looking back on one incident: timeline, likely origin, look-alikes, who was paged, questions for the meeting."""

from stanza_lab.postmortem.found import Review
from stanza_lab.postmortem.reviewing import review

__all__ = ["Review", "review"]
