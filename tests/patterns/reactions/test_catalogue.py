"""Reactions as teams write them: what is read, what is refused, who may use what."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import SchemaError, UnknownNameError
from stanza_lab.patterns.reactions.vocabulary import ACTIONS
from stanza_lab.production.door.pattern import Near, Pattern

FILE = """
team: shop
reviewed: {by: maria, on: 2026-09-20}
for: ["orders*"]
reactions:
  - name: Roll back
    action: roll_back
    params: {to: previous}
    when: {service: "*-api", symptom: errors, near: [{service: "*-db", direction: downstream, alerting: true}]}
    target: origin
    command: kubectl rollout undo
    undo: kubectl rollout redo
    risk: medium
    effect: [2min, 600s]
    guardrails: {min_confidence: 0.7, max_blast_radius: 3, max_risk: medium, cool_down: 1h, approval: none}
  - {name: Page them, action: page_team, params: {team: storage}, pattern: ["P-12*", storage brown-out],
     command: page storage, risk: low, owner: ines, for: ["*"]}
"""


def written(folder: Path, text: str, name: str = "shop.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def one(folder: Path, entry: str) -> Path:
    return written(folder, f"team: shop\nreactions:\n  - {entry}\n")


def test_a_file_becomes_reactions_that_know_their_line(tmp_path: Path) -> None:
    read = sl.read_reactions(written(tmp_path, FILE))
    first, second = read.items
    assert (first.name, first.team, first.action, first.params, first.line) == (
        "Roll back", "shop", "roll_back", {"to": "previous"}, 6,
    )  # fmt: skip
    assert first.when == Pattern(
        service=("*-api",), symptom=("errors",), near=(Near(("*-db",), "downstream", 1, alerting=True),)
    )
    assert first.effect == (pd.Timedelta("2min"), pd.Timedelta("10min"))
    rails = first.guardrails
    assert (rails.min_confidence, rails.max_blast_radius, rails.max_risk, rails.cool_down, rails.approval) == (
        0.7, 3, "medium", pd.Timedelta("1h"), "none",
    )  # fmt: skip
    assert (second.pattern, second.when, second.owner) == (("P-12*", "storage brown-out"), None, "ines")
    assert (second.guardrails.min_confidence, second.guardrails.approval) == (0.5, "human")
    assert second.guardrails.cool_down == pd.Timedelta("30min")
    assert repr(read) == "Reactions(2 reactions of 1 team: page_team, roll_back)"
    assert read.table["bound_to"].tolist() == [
        "an alert about errors at *-api, near *-db",
        "pattern P-12*, storage brown-out",
    ]
    assert read.table["action"].tolist() == ["roll back (to: previous)", "page a team about (team: storage)"]


def test_who_may_use_it_is_said_by_the_file_or_the_reaction(tmp_path: Path) -> None:
    read = sl.read_reactions(written(tmp_path, FILE))
    assert [(len(read.usable_by(team))) for team in ("shop", "orders-core", "storage")] == [2, 2, 1]
    assert read.usable_by("storage").items[0].name == "Page them"


def test_without_for_only_its_own_team_may(tmp_path: Path) -> None:
    read = sl.read_reactions(one(tmp_path, "{name: R, action: restart, when: {service: a}, command: c, risk: low}"))
    assert (len(read.usable_by("shop")), len(read.usable_by("other"))) == (1, 0)


def test_several_paths_and_folders_are_read_together(tmp_path: Path) -> None:
    folder = tmp_path / "teams"
    folder.mkdir()
    written(folder, FILE)
    other = written(tmp_path, "team: ops\nreactions: []\n", "ops.yaml")
    assert sl.read_reactions([folder, other]).teams["team"].tolist() == ["shop", "ops"]
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(SchemaError, match="file in this folder"):
        sl.read_reactions(empty)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{name: R, action: reboot, when: {service: a}, command: c, risk: low}", "action 'reboot' is not known"),
        ("{name: R, action: restart, command: c, risk: low}", "R needs either pattern or when"),
        ("{name: R, action: restart, pattern: P, when: {service: a}, command: c, risk: low}", "either pattern or when"),
        ("{name: R, action: scale, when: {service: a}, command: c, risk: low}", "scale needs params: to"),
        ("{name: R, action: scale, params: {by: 2}, when: {}, command: c, risk: low}", "'by' is not known in params"),
        ("{name: R, action: shed_load, params: {percent: 300}, when: {}, command: c, risk: low}", "from 0 to 100"),
        ("{name: R, action: silence, params: {for: 2}, when: {}, command: c, risk: low}", "without a unit"),
        (
            "{name: R, action: silence, params: {for: 2h}, when: {}, command: c, risk: low, effect: 1min}",
            "leave effect",
        ),
        ("{name: R, action: restart, when: {}, command: c, risk: low, effect: 300}", "'300', a number without a unit"),
        ("{name: R, action: restart, when: {}, command: c, risk: low, effect: [9min, 1min]}", "the later first"),
        ("{name: R, action: restart, when: {}, command: c, risk: low, effect: 90d}", "longer than 7 days"),
        ("{name: R, action: restart, when: {}, command: c, risk: low, effect: [1s, 2s, 3s]}", "3 entries"),
        ("{name: R, action: restart, when: {}, command: c, risk: huge}", "risk 'huge' is not known"),
        ("{name: R, action: restart, when: {}, command: [c], risk: low}", "command is a list, where a text belongs"),
        ("{name: R, action: restart, when: {}, command: c, risk: low, guardrails: {approval: maybe}}", "human, none"),
        ("{name: R, action: restart, when: {}, command: c, risk: low, guardrails: {min_confidence: 7}}", "from 0 to 1"),
        ("{name: R, action: restart, when: {}, command: c, risk: low, guardrails: {max_blast_radius: 1.5}}", "whole"),
        ("{name: R, action: restart, when: {symptom: slow}, command: c, risk: low}", "symptom 'slow' is not known"),
        ('{name: "a\\nb", action: restart, when: {}, command: c, risk: low}', "write one line"),
        (f"{{name: {'x' * 81}, action: restart, when: {{}}, command: c, risk: low}}", "at most 80 characters"),
        (f"{{name: R, action: restart, when: {{}}, command: {'c' * 4001}, risk: low}}", "4,001 characters"),
        ("{name: R, action: restart, when: {}, comand: c, risk: low}", "did you mean 'command'?"),
        ("just text", "where keys and values belong"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, entry: str, said: str) -> None:
    with pytest.raises(SchemaError) as caught:
        sl.read_reactions(one(tmp_path, entry))
    assert said in str(caught.value)
    assert "shop.yaml, line 3: " in str(caught.value)


def test_all_problems_of_all_files_are_said_at_once(tmp_path: Path) -> None:
    written(tmp_path, "reactions: [{name: R}]\nfoo: 1\n", "a.yaml")
    written(tmp_path, "team: [x]\nreactions: none\n", "b.yaml")
    with pytest.raises(SchemaError) as caught:
        sl.read_reactions(tmp_path)
    said = str(caught.value)
    for part in ("a.yaml, line 1", "has no team", "has no action", "a.yaml, line 2", "b.yaml, line 1", "where a list"):
        assert part in said


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system ['true']",
        "team: &a x\nreactions: *a\n",
        "[" * 40,
        "team: shop\x00",
        "- a\n",
        "",
    ],
)
def test_hostile_files_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SchemaError, match=r"shop\.yaml"):
        sl.read_reactions(written(tmp_path, text))


def test_a_name_stands_once_in_a_team(tmp_path: Path) -> None:
    entry = "{name: R, action: restart, when: {service: a}, command: c, risk: low}"
    written(tmp_path, f"team: shop\nreactions: [{entry}]\n", "a.yaml")
    written(tmp_path, f"team: shop\nreactions: [{entry}]\n", "b.yaml")
    with pytest.raises(SchemaError, match=r"'R' stands there twice, see a\.yaml, line 2"):
        sl.read_reactions(tmp_path)
    written(tmp_path, f"team: ops\nreactions: [{entry}]\n", "b.yaml")
    assert len(sl.read_reactions(tmp_path)) == 2


def test_names_of_nothing_are_told(tmp_path: Path) -> None:
    entry = (
        "{name: R, action: page_team, params: {team: opps}, when: {service: shap}, target: db, command: c, risk: low}"
    )
    read = sl.read_reactions(one(tmp_path, entry))
    assert read.unmatched(services=["shop", "db"], teams=["shop", "ops"]) == [
        "shop.yaml, line 3: R names service shap, and none is so called",
        "shop.yaml, line 3: R names team opps, and none is so called",
    ]


def test_old_and_missing_reviews_are_told(tmp_path: Path) -> None:
    read = sl.read_reactions(written(tmp_path, FILE))
    assert read.cautions() == {}
    assert "last reviewed on 2026-09-20 by maria" in read.cautions(at=pd.Timestamp("2027-09-20", tz="UTC"))["shop"]
    assert "nobody is named" in sl.read_reactions(written(tmp_path, "team: x\nreactions: []")).cautions()["x"]


def test_what_is_shown_is_escaped(tmp_path: Path) -> None:
    entry = "{name: <script>x</script>, action: restart, when: {service: <img src=x>}, command: <b>, risk: low}"
    shown = sl.read_reactions(one(tmp_path, entry))._repr_html_()
    assert not any(mark in shown for mark in ("<script", "<img", "<b>x"))
    assert "&lt;script&gt;" in shown


def test_an_unknown_name_has_a_hint(tmp_path: Path) -> None:
    read = sl.read_reactions(written(tmp_path, FILE))
    assert read["Roll back"].action == "roll_back"
    with pytest.raises(UnknownNameError, match="did you mean 'Roll back'"):
        read["Roll bak"]


def test_what_the_repository_ships_can_be_read() -> None:
    read = sl.read_reactions(Path(__file__).parents[3] / "data" / "reactions")
    assert {one.bound for one in read.items} == {"pattern", "when"}
    assert {one.action for one in read.items} <= set(ACTIONS)


@pytest.mark.parametrize("key", ["command", "undo"])
@pytest.mark.parametrize("sign", ["\\e[2J", "\\u202e", "\\u200b", "\\r"])
def test_a_command_that_people_copy_has_no_invisible_characters(tmp_path: Path, key: str, sign: str) -> None:
    entry = f'{{name: A, action: restart, when: {{service: a}}, command: c, {key}: "x {sign} y", risk: low}}'
    if key == "command":
        entry = entry.replace("command: c, ", "")
    with pytest.raises(SchemaError, match=f"line 3: {key} holds the invisible character"):
        sl.read_reactions(one(tmp_path, entry))


def test_a_command_may_have_several_lines(tmp_path: Path) -> None:
    entry = '{name: A, action: restart, when: {service: a}, command: "a\\n\\tb", risk: low}'
    assert sl.read_reactions(one(tmp_path, entry))["A"].command == "a\n\tb"


def test_a_file_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"nope\.yaml: there is no such file"):
        sl.read_reactions(tmp_path / "nope.yaml")
