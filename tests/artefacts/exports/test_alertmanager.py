"""Rules for Alertmanager: which are written, which are refused, and what a real Alertmanager makes of them."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
import yaml

import stanza_lab as sl
from stanza_lab.artefacts.exports import alertmanager as target
from stanza_lab.artefacts.exports._labels import labelled
from stanza_lab.artefacts.exports.walk import Walk
from stanza_lab.artefacts.replay.server import Alertmanager, running
from stanza_lab.errors import ParameterError
from stanza_lab.incidents.rules._matchers import parse

LABELS = "alertname=alertname,service=service"
HOUR = pd.Timedelta("1h")


def history(*, times: int = 14, severity: str = "error", labels: bool = False) -> pd.DataFrame:
    """Return a cause on orders-db, an effect on orders a minute after it, each time; and the effect never alone."""
    rows = []
    start = pd.Timestamp("2026-03-01", tz="UTC")
    for k in range(times):
        at = start + k * 37 * HOUR + (k * k % 11) * HOUR
        for service, name, after in (("orders-db", "DiskFull", 0), ("orders", "SlowQueries", 60)):
            told = {"alertname": name, "service": service, "cluster": "eu"}
            rows.append(
                {
                    "alert_id": f"{k}{service}",
                    "source": "alertmanager" if labels else "datadog",
                    "rule_key": f"{name}|{service}",
                    "alertname": name,
                    "service": service,
                    "team": "pay",
                    "severity": severity if service == "orders-db" else "error",
                    "starts_at": at + pd.Timedelta(seconds=after),
                    "ends_at": at + pd.Timedelta(minutes=30),
                    "labels": json.dumps(told) if labels else None,
                    "summary": name,
                }
            )
    return pd.DataFrame(rows)


def bundle_of(alerts: pd.DataFrame, path: Path, *, src: str = "orders", dst: str = "orders-db") -> sl.Bundle:
    clusterer = sl.IncidentClusterer().fit(alerts)
    alerts = alerts.assign(incident_id=clusterer.labels_)
    edges = pd.DataFrame({"src": [src], "dst": [dst], "confidence": [0.9], "link_confidence": [0.9]})
    # two rules alone in the world have no other company: what habit they have is said here
    sl.save_bundle(
        path,
        clusterer=clusterer,
        dependencies=sl.DependencyModel().fit(alerts),
        production=sl.ProductionMap(edges, alerts),
        alerts=alerts,
    )
    found = sl.load_bundle(path)
    return replace(found, rules=found.rules.assign(habit="telling", chronic=0.1))


def rules_of(bundle: sl.Bundle, *, labels: str | None = LABELS) -> tuple[list[target.Inhibition], list[str]]:
    walk = Walk.of(bundle)
    found, lost = labelled(walk, labels, severity=True)
    rules, refused = target.inhibitions(walk, found, max_q=0.05)
    return rules, lost + refused


@pytest.fixture(scope="module")
def diskfull(tmp_path_factory: pytest.TempPathFactory) -> sl.Bundle:
    return bundle_of(history(), tmp_path_factory.mktemp("b") / "bundle")


def test_the_effect_is_hidden_by_its_cause_and_never_the_other_way(diskfull: sl.Bundle) -> None:
    (rule,), _ = rules_of(diskfull)
    assert (rule.cause.rule.alertname, rule.effect.rule.alertname) == ("DiskFull", "SlowQueries")
    assert rule.cause.labels == {"alertname": "DiskFull", "service": "orders-db"}


def test_without_labels_no_rule_is_invented(diskfull: sl.Bundle) -> None:
    rules, lost = rules_of(diskfull, labels=None)
    assert rules == []
    assert any("no matcher can tell" in sentence for sentence in lost)


def test_labels_that_were_seen_on_all_alerts_are_used(tmp_path: Path) -> None:
    (rule,), _ = rules_of(bundle_of(history(labels=True), tmp_path / "b"), labels=None)
    assert rule.cause.labels == {"alertname": "DiskFull", "cluster": "eu", "service": "orders-db"}


def test_a_label_that_may_be_missing_is_not_used(tmp_path: Path) -> None:
    alerts = history(labels=True)
    alerts.loc[alerts.index[-1], "labels"] = json.dumps({"alertname": "SlowQueries", "service": "orders"})
    (rule,), _ = rules_of(bundle_of(alerts, tmp_path / "b"), labels=None)
    assert "cluster" not in rule.cause.labels


def test_a_less_severe_cause_hides_nothing(tmp_path: Path) -> None:
    for severity in ("warning", None):
        rules, refused = rules_of(bundle_of(history(severity=severity), tmp_path / str(severity)))
        assert rules == []
        assert any("less severe" in sentence for sentence in refused)


def test_a_cause_that_fires_whatever_happens_hides_nothing(diskfull: sl.Bundle) -> None:
    for habit in ("chronic", "flapping", "periodic"):
        rules = diskfull.rules.assign(habit=habit)
        found, refused = rules_of(replace(diskfull, rules=rules))
        assert found == []
        assert any("for no reason" in sentence for sentence in refused)


def test_rules_with_the_same_labels_are_left_out(diskfull: sl.Bundle) -> None:
    twice = pd.concat([diskfull.rules, diskfull.rules.assign(rule=diskfull.rules["rule"] + "|b")], ignore_index=True)
    rules, lost = rules_of(replace(diskfull, rules=twice))
    assert rules == []
    assert any("tell them apart" in sentence for sentence in lost)


def test_a_rule_whose_matchers_would_mean_another_one_is_left_out(diskfull: sl.Bundle) -> None:
    labels = f"{LABELS},environment=env"
    there = diskfull.rules.assign(environment=None)
    other = there[there["alertname"] == "DiskFull"].assign(rule="other", environment="staging", habit="chronic")
    rules, lost = rules_of(replace(diskfull, rules=pd.concat([there, other], ignore_index=True)), labels=labels)
    assert rules == []
    assert any("tell them apart" in sentence for sentence in lost)


def test_a_rule_that_fires_in_two_environments_is_two(diskfull: sl.Bundle) -> None:
    here = diskfull.rules.assign(environment="prod")
    there = here.assign(rule=here["rule"] + "|staging", environment="staging")
    both = replace(diskfull, rules=pd.concat([here, there], ignore_index=True))
    rules, _ = rules_of(both, labels=f"{LABELS},environment=env")
    assert {one.cause.labels["env"] for one in rules} == {"prod", "staging"}


def test_a_promised_severity_narrows_both_sides(diskfull: sl.Bundle) -> None:
    (rule,), _ = rules_of(diskfull, labels=f"{LABELS},severity=sev")
    assert rule.cause.labels["sev"] == rule.effect.labels["sev"] == "error"


def test_an_unlikely_link_hides_nothing(diskfull: sl.Bundle) -> None:
    walk = Walk.of(diskfull, min_confidence=0.95)
    assert target.inhibitions(walk, labelled(walk, LABELS)[0], max_q=0.05)[0] == []


def test_nothing_hides_in_a_circle(diskfull: sl.Bundle) -> None:
    walk = Walk.of(diskfull)
    back = walk.propagation.assign(
        src="orders-db", dst="orders", callee_kind="SlowQueries", caller_kind="DiskFull", probability=0.9, q_value=0.0
    )
    both = replace(
        walk,
        propagation=pd.concat([walk.propagation, back], ignore_index=True),
        links=(*walk.links, replace(walk.links[0], src="orders-db", dst="orders")),
    )
    found, refused = target.inhibitions(both, labelled(both, LABELS)[0], max_q=0.05)
    assert len(found) == 1
    assert any("circle" in sentence for sentence in refused)


@pytest.mark.parametrize("labels", ["alertname", "alertname=a b,service=s", "x=y", "alertname=alertname", "a=1,b"])
def test_labels_that_are_none_are_refused(diskfull: sl.Bundle, tmp_path: Path, labels: str) -> None:
    with pytest.raises(ParameterError, match="labels="):
        sl.export(diskfull, "alertmanager", tmp_path / "out", labels=labels)


@pytest.mark.parametrize("name", ['a"; b=~".*', "x\ny", "a\\", "{}", "'", "!!python/object", "</script>", "é\u202e"])
def test_amtool_accepts_any_name(amtool: str, diskfull: sl.Bundle, tmp_path: Path, name: str) -> None:
    renamed = replace(
        diskfull,
        rules=diskfull.rules.replace({"alertname": {"DiskFull": name}}),
        propagation=diskfull.propagation.replace({"callee_kind": {"DiskFull": name}}),
    )
    made = sl.export(renamed, "alertmanager", tmp_path / "out", labels=LABELS)
    done = subprocess.run([amtool, "check-config", made.path / "alertmanager.yml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    told = yaml.safe_load((made.path / "inhibit_rules.yml").read_text())
    assert len(told["inhibit_rules"]) == 1
    assert parse(told["inhibit_rules"][0]["source_matchers"][0], "inhibit_rules")[0].value == name


@pytest.fixture(scope="module")
def server(alertmanager: str, diskfull: sl.Bundle, tmp_path_factory: pytest.TempPathFactory) -> Alertmanager:
    made = sl.export(diskfull, "alertmanager", tmp_path_factory.mktemp("am") / "out", labels=LABELS)
    with running(made.path / "alertmanager.yml", binary=alertmanager) as found:
        yield found


def fire(server: Alertmanager, labels: dict[str, str], *, over: bool = False) -> None:
    now = datetime.now(tz=UTC)
    ends = now + (timedelta(seconds=-1) if over else timedelta(hours=1))
    server.post([{"labels": labels, "startsAt": (now - timedelta(minutes=5)).isoformat(), "endsAt": ends.isoformat()}])


def hidden(server: Alertmanager, labels: dict[str, str]) -> bool:
    """Tell whether an alert is hidden, once it shows."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        for alert in server.alerts():
            if alert["labels"] == labels:
                return bool(alert["status"]["inhibitedBy"])
        time.sleep(0.01)
    raise AssertionError(labels)


def gone(server: Alertmanager, labels: dict[str, str]) -> None:
    until = time.monotonic() + 5
    while any(alert["labels"] == labels for alert in server.alerts()):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_real_alertmanager_hides_the_effect_only_while_the_cause_fires(server: Alertmanager) -> None:
    cause = {"alertname": "DiskFull", "service": "orders-db", "instance": "a"}
    effect = {"alertname": "SlowQueries", "service": "orders", "instance": "b"}
    fire(server, effect)
    assert not hidden(server, effect)
    fire(server, cause)
    assert not hidden(server, cause)
    assert hidden(server, effect)
    fire(server, cause, over=True)
    gone(server, cause)
    assert not hidden(server, effect)


def test_a_missing_label_hides_nothing(server: Alertmanager) -> None:
    fire(server, {"alertname": "DiskFull", "service": "orders-db"})
    for labels in ({"alertname": "SlowQueries"}, {"service": "orders"}, {"alertname": "DiskFull", "service": "orders"}):
        fire(server, labels)
        assert not hidden(server, labels)


def test_it_groups_by_service(server: Alertmanager) -> None:
    for instance in ("a", "b"):
        fire(server, {"alertname": "Other", "service": "web", "instance": instance})
    hidden(server, {"alertname": "Other", "service": "web", "instance": "b"})
    until = time.monotonic() + 5
    while time.monotonic() < until:
        sizes = {json.dumps(group["labels"]): len(group["alerts"]) for group in server.groups()}
        if sizes.get('{"service": "web"}') == 2:
            return
        time.sleep(0.01)
    raise AssertionError(sizes)
