"""Grouping rules of other tools, and what each would have done to the same history."""

from stanza_lab.incidents.rules.alertmanager_route import AlertmanagerRoute
from stanza_lab.incidents.rules.attribute import AttributeRule
from stanza_lab.incidents.rules.backtest import backtest_grouping
from stanza_lab.incidents.rules.gap import GapRule
from stanza_lab.incidents.rules.group_by import GroupByRule
from stanza_lab.incidents.rules.reading import read_rules
from stanza_lab.incidents.rules.result import GroupingBacktest
from stanza_lab.incidents.rules.similarity import SimilarityRule

__all__ = [
    "AlertmanagerRoute",
    "AttributeRule",
    "GapRule",
    "GroupByRule",
    "GroupingBacktest",
    "SimilarityRule",
    "backtest_grouping",
    "read_rules",
]
