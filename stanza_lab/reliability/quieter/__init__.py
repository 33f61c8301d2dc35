"""What to tune down: which rules can be quieter, what it saves and what it would have missed."""

from stanza_lab.reliability.quieter.result import TuneDown
from stanza_lab.reliability.quieter.tune_down import tune_down

__all__ = ["TuneDown", "tune_down"]
