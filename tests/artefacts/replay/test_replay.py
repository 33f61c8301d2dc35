"""The replay: what a real Alertmanager does is what was predicted, and what cannot be replayed is said."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.artefacts.replay.predicting import read_config
from stanza_lab.errors import LoadError, SchemaError

CONFIG = """
route: {receiver: default, group_by: [service]}
receivers: [{name: default}]
inhibit_rules:
  - source_matchers: ['alertname="DiskFull"']
    target_matchers: ['alertname=~"Slow.*"']
    equal: [cluster]
"""
LABELS = "alertname=alertname,service=service"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "alertmanager.yml").write_text(CONFIG)
    return tmp_path / "alertmanager.yml"


def alerts(*rows: tuple[str, str, int, int]) -> pd.DataFrame:
    start = pd.Timestamp("2026-03-01", tz="UTC")
    return pd.DataFrame(
        [
            {
                "alert_id": f"a{k}",
                "alertname": name,
                "service": service,
                "starts_at": start + pd.Timedelta(minutes=begin),
                "ends_at": start + pd.Timedelta(minutes=end),
                "incident_id": 0,
            }
            for k, (name, service, begin, end) in enumerate(rows)
        ]
    )


def test_a_missing_label_is_equal_to_a_missing_label(config: Path) -> None:
    rules = read_config(config)
    disk, slow = {"alertname": "DiskFull"}, {"alertname": "SlowQueries"}
    assert rules.hidden_by(slow, [disk]) == [disk]
    assert rules.hidden_by(slow, [disk | {"cluster": "eu"}]) == []
    assert rules.hidden_by(disk, [slow, disk]) == []


def test_a_real_alertmanager_does_what_was_predicted(alertmanager: str, config: Path) -> None:
    history = alerts(
        ("SlowQueries", "orders", 0, 5),
        ("DiskFull", "orders-db", 10, 30),
        ("SlowQueries", "orders", 12, 20),
        ("Other", "web", 13, 20),
        ("SlowPages", "web", 40, 50),
    )
    found = sl.replay_alertmanager(history, config=config, labels=LABELS, binary=alertmanager)
    assert found.alerts["inhibited"].tolist() == [False, False, True, False, False]
    assert found.alerts["agrees"].all()
    assert found.alerts["inhibited_by"].tolist()[2] == "orders-db: DiskFull"
    assert [json.loads(group)["service"] for group in found.alerts["group"]] == [
        "orders",
        "orders-db",
        "orders",
        "web",
        "web",
    ]
    assert "0 of 1 incident hidden whole" in str(found)


def test_alerts_carry_their_own_labels(alertmanager: str, config: Path) -> None:
    told = [{"alertname": "DiskFull", "cluster": "eu"}, {"alertname": "SlowQueries", "cluster": "us"}]
    history = alerts(("DiskFull", "db", 0, 30), ("SlowQueries", "orders", 5, 20)).assign(
        labels=[json.dumps(one) for one in told]
    )
    found = sl.replay_alertmanager(history, config=config, binary=alertmanager)
    assert not found.alerts["inhibited"].any()


def test_the_export_of_a_simulated_production_is_replayed_as_predicted(
    alertmanager: str, bundle: sl.Bundle, later: pd.DataFrame, tmp_path: Path
) -> None:
    made = sl.export(bundle, "alertmanager", tmp_path / "out", labels=LABELS, max_q=1.0)
    some = later.assign(incident_id=bundle.score(later)["incident_id"]).head(60)
    found = sl.replay_alertmanager(some, config=made.path / "alertmanager.yml", labels=LABELS, binary=alertmanager)
    assert found.alerts["agrees"].all()


def test_what_cannot_be_sent_is_said(config: Path) -> None:
    with pytest.raises(LoadError, match="without labels"):
        sl.replay_alertmanager(alerts(("A", "b", 0, 1)), config=config)


def test_without_the_program_it_says_how_to_get_it(config: Path) -> None:
    with pytest.raises(LoadError, match="apt-get install"):
        sl.replay_alertmanager(alerts(("A", "b", 0, 1)), config=config, labels=LABELS, binary="no-such-program")


@pytest.mark.parametrize(
    "text", ["", "[]", "route: 1", "!!python/object/apply:os.system [ls]", "route: {routes: [{}]}"]
)
def test_a_configuration_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.yml").write_text(text)
    with pytest.raises(SchemaError):
        sl.replay_alertmanager(alerts(("A", "b", 0, 1)), config=tmp_path / "c.yml", labels=LABELS)


def test_a_configuration_it_does_not_take_is_told_in_its_words(alertmanager: str, tmp_path: Path) -> None:
    (tmp_path / "c.yml").write_text(CONFIG + "nonsense: 1\n")
    with pytest.raises(LoadError, match="did not start"):
        sl.replay_alertmanager(alerts(("A", "b", 0, 1)), config=tmp_path / "c.yml", labels=LABELS, binary=alertmanager)
