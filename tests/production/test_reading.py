from __future__ import annotations

from pathlib import Path

import pytest

from stanza_lab.errors import SchemaError
from stanza_lab.production import reading


def written(folder: Path, text: str) -> Path:
    path = folder / "file.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1, 2", "line 1"),
        ("- just\n- a list", "holds no keys and values"),
        ("", "cannot|holds no keys"),
        ("a: &x [1]\nb: *x", r"line 2: \*x is an alias"),
        ("a: !!python/object/apply:os.system [x]\n", ""),  # composed as text, never made an object of
    ],
)
def test_what_is_no_file_of_keys_and_values_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text)
    if not said:
        assert reading.compose(path)[0].value[0][0].value == "a"
        return
    with pytest.raises(SchemaError, match=said):
        reading.compose(path)


def test_a_missing_file_and_a_huge_one_are_said(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"none\.yaml"):
        reading.compose(tmp_path / "none.yaml")
    with pytest.raises(SchemaError, match="split it"):
        reading.compose(written(tmp_path, "a: " + "x" * 1_000_001))


def test_deep_nesting_is_an_error_not_a_crash(tmp_path: Path) -> None:
    with pytest.raises(SchemaError):
        reading.compose(written(tmp_path, "a: " + "[" * 50_000))


def test_all_problems_are_kept_each_with_its_line(tmp_path: Path) -> None:
    root, problems = reading.compose(written(tmp_path, "nmae: x\nwhen: soon\ndays: 700\nday: 2026-13-01\ndays: 5\n"))
    keys = problems.keys(root, ["name", "when", "days", "day"], need=["name"])
    problems.choice(keys["when"], "when", ["now", "later"])
    problems.number(keys["days"], "days", low=0, high=100)
    problems.day(keys["day"], "day")
    said = [line.split(", ", 1)[1] for line in problems.lines]
    assert said == [
        "line 1: 'nmae' is not known in this; did you mean 'name'?",
        "line 1: this has no name; add 'name: ...'",
        "line 2: when 'soon' is not known; write one of now, later",
        "line 3: days is '700', where a number from 0 to 100 belongs",
        "line 4: day is '2026-13-01', where a day such as 2026-09-20 belongs",
        "line 5: 'days' stands there twice in this; keep one",
    ]


def test_one_text_is_a_list_of_one(tmp_path: Path) -> None:
    root, problems = reading.compose(written(tmp_path, "a: x\nb: [y, y, ' ']\nc: {d: e}\n"))
    keys = problems.keys(root, ["a", "b", "c"])
    assert [problems.texts(keys[name], name) for name in "abc"] == [("x",), ("y",), ()]
    assert problems.lines == [f"{tmp_path / 'file.yaml'}, line 3: c is keys and values, where a list belongs: '- ...'"]


def test_globs_do_not_mind_capitals() -> None:
    assert reading.globbed("Orders-DB", ["pay*", "*-db"])
    assert not reading.globbed("orders-db", ["orders"])
