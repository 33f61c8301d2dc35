from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import ParameterError, SchemaError
from stanza_lab.patterns.found import FAMILIES, OCCURRENCES, PATTERNS, STEPS
from stanza_lab.patterns.mining import alike
from stanza_lab.patterns.mining.naming import family_name
from tests.patterns.mining.histories import history, row


@pytest.fixture(scope="module")
def found() -> sl.Patterns:
    return sl.mine_patterns(history())


def test_the_sequence_that_recurs_is_found_alone(found: sl.Patterns) -> None:
    assert found.table["name"].tolist() == ["orders-db latency, then orders-api errors"]
    assert found.table["support"].tolist() == [6]
    assert found.occurrences["incident_id"].tolist() == [0, 1, 2, 3, 4, 5]


def test_steps_have_order_gaps_and_optional_members(found: sl.Patterns) -> None:
    steps = found.steps.set_index("kind")
    assert steps.index.tolist() == ["orders-db: latency", "orders-api: errors", "checkout: errors"]
    assert steps["core"].tolist() == [True, True, False]
    assert steps["count"].tolist() == [6, 6, 3]
    assert steps["share"].tolist() == [1.0, 1.0, 0.5]
    assert steps["after_s"].tolist() == [0.0, 60.0, 200.0]
    assert steps.loc["orders-api: errors", "low_s"] == pytest.approx(52.0)  # of 50, 54 ... 70: a tenth of the way
    assert steps.loc["orders-api: errors", "high_s"] == pytest.approx(68.0)


def test_it_is_no_chance(found: sl.Patterns) -> None:
    one = found.table.iloc[0]
    assert one["expected"] < 0.1
    assert one["p_value"] < 1e-6
    assert one["q_value"] <= 0.05


def test_confidence_is_the_share_of_incidents_that_begin_so() -> None:
    more = [row("orders-db", "latency", 500 + 11 * i, 0, 200 + i) for i in range(2)]
    found = sl.mine_patterns(pd.concat([history(), pd.DataFrame(more)], ignore_index=True))
    assert found.table["confidence"].tolist() == [6 / 8]


def test_lead_counts_from_the_first_alert_to_the_first_page() -> None:
    alerts = history()
    severity = np.where(alerts["alertname"] == "latency", "warning", "error")
    found = sl.mine_patterns(alerts.assign(severity=severity))
    assert found.occurrences["lead_s"].tolist() == [50.0, 54.0, 58.0, 62.0, 66.0, 70.0]
    assert found.table["lead_s"].tolist() == [60.0]
    assert "severity error" in found.known["page"]


def test_how_each_time_ended() -> None:
    alerts = history()
    first, second = alerts["incident_id"] == 0, alerts["incident_id"] == 1
    alerts.loc[first, "acked_at"] = alerts.loc[first, "starts_at"] + pd.Timedelta("3min")
    alerts.loc[second, "ends_at"] = pd.NaT
    found = sl.mine_patterns(alerts)
    assert found.occurrences["ended"].tolist() == ["after somebody took it", "open"] + 4 * ["by itself"]
    assert found.families["endings"][0] == {"by itself": 4, "after somebody took it": 1, "open": 1}
    assert found.occurrences["ends_at"].isna().tolist() == [False, True, False, False, False, False]


def test_a_source_without_recoveries_says_nothing_of_the_end() -> None:
    found = sl.mine_patterns(history().assign(ends_at=pd.Series(pd.NaT, dtype=sl.schema.TIME_DTYPE)))
    assert set(found.occurrences["ended"]) == {"not known"}


def test_tables_have_the_columns_and_dtypes_they_promise(found: sl.Patterns) -> None:
    empty = sl.mine_patterns(history(0))
    promised = {"table": PATTERNS, "steps": STEPS, "occurrences": OCCURRENCES, "families": FAMILIES}
    for patterns in (found, empty):
        for name, columns in promised.items():
            table = getattr(patterns, name)
            assert table.columns.tolist() == list(columns)
            pd.testing.assert_frame_equal(table, table.astype(columns))
    assert len(empty.table) == 0


def test_incidents_that_share_nothing_are_no_pattern() -> None:
    assert len(sl.mine_patterns(history(times=0, others=40)).table) == 0


def test_too_few_times_is_no_pattern() -> None:
    assert len(sl.mine_patterns(history(times=2)).table) == 0
    assert len(sl.mine_patterns(history(times=6), min_support=7).table) == 0


def test_what_fires_all_the_time_is_not_named_for_it() -> None:
    chronic = [row("disk", "full", 0.5 * i, 0, -1) for i in range(1000)]
    with_it = [row("disk", "full", 71.3 * i, 20, i) for i in range(6)]
    found = sl.mine_patterns(pd.concat([history(), pd.DataFrame(chronic + with_it)], ignore_index=True))
    assert found.table["pattern"].tolist() == sl.mine_patterns(history()).table["pattern"].tolist()
    assert "1,000 alerts on their own, of no incident: no part of a pattern" in found.unseen


def test_order_of_rows_and_a_shift_of_all_times_do_not_matter(found: sl.Patterns) -> None:
    alerts = history()
    mixed = alerts.sample(frac=1.0, random_state=3)
    pd.testing.assert_frame_equal(sl.mine_patterns(mixed).table, found.table)
    later = alerts.assign(**{name: alerts[name] + pd.Timedelta("7D") for name in ("starts_at", "ends_at")})
    again = sl.mine_patterns(later)
    pd.testing.assert_frame_equal(again.steps, found.steps)
    assert again.table["last"][0] - found.table["last"][0] == pd.Timedelta("7D")


def test_the_argument_stays_as_it_was() -> None:
    alerts = history()
    before = alerts.copy(deep=True)
    sl.mine_patterns(alerts)
    pd.testing.assert_frame_equal(alerts, before)


def test_alerts_without_a_time_are_left_out_and_counted() -> None:
    alerts = pd.concat([history(), pd.DataFrame([row("x", "y", 0, 0, 0) | {"starts_at": pd.NaT}])], ignore_index=True)
    found = sl.mine_patterns(alerts)
    assert found.table["support"].tolist() == [6]
    assert "1 alert without a time: left out" in found.unseen


def test_no_alerts_at_all() -> None:
    found = sl.mine_patterns(history().iloc[:0])
    assert len(found.table) == 0
    assert found.known["incidents"] == 0


def test_by_service_and_by_rule() -> None:
    assert sl.mine_patterns(history(), by="service").table["name"].tolist() == ["orders-db, then orders-api"]
    assert sl.mine_patterns(history(), by="rule").steps["what"].tolist()[:2] == ["latency", "errors"]


def test_patterns_that_begin_alike_are_one_family() -> None:
    other = []
    for i in range(5):
        hours = 41.1 * i + 29
        other += [row("orders-db", "latency", hours, 0, 300 + i), row("billing", "errors", hours, 90, 300 + i)]
        other += [row("invoices", "errors", hours, 150, 300 + i)]
    found = sl.mine_patterns(pd.concat([history(), pd.DataFrame(other)], ignore_index=True))
    assert len(found.table) == 2
    assert len(found.families) == 1
    family = found.families.iloc[0]
    assert family["name"] == "storage latency at orders-db"
    assert family["support"] == 11
    assert family["first_movers"] == ["orders-db: latency"]
    assert "last on 2026-03-17 (UTC)" in family["words"]


@pytest.mark.parametrize(
    "wrong", [{"by": "alert"}, {"min_support": 1}, {"max_fdr": 1.5}, {"random_state": -1}, {"min_support": 2.5}]
)
def test_wrong_parameters_are_told(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        sl.mine_patterns(history(), **wrong)  # type: ignore[arg-type]


def test_alerts_without_incidents_are_told() -> None:
    with pytest.raises(SchemaError, match="incident_id"):
        sl.mine_patterns(history().drop(columns="incident_id"))


def test_a_shuffled_history_has_no_pattern() -> None:
    alerts = history(times=8, others=40)
    rng = np.random.default_rng(5)
    for _ in range(3):
        kinds = alerts[["service", "alertname"]].sample(frac=1.0, random_state=rng).reset_index(drop=True)
        assert len(sl.mine_patterns(alerts.assign(**kinds)).table) == 0


def test_kinds_in_so_many_incidents_that_they_are_not_compared_by_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    alerts = history()[lambda told: told["service"] != "checkout"]
    assert not any("not compared by" in said for said in sl.mine_patterns(alerts).unseen)
    monkeypatch.setattr(alike, "COMMON", 5)
    found = sl.mine_patterns(alerts)
    assert any(said.startswith("2 kinds of alert in more than 5 incidents: these are not") for said in found.unseen)
    assert found.table.empty


def test_incidents_that_are_all_alike_are_judged_by_time_alone() -> None:
    steps = (("db", "latency", 0), ("api", "errors", 90), ("web", "errors", 180))
    rows = [row(service, what, 120 * i, after, i) for i in range(8) for service, what, after in steps]
    noise = [row(f"s{i % 5}", "cpu", 31 * i - 7, 0, -1) for i in range(30)]
    found = sl.mine_patterns(pd.DataFrame(rows + noise))
    assert found.table["name"].tolist() == ["db latency, then api errors, then web errors"]
    assert any("is in 8 of 8 incidents: too few others to compare it with" in said for said in found.unseen)
    assert "0 other incidents only: little to compare it with" in found.explain(found.table["pattern"][0])


def test_kinds_that_meet_by_chance_alone_are_no_pattern_though_nothing_else_happens() -> None:
    # Six kinds, each at 10 times of its own in 8 days; what fires within a quarter of an hour is an incident.
    for seed in range(5):
        hours = np.sort(np.random.default_rng(seed).uniform(0, 192, 60))
        kinds = np.random.default_rng([seed, 1]).permutation(np.repeat(np.arange(6), 10))
        number = np.cumsum(np.diff(hours, prepend=-1) > 0.25)
        rows = [row(f"s{k}", "cpu", h, 0, int(n)) for k, h, n in zip(kinds, hours, number, strict=True)]
        assert len(sl.mine_patterns(pd.DataFrame(rows)).table) == 0


def test_one_monitor_that_lingers_does_not_make_it_long() -> None:
    alerts = history()
    late = (alerts["incident_id"] == 5) & (alerts["service"] == "orders-api")
    alerts.loc[late, "ends_at"] = alerts.loc[late, "ends_at"] + pd.Timedelta("19D")
    found = sl.mine_patterns(alerts)
    last = found.occurrences.iloc[-1]
    assert last["half_at"] - last["starts_at"] == pd.Timedelta("10min")
    assert "incident 5: by itself, half over after 10 min, the last after 19 d" in found.explain(last["pattern"])


def test_the_role_of_a_service_is_not_said() -> None:
    first = pd.DataFrame({"service": ["tracking-api"], "what": ["errors"], "weight": [3]})
    assert family_name(first) == "errors at tracking-api"
