"""Prometheus: the rules load, and fire when enough alerts of a pattern do; asked of promtool."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import stanza_lab as sl
from stanza_lab.artefacts.exports import export
from stanza_lab.artefacts.exports.prometheus import SERIES, _literal
from stanza_lab.errors import ParameterError
from tests.artefacts.exports.walks import HOSTILE
from tests.artefacts.recurring import STEPS, alerts_of, save


@pytest.fixture(scope="module")
def bundle(recurring: Path) -> sl.Bundle:
    return sl.load_bundle(recurring)


def told(promtool: str, folder: Path, what: str, file: str) -> tuple[int, str]:
    done = subprocess.run(
        [promtool, what, "rules", file], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


def rules_in(folder: Path, group: str) -> list[dict[str, Any]]:
    groups = yaml.safe_load((folder / "rules.yml").read_text(encoding="utf-8"))["groups"]
    return next((one["rules"] for one in groups if one["name"] == group), [])


def test_the_rules_load_and_pass_their_test(bundle: sl.Bundle, promtool: str, tmp_path: Path) -> None:
    made = export(bundle, "prometheus", tmp_path / "out", min_confidence=0.0)
    assert len(rules_in(made.path, "stanza_lab_patterns")) == 1
    code, said = told(promtool, made.path, "check", "rules.yml")
    assert code == 0, said
    code, said = told(promtool, made.path, "test", "rules_test.yml")
    assert code == 0, said
    tests = yaml.safe_load((made.path / "rules_test.yml").read_text(encoding="utf-8"))["tests"]
    assert [len(one["input_series"]) for one in tests] == [2, 1]  # enough of the three, and one fewer


def firing(steps: tuple[tuple[str, str], ...], state: str = "firing") -> list[dict[str, str]]:
    return [
        {
            "series": f'ALERTS{{alertname="{name}", service="{service}", alertstate="{state}", cluster="eu"}}',
            "values": "1x60",
        }
        for service, name in steps
    ]


@pytest.mark.parametrize(
    ("series", "at", "fires"),
    [
        (firing(STEPS), "5m", True),
        (firing(STEPS[1:]), "5m", True),
        (firing(STEPS), "1m", False),  # not yet long enough
        (firing(STEPS[:1]), "5m", False),
        (firing(STEPS, "pending"), "5m", False),
        (firing((("shop", "DiskFull"), ("mail", "SlowQueries"))), "5m", False),  # other services
        ([], "5m", False),
    ],
)
def test_fires_while_enough_of_the_pattern_does(
    bundle: sl.Bundle, promtool: str, tmp_path: Path, series: list[dict[str, str]], at: str, fires: bool
) -> None:
    made = export(bundle, "prometheus", tmp_path / "out", hold="2min")
    (rule,) = rules_in(made.path, "stanza_lab_patterns")
    expected = {"exp_labels": rule["labels"], "exp_annotations": rule["annotations"]}
    case = {
        "interval": "1m",
        "input_series": series,
        "alert_rule_test": [
            {"eval_time": at, "alertname": "PatternUnfolding", "exp_alerts": [expected] if fires else []}
        ],
    }
    test = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [case]}
    (made.path / "mine.yml").write_text(yaml.safe_dump(test), encoding="utf-8")
    code, said = told(promtool, made.path, "test", "mine.yml")
    assert code == 0, said


def test_a_pattern_is_told_with_its_team_and_how_often(bundle: sl.Bundle, tmp_path: Path) -> None:
    made = export(bundle, "prometheus", tmp_path / "out")
    (rule,) = rules_in(made.path, "stanza_lab_patterns")
    assert rule["labels"]["team"] == "pay"
    assert rule["labels"]["severity"] == "info"
    assert rule["annotations"]["description"] == "Seen 8 times before; at least 2 of its 3 alerts fire."


def test_each_link_is_a_series_with_its_probability(bundle: sl.Bundle, tmp_path: Path) -> None:
    made = export(bundle, "prometheus", tmp_path / "out", min_confidence=0.0)
    series = {
        (one["labels"]["src"], one["labels"]["dst"]): one for one in rules_in(made.path, "stanza_lab_dependencies")
    }
    links = bundle.production.links
    assert set(series) == set(zip(links["src"], links["dst"], strict=True))
    assert all(one["record"] == SERIES for one in series.values())
    for row in links.to_dict("records"):
        expression = series[row["src"], row["dst"]]["expr"]
        assert float(expression.removeprefix("vector(").removesuffix(")")) == pytest.approx(row["confidence"], abs=1e-5)


def test_labels_that_are_added_on_the_way_out_are_left_out(bundle: sl.Bundle, tmp_path: Path) -> None:
    within = export(bundle, "prometheus", tmp_path / "a")
    assert "cluster" in rules_in(within.path, "stanza_lab_patterns")[0]["expr"]
    assert any("external=" in one for one in within.lost)
    without = export(bundle, "prometheus", tmp_path / "b", external="cluster, replica")
    assert "cluster" not in rules_in(without.path, "stanza_lab_patterns")[0]["expr"]
    assert not any("external=" in one for one in without.lost)


def test_promised_labels_take_the_place_of_those_seen(bundle: sl.Bundle, tmp_path: Path) -> None:
    made = export(bundle, "prometheus", tmp_path / "out", labels="alertname=alertname,service=app")
    expression = rules_in(made.path, "stanza_lab_patterns")[0]["expr"]
    assert 'app="orders-db"' in expression
    assert "service=" not in expression


def test_a_pattern_without_its_labels_is_counted_as_lost(tmp_path: Path) -> None:
    alerts = alerts_of().assign(source="datadog", labels=None)
    made = export(sl.load_bundle(save(tmp_path / "bundle", alerts)), "prometheus", tmp_path / "out")
    assert rules_in(made.path, "stanza_lab_patterns") == []
    assert any(one.startswith("1 pattern has too few members") for one in made.lost)


def test_refuses_a_hold_that_is_no_duration(bundle: sl.Bundle, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="hold"):
        export(bundle, "prometheus", tmp_path / "out", hold='1m"\n- x: y')


@pytest.mark.parametrize("text", ['{{ query "up" }}', '{{{ query "up" }}}', "{{{{", "a{{b}}{{{c", "{"])
def test_a_name_is_no_template(text: str) -> None:
    assert "{{" not in _literal(text)
    assert _literal(text).replace(" ", "") == text.replace(" ", "")


def test_hostile_names_load_and_stay_what_they_are(promtool: str, tmp_path: Path) -> None:
    names = [*HOSTILE, '{{ query "up" }}', '{{{ query "up" }}}', "$labels", '"} or vector(1) or ALERTS{x="']
    steps = tuple((name, name) for name in sorted({name[:150] for name in names}))
    path = save(tmp_path / "bundle", alerts_of(steps, team='{{{ query "up" | first | value }}}'))
    made = export(sl.load_bundle(path), "prometheus", tmp_path / "out", min_confidence=0.0)
    (rule,) = rules_in(made.path, "stanza_lab_patterns")
    assert "{{" not in rule["labels"]["team"] + rule["annotations"]["summary"]
    assert [one for one in made.lost if "U+FFFD" in one]
    assert rule["expr"].count('alertstate="firing"') == len(steps) - 1  # of all but that one
    code, said = told(promtool, made.path, "check", "rules.yml")
    assert code == 0, said[:3000]
    code, said = told(promtool, made.path, "test", "rules_test.yml")
    assert code == 0, said
