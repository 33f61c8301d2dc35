"""Service level objectives: indicators, error budgets, burn rates, alerts on them and what these would have done."""

from __future__ import annotations

from stanza_lab.reliability.objectives.burning import burn_alerts, burn_rates
from stanza_lab.reliability.objectives.golden import golden_signals
from stanza_lab.reliability.objectives.measured import Reliability
from stanza_lab.reliability.objectives.measuring import measure_objectives, objectives_from_alerts
from stanza_lab.reliability.objectives.objective import Objective, read_objectives
from stanza_lab.reliability.objectives.prometheus_rules import write_prometheus_rules
from stanza_lab.reliability.objectives.reading import read_indicators
from stanza_lab.reliability.objectives.rule_backtest import RuleBacktest, backtest_alert_rules
from stanza_lab.reliability.objectives.sessions import session_indicators
from stanza_lab.reliability.objectives.tables import INDICATORS

__all__ = [
    "INDICATORS",
    "Objective",
    "Reliability",
    "RuleBacktest",
    "backtest_alert_rules",
    "burn_alerts",
    "burn_rates",
    "golden_signals",
    "measure_objectives",
    "objectives_from_alerts",
    "read_indicators",
    "read_objectives",
    "session_indicators",
    "write_prometheus_rules",
]
