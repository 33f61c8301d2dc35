"""Keep: the library it evaluates rules with takes exactly the alerts that are meant, as does the SQL beside it."""

# ruff: noqa: N815 (Keep's names)

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import celpy
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

import stanza_lab as sl
from stanza_lab.artefacts.exports import _conditions as conditions
from stanza_lab.artefacts.exports import keep, keep_topology
from stanza_lab.artefacts.exports._conditions import All, Among, Condition, Either, Equal, Not
from stanza_lab.errors import ParameterError
from stanza_lab.patterns.found import FAMILIES, OCCURRENCES, PATTERNS, STEPS
from tests.artefacts.exports.walks import HOSTILE, hostile, rule, service, small, walk

if TYPE_CHECKING:
    from stanza_lab.artefacts.exports.walk import Rule, Walk

START = pd.Timestamp("2026-03-01", tz="UTC")
PAIRS = [("HighLatency", "orders"), ("Down", "orders-db"), ("Down", "shop"), ("null) || (x", "shop"), ("Noise", "shop")]


class Body(BaseModel):
    """What POST /rules takes (Keep's RuleCreateDto), and nothing else."""

    model_config = ConfigDict(extra="forbid", strict=True)
    ruleName: str
    sqlQuery: dict[str, Any]
    celQuery: str
    timeframeInSeconds: int
    timeUnit: str
    groupingCriteria: list[str]
    groupDescription: str
    requireApprove: bool
    resolveOn: str
    createOn: str
    incidentNameTemplate: str
    threshold: int


@cache
def program(part: str) -> celpy.Runner:
    environment = celpy.Environment()
    return environment.program(environment.compile(part))


def keeps(cel: str, alert: dict[str, Any]) -> bool:
    """Tell whether Keep takes an alert: it cuts the expression, replaces null, and takes an error for no."""
    parts = cel.split(") || (")
    if len(parts) > 1:
        parts[0], parts[-1] = parts[0][1:], parts[-1][:-1]
    for part in parts:
        try:
            if program(part.replace("null", '""')).evaluate(celpy.json_to_cel(alert)):
                return True
        except celpy.CELEvalError:
            return False  # Keep gives this rule up for this alert
    return False


def selects(sql: str, values: dict[str, str], alert: dict[str, Any]) -> bool:
    query = f"SELECT {sql} FROM (SELECT :_name AS name, :_service AS service)"
    with sqlite3.connect(":memory:") as database:
        found = database.execute(query, values | {"_name": alert["name"], "_service": alert["service"]}).fetchone()
    database.close()
    return bool(found[0])


def rules_of(given: Walk, **options: Any) -> list[dict[str, Any]]:
    told = {"service_field": "service", "patterns": 20, "whole": False, "approve": False} | options
    return cast("list[dict[str, Any]]", json.loads(keep.write(given, **told).files["rules.json"]))


def recurring(pairs: list[tuple[str, str]]) -> list[Rule]:
    return [
        replace(
            rule(where, "critical", 3), rule=f"r{i}", alertname=name, habit="chronic" if name == "Noise" else "telling"
        )
        for i, (name, where) in enumerate(pairs)
    ]


def patterned(pairs: list[tuple[str, str]] = PAIRS, *, members: int = 4, known: int | None = None) -> Walk:
    """Return a walk whose first rules are the members of a pattern."""
    rules = recurring(pairs)
    kinds = [f"{one.service}: {one.rule}" for one in rules]
    row = dict.fromkeys(PATTERNS, None) | {
        "pattern": "P-1",
        "family": "F-1",
        "name": "orders {{ latency }}",
        "support": 4,
    }
    row |= {"expected": 0.01, "q_value": 0.001, "first": START, "last": START, "services": []}
    told_steps = enumerate(kinds[:members])
    steps = [("P-1", i, kind, "", "", True, 4, 1.0, 60.0 * i, 50.0 * i, 100.0 * i) for i, kind in told_steps]
    patterns = sl.Patterns(
        table=pd.DataFrame([row], columns=list(PATTERNS)).astype(PATTERNS),
        steps=pd.DataFrame(steps, columns=list(STEPS)).astype(STEPS),
        occurrences=pd.DataFrame(columns=list(OCCURRENCES)),
        families=pd.DataFrame(columns=list(FAMILIES)),
        by="symptom",
        known={},
    )
    told = rules if known is None else rules[:known]
    services = [service(name) for name in sorted({where for _, where in pairs})]
    return replace(
        walk(services, [], told),
        bundle=cast("Any", SimpleNamespace(rules=pd.DataFrame({"rule": [one.rule for one in rules], "kind": kinds}))),
        patterns=patterns,
        settings={"service_gap": 480.0, "max_gap": 1080.0, "resolution": 240.0, "max_chronic": 0.9},
    )


def test_every_rule_is_what_keep_takes() -> None:
    bodies = [Body.model_validate(one) for one in rules_of(patterned())]
    assert [one.groupingCriteria for one in bodies] == [[], ["service"]]
    for one in bodies:
        assert one.sqlQuery["sql"]
        assert one.sqlQuery["params"]  # Keep refuses a rule without
        assert one.resolveOn == "all_resolved"  # or first_resolved, last_resolved, never (Keep's ResolveOn)
        assert one.createOn in ("any", "all")
        assert "{{ alert.service }}" in one.incidentNameTemplate
        assert one.incidentNameTemplate.count("{{") == 1
        assert not one.requireApprove
    assert rules_of(patterned(), approve=True)[0]["requireApprove"]


def test_a_candidate_has_no_threshold_and_that_is_said() -> None:
    told = {"service_field": "service", "patterns": 20, "whole": False}
    said = [
        any(one.startswith("thresholds:") for one in keep.write(patterned(), **told, approve=way).lost)
        for way in (True, False)
    ]
    assert said == [True, False]


@pytest.mark.parametrize("name", [name for name, _ in PAIRS])
@pytest.mark.parametrize("where", ["orders", "orders-db", "shop", None])
def test_a_rule_means_exactly_its_members(name: str, where: str | None) -> None:
    pattern, services = rules_of(patterned())
    alert = {"name": name, "service": where}
    member = (name, where) in PAIRS[:4]
    assert keeps(pattern["celQuery"], alert) == member
    assert selects(**sql_of(pattern), alert=alert) == member
    grouped = where is not None and (name, where) != ("Noise", "shop")
    assert keeps(services["celQuery"], alert) == grouped
    assert selects(**sql_of(services), alert=alert) == grouped


def sql_of(body: dict[str, Any]) -> dict[str, Any]:
    return {"sql": body["sqlQuery"]["sql"], "values": body["sqlQuery"]["params"]}


def test_a_part_of_the_expression_is_a_member_of_the_pattern() -> None:
    cel = rules_of(patterned())[0]["celQuery"]
    assert len(cel.split(") || (")) == 4
    assert "null" not in cel


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_is_text_and_nothing_else(name: str) -> None:
    cel = conditions.cel(Equal("name", name))
    assert keeps(cel, {"name": name})
    assert not keeps(cel, {"name": name + "x"})


@pytest.mark.parametrize("name", ["2025-99-99", "2025-01-20", "2025-13-45T99:99:99Z", "٢٠٢٥-01-20"])
def test_a_name_like_a_date_does_not_look_like_one(name: str) -> None:
    cel = conditions.cel(Equal("name", name))
    assert keeps(cel, {"name": name})
    assert not re.search(r'"\d{4}-\d\d-\d\d', cel)  # Keep would read it as a time, and fail to list any rule


FIELDS = st.sampled_from(["name", "service"])
VALUES = st.sampled_from(["a", 'b"', "\\", "null", ") || (", "'", "é\x00", "😀"])
TREES: st.SearchStrategy[Condition] = st.recursive(
    st.builds(Equal, FIELDS, VALUES)
    | st.builds(lambda field, values: Among(field, tuple(values)), FIELDS, st.lists(VALUES, min_size=1, max_size=2)),
    lambda inner: (
        st.builds(lambda parts: All(tuple(parts)), st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda parts: Either(tuple(parts)), st.lists(inner, min_size=1, max_size=3))
        | st.builds(Not, inner)
    ),
    max_leaves=5,
)


def holds(condition: Condition, alert: dict[str, str]) -> bool:
    if isinstance(condition, Equal):
        return alert[condition.field] == condition.value
    if isinstance(condition, Among):
        return alert[condition.field] in condition.values
    if isinstance(condition, Not):
        return not holds(condition.part, alert)
    return (all if isinstance(condition, All) else any)(holds(part, alert) for part in condition.parts)


@settings(max_examples=40, deadline=None)
@given(TREES, VALUES, VALUES | st.just(""))
def test_cel_and_sql_of_any_condition_mean_the_same(condition: Condition, name: str, where: str) -> None:
    alert = {"name": name, "service": where}
    expected = holds(condition, alert)
    cel = conditions.cel(condition)
    assert bool(program(cel).evaluate(celpy.json_to_cel(alert))) == expected
    assert not re.search(r"!\((?!\w+ in \[)", cel)  # Keep's form opens only what negates a comparison
    assert selects(*conditions.sql(condition), alert=alert) == expected


def test_very_many_chronic_alerts_still_make_a_rule_that_keep_reads() -> None:
    pairs = [("Noise", f"s{i}") for i in range(300)] + [(f"Noise{i}", f"t{i}") for i in range(120)]
    given = replace(patterned(), rules=tuple(replace(one, habit="chronic") for one in recurring(pairs)))
    given = replace(given, patterns=None, services=tuple(service(where) for _, where in pairs))
    written = keep.write(given, service_field="service", patterns=20, whole=False, approve=False)
    body = json.loads(written.files["rules.json"])[0]
    taken = [selects(**sql_of(body), alert={"name": name, "service": where}) for name, where in pairs]
    assert not any(taken[:300])
    assert sum(taken) == 21
    assert any(one.startswith("21 alerts that fire whatever happens") for one in written.lost)
    assert keeps(body["celQuery"], {"name": "Down", "service": "s7"})
    assert not keeps(body["celQuery"], {"name": "Noise", "service": "s7"})


def test_a_pattern_of_too_many_alerts_is_counted() -> None:
    pairs = [(f"Down{i}", "shop") for i in range(101)]
    written = keep.write(
        patterned(pairs, members=101), service_field="service", patterns=20, whole=False, approve=False
    )
    assert any(one.startswith("1 pattern of so many alerts") for one in written.lost)


def test_our_own_reader_groups_as_the_rule_says(tmp_path: Path) -> None:
    pairs = [("HighLatency", "orders"), ('Down "x" \\', "orders-db"), ("a\nb", "shop"), ("Noise", "shop")]
    given = patterned(pairs, members=3)
    path = tmp_path / "rules.yml"
    path.write_bytes(
        keep.write(given, service_field="service", patterns=20, whole=False, approve=False).files["replay_rules.yml"]
    )
    pattern, services = sl.read_rules(path).values()
    alerts = pd.DataFrame(
        {
            "starts_at": [START + pd.Timedelta(minutes=i) for i in range(4)] + [START + pd.Timedelta(hours=2)],
            "alertname": [name for name, _ in [*pairs, pairs[0]]],
            "service": [where for _, where in [*pairs, pairs[0]]],
        }
    )
    assert pattern.fit(alerts).labels_.tolist() == [0, 0, 0, -1, -1]
    assert services.fit(alerts.iloc[[0, 0, 3, 3]]).labels_.tolist() == [0, 0, -1, -1]
    body = json.loads(
        keep.write(given, service_field="service", patterns=20, whole=False, approve=False).files["rules.json"]
    )[0]
    taken = [keeps(body["celQuery"], {"name": n, "service": s}) for n, s in pairs]
    assert taken == [True, True, True, False]


@pytest.mark.parametrize(("members", "frame"), [(2, 240), (4, 300)])
def test_the_time_frame_is_what_the_pattern_needed(members: int, frame: int) -> None:
    assert rules_of(patterned(members=members))[0]["timeframeInSeconds"] == frame


def test_a_pattern_that_cannot_be_told_is_counted() -> None:
    written = keep.write(patterned(known=2), service_field="service", patterns=20, whole=False, approve=False)
    assert len(json.loads(written.files["rules.json"])) == 1
    assert "1 pattern of which too few members can be told" in written.lost


def test_patterns_beyond_the_asked_number_are_counted() -> None:
    written = keep.write(patterned(), service_field="service", patterns=0, whole=False, approve=False)
    assert len(json.loads(written.files["rules.json"])) == 1
    assert any("1 less frequent pattern;" in one for one in written.lost)


def test_a_whole_pattern_needs_each_member() -> None:
    assert [one["createOn"] for one in rules_of(patterned(), whole=True)] == ["all", "any"]
    assert [one["createOn"] for one in rules_of(patterned())] == ["any", "any"]


def test_another_field_can_hold_the_service() -> None:
    pattern, services = rules_of(patterned(), service_field="labels.app")
    assert services["groupingCriteria"] == ["labels.app"]
    assert pattern["incidentNameTemplate"].endswith("({{ alert.labels.app }})")
    written = keep.write(patterned(), service_field="labels.app", patterns=20, whole=False, approve=False)
    ours = yaml.safe_load(written.files["replay_rules.yml"])["rules"]
    assert ours["stanza_lab services: alerts of one service"]["by"] == ["service"]  # in a history it stands there
    assert keeps(pattern["celQuery"], {"name": "Down", "labels": {"app": "shop"}})
    assert not keeps(pattern["celQuery"], {"name": "Down", "labels": {}})


@pytest.mark.parametrize("options", [{"service_field": 'x" || true'}, {"patterns": 1.5}, {"patterns": -1}])
def test_refuses_options_that_make_no_rule(options: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        rules_of(patterned(), **options)


class TopologyService(BaseModel):
    """What Keep reads of a service (TopologyServiceYAML)."""

    model_config = ConfigDict(extra="forbid", strict=True)
    id: int
    service: str
    display_name: str
    environment: str
    source_provider_id: str
    is_manual: bool
    team: str | None = None


class TopologyDependency(BaseModel):
    """What Keep reads of a dependency."""

    model_config = ConfigDict(extra="forbid", strict=True)
    service_id: int
    depends_on_service_id: int


@pytest.mark.parametrize("make", [small, hostile])
def test_a_topology_comes_back_whole(make: Callable[[], Walk]) -> None:
    given = make()
    files = keep_topology.write(given).files
    told = yaml.safe_load(files["topology.yaml"])
    assert set(told) == {"applications", "services", "dependencies"}
    names = {one.id: one.service for one in map(TopologyService.model_validate, told["services"])}
    assert list(names.values()) == [one.name for one in given.services]
    links = [TopologyDependency.model_validate(one) for one in told["dependencies"]]
    assert [(names[one.service_id], names[one.depends_on_service_id]) for one in links] == [
        (one.src, one.dst) for one in given.links
    ]
    rows = list(csv.reader(io.StringIO(files["confidences.csv"].decode(), newline="")))[1:]
    assert [float(row[2]) for row in rows] == [round(one.confidence, 4) for one in given.links]
    assert not any(value[:1] in ("=", "+", "-", "@", "\t", "\r") for row in rows for value in row)


def test_says_that_keep_forgets_how_sure_a_dependency_is() -> None:
    assert keep_topology.write(small()).lost[0].startswith("how sure each of the 2 links is")
