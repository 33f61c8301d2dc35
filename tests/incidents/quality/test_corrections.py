from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import stanza_lab as sl
from stanza_lab.errors import ParameterError, SchemaError, UnknownNameError

ALERTS = pd.DataFrame({"alert_id": list("abcdefg"), "incident_id": [0, 0, 0, 1, 1, -1, -1]})


def applied(corrections, alerts=ALERTS):
    return corrections.apply(alerts)["incident_id"].tolist()


def said(corrections, alerts=ALERTS):
    labels = corrections.to_labels(alerts)
    return {row.alert_id: row.incident_id if pd.notna(row.incident_id) else None for row in labels.itertuples()}


def test_nothing_said_changes_nothing():
    assert applied(sl.Corrections()) == [0, 0, 0, 1, 1, -1, -1]
    assert said(sl.Corrections()) == {}


def test_what_is_said_leaves_the_old_corrections_and_the_alerts_as_they_are():
    before, alerts = sl.Corrections(), ALERTS.copy()
    before.together("a", "f").apply(alerts)
    assert before == sl.Corrections()
    pd.testing.assert_frame_equal(alerts, ALERTS)


@pytest.mark.parametrize(
    ("corrections", "expected"),
    [
        (sl.Corrections().together("a", "f"), [0, 0, 0, 1, 1, 0, -1]),  # one on its own joins
        (sl.Corrections().together("a", "d"), [0, 0, 0, 0, 0, -1, -1]),  # incidents join whole
        (sl.Corrections().together("f", "g"), [0, 0, 0, 1, 1, 2, 2]),  # a new one
        (sl.Corrections().together("d", "f").together("f", "c"), [0, 0, 0, 0, 0, 0, -1]),
        (sl.Corrections().alone("a"), [-1, 0, 0, 1, 1, -1, -1]),
        (sl.Corrections().alone("d"), [0, 0, 0, -1, -1, -1, -1]),  # what is left of one alert is on its own
        (sl.Corrections().apart("a", "b"), [0, -1, 0, 1, 1, -1, -1]),  # the rest stays with the first
        (sl.Corrections().apart("a", "b").together("b", "c"), [-1, 2, 2, 1, 1, -1, -1]),
        (sl.Corrections().apart("a", "b").apart("a", "c"), [-1, 2, 2, 1, 1, -1, -1]),  # nobody parted b and c
        (sl.Corrections().apart("a", "b", "c"), [-1, -1, -1, 1, 1, -1, -1]),
        (sl.Corrections().apart("a", "d"), [0, 0, 0, 1, 1, -1, -1]),  # they are apart
        (sl.Corrections().together("a", "d").apart("b", "e"), [0, 0, 0, 0, -1, -1, -1]),
        (sl.Corrections().together("a", "elsewhere").alone("nowhere"), [0, 0, 0, 1, 1, -1, -1]),
    ],
)
def test_a_grouping_is_corrected(corrections, expected):
    assert applied(corrections) == expected


def test_an_incident_is_meant_by_its_number_and_kept_by_its_alerts():
    corrections = sl.Corrections().together(1, "f", alerts=ALERTS)
    assert applied(corrections) == [0, 0, 0, 1, 1, 1, -1]
    other = ALERTS.assign(incident_id=[5, 5, 5, 4, -1, -1, 5])  # of another clustering
    assert applied(corrections, other) == [5, 5, 5, 4, 4, 4, 5]
    assert said(sl.Corrections().apart(0, 1, alerts=ALERTS)) == {"a": "a", "b": "a", "c": "a", "d": "d", "e": "d"}
    assert applied(sl.Corrections().alone(0, alerts=ALERTS)) == [-1, -1, -1, 1, 1, -1, -1]


def test_only_what_was_said_becomes_a_label():
    corrections = sl.Corrections().together("b", "f").apart("b", "d").alone("g")
    assert said(corrections) == {"b": "b", "d": "d", "f": "b", "g": None}
    found = corrections.apply(ALERTS)
    assert sl.score_incidents(found, truth=corrections.to_labels(ALERTS)).loc["all alerts", "ari"] == 1


@pytest.mark.parametrize(
    "contradict",
    [
        lambda c: c.together("a", "b").apart("a", "b"),
        lambda c: c.together("a", "b").together("b", "d").apart("d", "a"),
        lambda c: c.apart("a", "b").together("a", "c").together("c", "b"),
        lambda c: c.alone("a").together("a", "b"),
        lambda c: c.together("a", "b").alone("b"),
        lambda c: c.apart("a", "a"),
    ],
)
def test_contradictions_are_told(contradict):
    with pytest.raises(ParameterError, match="drop one of the two"):
        contradict(sl.Corrections())


def test_what_cannot_be_meant():
    with pytest.raises(ParameterError, match="pass two or more"):
        sl.Corrections().together("a", "a")
    with pytest.raises(ParameterError, match="at least two"):
        sl.Corrections().apart("a")
    with pytest.raises(ParameterError, match="at least one"):
        sl.Corrections().alone()
    with pytest.raises(ParameterError, match="pass alerts="):
        sl.Corrections().together(3, "a")
    with pytest.raises(UnknownNameError, match="alert 'aa' not found"):
        sl.Corrections().together("aa", "b", alerts=ALERTS)
    for number in (7, -1):
        with pytest.raises(UnknownNameError, match="incident"):
            sl.Corrections().alone(number, alerts=ALERTS)


def test_what_is_not_in_a_table_is_named():
    assert sl.Corrections().together("a", "z").alone("y").missing(ALERTS) == ["y", "z"]


def test_a_file_is_readable_and_says_the_same(tmp_path):
    alerts = ALERTS.assign(
        starts_at=pd.Timestamp("2026-03-01T14:02", tz="UTC"), service="orders", alertname="bad\nalone: [a]"
    )
    corrections = sl.Corrections().together("a", "b").apart(0, "d", "e", alerts=ALERTS).alone("f", "1e5")
    corrections.save(tmp_path / "c.yaml", alerts=alerts)
    text = (tmp_path / "c.yaml").read_text()
    assert '- - "a"  # 2026-03-01 14:02:00+00:00  orders  bad alone: [a]' in text
    again = sl.Corrections.read(tmp_path / "c.yaml")
    assert repr(again) == repr(corrections) == "Corrections: 1 together, 1 apart, 1 alone, about 7 alerts"
    assert said(again) == said(corrections)
    assert applied(again) == applied(corrections)
    again.save(tmp_path / "d.yaml")
    assert sl.Corrections.read(tmp_path / "d.yaml") == again


def test_a_person_writes_ids_without_quotes(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("together:\n- [12e4, 0017]\napart: [[12e4, [b, c]]]\nalone:\n")
    assert said(sl.Corrections.read(path), pd.DataFrame({"alert_id": ["12e4", "0017", "b", "c"]})) == {
        "12e4": "0017",
        "0017": "0017",
        "b": "b",
        "c": "b",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("together: [[a, b]]\n\napart:\n- [a, b]\n", "line 4: 'a' and 'b' are both apart and together"),
        ("together:\n- [a]\n", "line 2: together needs at least two"),
        ("apart:\n- [a]\n", "line 2: apart needs at least two"),
        ("together:\n- a\n- b\n", "line 2: 'a' is no list"),
        ("\nalone: a\n", "line 2: 'a' is no list"),
        ("alone: [a]\nalone: [b]\n", "line 2: 'alone' stands there twice"),
        ("alone: [a]\nmerge: [[a, b]]\n", "line 2: 'merge' is not known; the keys are together, apart, alone"),
        ("alone:\n- {a: b}\n", "line 2: an alert_id is needed"),
        ("alone:\n- a\n-\n", "line 3: an alert_id is needed"),
        ("alone: [a\n", "cannot be read as YAML"),
        ("- a\n", "holds no keys"),
        ("[" * 5000, "cannot be read as YAML"),
        ("alone: !!python/object:os.system [a]\nwhat: 1", "line 2: 'what' is not known"),
    ],
)
def test_slips_are_told_by_line(tmp_path, text, message):
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(SchemaError, match=message):
        sl.Corrections.read(tmp_path / "c.yaml")


def test_an_empty_file_and_none(tmp_path):
    (tmp_path / "c.yaml").write_text("# nothing yet\n")
    assert sl.Corrections.read(tmp_path / "c.yaml") == sl.Corrections()
    with pytest.raises(SchemaError, match=r"none\.yaml"):
        sl.Corrections.read(tmp_path / "none.yaml")


ids = st.sampled_from("abcdefg")
statement = st.tuples(st.sampled_from(["together", "apart", "alone"]), st.lists(ids, min_size=2, max_size=3))


@given(st.lists(statement, max_size=6), st.lists(st.integers(-1, 2), min_size=7, max_size=7))
def test_whatever_is_said_holds_afterwards(statements, found):
    corrections, taken = sl.Corrections(), []
    for kind, items in statements:
        try:
            corrections = getattr(corrections, kind)(*items)
        except ParameterError:
            continue
        taken.append((kind, items))
    alerts = ALERTS.assign(incident_id=found)
    after = dict(zip("abcdefg", applied(corrections, alerts), strict=True))
    for kind, items in taken:
        got = [after[item] for item in items]
        if kind == "together":
            assert len(set(got)) == 1
            assert got[0] >= 0
        elif kind == "alone":
            assert set(got) == {-1}
        else:
            assert len([g for g in got if g >= 0]) == len({g for g in got if g >= 0})
    assert corrections.apply(alerts.assign(incident_id=list(after.values())))["incident_id"].tolist() == list(
        after.values()
    )  # once is enough


@given(st.lists(st.text(min_size=1).filter(lambda name: name == name.strip()), min_size=2, max_size=4, unique=True))
def test_any_id_comes_back_from_the_file(tmp_path_factory, names):
    path = tmp_path_factory.mktemp("said") / "corrections.yaml"
    sl.Corrections().together(*names).save(path)
    assert sl.Corrections.read(path).said[0].sides == (tuple(names),)
