from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stanza_lab as sl
from stanza_lab.errors import ParameterError, SchemaError, UnknownNameError
from stanza_lab.patterns.lookalikes import similarity


def _alerts(*incidents: tuple[int, str, list[str]]) -> pd.DataFrame:
    """Return alerts a minute apart: incident, day of March, "service symptom" in order."""
    names = {"latency": "High latency", "errors": "Error rate", "cpu": "CPU high"}
    rows = [
        {
            "incident_id": number,
            "starts_at": pd.Timestamp(f"2026-03-{day}T02:00Z") + pd.Timedelta(minutes=place),
            "service": thing.split()[0],
            "alertname": names[thing.split()[1]],
        }
        for number, day, things in incidents
        for place, thing in enumerate(things)
    ]
    return pd.DataFrame(rows)


HISTORY = _alerts(
    (0, "01", ["orders-db latency", "orders errors"]),
    (1, "08", ["orders-db latency", "web errors"]),
    (2, "09", ["search latency"]),
)


def test_similarity_is_what_a_hand_computes() -> None:
    seldom, often = math.log(1.5 / 4) ** 2, math.log(2.5 / 4) ** 2  # in one, in two of three incidents
    kinds = services = 2 * often / (2 * (often + seldom))
    order = 2 * often / (2 * (often + seldom / 4))  # the second counts half, squared
    known = 0.35 + 0.25 + 0.1 + 0.1  # no rule is known
    expected = (0.35 * kinds + 0.25 * services + 0.1 * order + 0.1 * 1) / known
    assert sl.incident_similarity(HISTORY).loc[0, 1] == pytest.approx(expected)


def test_what_fires_on_its_own_all_the_time_says_little() -> None:
    noise = _alerts(*[(-1, f"{day:02d}", ["orders-db latency"] * 60) for day in range(1, 11)])
    quiet = sl.incident_similarity(HISTORY).loc[0, 1]
    assert sl.incident_similarity(pd.concat([HISTORY, noise])).loc[0, 1] < quiet


def test_rules_services_and_symptoms_count_where_kinds_differ() -> None:
    table = sl.look_alikes(_alerts((0, "01", ["db cpu"]), (1, "02", ["db errors"]), (2, "03", ["api cpu"])), incident=0)
    parts = table.set_index("incident_id")
    assert parts.loc[1, ["kinds", "services", "symptoms"]].tolist() == [0, 1, 0]
    assert parts.loc[2, ["kinds", "services", "symptoms"]].tolist() == [0, 0, 1]
    assert parts["rules"].isna().all()
    assert "no kind shared" in parts.loc[1, "words"]


def test_look_alikes_say_what_is_shared_what_came_first_and_what_is_missing() -> None:
    found = sl.look_alikes(HISTORY, incident=1)
    row = found.iloc[0]
    assert row["incident_id"] == 0
    assert row["shared"] == ["orders-db: latency"]
    assert row["missing"] == ["orders: errors"]
    assert row["new"] == ["web: errors"]
    assert row["words"] == (
        "incident 0 of 2026-03-01 02:00 UTC, 7 d before; similarity 0.32, more differs than agrees; orders-db: latency "
        "came first in both; 1 of 2 kinds here were there too; not here, but there: orders: errors; not there, but "
        "here: web: errors; 2 alerts, when the last recovered is not known"
    )
    assert found.attrs["words"] == "nothing alike: the nearest has similarity 0.32; 2 other incidents looked at"
    assert found.attrs["unseen"] == ["rules: nothing known, or nothing that is not always there; not compared"]


def test_before_leaves_out_what_was_not_known_then() -> None:
    assert sl.look_alikes(HISTORY, incident=1, before=True)["incident_id"].tolist() == [0]
    assert sl.look_alikes(HISTORY, incident=0, before=True).empty
    assert sl.look_alikes(HISTORY, incident=0)["incident_id"].tolist() == [1, 2]
    told = sl.look_alikes(HISTORY, incident=0, before=True).attrs["words"]
    assert told == "there is no other incident to compare with"
    later = _alerts((7, "20", ["orders-db latency"]), (-1, "21", ["orders-db latency"] * 50))
    then = sl.look_alikes(pd.concat([HISTORY, later]), incident=1, before=True)
    pd.testing.assert_frame_equal(then, sl.look_alikes(HISTORY, incident=1, before="2026-03-08T02:00Z"))


def test_the_nearest_come_first_and_no_more_than_asked() -> None:
    found = sl.look_alikes(
        pd.concat([HISTORY, _alerts((5, "20", ["orders-db latency", "web errors"]))]), incident=1, top=1
    )
    assert found["incident_id"].tolist() == [5]
    assert found["similarity"].iloc[0] == pytest.approx(1.0)


def test_alerts_without_a_service_are_told() -> None:
    placeless = HISTORY.assign(service=HISTORY["service"].where(HISTORY["incident_id"] != 2))
    assert "1 of 1 alert name no service" in sl.look_alikes(placeless, incident=2).attrs["unseen"][0]


def test_rows_can_be_asked_for_alone() -> None:
    whole = sl.incident_similarity(HISTORY)
    pd.testing.assert_frame_equal(sl.incident_similarity(HISTORY, of=[2, 0]), whole.loc[[2, 0]])


def test_what_is_not_there_or_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownNameError, match="incident '9' not found"):
        sl.look_alikes(HISTORY, incident=9)
    with pytest.raises(UnknownNameError, match="incident '9' not found"):
        sl.incident_similarity(HISTORY, of=[9])
    with pytest.raises(UnknownNameError):
        sl.look_alikes(HISTORY, incident=-1)
    with pytest.raises(SchemaError, match="incident_id"):
        sl.look_alikes(HISTORY.drop(columns="incident_id"), incident=1)
    monkeypatch.setattr(similarity, "MOST", 2)
    with pytest.raises(ParameterError, match="3 incidents are too many"):
        sl.incident_similarity(HISTORY)


def test_no_incident_is_an_empty_table() -> None:
    assert sl.incident_similarity(HISTORY.assign(incident_id=-1)).shape == (0, 0)
    assert sl.incident_similarity(HISTORY.head(0)).shape == (0, 0)


_THINGS = st.lists(st.sampled_from(["db latency", "api errors", "web errors", "db cpu"]), min_size=1, max_size=4)


@settings(max_examples=8)
@given(st.lists(_THINGS, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_similarity_is_symmetric_and_knows_nothing_of_the_order_of_rows_or_the_calendar(incidents, random) -> None:
    alerts = _alerts(*[(number, f"{number + 1:02d}", things) for number, things in enumerate(incidents)])
    found = sl.incident_similarity(alerts)
    values = found.to_numpy()
    assert np.allclose(values, values.T)
    assert ((values >= 0) & (values <= 1)).all()
    rows = list(range(len(alerts)))
    random.shuffle(rows)
    moved = alerts.iloc[rows].assign(starts_at=alerts["starts_at"].iloc[rows] + pd.Timedelta("31D"))
    pd.testing.assert_frame_equal(sl.incident_similarity(moved), found)


def test_what_comes_with_the_table_can_be_written_as_json() -> None:
    found = sl.look_alikes(HISTORY, incident=1, before=True)
    told = json.loads(json.dumps(found.attrs))
    assert told["fired"] == [
        {"incident_id": 0, "kind": "orders-db: latency", "after_s": 0.0},
        {"incident_id": 0, "kind": "orders: errors", "after_s": 60.0},
        {"incident_id": 1, "kind": "orders-db: latency", "after_s": 0.0},
        {"incident_id": 1, "kind": "web: errors", "after_s": 60.0},
    ]


def test_before_knows_no_recovery_that_came_later() -> None:
    minutes = pd.to_datetime(["2026-03-01T02:00Z", "2026-03-01T02:30Z"])
    alerts = pd.DataFrame(
        {"starts_at": minutes, "ends_at": minutes + pd.Timedelta("1h"), "service": "db", "alertname": "Slow"}
    ).assign(incident_id=[0, 1])
    assert sl.look_alikes(alerts, incident=1)["ends_at"].tolist() == [minutes[0] + pd.Timedelta("1h")]
    then = sl.look_alikes(alerts, incident=1, before=True)
    assert then["ends_at"].isna().all()
    assert "when the last recovered is not known" in then["words"].iloc[0]
