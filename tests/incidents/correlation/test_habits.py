from __future__ import annotations

import pandas as pd
import pytest

from tests.incidents.correlation.plain import alerts_at, clusterer

DAY, HOUR = 1440, 60


def habits(alerts: pd.DataFrame, **changed) -> dict[str, str]:
    rules = clusterer(**changed).fit(alerts).rules_
    return dict(zip(rules["rule"], rules["habit"].astype("str"), strict=True))


def test_columns():
    alerts = alerts_at(0, 1, 2, 2 * DAY, rule_key=["a", "b", "b", "b"])
    rules = clusterer().fit(alerts).rules_
    assert rules["rule"].tolist() == ["b", "a"]
    assert rules["alerts"].tolist() == [3, 1]
    assert rules["incidents"].tolist() == [1, 1]
    assert rules["alone_share"].tolist() == pytest.approx([1 / 3, 0])
    assert rules["per_day"].tolist() == [1.5, 0.5]
    dtypes = {"rule": "str", "alerts": "int64", "incidents": "int64", "alone_share": "float64", "per_day": "float64"}
    assert rules.dtypes.astype("str").to_dict().items() >= {**dtypes, "habit": "category"}.items()


def test_chronic_is_ten_alerts_that_stand_alone():
    times = [i * 7 * HOUR for i in range(10)]  # at every hour of the day
    assert habits(alerts_at(*times, rule_key="disk")) == {"disk": "chronic"}
    assert habits(alerts_at(*times[:9], rule_key="disk")) == {"disk": "unclear"}
    alerts = alerts_at(*times, *[t + 1 for t in times[:3]], rule_key=["disk"] * 10 + ["web"] * 3)
    assert habits(alerts)["disk"] == "unclear"  # three of ten in incidents


def test_flapping_is_soon_again():
    assert habits(alerts_at(0, 20, 40, 60, 80, rule_key="web")) == {"web": "flapping"}
    assert habits(alerts_at(0, 31, 62, 93, 124, rule_key="web")) == {"web": "unclear"}
    assert habits(alerts_at(0, 20, 40, 60, rule_key="web")) == {"web": "unclear"}


def test_periodic_is_at_its_hour_on_five_days():
    assert habits(alerts_at(*[d * DAY for d in range(5)], rule_key="backup")) == {"backup": "periodic"}
    assert habits(alerts_at(*[d * DAY for d in range(4)], rule_key="backup")) == {"backup": "unclear"}
    assert habits(alerts_at(*[d * (DAY + 5 * HOUR) for d in range(5)], rule_key="backup")) == {"backup": "unclear"}
    midnight = 10 * HOUR  # alerts_at counts from 14:00
    around = [d * DAY + midnight + (10 if d % 2 else -10) for d in range(9)]
    assert habits(alerts_at(*around, rule_key="backup")) == {"backup": "periodic"}


def test_telling_is_seldom_alone():
    alerts = alerts_at(0, 1, 3 * DAY, 3 * DAY + 1, rule_key=["a", "b", "a", "b"])
    assert habits(alerts) == {"a": "telling", "b": "telling"}
    assert habits(alerts.head(2)) == {"a": "unclear", "b": "unclear"}


def test_rules_without_a_name_are_not_listed():
    assert habits(alerts_at(0, 1, 2, rule_key=["a", None, None])) == {"a": "unclear"}
    assert habits(alerts_at(0, 1)) == {}
    assert habits(alerts_at()) == {}


def test_a_shift_of_days_changes_no_habit():
    alerts = alerts_at(*[d * DAY for d in range(5)], 3, 9, rule_key=["backup"] * 5 + ["a", "b"])
    moved = alerts.assign(starts_at=alerts["starts_at"] + pd.Timedelta("37D"))
    pd.testing.assert_frame_equal(clusterer().fit(alerts).rules_, clusterer().fit(moved).rules_)


def test_partial_fit_adds_to_habits():
    days = [alerts_at(d * DAY, rule_key="backup") for d in range(5)]
    model = clusterer()
    for day in days:
        model.partial_fit(day)
    assert model.rules_["habit"].tolist() == ["periodic"]
    assert model.rules_["alerts"].tolist() == [5]
