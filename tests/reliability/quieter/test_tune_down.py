from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stanza_lab as sl
from stanza_lab.errors import ParameterError, SchemaError
from stanza_lab.reliability.quieter import tune_down
from stanza_lab.reliability.quieter.routing import upper
from stanza_lab.reliability.quieter.sentences import span
from tests.reliability.quieter.histories import DAY, START, alert, noisy_and_needed, table


def row(changes: pd.DataFrame, rule: str, change: str) -> pd.Series:
    found = changes[(changes["rule"] == rule) & (changes["change"] == change)]
    assert len(found) == 1, changes[["rule", "change", "value"]]
    return found.iloc[0]


@pytest.mark.parametrize(
    ("times", "of", "high"),
    [(0, 12, 1 - 0.05 ** (1 / 12)), (0, 1, 0.95), (1, 1, 1.0), (3, 3, 1.0), (0, 300, 0.00993606)],
)
def test_the_limit_is_the_exact_binomial_one(times: int, of: int, high: float) -> None:
    assert upper(times, of) == pytest.approx(high, rel=1e-5)
    assert np.isnan(upper(0, 0))


def test_0_of_12_is_at_most_22_percent() -> None:
    assert round(upper(0, 12), 2) == 0.22


def test_noise_goes_and_what_sees_incidents_stays() -> None:
    tuned = tune_down(noisy_and_needed())
    noise = tuned.changes.iloc[0]
    # 20 nights, half of them on the earlier part; each two minutes long, so that two minutes more spare them all
    assert (noise["rule"], noise["change"], noise["value"]) == ("noise", "hold", "5min")
    assert (noise["promised"], noise["pages_saved"], noise["pages"]) == (10, 10, 10)
    assert (noise["occasions"], noise["missed"], noise["verdict"], noise["late"]) == (10, 0, "take", 0)
    assert noise["missed_high"] == pytest.approx(1 - 0.05**0.1)
    assert tuned.combined.loc[0, ["pages_saved", "missed", "real"]].tolist() == [10, 0, 5]


def test_of_two_rules_that_cover_each_other_one_stays() -> None:
    rows = []
    for day in range(20):
        rows += [alert("one", day, incident=day), alert("other", day, incident=day, after_s=30)]
    tuned = tune_down(table(rows))
    assert row(tuned.changes, "one", "notify")["missed"] == 0  # each alone could go
    assert row(tuned.changes, "other", "notify")["missed"] == 0
    taken = tuned.combined[tuned.combined["proposed"]]
    assert len(taken) == 1
    assert taken["missed"].iloc[0] == 0
    assert (tuned.combined["missed"].iloc[-1], tuned.combined["proposed"].iloc[-1]) == (10, False)


def test_a_rule_that_joins_another_rings_again_where_that_goes() -> None:
    # "late" comes 60 s after "first" each day and joins its page; "first" is noise of 2 minutes as soon as it is alone.
    rows = []
    for day in range(20):
        rows += [alert("first", day, incident=day), alert("late", day, incident=day, after_s=60)]
    tuned = tune_down(table(rows))
    assert row(tuned.changes, "late", "group")["pages_saved"] == 10
    assert not tuned.combined.loc[tuned.combined["proposed"], "missed"].any()


def test_the_only_witness_is_left_alone_and_said_to_be() -> None:
    rows = [alert("sole", day, minutes=120, acked_at=START + day * DAY + pd.Timedelta("4min")) for day in range(20)]
    rows += [alert("other", day + 0.5, minutes=2, service="shop") for day in range(20)]
    tuned = tune_down(table(rows))
    kept = tuned.kept.set_index("rule")
    assert kept.loc["sole", "alone"] == 10
    assert "only witness of 10 real incidents" in kept.loc["sole", "words"]
    sole = tuned.changes[tuned.changes["rule"] == "sole"]
    assert set(sole["verdict"]) == {"leave"}
    assert not sole["best"].any()
    assert "sole" not in set(tuned.patches["rule"])
    shown = tuned.missed[(tuned.missed["rule"] == "sole") & (tuned.missed["part"] == "earlier")]
    assert len(shown) == 10 * len(sole)


def test_what_the_later_part_needs_is_shown_and_not_proposed() -> None:
    rows = [alert("noise", day, minutes=2) for day in range(20)]
    rows[15] |= {"acked_at": rows[15]["starts_at"] + pd.Timedelta("1min"), "ends_at": rows[15]["starts_at"] + DAY / 2}
    rows += [alert("other", day + 0.2, minutes=60, service="shop") for day in range(0, 20, 7)]
    tuned = tune_down(table(rows))
    delete = row(tuned.changes, "noise", "delete")
    assert (delete["promised"], delete["missed_before"], delete["missed"], delete["verdict"]) == (10, 0, 1, "leave")
    lost = tuned.missed[tuned.missed["change"] == "delete"]
    assert lost[["part", "alert_id", "alerts", "services"]].to_numpy().tolist() == [["later", "a15", 1, ["shop"]]]
    # holding it back keeps it: 5 min later
    hold = row(tuned.changes, "noise", "hold")
    assert (hold["missed"], hold["late"], hold["later_s"], hold["later_max_s"]) == (0, 1, 300.0, 300.0)


def test_no_rule_waits_longer_than_the_limit() -> None:
    rows = [alert("slow", day, minutes=9) for day in range(20)]
    rows += [alert("slow", day + 0.5, incident=day) for day in range(20)]
    rows += [alert("log", day + 0.5, incident=day, after_s=1, severity="info") for day in range(20)]
    patient, strict = tune_down(table(rows), max_later="10min"), tune_down(table(rows), max_later="5min")
    hold = row(patient.changes, "slow", "hold")
    assert (hold["value"], hold["later_max_s"], hold["verdict"]) == ("10min", 600.0, "take")
    assert "hold" not in set(strict.changes["change"])


def test_the_only_rule_of_a_service_that_pages_is_not_silenced() -> None:
    rows = [alert("alone", day, minutes=100, service="billing") for day in range(20)]
    rows += [alert("errors", 2 * k, incident=k) for k in range(10)]
    tuned = tune_down(table(rows))
    alone = tuned.changes[tuned.changes["rule"] == "alone"]
    assert "delete" not in set(alone["change"])
    assert alone["only_rule"].all()
    notify = row(tuned.changes, "alone", "notify")
    assert (notify["verdict"], notify["best"]) == ("leave", False)
    assert "it is the only rule of its service that pages" in notify["reason"]


def test_copies_of_a_pager_are_pages_and_no_alerts() -> None:
    alerts = noisy_and_needed()
    pages = alerts.assign(
        source="pagerduty", origin="prometheus", alert_id="p" + alerts["alert_id"], severity=None,
        labels=[f'{{"key": "{key}"}}' for key in alerts["rule_key"]],
        starts_at=alerts["starts_at"] + pd.Timedelta("5s"),
    )  # fmt: skip
    only_noise = pages[pages["rule_key"] == "noise"]
    tuned = tune_down(pd.concat([alerts, only_noise], ignore_index=True))
    assert tuned.known["copies"] == 20
    assert (tuned.known["pages"], tuned.known["page"]) == (10, "a page is an alert of pagerduty")
    told = tune_down(alerts, pages=only_noise)
    pd.testing.assert_frame_equal(told.changes, tuned.changes)


def test_labels_say_what_was_real() -> None:
    alerts = noisy_and_needed()
    noise = alerts[alerts["rule_key"] == "noise"]
    labels = pd.DataFrame({"alert_id": noise["alert_id"], "incident_id": [f"INC-{k}" for k in range(20)]})
    real = tune_down(alerts, worth=labels)
    assert set(real.changes.loc[real.changes["rule"] == "noise", "verdict"]) <= {"leave"}
    corrected = tune_down(alerts, worth=sl.Corrections().alone(*noise["alert_id"]))
    assert corrected.changes.iloc[0]["rule"] == "noise"
    tags = pd.Series(["checkfaulty"] * 19 + ["issue"], index=noise["alert_id"])
    tagged = tune_down(alerts, worth=tags)
    assert row(tagged.changes, "noise", "delete")["missed"] == 1


def test_too_few_pages_are_not_judged() -> None:
    tuned = tune_down(noisy_and_needed(days=8), min_support=5)
    assert tuned.changes.empty
    assert "3 rules paged fewer than 5 times on the earlier part: too few to choose on." in tuned.unseen
    assert tuned.summary[0].startswith("No change: chosen on")


def test_what_saved_nothing_later_is_no_edit_and_is_said() -> None:
    # Until the split the noise lasts two minutes, after it an hour: waiting longer saves what was, not what comes.
    alerts = noisy_and_needed()
    later = (alerts["rule_key"] == "noise") & (alerts["starts_at"] >= START + 10 * DAY)
    alerts["ends_at"] = alerts["ends_at"].mask(later, alerts["starts_at"] + pd.Timedelta("1h"))
    tuned = tune_down(alerts)
    hold = row(tuned.changes, "noise", "hold")
    assert (hold["promised"], hold["pages_saved"], hold["best"]) == (10, 0, True)
    assert tuned.patches["rule"].tolist() == ["errors"]
    assert "1 change of them promised 10 pages, came 0 on the later part: is not among the edits." in tuned.summary
    assert repr(tuned).startswith("TuneDown(1 rule can be quieter, 5 of")


def test_parts_of_one_day_are_told_with_their_times() -> None:
    first, split = pd.Timestamp("2026-01-29T09:00Z"), pd.Timestamp("2026-01-29T16:30Z")
    assert span(first, split) == "2026-01-29 09:00 to 2026-01-29 16:30 (UTC)"
    assert span(first, split + DAY) == "2026-01-29 to 2026-01-30 (UTC)"


def test_flapping_counts_once() -> None:
    rows = [alert("flap", day, minutes=3, after_s=600 * k) for day in range(20) for k in range(3)]
    rows += [alert("other", day, incident=-1, severity="info") for day in range(0, 20, 3)]
    debounce = row(tune_down(table(rows), worth="every").changes, "flap", "debounce")
    assert (debounce["value"], debounce["pages_saved"], debounce["alerts_saved"]) == ("15min", 20, 20)


def test_a_monitor_is_changed_as_one() -> None:
    rows = [
        alert(f"7|service:{name}", day, minutes=2, source="datadog", service=name) for day in range(6) for name in "ab"
    ]
    rows += [alert("errors", day + 0.1, incident=day) for day in range(6)]
    assert "7|service:a" not in set(tune_down(table(rows)).changes["rule_key"])  # 3 pages each: too few
    assert row(tune_down(table(rows), by="monitor").changes, "7|service:a", "hold")["pages_saved"] == 6


def test_parts_must_hold_something() -> None:
    with pytest.raises(ParameterError, match="one part is empty"):
        tune_down(noisy_and_needed(), split="2027-01-01")
    with pytest.raises(ParameterError, match="worth='sure'"):
        tune_down(noisy_and_needed(), worth="sure")
    with pytest.raises(SchemaError, match="worth is int"):
        tune_down(noisy_and_needed(), worth=3)
    with pytest.raises(SchemaError, match="column 'incident_id' is missing"):
        tune_down(noisy_and_needed().drop(columns="incident_id"))
    with pytest.raises(ParameterError, match="none has a start"):
        tune_down(noisy_and_needed().head(0))


def test_the_split_may_be_a_time() -> None:
    tuned = tune_down(noisy_and_needed(), split=START + 15 * DAY)
    assert (tuned.known["pages_before"], tuned.known["pages"]) == (31, 9)


@settings(max_examples=5)
@given(seed=st.integers(0, 1000), shift=st.integers(-1000, 1000))
def test_neither_order_nor_date_matters(seed: int, shift: int) -> None:
    alerts = noisy_and_needed()
    moved = alerts.sample(frac=1, random_state=seed)
    by = pd.Timedelta(shift, "h")
    moved = moved.assign(starts_at=moved["starts_at"] + by, ends_at=moved["ends_at"] + by)
    pd.testing.assert_frame_equal(tune_down(moved).changes, tune_down(alerts).changes)


def test_the_argument_is_not_changed() -> None:
    alerts = noisy_and_needed()
    before = alerts.copy(deep=True)
    tune_down(alerts)
    pd.testing.assert_frame_equal(alerts, before)


def test_it_shows_itself_in_a_line_and_a_page() -> None:
    alerts = noisy_and_needed()
    alerts["alertname"] = alerts["alertname"].replace("noise", "<img src=x>")
    tuned = tune_down(alerts)
    assert repr(tuned) == "TuneDown(2 rules can be quieter, 15 of 20 pages fewer; see .changes, .summary)"
    page = tuned._repr_html_()
    assert "<img" not in page
    assert len(page) < 50_000
