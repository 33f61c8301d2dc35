"""The guide to a new grouping rule is true: what it shows, as it stands there, groups alerts."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import stanza_lab as sl
from stanza_lab.errors import ParameterError

GUIDE = Path(__file__).resolve().parents[1] / "CONTRIBUTING.md"
SECTION = GUIDE.read_text(encoding="utf-8").partition("\n## A new grouping rule\n")[2].partition("\n## ")[0]
(SOURCE,) = re.findall(r"^```python\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)
STARTS = ["2026-03-01T15:10Z", "2026-03-01T14:02Z", "2026-03-01T14:59Z", "2026-03-01T15:00Z", None, "2026-03-02T14:30Z"]


@pytest.fixture
def rule():
    made: dict[str, object] = {}
    exec(compile(SOURCE, "hourly.py", "exec"), made)
    return made["HourlyRule"]


def test_the_rule_groups(rule):
    alerts = pd.DataFrame({"starts_at": STARTS})
    assert rule().fit_predict(alerts).tolist() == [1, 0, 0, 1, -1, -1]
    assert rule(every="24h").fit_predict(alerts).tolist() == [0, 0, 0, 0, -1, -1]
    backwards = alerts.iloc[::-1].reset_index(drop=True)
    assert np.array_equal(rule().fit_predict(backwards)[::-1], rule().fit_predict(alerts))


def test_the_rule_takes_what_the_package_asks_of_rules(rule):
    alerts = pd.DataFrame({"starts_at": STARTS})
    assert clone(rule(every="2h")).get_params() == {"every": "2h", "min_alerts": 2}
    assert sl.backtest_grouping(alerts, {"hourly": rule()}).table["pages"].tolist() == [3]
    with pytest.raises(ParameterError, match="every='soon'"):
        rule(every="soon").fit(alerts)
