from __future__ import annotations

import math

import pandas as pd
import pytest

import stanza_lab as sl
from tests.reliability.objectives.tables_of import START, counts, promised

# six times in 30 days: half an hour of 10 % failures; 8,640 intervals of 1,000 allow 8,640, each spends 600 of them
EVERY, LENGTH = 1440, 6
BAD = [100.0 if i % EVERY in range(288, 288 + LENGTH) else 0.0 for i in range(8640)]
HOURS = [24 + 120 * k for k in range(6)]


def fired(hours: list[float], minutes: float, lasts: float | None) -> pd.DataFrame:
    at = pd.Series([START + pd.Timedelta(hours=h, minutes=minutes) for h in hours])
    ends = at + pd.Timedelta(minutes=lasts or 0)
    known = ends if lasts is not None else ends.mask(ends.notna())
    return pd.DataFrame({"service": "shop", "alertname": "Errors high", "starts_at": at, "ends_at": known})


@pytest.fixture(scope="module")
def found():
    noise = [h + 50.0 for h in HOURS]
    alerts = pd.concat([fired(HOURS[:3], 4, 30), fired(noise, 0, 5), fired([1], 0, 5).assign(service="db")])
    return sl.backtest_alert_rules(counts(BAD), objectives=promised(), alerts=alerts)


def test_events_consume_what_they_consume(found) -> None:
    assert found.events["significant"].tolist() == [True] * 6
    assert found.events["spent"].tolist() == [pytest.approx(600 / 8640)] * 6
    assert found.events["starts_at"].tolist() == [START + pd.Timedelta(hours=h) for h in HOURS]


def test_burn_rates_and_thresholds_stand_beside_each_other(found) -> None:
    rules = found.rules.set_index("rule")
    page, old = rules.loc["page 1h"], rules.loc["Errors high"]
    # the hour reaches 14.4 of 100 after 8.64 min, so at the second count; 5 min after the end the short window is clean
    assert (page["precision"], page["recall"], page["detection_s"], page["reset_s"]) == (1, 1, 600, 300)
    assert (old["alerts"], old["precision"], old["recall"]) == (9, pytest.approx(3 / 9), pytest.approx(3 / 6))
    assert (old["detection_s"], old["reset_s"]) == (240, 240)  # 4 min late; until 4 min after


def test_alerts_of_services_without_counts_are_not_judged_and_said(found) -> None:
    assert "db" not in set(found.alerts["service"])
    assert any(said.startswith("1 alert of services without indicators") for said in found.unseen)


def test_below_five_no_share_is_given() -> None:
    short = sl.backtest_alert_rules(counts(BAD[:1440]), objectives=promised())
    row = short.rules.iloc[0]
    assert (row["events"], row["detected"]) == (1, 1)
    assert math.isnan(row["recall"])
    assert "too few for a recall, 5 are needed" in row["words"]


def test_what_spends_little_does_not_matter() -> None:
    strict = sl.backtest_alert_rules(counts(BAD), objectives=promised(), significant=0.08)
    assert not strict.events["significant"].any()
    assert strict.rules.iloc[0]["precision"] == 0


def test_one_stray_failure_is_no_event() -> None:
    quiet = sl.backtest_alert_rules(counts([0.0] * 50 + [2.0] + [0.0] * 50), objectives=promised())
    assert quiet.events.empty  # 1 allowed, and 2 * sqrt(1) + 1 by chance


def test_an_alert_without_an_end_finds_but_never_resets() -> None:
    found = sl.backtest_alert_rules(counts(BAD), objectives=promised(), alerts=fired(HOURS, 4, None))
    row = found.rules.set_index("rule").loc["Errors high"]
    assert (row["recall"], row["resets"], math.isnan(row["reset_s"])) == (1, 0, True)
