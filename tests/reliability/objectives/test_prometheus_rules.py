from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

import stanza_lab as sl
from stanza_lab.errors import ParameterError
from tests.reliability.objectives.tables_of import promised

HOSTILE = 'x"} or vector(1) # \\ {{ .Value }} {{ $labels.x }}\n- alert: y\x00☠'
OBJECTIVES = [
    promised(),
    promised(95, name="Sessions", kind="session", window="28D"),
    promised(99, name="Fast", service="pay-*", kind="latency", within="800ms"),
    promised(99.5, name=HOSTILE, service=HOSTILE, window="7D"),
    promised(99.9, service="shop*"),  # of the same name as another
]


def run(promtool: str, what: str, file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([promtool, what, "rules", str(file)], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return sl.write_prometheus_rules(tmp_path_factory.mktemp("rules") / "slos.yaml", OBJECTIVES)


def test_promtool_finds_the_rules_valid(promtool: str, files) -> None:
    done = run(promtool, "check", files[0])
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_finds_that_they_do_what_they_say(promtool: str, files) -> None:
    done = run(promtool, "test", files[1])
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_test_can_fail(promtool: str, tmp_path) -> None:
    rules, test = sl.write_prometheus_rules(tmp_path / "slos.yaml", promised())
    rules.write_text(rules.read_text().replace("(14.4 * 0.001)", "(1.5 * 1)"))
    assert run(promtool, "test", test).returncode != 0


def test_hostile_names_show_as_they_are(promtool: str, tmp_path) -> None:
    rules, test = sl.write_prometheus_rules(
        tmp_path / "slos.yaml", promised(name="{{ .Value }} {{ bad", service="a{{b")
    )
    cases = yaml.safe_load(test.read_text())
    fires = cases["tests"][1]
    alert = next(r for r in yaml.safe_load(rules.read_text())["groups"][0]["rules"] if "alert" in r)
    labels = alert["labels"] | {"service": "a{{b", "slo": "{{ .Value }} {{ bad"}
    shown = {
        "summary": "a{{b, {{ .Value }} {{ bad: the error budget burns more than 14.4 times as fast as allowed",
        "description": alert["annotations"]["description"],
    }
    fires["alert_rule_test"] = [
        {
            "eval_time": "120m",
            "alertname": alert["alert"],
            "exp_alerts": [{"exp_labels": labels, "exp_annotations": shown}],
        }
    ]
    test.write_text(yaml.safe_dump(cases | {"tests": [fires]}))
    done = run(promtool, "test", test)
    assert done.returncode == 0, done.stdout + done.stderr


def test_rules_are_the_workbooks(files) -> None:
    rules = yaml.safe_load(files[0].read_text())["groups"][0]["rules"]
    alerts = [(r["labels"]["severity"], r["labels"]["long"], r["labels"]["short"]) for r in rules if "alert" in r]
    assert alerts == [("page", "1h", "5m"), ("page", "6h", "30m"), ("ticket", "24h", "2h"), ("ticket", "3d", "6h")]
    assert [r["record"][-2:] for r in rules if "record" in r][:2] == ["1h", "5m"]


def test_no_name_ends_a_matcher_a_text_or_a_template(files) -> None:
    group = yaml.safe_load(files[0].read_text())["groups"][3]
    record = group["rules"][0]["expr"]
    assert record.startswith('(sum by (service) (rate(http_requests_total{service="x\\"} or vector(1) # \\\\ ')
    said = next(r for r in group["rules"] if "alert" in r)["annotations"]["summary"]
    assert '{{"{{"}} .Value }}' in said
    assert all(char.isprintable() for char in said)


def test_the_same_objectives_give_the_same_bytes(files, tmp_path) -> None:
    again = sl.write_prometheus_rules(tmp_path / "slos.yaml", OBJECTIVES)
    assert [file.read_bytes() for file in again] == [file.read_bytes() for file in files]


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ({"total": "a-b"}, "total='a-b'"),
        ({"failed": "code=5xx"}, "failed="),
        ({"failed": 'code=~"5..\\"'}, "failed="),
        ({"service": "a.b"}, "service='a.b'"),
        ({"bucket": "x"}, "the keys are total"),
    ],
)
def test_names_that_prometheus_does_not_know_are_refused(tmp_path, metrics: dict[str, str], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        sl.write_prometheus_rules(tmp_path / "a.yaml", promised(), metrics=metrics)


def test_an_objective_no_rule_can_watch_is_refused(tmp_path) -> None:
    with pytest.raises(ParameterError, match="no burn rate is reachable"):
        sl.write_prometheus_rules(tmp_path / "a.yaml", promised(50, window="1h"))
