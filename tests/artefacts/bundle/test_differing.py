"""`diff_bundles`: what changed, the most important first, and what could not be compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import stanza_lab as sl
from stanza_lab.artefacts.bundle.differing import COLUMNS, MOVED, _links
from stanza_lab.errors import BundleError, UnknownNameError
from tests.artefacts.recurring import MEASURE, STEPS, alerts_of, metric, save


@pytest.fixture(scope="module")
def old_path(recurring: Path) -> Path:
    return recurring


@pytest.fixture(scope="module")
def old(old_path: Path) -> sl.Bundle:
    return sl.load_bundle(old_path)


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> sl.Bundle:
    """Return the same production later: more often, of another team, and with one more step."""
    alerts = alerts_of((*STEPS, ("web", "Timeouts")), times=10, team="core")
    path = save(tmp_path_factory.mktemp("new") / "bundle", alerts, metrics=metric("pairs", 0.9, MEASURE, n=20))
    return sl.load_bundle(path)


def changes(found: sl.BundleDiff, part: str) -> list[tuple[str, str]]:
    return list(found.of(part)[["what", "change"]].itertuples(index=False, name=None))


def test_the_same_bundle_twice_changed_nothing(old_path: Path) -> None:
    found = sl.diff_bundles(old_path, str(old_path))
    assert found.table.empty
    assert found.words == ["nothing changed"]
    assert found.unseen == []
    assert repr(found) == "BundleDiff(nothing changed)"


def test_columns_are_of_their_kinds_also_without_a_row(old: sl.Bundle, new: sl.Bundle) -> None:
    for found in (sl.diff_bundles(old, old), sl.diff_bundles(old, new)):
        assert {name: str(kind) for name, kind in found.table.dtypes.items()} == COLUMNS


def test_services_and_teams(old: sl.Bundle, new: sl.Bundle) -> None:
    found = sl.diff_bundles(old, new)
    assert changes(found, "service") == [("web", "appeared")]
    team = found.of("team")
    assert set(team["what"]) == {"mail", "orders", "orders-db", "shop"}
    assert set(zip(team["before"], team["after"], strict=True)) == {("pay", "core")}
    assert changes(sl.diff_bundles(new, old), "service") == [("web", "gone")]


def test_patterns_are_one_by_their_steps(old: sl.Bundle, new: sl.Bundle, tmp_path: Path) -> None:
    assert sorted(change for _, change in changes(sl.diff_bundles(old, new), "pattern")) == ["appeared", "gone"]
    oftener = sl.load_bundle(save(tmp_path / "bundle", alerts_of(times=10)))
    (row,) = sl.diff_bundles(old, oftener).of("pattern").to_dict("records")
    assert (row["change"], row["before"], row["after"], row["by"]) == ("more often", "8", "10", 2.0)


def test_rules_come_and_go_and_change_their_habit(old: sl.Bundle, new: sl.Bundle) -> None:
    assert ("Timeouts|web", "appeared") in changes(sl.diff_bundles(old, new), "rule")
    habits = old.rules.assign(habit=["chronic", *old.rules["habit"][1:]])
    (row,) = sl.diff_bundles(old, replace(old, rules=habits)).of("rule").to_dict("records")
    assert (row["what"], row["after"]) == (old.rules["rule"][0], "chronic")


def test_quality_is_compared_where_it_is_defined_the_same(old: sl.Bundle, new: sl.Bundle) -> None:
    found = sl.diff_bundles(old, new)
    row = found.of("quality").set_index("what").loc["pairs"]
    assert (row["before"], row["after"]) == ("0.8", "0.9")
    assert row["by"] == pytest.approx(0.1)
    assert "pairs was measured on 10 before and 20 after" in found.unseen


def test_measures_of_another_definition_are_not_compared(old: sl.Bundle) -> None:
    before = replace(old, metrics=metric("pairs", 0.8, MEASURE))
    found = sl.diff_bundles(before, replace(old, metrics=metric("pairs", 0.99, "something else")))
    assert found.of("quality").empty
    assert found.unseen == ["pairs was not compared: the two bundles define it differently"]


@pytest.mark.parametrize(
    ("lacks", "words"),
    [
        ({"patterns": None}, "patterns were not compared: one of the bundles holds none"),
        (
            {"rules": pd.DataFrame({"rule": []})},
            "rules were not compared: one of the bundles was saved without its alerts",
        ),
        ({"metrics": metric("other", 0.5, "d")}, "pairs was measured of one bundle only"),
    ],
)
def test_what_cannot_be_compared_is_said(old: sl.Bundle, lacks: dict[str, Any], words: str) -> None:
    assert words in sl.diff_bundles(old, replace(old, **lacks)).unseen


def test_parameters_and_data(old: sl.Bundle, new: sl.Bundle) -> None:
    changed = replace(old, manifest=old.manifest | {"parameters": {"incidents": {"max_gap": "1h"}}})
    rows = sl.diff_bundles(replace(changed), old).of("parameter").set_index("what")
    assert rows.loc["incidents.max_gap", "before"] == "1h"
    data = sl.diff_bundles(old, new).of("data").set_index("what")
    assert (data.loc["alerts", "before"], data.loc["alerts", "after"]) == ("32", "50")


def test_the_most_important_comes_first(old: sl.Bundle, new: sl.Bundle) -> None:
    parts = sl.diff_bundles(old, new).table["part"].drop_duplicates().tolist()
    assert parts == [one for one in ("link", "service", "team", "pattern", "rule", "quality", "data") if one in parts]
    assert sl.diff_bundles(old, new).words[-1].startswith("learned from 2026-03-01 to")


def holding(*rows: tuple[str, str, float, str, str | None]) -> sl.Bundle:
    columns = ["src", "dst", "strength", "direction", "verdict"]
    links = pd.DataFrame(list(rows), columns=columns).astype({"verdict": "str"})
    return cast("sl.Bundle", SimpleNamespace(production=SimpleNamespace(links=links)))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((("a", "b", 0.9, "forward", None),), (), [("a - b", "gone")]),
        ((), (("a", "b", 0.9, "forward", None),), [("a - b", "appeared")]),
        ((), (("a", "b", 0.05, "forward", None),), []),  # faint ones come and go
        ((("a", "b", 0.5, "forward", None),), (("a", "b", 0.9, "forward", None),), [("a - b", "surer")]),
        ((("a", "b", 0.9, "forward", None),), (("a", "b", 0.5, "forward", None),), [("a - b", "less sure")]),
        ((("a", "b", 0.9, "forward", None),), (("b", "a", 0.9, "forward", None),), [("a - b", "turned")]),
        ((("a", "b", 0.9, "forward", None),), (("a", "b", 0.9, "forward", "denied"),), [("a - b", "verdict")]),
        ((("a", "b", 0.9, "forward", None),), (("a", "b", 0.89, "forward", None),), []),
    ],
)
def test_a_link(before: Any, after: Any, expected: list[tuple[str, str]]) -> None:
    assert [row[1:3] for row in _links(holding(*before), holding(*after))] == expected


STRENGTHS = st.dictionaries(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), st.floats(0, 1), max_size=6)


@given(STRENGTHS, STRENGTHS)
def test_backwards_the_same_links_changed_the_other_way(first: dict[Any, float], second: dict[Any, float]) -> None:
    a, b = (holding(*((*pair, by, "forward", None) for pair, by in one.items())) for one in (first, second))
    turned = {"appeared": "gone", "gone": "appeared", "surer": "less sure", "less sure": "surer"}
    there, back = _links(a, b), _links(b, a)
    assert [(row[1], turned[row[2]], -row[5]) for row in there] == [(row[1], row[2], row[5]) for row in back]
    assert all(abs(row[5]) >= MOVED for row in there)


def test_display_is_escaped_and_small(old: sl.Bundle) -> None:
    names = [f"<script>alert({i})</script>" + "'" * 10_000 for i in range(200)]
    many = pd.concat([metric(name, 0.5, "d") for name in names], ignore_index=True)
    services = pd.concat([old.services.iloc[:1].assign(service=name) for name in names], ignore_index=True)
    production = cast("Any", SimpleNamespace(links=old.production.links, services=services))
    shown = sl.diff_bundles(old, replace(old, metrics=many, production=production))._repr_html_()
    assert "<script" not in shown
    assert len(shown.encode()) < 50_000
    assert "more, in .table" in shown


def test_reactions_come_and_go(bundle: sl.Bundle) -> None:
    assert bundle.reactions is not None
    assert sl.diff_bundles(bundle, bundle).table.empty
    found = sl.diff_bundles(replace(bundle, reactions=None), bundle)
    assert {change for _, change in changes(found, "reaction")} == {"appeared"}
    assert len(found.of("reaction")) == len(bundle.reactions)


def test_a_part_that_is_none_is_named(old: sl.Bundle) -> None:
    with pytest.raises(UnknownNameError, match="pattern"):
        sl.diff_bundles(old, old).of("patern")


def test_what_is_no_bundle_is_named(old_path: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="nowhere is no bundle"):
        sl.diff_bundles(old_path, tmp_path / "nowhere")
