"""Tuning: which parameters group best, found on the past and judged on what came after."""

from stanza_lab.tuning.result import TuningResult, read_params
from stanza_lab.tuning.spaces import default_space
from stanza_lab.tuning.splits import TimeSplits
from stanza_lab.tuning.tuner import tune

__all__ = ["TimeSplits", "TuningResult", "default_space", "read_params", "tune"]
