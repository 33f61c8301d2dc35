from __future__ import annotations

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import ParameterError, SchemaError
from stanza_lab.reliability.objectives.objective import objectives_of


def promised(**more: object) -> sl.Objective:
    return sl.Objective(**({"name": "Answers", "service": "shop", "objective": 99.9} | more))


@pytest.mark.parametrize("share", [0, 100, -1, 101, float("nan"), True, "99.9"])
def test_a_share_that_promises_nothing_or_the_impossible_is_refused(share: object) -> None:
    with pytest.raises(ParameterError, match="objective="):
        promised(objective=share)


def test_a_window_is_written_as_people_do() -> None:
    assert promised(window="28d").period == pd.Timedelta("28D")
    with pytest.raises(ParameterError, match="window='3 fortnights'"):
        promised(window="3 fortnights")


def test_latency_needs_a_threshold_and_nothing_else_has_one() -> None:
    assert promised(kind="latency", within="800ms").within_s == pytest.approx(0.8)
    with pytest.raises(ParameterError, match="within"):
        promised(kind="latency")
    with pytest.raises(ParameterError, match="kind='latency'"):
        promised(within="1s")


def test_two_of_one_name_at_one_service_are_refused() -> None:
    with pytest.raises(ParameterError, match="stands there twice"):
        objectives_of([promised(), promised(objective=99)])


def test_what_teams_contributed_is_read(tmp_path) -> None:
    (tmp_path / "a.yaml").write_text("team: shop\nslos:\n  - {name: A, service: shop-*, objective: 99.5, window: 7d}\n")
    contributed = objectives_of(sl.read_contributed(tmp_path))
    read = sl.read_objectives(tmp_path)
    assert contributed == read
    assert (read[0].team, read[0].budget) == ("shop", pytest.approx(0.005))


def test_problems_of_a_file_come_at_once_with_their_lines(tmp_path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(
        "team: shop\nslos:\n  - {name: A, service: s, objective: 120, window: 7d}\n"
        "  - {name: B, service: s, objective: 99, window: 7d, kind: latency}\n"
        "  - {name: C, service: s, objectiv: 99, window: 7d}\n"
    )
    with pytest.raises(SchemaError) as caught:
        sl.read_objectives(file)
    said = str(caught.value)
    assert [f"line {n}" in said for n in (3, 4, 5)] == [True] * 3
    assert "did you mean 'objective'?" in said


def test_one_file_serves_the_front_door_and_the_measuring(tmp_path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("team: t\nslos:\n  - {name: A, service: s, objective: 99, window: 7d, within: 800ms}\n")
    assert len(sl.read_contributed(file).slos) == 1
    assert (sl.read_objectives(file)[0].kind, sl.read_objectives(file)[0].within_s) == ("latency", 0.8)


@pytest.mark.parametrize(
    ("share", "hint"), [(0.999, "it is a percentage: pass 99.9"), (0.95, "pass 95"), (20, "from 50")]
)
def test_a_share_is_no_percentage(share: float, hint: str) -> None:
    with pytest.raises(ParameterError, match=hint):
        promised(objective=share)
