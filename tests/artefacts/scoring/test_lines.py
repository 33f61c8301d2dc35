"""Lines of any system: every line gets an answer, what repeats or ends an alert is no new one, nothing is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stanza_lab as sl
from stanza_lab import schema
from stanza_lab.artefacts.scoring.reading import LONGEST
from stanza_lab.errors import BundleError


def datadog(number: int, status: str, at: int, *, service: str = "orders-api") -> bytes:
    return json.dumps(
        {
            "id": number,
            "date_happened": at,
            "title": f"[{status}] Error rate on {service}",
            "alert_type": "success" if status == "Recovered" else "error",
            "alert_transition": status,
            "monitor_id": 77,
            "tags": [f"service:{service}", "monitor"],
            "source": "alert",
            "text": "",
        }
    ).encode()


def alertmanager(*alerts: dict[str, Any]) -> bytes:
    return json.dumps(
        {"version": "4", "groupKey": "{}", "status": "firing", "receiver": "x", "alerts": list(alerts)}
    ).encode()


def fired(name: str, *, service: str = "orders-api", status: str = "firing", minute: int = 0) -> dict[str, Any]:
    end = "0001-01-01T00:00:00Z" if status == "firing" else f"2026-09-01T10:{minute + 9:02d}:00Z"
    return {
        "status": status,
        "labels": {"alertname": name, "service": service},
        "annotations": {},
        "startsAt": f"2026-09-01T10:{minute:02d}:00Z",
        "endsAt": end,
        "generatorURL": "",
        "fingerprint": f"{name}{service}",
    }


@pytest.fixture
def scorer(bundle: sl.Bundle) -> sl.LineScorer:
    return sl.LineScorer(bundle)


def test_a_line_with_two_alerts_gets_two_answers(scorer: sl.LineScorer) -> None:
    answers = scorer.answer([alertmanager(fired("Slow"), fired("Errors"))])
    assert [(answer["line"], answer["status"]) for answer in answers] == [(1, "alone"), (1, "new")]
    assert answers[1]["moved"] == [[answers[0]["alert_id"], answers[1]["incident_id"]]]


def test_what_repeats_is_no_new_alert_and_a_recovery_ends_it(scorer: sl.LineScorer) -> None:
    lines = [
        alertmanager(fired("Slow")),
        alertmanager(fired("Slow")),
        alertmanager(fired("Slow", status="resolved")),
    ]
    answers = scorer.answer(lines)
    assert [answer["status"] for answer in answers] == ["alone", "again", "ended"]
    assert len({answer["alert_id"] for answer in answers}) == 1


def test_alert_ids_are_those_of_a_history(scorer: sl.LineScorer, tmp_path: Path) -> None:
    line = alertmanager(fired("Slow"), fired("Errors"))
    (tmp_path / "one.json").write_bytes(line)
    batch = sl.read_alerts(tmp_path / "one.json")
    assert {answer["alert_id"] for answer in scorer.answer([line])} == set(batch["alert_id"])


def test_every_line_gets_an_answer_and_the_stream_goes_on(scorer: sl.LineScorer) -> None:
    lines = [
        b"not json",
        b"{}",
        b'{"a": 1}',
        b"[1]",
        b"\xff\xfe",
        b"null",
        b"  ",
        b"[" * 5_000,
        alertmanager(fired("Slow")),
    ]
    answers = scorer.answer(lines)
    assert {answer["line"] for answer in answers} >= {1, 3, 4, 5, 6, 8, 9}
    assert all(answer["status"] == "rejected" for answer in answers if answer["line"] in (1, 3, 4, 5, 6, 8))
    assert all(answer["reason"] and answer["message"] for answer in answers if answer["status"] == "rejected")
    assert answers[-1]["status"] == "alone"


def test_a_line_without_end_is_refused(scorer: sl.LineScorer) -> None:
    (answer,) = scorer.answer([b'{"a": "' + b"x" * LONGEST + b'"}'])
    assert (answer["status"], answer["reason"]) == ("rejected", "too_long")


def test_an_alert_of_ours_is_read_as_it_is_printed(scorer: sl.LineScorer) -> None:
    own = {"alert_id": "a", "source": "datadog", "starts_at": "2026-09-01T10:00:00Z", "service": "orders-api"}
    assert scorer.answer([json.dumps(own).encode()])[0]["alert_id"] == "a"
    for change in (
        {"starts_at": "soon"},
        {"starts_at": None},
        {"service": 3.5},
        {"resources": "x"},
        {"severity": "purple"},
        {"alert_id": None},
        {"alert_id": "x" * 20_000},
    ):
        (answer,) = scorer.answer([json.dumps(own | change).encode()])
        assert answer["status"] == "rejected"


def test_an_alert_of_ours_that_comes_again_is_no_new_one(scorer: sl.LineScorer) -> None:
    own = {"alert_id": "a", "source": "datadog", "starts_at": "2026-09-01T10:00:00Z", "service": "orders-api"}
    later = own | {"ends_at": "2026-09-01T10:05:00Z"}
    answers = scorer.answer([json.dumps(one).encode() for one in (own, own, later, [own, own])])
    assert [answer["status"] for answer in answers] == ["alone", "again", "ended", "again", "again"]


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=25)
@given(st.dictionaries(st.sampled_from(schema.ALERTS.names), ANYTHING, max_size=6))
def test_whatever_stands_in_an_alert_of_ours_it_gets_one_answer(bundle: sl.Bundle, changes: dict[str, Any]) -> None:
    own = {"alert_id": "a", "source": "datadog", "starts_at": "2026-09-01T10:00:00Z", "service": "orders-api"}
    (answer,) = sl.LineScorer(bundle).answer([json.dumps(own | changes).encode()])
    assert answer["status"] in ("alone", "rejected")


@settings(max_examples=25)
@given(st.sampled_from(["status", "labels", "annotations", "startsAt", "endsAt", "fingerprint"]), ANYTHING)
def test_whatever_stands_in_an_alert_of_a_system_every_one_gets_an_answer(
    bundle: sl.Bundle, name: str, value: Any
) -> None:
    answers = sl.LineScorer(bundle).answer([alertmanager(fired("Slow"), fired("Errors") | {name: value})])
    assert answers[0]["line"] == 1
    assert "alone" in {answer["status"] for answer in answers}


def test_lines_in_between_that_are_no_alerts_change_nothing(bundle: sl.Bundle) -> None:
    lines = [alertmanager(fired(f"A{k}", minute=k)) for k in range(8)]
    mixed = [one for line in lines for one in (b"garbage", line)]
    plain = [{k: v for k, v in a.items() if k != "line"} for a in sl.LineScorer(bundle).answer(lines)]
    among = [a for a in sl.LineScorer(bundle).answer(mixed) if a["status"] != "rejected"]
    assert [{k: v for k, v in a.items() if k != "line"} for a in among] == plain


def test_lines_in_pieces_and_after_a_break_are_answered_the_same(bundle: sl.Bundle, tmp_path: Path) -> None:
    lines = [
        alertmanager(fired(f"A{k % 3}", minute=k, status="resolved" if k % 4 == 3 else "firing")) for k in range(12)
    ]
    whole = sl.LineScorer(bundle).answer(lines)
    scorer, answers = sl.LineScorer(bundle), []
    for place in range(0, len(lines), 2):
        answers += scorer.answer(lines[place : place + 2])
        scorer.save(tmp_path / "state")
        scorer = sl.LineScorer.resume(bundle, tmp_path / "state")
    assert answers == whole
    assert scorer.lines == len(lines)


def test_a_broken_checkpoint_is_refused(bundle: sl.Bundle, tmp_path: Path) -> None:
    sl.Scorer(bundle).save(tmp_path / "state")
    with pytest.raises(BundleError, match="no checkpoint of lines"):
        sl.LineScorer.resume(bundle, tmp_path / "state")


def test_secrets_and_people_are_taken_out(scorer: sl.LineScorer) -> None:
    hostile = fired("Slow", service="maria.sample@example.com")
    assert "maria.sample" not in json.dumps(scorer.answer([alertmanager(hostile)]))


def test_names_are_those_of_the_bundle(bundle: sl.Bundle) -> None:
    service = bundle.services["service"].iloc[0]
    (answer,) = sl.LineScorer(bundle).answer([alertmanager(fired("Slow", service=service.upper()))])
    assert answer["service"] == service


def test_files_are_answered_in_the_order_of_time(bundle: sl.Bundle) -> None:
    lines = [alertmanager(fired(f"A{k}", minute=k)) for k in range(8)]
    forward = sl.LineScorer(bundle).answer(lines, whole=True)
    backward = sl.LineScorer(bundle).answer(lines[::-1], whole=True)
    assert [a["alert_id"] for a in backward] == [a["alert_id"] for a in forward]
    assert [a["incident_id"] for a in backward] == [a["incident_id"] for a in forward]


def test_a_name_is_that_of_the_history_it_was_learned_from(learned: Any, tmp_path: Path) -> None:
    alerts = learned.alerts.astype({"service": "str"}).copy()
    service = alerts["service"].dropna().iloc[0]
    swapped = "-".join(service.split("-")[::-1])
    assert swapped != service
    first = alerts.index[alerts["service"] == service][0]
    alerts.loc[first, "service"] = swapped
    owners = learned.production.ownership
    names = sl.EntityResolver(catalog=owners).fit(alerts)
    assert names.transform(alerts)["service"].loc[first] == service
    told = learned._asdict() | {"names": names}
    bundle = sl.load_bundle(sl.save_bundle(tmp_path / "bundle", **told))
    (answer,) = sl.LineScorer(bundle).answer([alertmanager(fired("Slow", service=swapped))])
    assert answer["service"] == service
