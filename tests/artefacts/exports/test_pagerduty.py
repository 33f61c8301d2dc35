"""PagerDuty: requests that its documentation allows, each service in one setting, learned times within its limits."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab.artefacts.exports.pagerduty import write
from stanza_lab.errors import ParameterError
from tests.artefacts.exports.walks import hostile, link, service, small, walk, walks

if TYPE_CHECKING:
    from stanza_lab.artefacts.exports.walk import Walk

# from PagerDuty's API reference, "create an alert grouping setting"
WINDOW = {"type": "integer", "anyOf": [{"minimum": 300, "maximum": 3600}, {"const": 0}]}
FIELDS = {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}}
CONFIGS: dict[str, dict[str, Any]] = {
    "time": {"timeout": {"type": "integer", "anyOf": [{"minimum": 60, "maximum": 86_400}, {"const": 0}]}},
    "intelligent": {"time_window": WINDOW},
    "content_based": {
        "time_window": {"anyOf": [WINDOW, {"const": 86_400}]},
        "aggregate": {"enum": ["all", "any"]},
        "fields": FIELDS,
    },
}


def closed(properties: dict[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    needed = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}


REFERENCE = closed(
    {"id": {"type": "string", "pattern": "^([A-Z0-9]+|REPLACE_[0-9]{4,})$"}, "type": {"const": "service_reference"}}
)
SETTING = {
    "oneOf": [
        closed(
            {
                "name": {"type": "string", "minLength": 1, "maxLength": 255},
                "description": {"type": "string"},
                "type": {"const": kind},
                "config": closed(config),
                "services": {"type": "array", "minItems": 1, "uniqueItems": True, "items": REFERENCE},
            }
        )
        for kind, config in CONFIGS.items()
    ]
}
VALIDATOR = jsonschema.Draft202012Validator(closed({"alert_grouping_setting": SETTING}))


def settings(given: Walk, **options: Any) -> list[dict[str, Any]]:
    told = json.loads(write(given, **({"ids": None, "fields": None} | options)).files["settings.json"])
    for one in told:
        VALIDATOR.validate(one)
    return [one["alert_grouping_setting"] for one in told]


def team() -> Walk:
    """Return two linked services of one team, a third of it, and one of another team."""
    services = [service("api", "pay"), service("db", "pay"), service("jobs", "pay"), service("shop", "web")]
    given = walk(services, [link("api", "db"), link("shop", "api")])
    return replace(given, settings={"service_gap": 480.0, "call_gap": 120.0})


def test_linked_services_of_one_team_share_a_setting() -> None:
    told = settings(team())
    assert [(one["type"], one["config"], len(one["services"])) for one in told] == [
        ("intelligent", {"time_window": 480}, 2),
        ("time", {"timeout": 480}, 1),
        ("time", {"timeout": 480}, 1),
    ]
    assert told[0]["name"] == "stanza_lab: api, db"
    assert any(
        one.startswith("1 link between services of different") for one in write(team(), ids=None, fields=None).lost
    )


@pytest.mark.parametrize("fields", [None, "source,custom_details.service"])
@pytest.mark.parametrize("given", [small(), hostile(), team()], ids=["small", "hostile", "team"])
def test_each_service_is_in_one_setting(given: Walk, fields: str | None) -> None:
    ids = [one["id"] for told in settings(given, fields=fields) for one in told["services"]]
    assert len(ids) == len(set(ids)) == len(given.services)


@given(walks(), st.floats(0.1, 200_000), st.sampled_from([None, "source"]))
def test_any_map_and_any_learned_time_make_requests_that_are_allowed(
    drawn: Walk, gap: float, fields: str | None
) -> None:
    told = settings(replace(drawn, settings={"service_gap": gap}), fields=fields)
    assert sum(len(one["services"]) for one in told) == len(drawn.services)


def test_a_time_that_pagerduty_does_not_take_is_said() -> None:
    given = replace(team(), settings={"service_gap": 5000.0, "call_gap": 120.0})
    assert settings(given)[0]["config"] == {"time_window": 3600}
    assert any("the learned 83 min in 1 setting" in one for one in write(given, ids=None, fields=None).lost)
    assert not any("the learned" in one for one in write(team(), ids=None, fields=None).lost)


def test_equal_fields_replace_guessing() -> None:
    told = settings(team(), fields="source, custom_details.service")
    assert {one["type"] for one in told} == {"content_based"}
    assert told[0]["config"] == {"aggregate": "all", "fields": ["source", "custom_details.service"], "time_window": 480}


def filled(given: Walk, path: Path, ids: dict[str, str]) -> str:
    text = write(given, ids=None, fields=None).files["services.csv"].decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, ["service", "pagerduty_id", "written_as"])
        table.writeheader()
        table.writerows(row | {"pagerduty_id": ids.get(row["service"].removeprefix("'"), "")} for row in rows)
    return str(path)


def test_ids_come_from_the_table_filled_in(tmp_path: Path) -> None:
    path = filled(team(), tmp_path / "services.csv", {"api": "PAPI001", "db": "PDB0001", "jobs": "PJOB001"})
    told = settings(team(), ids=path)
    assert [[one["id"] for one in each["services"]] for each in told] == [["PAPI001", "PDB0001"], ["PJOB001"]]
    assert "1 setting with a service that has no id in services.csv" in write(team(), ids=path, fields=None).lost


def test_names_like_formulas_find_their_ids(tmp_path: Path) -> None:
    given = walk([service("=cmd()"), service("a\rb"), service("'x")], [])
    path = filled(given, tmp_path / "services.csv", {"=cmd()": "PCMD001", "a\rb": "PAB0001", "x": "PX00001"})
    assert {one["services"][0]["id"] for one in settings(given, ids=path)} == {"PCMD001", "PAB0001", "PX00001"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("service,pagerduty_id\nshop,drop table\n", "is no id of PagerDuty"),
        ("name,id\nshop,P123456\n", "must have the columns"),
        ("\x00", "must have the columns"),
    ],
)
def test_refuses_a_table_of_something_else(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "ids.csv").write_text(text + "\n")
    with pytest.raises(ParameterError, match=said):
        write(small(), ids=str(tmp_path / "ids.csv"), fields=None)


def test_refuses_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="cannot be read"):
        write(small(), ids=str(tmp_path / "no.csv"), fields=None)


def test_refuses_fields_that_are_none() -> None:
    with pytest.raises(ParameterError, match="must be a field"):
        write(small(), ids=None, fields="a b")


@pytest.mark.parametrize(
    "change", [{"config": {"time_window": 100}}, {"type": "magic"}, {"services": []}, {"config": {"timeout": "480"}}]
)
def test_the_schema_refuses_what_is_wrong(change: dict[str, Any]) -> None:
    told = {"alert_grouping_setting": settings(team())[0] | change}
    assert not VALIDATOR.is_valid(told)
