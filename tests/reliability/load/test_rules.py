from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stanza_lab.reliability.load import pages, rules


def table(rows: list[dict[str, object]], *, checks: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the rules of alerts; `page` (row of a page) and `taken` as `pages.read` has them."""
    given = pd.DataFrame(rows)
    known = given.drop(columns=[name for name in ("page", "taken") if name in given.columns])
    filled = pages.filled(known.assign(alert_id=[f"a{i}" for i in range(len(given))]))
    filled = filled.assign(page=given.get("page", -1), taken=given.get("taken", False))
    return rules.table(filled, pd.DataFrame({"acked_at": [pd.NaT]}), checks=checks)


def fired(at: str, until: str | None = None, **more: object) -> dict[str, object]:
    return {"source": "datadog", "service": "shop", "rule_key": "r", "starts_at": at, "ends_at": until, **more}


def test_what_fires_again_within_a_day_of_its_recovery() -> None:
    rows = [
        fired("2026-07-01T00:00Z", "2026-07-01T01:00Z"),
        fired("2026-07-01T20:00Z", "2026-07-01T21:00Z"),
        fired("2026-07-05T00:00Z", None),
    ]
    found = table(rows).iloc[0]
    assert found[["count", "recovered", "open", "refired"]].tolist() == [3, 2, 1, 0.5]


def test_firing_again_is_that_of_the_same_rule_and_service() -> None:
    rows = [
        fired("2026-07-01T00:00Z", "2026-07-01T01:00Z"),
        fired("2026-07-01T02:00Z", "2026-07-01T03:00Z", service="other"),
        fired("2026-07-01T02:00Z", "2026-07-01T03:00Z", rule_key="other"),
    ]
    assert table(rows)["refired"].tolist() == [0, 0, 0]


def test_an_alert_that_ends_as_it_begins_does_not_follow_itself() -> None:
    assert table([fired("2026-07-01T00:00Z", "2026-07-01T00:00Z")])["refired"].tolist() == [0]


def test_firing_again_is_as_a_plain_loop_has_it() -> None:
    rng = np.random.default_rng(0)
    start = pd.Timestamp("2026-07-01", tz="UTC") + pd.to_timedelta(rng.integers(0, 20_000, 80), unit="min")
    end = start + pd.to_timedelta(rng.integers(0, 600, 80), unit="min")
    frame = pd.DataFrame({"starts_at": start, "ends_at": end, "rule_key": rng.choice(["a", "b", "c"], 80)})
    found = table(frame.assign(source="datadog", service="shop").to_dict("records")).set_index("rule_key")["refired"]
    for key, mine in frame.groupby("rule_key"):
        again = 0
        for i, row in mine.iterrows():
            later = mine["starts_at"].drop(i)
            again += bool(((later >= row.ends_at) & (later <= row.ends_at + pd.Timedelta("24h"))).any())
        assert found[key] == pytest.approx(again / len(mine)), key


def test_chronic_is_a_quarter_of_the_days_and_four_at_least() -> None:
    nightly = [fired(f"2026-07-{day:02}T03:00Z", rule_key="n") for day in range(1, 17, 4)]
    once = [fired("2026-07-02T12:00Z", rule_key="o")] * 3
    found = table([*nightly, *once])
    assert found[["rule_key", "count", "days", "chronic"]].to_numpy().tolist() == [
        ["n", 4, 4, True],
        ["o", 3, 1, False],
    ]
    assert found["days_share"].tolist() == [4 / 13, 1 / 13]


def test_three_alerts_an_hour_flap() -> None:
    rows = [fired(f"2026-07-01T10:{m:02}Z", f"2026-07-01T10:{m + 5:02}Z") for m in (0, 20, 40)]
    assert table(rows)[["changes", "flapping"]].to_numpy().tolist() == [[6, True]]
    assert table(rows[:2])[["changes", "flapping"]].to_numpy().tolist() == [[4, False]]


def test_checks_go_before_changes_in_an_hour() -> None:
    at = pd.date_range("2026-07-01", periods=21, freq="min", tz="UTC")
    checks = pd.DataFrame({"rule_key": "r", "at": at, "state": [0, 1] * 10 + [0]})
    found = table([fired("2026-07-01T10:00Z")], checks=checks).iloc[0]
    assert (found["changes"], found["flapping"], round(found["flap_percent"], 1)) == (1, True, 99.0)


def test_pages_that_nobody_took_and_recoveries_by_themselves() -> None:
    rows = [
        fired("2026-07-01T10:00Z", "2026-07-01T10:30Z", page=0, taken=True),
        fired("2026-07-02T10:00Z", "2026-07-02T10:30Z", page=1, taken=False),
        fired("2026-07-03T10:00Z", "2026-07-03T10:30Z", page=-1, taken=False),
        fired("2026-07-03T11:00Z", None, page=-1, taken=False),
    ]
    found = table(rows).iloc[0]
    assert found[["pages", "never_acknowledged", "auto_resolved"]].tolist() == [2, 0.5, 2 / 3]


def test_what_cannot_be_known_is_null() -> None:
    found = table([fired("2026-07-01T00:00Z", source="sentry", page=0)]).iloc[0]
    assert found[["open", "refired", "auto_resolved", "never_acknowledged", "flap_percent"]].isna().all()


def test_the_worst_severity_and_the_name_are_kept_and_order_does_not_matter() -> None:
    rows = [
        fired("2026-07-01T00:00Z", severity="warning", alertname="Errors"),
        fired("2026-07-02T00:00Z", severity="critical", alertname="Errors"),
    ]
    found = table(rows)
    assert found[["rule", "severity"]].to_numpy().tolist() == [["Errors", "critical"]]
    pd.testing.assert_frame_equal(found, table(rows[::-1]))


def test_one_stray_time_does_not_spoil_the_other_rules() -> None:
    # 12,000 rules over the 56 years that one alert of 1970 opens are more microseconds than a number holds
    many = pd.DataFrame({"rule_key": [f"r{i:05}" for i in range(12_000)], "starts_at": "2026-07-01T00:00Z"})
    again = pd.DataFrame({"rule_key": "r11999", "starts_at": ["2026-07-01T02:00Z"]})
    stray = pd.DataFrame({"rule_key": "r00000", "starts_at": ["1970-01-02T00:00Z"]})
    rows = pd.concat([stray, many, again]).assign(source="datadog", service="shop")
    rows["ends_at"] = pd.to_datetime(rows["starts_at"]) + pd.Timedelta("1h")
    found = table(rows.to_dict("records")).set_index("rule_key")
    assert found.loc["r11999", ["recovered", "refired"]].tolist() == [2, 0.5]
    assert found.loc["r05000", ["count", "refired", "changes"]].tolist() == [1, 0, 2]
