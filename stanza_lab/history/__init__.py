"""The durable store: exports are ingested as events, each fact kept once, and folded into alerts."""

from __future__ import annotations

from stanza_lab.history.folding import fold_events
from stanza_lab.history.reading import RejectedRecordsWarning, read_alerts
from stanza_lab.history.report import IngestReport
from stanza_lab.history.retaining import RetentionReport
from stanza_lab.history.selecting import select_alerts
from stanza_lab.history.store import History

__all__ = [
    "History",
    "IngestReport",
    "RejectedRecordsWarning",
    "RetentionReport",
    "fold_events",
    "read_alerts",
    "select_alerts",
]
