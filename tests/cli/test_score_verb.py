"""`stanza-lab score`."""

from __future__ import annotations

import io
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import stanza_lab as sl
from stanza_lab.cli import scoring
from stanza_lab.cli.scoring import Stop, batches
from tests.artefacts.recurring import alerts_of, save

LABELS = {"alertname": "HighLatency", "service": "web", "severity": "critical"}
NOTIFICATION = {
    "version": "4",
    "status": "firing",
    "receiver": "x",
    "groupLabels": {},
    "commonLabels": {},
    "commonAnnotations": {},
    "externalURL": "http://am",
    "alerts": [
        {
            "status": "firing",
            "labels": LABELS,
            "annotations": {},
            "startsAt": "2026-09-30T10:00:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "fingerprint": "aa11",
        }
    ],
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("scored") / "bundle", alerts_of())


@pytest.fixture
def pipe(run, monkeypatch: pytest.MonkeyPatch):
    def pipe_(content: bytes, *arguments: object) -> Any:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        return run("score", *arguments)

    return pipe_


def test_a_webhook_and_garbage_each_get_an_answer(pipe, bundle: Path) -> None:
    done = pipe(json.dumps(NOTIFICATION).encode() + b"\ngarbage\n42\n\xff\n", bundle)
    assert done.code == 0, done.err
    answers = [json.loads(line) for line in done.out.splitlines()]
    assert [answer["line"] for answer in answers] == [1, 2, 3, 4]
    assert answers[0]["service"] == "web"
    assert {answer["status"] for answer in answers[1:]} == {"rejected"}
    assert "4 lines read" in done.err


def test_nothing_in_nothing_out(pipe, bundle: Path) -> None:
    done = pipe(b"", bundle)
    assert (done.code, done.out) == (0, "")


def test_goes_on_from_a_checkpoint(pipe, bundle: Path, tmp_path: Path) -> None:
    line = json.dumps(NOTIFICATION).encode() + b"\n"
    assert pipe(line, bundle, "--checkpoint", tmp_path / "stream").code == 0
    done = pipe(line, bundle, "--checkpoint", tmp_path / "stream")
    assert json.loads(done.out)["status"] == "again"
    assert pipe(line * 2, bundle, "--checkpoint", tmp_path / "stream", "--skip-seen").out == ""


def test_a_file_may_be_json_over_many_lines(run, bundle: Path, tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    for content in (NOTIFICATION, [NOTIFICATION, NOTIFICATION]):
        file.write_text(json.dumps(content, indent=2))
        found = [json.loads(line)["status"] for line in run("score", bundle, file).out.splitlines()]
        assert found == (["alone"] if content is NOTIFICATION else ["alone", "again"])


def test_alerts_as_another_verb_writes_them_are_answered(run, bundle: Path, shop_on_call: Path, tmp_path: Path) -> None:
    file = tmp_path / "alerts.json"
    assert run("alerts", shop_on_call / "history", "--out", file).code == 0
    alerts = json.loads(file.read_text())
    answers = [json.loads(line) for line in run("score", bundle, file).out.splitlines()]
    assert {a["alert_id"] for a in answers} == {a["alert_id"] for a in alerts}
    assert not [a for a in answers if a["status"] == "rejected"]


def test_exports_hold_the_alerts_that_a_history_of_them_has(run, bundle: Path, shop_on_call: Path) -> None:
    files = sorted(file for file in (shop_on_call / "exports").rglob("*") if file.is_file())
    answers = [json.loads(line) for line in run("score", bundle, *files).out.splitlines()]
    scored = [answer["alert_id"] for answer in answers if "why" in answer]
    assert sorted(scored) == sorted(sl.History(shop_on_call / "history").alerts()["alert_id"])


def test_skipping_needs_a_checkpoint(pipe, bundle: Path) -> None:
    done = pipe(b"{}\n", bundle, "--skip-seen")
    assert (done.code, done.out) == (2, "")
    assert "--checkpoint" in done.err


def test_what_is_not_there_is_said_without_a_traceback(run, bundle: Path, tmp_path: Path) -> None:
    for arguments, said in [((bundle, "none.ndjson"), "no file none.ndjson"), ((tmp_path,), "is no bundle")]:
        done = run("score", *arguments)
        assert done.code == 1
        assert said in done.err
        assert "Traceback" not in done.err


@given(st.lists(st.binary(max_size=12), max_size=12), st.randoms(use_true_random=False))
def test_lines_are_those_of_the_stream_however_it_comes(lines: list[bytes], order: Any) -> None:
    lines = [line.replace(b"\n", b" ") for line in lines]
    content, pieces = b"\n".join(lines) + b"\n", []
    while content:
        cut = order.randint(1, len(content))
        pieces.append(content[:cut])
        content = content[cut:]

    class Stream:
        def fileno(self) -> int:
            raise OSError

        def read(self, _: int) -> bytes:
            return pieces.pop(0) if pieces else b""

    with Stop() as stop:
        found = [line for several in batches(Stream(), stop) for line in several]
    assert found == (lines or [b""])


def test_a_signal_lets_no_line_be_taken_for_answered_that_was_not() -> None:
    before = signal.getsignal(signal.SIGTERM)
    stream = io.BytesIO(b"a\n" * 1_200 + b"half")
    with Stop() as stop:
        taken = []
        for lines in batches(stream, stop):
            taken += lines
            if len(taken) == 500:
                os.kill(os.getpid(), signal.SIGTERM)
    assert taken == [b"a"] * 500
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_line_without_end_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "_LONGEST", 100)
    monkeypatch.setattr(scoring, "_CHUNK", 64)
    with Stop() as stop:
        found = [len(line) for several in batches(io.BytesIO(b"x" * 1_000 + b"\nnext\n"), stop) for line in several]
    assert found == [128, 4]
