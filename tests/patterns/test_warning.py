from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import ParameterError
from tests.patterns.unfolded import ALL, SPLIT, alerts, known

if TYPE_CHECKING:
    from stanza_lab.patterns.warned import EarlyWarnings


@pytest.fixture(scope="module")
def found() -> EarlyWarnings:
    """Return warnings at 0.7: after db and api (0.74), not after db alone (0.67)."""
    return sl.early_warnings(ALL, split=SPLIT, patterns=known(), min_confidence=0.7)


def test_precision_recall_and_lead_are_those_of_later_incidents(found: EarlyWarnings) -> None:
    row = found.table.iloc[0]
    assert row["prefix"] == ["db: latency", "api: latency"]
    assert (row["showed"], row["were"]) == (5, 4)
    assert (row["warnings"], row["came"], row["happened"]) == (8, 6, 6)
    assert row["precision"] == pytest.approx(6 / 8)
    assert row["recall"] == 1.0
    assert row["base"] == pytest.approx(6 / 9)
    assert row["lead_s"] == 120.0
    assert row["page_lead_s"] == 120.0
    assert row["judged"]


def test_intervals_are_wilsons(found: EarlyWarnings) -> None:
    row, z, n, p = found.table.iloc[0], 1.959964, 8, 6 / 8
    half = z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    assert row["precision_low"] == pytest.approx(middle - half, abs=1e-5)
    assert row["precision_high"] == pytest.approx(middle + half, abs=1e-5)


def test_it_says_so_in_words(found: EarlyWarnings) -> None:
    assert found.table["words"].iloc[0].split("; ") == [
        "db: latency, api: latency: 0.74 (4 of 5 that began so earlier, few, so drawn towards what is usual)",
        "later warnings that came true: 6 of 8, 0.75 (0.41 to 0.93)",
        "later occurrences warned of: 6 of 6, 1.00 (0.61 to 1.00)",
        "2 min before it was whole",
        "2 min before the first page",
    ]
    assert repr(found) == (
        "EarlyWarnings(1 of 1 pattern, 6 of 8 warnings came true, 6 of 6 occurrences warned of, split 2026-03-20 00:00 "
        "UTC)"
    )
    assert "judged on 9 incidents from then on" in found.words[0]


def test_a_warning_that_is_less_sure_comes_earlier() -> None:
    early = sl.early_warnings(ALL, split=SPLIT, patterns=known(), min_confidence=0.6)
    row = early.table.iloc[0]
    assert row["prefix"] == ["db: latency"]
    assert (row["warnings"], row["came"], row["lead_s"]) == (8, 6, 240.0)


def test_each_beginning_says_how_it_fared(found: EarlyWarnings) -> None:
    columns = ["kinds", "showed", "were", "warnings", "came"]
    assert found.beginnings[columns].values.tolist() == [[["db: latency", "api: latency"], 5, 4, 8, 6]]


def test_what_was_missed_and_what_was_said_in_vain_is_listed(found: EarlyWarnings) -> None:
    assert found.warnings["came"].tolist() == [True] * 6 + [False] * 2
    vain = found.warnings.iloc[6]
    assert vain["seen"] == ["db: latency", "api: latency"]
    assert pd.isna(vain["whole_at"])


def test_too_little_is_not_judged() -> None:
    few = ALL[ALL["incident_id"].isin([*range(6), 11, 12, 21])]
    found = sl.early_warnings(few, split=SPLIT, patterns=known(), min_confidence=0.7)
    row = found.table.iloc[0]
    assert (row["warnings"], row["came"]) == (3, 2)
    assert math.isnan(row["precision"])
    assert not row["judged"]
    assert "2 of 3, too few to judge (at least 5 are needed)" in row["words"]
    assert "1 pattern had fewer than 5 warnings" in found.unseen[0]


def test_nothing_sure_enough_is_said() -> None:
    found = sl.early_warnings(ALL, split=SPLIT, patterns=known(), min_confidence=0.99)
    assert found.table["words"].iloc[0].startswith("nothing tells it early")
    assert found.known["warnings"] == 0
    assert found.known["happened"] == 6


def test_nothing_later_is_learned_from() -> None:
    changed = ALL.copy()
    later = changed["incident_id"] > 9
    changed.loc[later, "service"] = changed.loc[later, "service"].replace({"web": "mail"})
    same, other = (sl.early_warnings(one, split=SPLIT, patterns=known(), min_confidence=0.7) for one in (ALL, changed))
    assert same.beginnings[["confidence", "showed", "were"]].equals(other.beginnings[["confidence", "showed", "were"]])
    assert other.known["came"] == 0
    with pytest.raises(ParameterError, match="after the split at 2026-03-06"):
        sl.early_warnings(ALL, split="2026-03-06", patterns=known())


def test_incidents_astride_are_left_out_of_both() -> None:
    astride = alerts([(30, "03-19T23:00", "db", "warning"), (30, "03-20T01:00", "api", "warning")])
    found = sl.early_warnings(pd.concat([ALL, astride]), split=SPLIT, patterns=known(), min_confidence=0.7)
    assert (found.known["earlier"], found.known["later"], found.known["astride"]) == (6, 9, 1)
    assert "1 incident astride the split left out" in found.unseen


def test_a_split_with_nothing_on_one_side_is_refused() -> None:
    with pytest.raises(ParameterError, match="leaves 0 incidents before"):
        sl.early_warnings(ALL, split="2020-01-01")
    with pytest.raises(ParameterError, match="split"):
        sl.early_warnings(ALL, split=1.5)


def test_it_shows_itself_escaped() -> None:
    evil = known()
    evil.table.loc[0, "name"] = "<script>alert(1)</script>"
    shown = sl.early_warnings(ALL, split=SPLIT, patterns=evil, min_confidence=0.7)._repr_html_()
    evil.table.loc[0, "name"] = "db latency, then api latency"
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert len(shown) < 50_000


def test_it_mines_by_itself_from_what_came_before() -> None:
    often = pd.date_range("2026-01-01T10:00Z", periods=120, freq="17h")
    seldom = often[::5]
    fired = [("db", seldom), ("api", seldom + pd.Timedelta("2min")), ("web", seldom + pd.Timedelta("4min"))]
    fired += [(f"s{place}", often[place::7]) for place in range(7)]
    told = pd.concat([pd.DataFrame({"service": name, "starts_at": at}) for name, at in fired])
    told = told.assign(alertname="High latency", severity="warning")
    told["incident_id"] = told["starts_at"].dt.floor("h").rank(method="dense").astype("int64")
    found = sl.early_warnings(told)
    assert found.table["prefix"].tolist() == [["db: latency"]]
    assert found.table[["warnings", "came", "happened", "lead_s"]].values.tolist() == [[9, 9, 9, 240.0]]
    assert found.patterns.occurrences["starts_at"].max() < found.split
