from __future__ import annotations

from pathlib import Path

import pytest

from stanza_lab.errors import ParameterError, SchemaError
from stanza_lab.incidents import IncidentClusterer
from stanza_lab.incidents.rules import AttributeRule, GapRule, GroupByRule, SimilarityRule, read_rules
from stanza_lab.incidents.rules.reading import RulesWarning, default_rules, parse_rule

ALERTMANAGER = """
global: {resolve_timeout: 10m}
route:
  receiver: all
  group_by: [alertname, cluster]
  routes:
    - matchers: [severity="critical"]
      receiver: pager
      group_wait: 10s
receivers: [{name: all}, {name: pager}]
"""


@pytest.fixture
def written(tmp_path: Path):
    def write(text: str, name: str = "rules.yaml") -> Path:
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def test_each_kind_is_read(written):
    text = """
    rules:
      quiet: {kind: gap, gap: 10min, by: [service]}
      routed: {kind: group_by, by: [alertname], group_wait: 1min}
      keep: {kind: attribute, cel: severity == 'critical', window: 5min, min_alerts: 3}
      alike: {kind: similarity, edits: 3}
      short: gap:1min
      ours: {kind: model}
    """
    rules = read_rules(written(text))
    assert [type(rule) for rule in rules.values()] == [
        GapRule, GroupByRule, AttributeRule, SimilarityRule, GapRule, IncidentClusterer,
    ]  # fmt: skip
    assert (rules["quiet"].gap, rules["quiet"].by) == ("10min", ["service"])
    assert (rules["keep"].cel, rules["keep"].min_alerts) == ("severity == 'critical'", 3)
    assert rules["short"].gap == "1min"


def test_an_alertmanager_becomes_one_rule(written, alerts_at):
    (rule,) = read_rules(written(ALERTMANAGER, "alertmanager.yml")).values()
    assert rule.resolve_timeout.total_seconds() == 600
    alerts = alerts_at(0, 1, 2, alertname=["a", "a", "a"], severity=["critical", "warning", "critical"])
    assert rule.fit(alerts).receivers_.tolist() == ["pager", "all", "pager"]
    assert rule.labels_.tolist() == [0, -1, 0]


def test_what_is_not_replayed_is_told(written):
    text = ALERTMANAGER + "inhibit_rules: [{equal: [alertname]}]\n"
    with pytest.warns(RulesWarning, match="inhibit_rules are not replayed"):
        read_rules(written(text, "alertmanager.yml"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rules: {quiet: {kind: gap, gab: 5min}}", r"quiet: 'gab' is not known; did you mean 'gap'\?"),
        ("rules: {quiet: {kind: gapp}}", r"kind 'gapp' is not known; did you mean 'gap'\?"),
        ("rules: {quiet: {kind: gap, by: service}}", "by='service' is no list of names"),
        ("rules: {quiet: {gap: 5min}}", "quiet: no kind is given"),
        ("rules: []", "rules are names with what each is"),
        ("ruls: {}", r"'ruls' is not known; did you mean 'rules'\?"),
        ("- a", "holds list, not keys and values"),
        ("rules: {a: gap, a: gap}", r"line 1: cannot be read as YAML: 'a' stands there twice"),
        ("rules: {a: {", "line 1: cannot be read as YAML"),
        ("rules: !!python/object/apply:os.system [ls]", "cannot be read as YAML"),
        ("route: {group_bi: [a]}", "route: 'group_bi' is not known; did you mean 'group_by'"),
        ("{}", "rules are names with what each is"),
    ],
)
def test_slips_are_told(written, text, message):
    with pytest.raises(SchemaError, match=message):
        read_rules(written(text))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(SchemaError, match=r"none\.yaml: cannot be read"):
        read_rules(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gap:90s", GapRule(gap="90s")),
        ("gap", GapRule()),
        ("group_by:alertname, service", GroupByRule(by=["alertname", "service"])),
        ("group_by:", GroupByRule(by=[])),
        ("attribute:service", AttributeRule(by=["service"])),
        ("similarity:0.9", SimilarityRule(similarity=0.9)),
        ("model", IncidentClusterer()),
    ],
)
def test_a_rule_in_one_word(text, expected):
    assert repr(parse_rule(text)) == repr(expected)


@pytest.mark.parametrize("text", ["nope", "model:5", "similarity:much", ""])
def test_a_word_that_is_no_rule(text):
    with pytest.raises(ParameterError, match="rule '"):
        parse_rule(text)


def test_defaults_use_what_the_alerts_have(alerts_at):
    assert list(default_rules(alerts_at(0))) == ["gap 5min", "alertmanager", "model"]
    assert len(default_rules(alerts_at(0, service=["a"], summary=["b"]))) == 5


@pytest.mark.parametrize("value", ["2026-13-45", "0b_"])
def test_a_value_that_yaml_cannot_make_is_told_as_a_slip_of_the_file(written, value):
    with pytest.raises(SchemaError, match="cannot be read as YAML"):
        read_rules(written(f"rules: {{a: {{kind: gap, gap: {value}}}}}"))


@pytest.mark.parametrize("text", ["global: [a]\nroute: {receiver: x}", "route: {receiver: x, matchers: 5}"])
def test_a_list_where_keys_belong_is_told(written, text):
    with pytest.raises(SchemaError, match="holds"):
        read_rules(written(text))


def test_aliases_that_explode_are_refused(written):
    lines = [f"x{i}: &a{i} {{routes: [*a{i - 1}, *a{i - 1}]}}" for i in range(1, 40)]
    with pytest.raises(SchemaError, match="aliases"):
        read_rules(written("\n".join(["x0: &a0 {receiver: r}", *lines, "route: *a39"])))
    with pytest.raises(SchemaError, match="stands in itself"):
        read_rules(written("route: &a {routes: [*a]}"))


def test_plain_aliases_are_read(written):
    text = "rules: {a: &a {kind: gap, gap: 10min}, b: *a}"
    assert [rule.gap for rule in read_rules(written(text)).values()] == ["10min", "10min"]
