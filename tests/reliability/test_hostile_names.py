"""Names of rules, services, teams and people that would run show as text in everything that reliability prints."""

from __future__ import annotations

import re

import pandas as pd
import pytest
import yaml

import stanza_lab as sl
from tests.payloads import PAYLOADS
from tests.reliability.objectives.tables_of import counts
from tests.reliability.quieter.histories import alert, table

KNOWN = "style article section h2 h3 small p b ul li table thead tbody tr th td div span details summary code"
TAGS = re.compile(rf"<(?!/?(?:{KNOWN.replace(' ', '|')})\b)")  # any other tag


def rude(days: int = 20) -> pd.DataFrame:
    rows = [
        alert(name, day + number / 500, minutes=2, alertname=name, service=name, team=name)
        for number, name in enumerate(PAYLOADS)
        for day in range(0, days, 2)
    ]
    return table(rows)


@pytest.fixture(scope="module")
def load() -> sl.PagerLoad:
    given = rude()
    did = pd.DataFrame({"at": given["starts_at"], "kind": "notified", "person": given["service"], "page": "p"})
    return sl.pager_load(given, engagements=did)


def test_the_pager_load_is_text(load: sl.PagerLoad) -> None:
    assert not TAGS.search(load._repr_html_())
    for figure in (
        sl.plot.pager_load(load.shifts), sl.plot.interruptions(load.interruptions), sl.plot.noisiest(load.rules),
    ):  # fmt: skip
        assert "<script" not in figure.to_json().lower()
        assert "<img" not in figure.to_json().lower()


def test_what_to_tune_down_is_text() -> None:
    tuned = sl.tune_down(rude(), min_support=3)
    assert len(tuned.patches) > 20
    assert not TAGS.search(tuned._repr_html_())
    text = tuned.to_markdown()
    assert "<" not in text
    assert "](" not in text
    assert not re.search(r"^[=@]", tuned.to_csv(), re.MULTILINE)
    assert "<script" not in sl.plot.tune_down(tuned).to_json().lower()


def test_objectives_are_text(tmp_path) -> None:
    names = [name for name in PAYLOADS if not set("*?[") & set(name)]
    wanted = [sl.Objective(name=name, service=name, objective=99.9) for name in names]
    found = sl.measure_objectives(pd.concat([counts([3] * 3, service=name) for name in names]), objectives=wanted)
    assert not TAGS.search(found._repr_html_())
    assert "<script" not in sl.plot.error_budget(found).to_json().lower()
    written = sl.write_prometheus_rules(tmp_path / "slos.yaml", wanted)[0]
    assert len(yaml.safe_load(written.read_text())["groups"]) == len(names)
