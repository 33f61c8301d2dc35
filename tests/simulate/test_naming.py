from __future__ import annotations

import numpy as np
import pytest

import stanza_lab as sl
from stanza_lab.simulate.naming import HEX, codes, iso


@pytest.fixture(scope="module")
def production():
    return sl.simulate_production(services=18, teams=4, days=14, incidents=10)


def test_codes_have_their_length_and_alphabet() -> None:
    drawn = codes(np.random.default_rng(0), 50, 32, HEX)
    assert {len(code) for code in drawn} == {32}
    assert set("".join(drawn)) <= set(HEX)
    assert len(codes(np.random.default_rng(0), 0, 32, HEX)) == 0


def test_times_are_written_to_the_millisecond() -> None:
    assert iso(np.array([1_782_864_000_007])).tolist() == ["2026-07-01T00:00:00.007Z"]


def test_native_ids_look_like_their_vendors(production) -> None:
    vendor = production.monitors["vendor"].to_numpy()[production.records["monitor"]]
    patterns = {
        "cloudwatch": r"prod-[a-z-]+\|2026-07-\d\dT[\d:]{8}\.\d{3}Z",
        "datadog": r"AgAAAZ[A-Za-z0-9]{26}",
        "sentry": r"[0-9a-f]{32}",
    }
    for name, pattern in patterns.items():
        assert production.records.loc[vendor == name, "native_id"].str.fullmatch(pattern).all()
    assert production.records["native_id"].is_unique


def test_an_event_goes_by_its_native_id_but_for_datadog(production) -> None:
    datadog = production.monitors["vendor"].to_numpy()[production.records["monitor"]] == "datadog"
    records = production.records
    assert records.loc[datadog, "event_id"].str.fullmatch(r"[1-8]{19}").all()
    assert records.loc[~datadog, "event_id"].tolist() == records.loc[~datadog, "native_id"].tolist()
    assert records["event_id"].is_unique


def test_a_rule_key_names_one_monitor(production) -> None:
    assert production.monitors["rule_key"].is_unique
    datadog = production.monitors[production.monitors["vendor"] == "datadog"]
    assert datadog["vendor_id"].nunique() < len(datadog)  # one monitor of a team has a group per service
