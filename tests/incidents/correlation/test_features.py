from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab import schema
from stanza_lab.incidents.correlation import features
from tests.incidents.correlation.plain import START, alerts_at, read


def names(found, vocabulary, column) -> list[str | None]:
    codes = getattr(found, column)
    return [None if code < 0 else str(vocabulary.names[column][code]) for code in codes.tolist()]


def test_entries_come_in_order_of_time_and_know_their_row():
    found, vocabulary = read(alerts_at(9, 0, None, 3, service=["a", "b", "c", None]))
    assert found.rows.tolist() == [1, 3, 0]
    assert found.seconds.tolist() == [0, 180, 540]
    assert found.origin_us == START.value // 1000
    assert names(found, vocabulary, "service") == ["b", None, "a"]


def test_ends_count_from_the_same_origin():
    alerts = alerts_at(0, 5).assign(ends_at=[None, START + pd.Timedelta("1h")])
    assert np.nan_to_num(read(alerts)[0].ends, nan=-1).tolist() == [-1, 3600]


@pytest.mark.parametrize(
    ("columns", "rules"),
    [
        ({"rule_key": ["r", "q"], "alertname": ["x", "x"]}, ["r", "q"]),
        ({"alertname": ["x", "x"], "service": ["a", "b"]}, ["x\na", "x\nb"]),
        ({"alertname": ["x", "x"], "service": [None, None]}, ["x\n", "x\n"]),
        ({"alertname": ["x", "y"]}, ["x", "y"]),
    ],
)
def test_what_a_rule_is(columns, rules):
    assert names(*read(alerts_at(0, 1, **columns)), "rule") == rules


def test_every_unknown_rule_is_one_by_itself():
    first, vocabulary = read(alerts_at(0, 1, 2, rule_key=["r", None, None]))
    later, more = read(alerts_at(3, 4, rule_key=[None, "r"]), vocabulary)
    assert len({*first.rule.tolist()}) == 3
    assert not {*first.rule.tolist()} & {later.rule.tolist()[0]}
    assert later.rule.tolist()[1] == first.rule.tolist()[0]
    third, _ = read(alerts_at(5), more)
    assert third.rule.tolist()[0] not in {*first.rule.tolist(), *later.rule.tolist()}


def test_equal_names_get_equal_codes_and_new_ones_come_after():
    _, vocabulary = read(alerts_at(0, 1, service=["a", "b"]))
    later, more = read(alerts_at(2, 3, 4, service=["z", "b", None]), vocabulary)
    assert later.service.tolist() == [2, 1, -1]
    assert more.names["service"].tolist() == ["a", "b", "z"]
    assert vocabulary.names["service"].tolist() == ["a", "b"]


def test_no_name_is_forgotten_where_later_alerts_lack_the_column():
    _, vocabulary = read(alerts_at(0, trace_ids=[["t"]], service=["a"]))
    _, vocabulary = read(alerts_at(1), vocabulary)
    later, vocabulary = read(alerts_at(2, trace_ids=[["u"]]), vocabulary)
    assert vocabulary.names["trace_ids"].tolist() == ["t", "u"]
    assert later.lists["trace_ids"][1].tolist() == [1]
    assert vocabulary.names["service"].tolist() == ["a"]


def test_categories_are_text():
    told = alerts_at(0, 1, 2, service=["b", None, "a"], rule_key=["r", "q", None])
    as_categories = told.assign(
        service=told["service"].astype("category"), rule_key=told["rule_key"].astype("category")
    )
    one, two = read(told), read(as_categories)
    assert names(*one, "service") == names(*two, "service") == ["b", None, "a"]
    assert one[0].rule.tolist() == two[0].rule.tolist()


def test_environments_are_told_apart_by_sources_that_have_two():
    found, vocabulary = read(alerts_at(0, 1, 2, source=["a", "a", "b"], environment=["prod", "test", "prod"]))
    assert found.place.tolist() == [0, 1, -1]
    later, _ = read(alerts_at(3, source=["a"], environment=["test"]), vocabulary)
    assert later.place.tolist() == [1]
    second, _ = read(alerts_at(3, source=["b"], environment=["live"]), vocabulary)
    both, _ = features.joined(found, second)
    assert both.place.tolist() == [0, 1, 0, 2]


def test_shared_ids():
    told = [["t", "u"], ["u"], [], ["v", "t", "w"], None]
    found, _ = read(alerts_at(0, 1, 2, 3, 4, trace_ids=told))
    left, right = np.triu_indices(5, 1)
    shares = found.share("trace_ids", left, right).tolist()
    expected = [bool({*(told[a] or [])} & {*(told[b] or [])}) for a, b in zip(left, right, strict=True)]
    assert shares == expected
    assert not found.share("resources", left, right).any()


def test_ids_may_be_arrays():
    found, _ = read(alerts_at(0, 1, trace_ids=[np.array(["t"]), np.array(["u", "t"])]))
    assert found.share("trace_ids", np.array([0]), np.array([1])).tolist() == [True]


def test_numbers_are_seconds_service_and_team():
    found, _ = features.from_numbers(np.array([[90.0, 7, 1, 5], [30.0, 8, 1, 5], [60.0, 7, 2, 5]]))
    assert found.rows.tolist() == [1, 2, 0]
    assert found.seconds.tolist() == [0, 30, 60]
    assert found.service.tolist() == [0, 1, 1]
    assert found.team.tolist() == [0, 1, 0]
    assert len({*found.rule.tolist()}) == 3


def test_some_entries_by_themselves():
    told = alerts_at(0, 1, 2, 3, trace_ids=[["t"], ["u"], ["t"], ["t"]], service=[*"abcd"])
    found, vocabulary = read(told)
    some = found.take(np.array([0, 2]))
    assert some.seconds.tolist() == [0, 120]
    assert names(some, vocabulary, "service") == ["a", "c"]
    assert some.share("trace_ids", np.array([0]), np.array([1])).tolist() == [True]


def test_two_tables_in_one():
    first, vocabulary = read(alerts_at(0, 10, service=["a", "b"], trace_ids=[["t"], None]))
    second, vocabulary = read(alerts_at(5, 10, -1, service=["c", "a", "d"], resources=[["h"], ["h"], None]), vocabulary)
    both, order = features.joined(first, second)
    assert both.seconds.tolist() == [-60, 0, 300, 600, 600]
    assert names(both, vocabulary, "service") == ["d", "a", "c", "b", "a"]
    assert order.tolist() == [2, 0, 3, 1, 4]
    assert both.share("resources", np.array([2]), np.array([4])).tolist() == [True]
    assert both.share("trace_ids", np.array([1]), np.array([2])).tolist() == [False]


def test_no_alerts():
    for alerts in (alerts_at(), alerts_at(None, None, service=["a", "b"])):
        found, _ = read(alerts)
        assert len(found) == 0
        assert len(found.take(np.zeros(0, dtype=int))) == 0
        later, _ = read(alerts_at(1, 2))
        assert features.joined(found, later)[0].seconds.tolist() == [START.value / 1e9 + 60, START.value / 1e9 + 120]


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abc"), st.sampled_from("xy")), min_size=1, max_size=15),
    st.randoms(),
)
def test_row_order_does_not_matter(rows, random):
    alerts = alerts_at(*[r[0] for r in rows], service=[r[1] for r in rows], rule_key=[r[2] for r in rows]).assign(
        alert_id=[f"{i:02}" for i in range(len(rows))]
    )
    order = [*range(len(rows))]
    random.shuffle(order)
    one, two = read(alerts)[0], read(alerts.iloc[order])[0]
    assert one.rows.tolist() == [order[row] for row in two.rows]
    assert one.seconds.tolist() == two.seconds.tolist()


WORDS = st.sampled_from(["a", "b", "c 12", "d", None])
FEW_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            **dict.fromkeys(("service", "team", "environment", "source", "rule_key", "alertname", "summary"), WORDS),
            "resources": st.lists(st.sampled_from(["r1", "r2"]), max_size=2),
            "trace_ids": st.lists(st.sampled_from(["t1", "t2"]), max_size=2),
            "open": st.booleans(),
        }
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=150, deadline=None)
@given(FEW_ROWS, FEW_ROWS, st.sets(st.sampled_from(["service", "rule_key", "alertname", "resources", "source"])))
def test_a_few_alerts_read_one_by_one_are_read_the_same(before, now, left_out):
    def table(rows):
        told = {name: [row[name] for row in rows] for name in rows[0] if name != "open" and name not in left_out}
        alerts = alerts_at(*range(len(rows)), **told)
        ends = (alerts["starts_at"] + pd.Timedelta("5min")).mask([row["open"] for row in rows])
        return schema.check(alerts.assign(ends_at=ends), schema.ALERTS, need=["starts_at"])

    _, vocabulary = features.from_alerts(table(before))
    slow, _ = features.from_alerts(table(now), vocabulary)
    fast = features.from_few(table(now), vocabulary)
    for name in ("seconds", "ends", "service", "team", "environment", "source", "kind", "telling", "rows"):
        np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name), err_msg=name)
    known = slow.rule < len(vocabulary.names["rule"])
    np.testing.assert_array_equal(fast.rule[known], slow.rule[known])  # the others are new: only which are equal counts
    np.testing.assert_array_equal(pd.factorize(fast.rule)[0], pd.factorize(slow.rule)[0])
    assert fast.lists.keys() == slow.lists.keys()
    for name in slow.lists:
        np.testing.assert_array_equal(np.sort(fast.lists[name]), np.sort(slow.lists[name]))
