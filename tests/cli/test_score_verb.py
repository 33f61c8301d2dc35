"""`stanza-lab score`."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

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
