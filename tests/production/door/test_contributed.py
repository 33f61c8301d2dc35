from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from stanza_lab.errors import SchemaError
from stanza_lab.production.door.contributed import read_contributed
from stanza_lab.production.door.pattern import Near, Pattern

FILE = """
team: shop
reviewed: {by: maria, on: 2026-09-20}
on_call: shop-primary
contacts: ["#shop"]
runbooks:
  - {name: Slow checkout, service: checkout, url: https://wiki.example.com/slow}
diagnostics:
  - name: Slow queries
    when: {service: "*-api", symptom: latency, near: [{service: "*-db", direction: downstream, alerting: true}]}
    command: psql -c 'select 1'
    risk: low
mitigations:
  - {name: Restart, command: rm -rf / --no-preserve-root, risk: high, owner: storage}
slos:
  - {name: Answered, service: checkout, objective: 99.9%, window: 30d}
"""


def written(folder: Path, text: str, name: str = "shop.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_becomes_tables_whose_rows_know_their_line(tmp_path: Path) -> None:
    path = written(tmp_path, FILE)
    read = read_contributed(path)
    assert read.teams.drop(columns="file").to_dict("records") == [
        {
            "team": "shop", "reviewed_by": "maria", "reviewed_on": pd.Timestamp("2026-09-20"),
            "on_call": "shop-primary", "contacts": ["#shop"], "line": 2,
        }
    ]  # fmt: skip
    actions = read.actions[["kind", "name", "risk", "owner", "line"]].to_numpy().tolist()
    assert actions == [
        ["diagnostic", "Slow queries", "low", "shop", 9],
        ["mitigation", "Restart", "high", "storage", 14],
    ]
    assert read.actions["when"].tolist() == [
        Pattern(service=("*-api",), symptom=("latency",), near=(Near(("*-db",), "downstream", 1, alerting=True),)),
        Pattern(team=("shop",)),
    ]
    assert read.slos[["objective", "window"]].to_numpy().tolist() == [[99.9, "30d"]]
    assert set(read.actions["file"]) == {str(path)}
    assert repr(read) == "Contributed(1 file, 1 runbook, 1 SLO, 1 diagnostic, 1 mitigation)"


def test_a_folder_is_read_file_by_file(tmp_path: Path) -> None:
    written(tmp_path, FILE)
    written(tmp_path, "team: storage\n", "storage.yml")
    written(tmp_path, "not read", "notes.txt")
    assert read_contributed(tmp_path).teams["team"].tolist() == ["shop", "storage"]


def test_an_empty_folder_is_no_knowledge(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="in this folder"):
        read_contributed(tmp_path)


def test_every_problem_of_every_file_is_said_at_once(tmp_path: Path) -> None:
    one = written(tmp_path, "team: [a]\ndiagnostics:\n  - {name: x, command: y, risc: low}\n", "a.yaml")
    two = written(
        tmp_path,
        "slos:\n  - {name: x, service: y, objective: 100, window: soon}\nmitigations: none\nreviewed: {on: spring}\n"
        "runbooks:\n  - {name: r, service: s, uri: z}\ndiagnostics:\n"
        "  - {name: q, command: c, risk: lo, when: {symptom: slow, severity: sev1, near: [{hops: 99, way: up}]}}\n",
        "b.yaml",
    )
    written(tmp_path, "{", "c.yaml")
    with pytest.raises(SchemaError) as error:
        read_contributed(tmp_path)
    said = str(error.value).splitlines()
    assert said[:3] == [
        f"{one}, line 1: team is a list, where a text belongs",
        f"{one}, line 3: 'risc' is not known in an action; did you mean 'risk'?",
        f"{one}, line 3: an action has no risk; add 'risk: ...'",
    ]
    rest = "\n".join(said)
    for part in (
        "line 1: the file has no team",
        "objective is '100', where a number",
        "window='soon' is not a duration",
        "mitigations is 'none', where a list belongs",
        "on is 'spring', where a day",
        "'uri' is not known in a runbook; did you mean 'url'?",
        "risk 'lo' is not known; write one of low, medium, high",
        "symptom 'slow' is not known",
        "severity 'sev1' is not known",
        "hops is '99', where a number from 1 to 10",
        "'way' is not known in near",
        "near has no service",
    ):
        assert part in rest
    assert f"{two}, line 2" in rest
    assert "c.yaml" in said[-1]


@pytest.mark.parametrize(
    ("reviewed", "at", "said"),
    [
        ("reviewed: {by: maria, on: 2026-09-20}", "2026-09-29", None),
        ("reviewed: {by: maria, on: 2026-01-20}", "2026-09-29", "last reviewed on 2026-01-20 by maria, more than 180"),
        ("reviewed: {by: maria, on: 2026-01-20}", None, None),
        ("reviewed: {on: 2026-09-20}", "2026-09-29", "nobody is named who reviewed"),
        ("", None, "nobody is named who reviewed"),
    ],
)
def test_caution_where_nobody_reviewed_or_long_ago(
    tmp_path: Path, reviewed: str, at: str | None, said: str | None
) -> None:
    read = read_contributed(written(tmp_path, f"team: shop\n{reviewed}\n"))
    cautions = read.cautions(at=None if at is None else pd.Timestamp(at, tz="UTC"))
    assert set(cautions) == (set() if said is None else {"shop"})
    assert said is None or said in cautions["shop"]


def test_the_bundled_files_are_sound() -> None:
    folder = Path(__file__).parents[3] / "data" / "front_doors"
    assert read_contributed(folder).teams["team"].tolist() == ["checkout", "config", "inventory", "orders"]


def test_hops_are_whole_and_a_file_is_read_no_further_than_its_limit(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"hops is 1\.5, where a whole number belongs"):
        read_contributed(written(tmp_path, FILE.replace("direction: downstream", "hops: 1.5")))
    with pytest.raises(SchemaError, match="at most 1,000,000 bytes"):
        read_contributed(Path("/dev/zero"))


def test_what_names_nothing_on_the_map_is_said_with_its_line(tmp_path: Path) -> None:
    read = read_contributed(written(tmp_path, FILE.replace("service: checkout, url", "service: chekout, url")))
    said = read.unmatched(services=["checkout", "orders-api"], teams=["shop"])
    assert said == ["shop.yaml, line 7: Slow checkout names service chekout, and none is so called"]
    assert len(read.unmatched(services=["other"], teams=["others"])) == 5
    assert read.unmatched(services=[], teams=[]) == []
