"""The verbs of artefacts in a process of their own: pipes, signals, what an earlier run left."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import stanza_lab as sl


@pytest.fixture(scope="module")
def saved(shop_on_call: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bundle that the verb wrote."""
    out = tmp_path_factory.mktemp("verbs") / "bundle"
    command = ["bundle", shop_on_call / "history", "--out", out, "--ownership", shop_on_call / "ownership.csv"]
    done = subprocess.run([*PROGRAM, *map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Bundle(")
    assert "model_card.md" in done.stderr
    return out


PROGRAM = [sys.executable, "-m", "stanza_lab"]
ALARM = '{"AlarmName": "cpu", "NewStateValue": "ALARM", "StateChangeTime": "2026-03-01T14:02:11Z"}'


def answers(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_bundle_holds_what_the_history_tells(saved: Path) -> None:
    bundle = sl.load_bundle(saved)
    assert bundle.patterns is not None
    assert bundle.names is not None
    assert len(bundle.rules)
    assert bundle.production.ownership is not None


def test_lines_are_answered_one_by_one(saved: Path) -> None:
    text = f"{ALARM}\nnonsense\n\n{ALARM}\n"
    done = subprocess.run([*PROGRAM, "score", str(saved)], input=text, capture_output=True, text=True, check=True)
    assert [answer["status"] for answer in answers(done.stdout)] == ["alone", "rejected", "again"]
    assert "4 lines read, 3 answers" in done.stderr


def test_an_answer_comes_before_the_next_line_and_a_signal_keeps_what_was_heard(saved: Path, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    command = [*PROGRAM, "score", str(saved), "--checkpoint", str(state)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{ALARM}\n".encode())
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["status"] == "alone"  # while the pipe stays open
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        process.stdin.close()
    again = subprocess.run(command, input=f"{ALARM}\n", capture_output=True, text=True, check=True)
    assert "going on after 1 line" in again.stderr
    assert answers(again.stdout)[0]["status"] == "again"
    seen = subprocess.run([*command, "--skip-seen"], input=f"{ALARM}\n" * 3, capture_output=True, text=True, check=True)
    assert len(answers(seen.stdout)) == 1


def test_who_stops_reading_ends_it_without_a_noise(saved: Path) -> None:
    line = f"{ALARM}\n".encode() * 2_000
    with subprocess.Popen(
        [*PROGRAM, "score", str(saved)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.close()
        try:
            process.stdin.write(line)
            process.stdin.close()
        except BrokenPipeError:
            pass
        assert process.wait(timeout=30) == 0
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()


def test_files_are_answered_in_the_order_of_time(run, saved: Path, shop_on_call: Path, tmp_path: Path) -> None:
    files = sorted((shop_on_call / "exports").glob("*.ndjson"))[:2]
    forward, backward = run("score", saved, *files), run("score", saved, *files[::-1])
    assert forward.code == backward.code == 0
    found = [[(a.get("alert_id"), a.get("incident_id")) for a in answers(one.out)] for one in (forward, backward)]
    assert sorted(map(str, found[0])) == sorted(map(str, found[1]))


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["score", "no/such"], 1, "no bundle"),
        (["score", "BUNDLE", "no/such.ndjson"], 1, "no file"),
        (["export", "BUNDLE", "nagios", "--out", "x"], 2, "alertmanager"),
        (["export", "BUNDLE", "dot"], 2, "--out"),
        (["export", "BUNDLE", "dot", "--out", "x", "-o", "colour=red"], 2, "colour"),
        (["export", "BUNDLE", "alertmanager", "--out", "x", "-o", "labels"], 2, "NAME=VALUE"),
        (["export", "BUNDLE", "dot", "--out", "x", "--service", "no-such"], 2, "no-such"),
        (["bundle-diff", "BUNDLE", "no/such"], 1, "no bundle"),
    ],
)
def test_wrong_usage_says_what_to_do(run, saved: Path, tmp_path: Path, monkeypatch, arguments, code, words) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(*(saved if one == "BUNDLE" else one for one in arguments))
    assert done.code in (1, 2)
    assert words in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "x").exists()


def test_a_checkpoint_of_another_bundle_is_refused(run, saved: Path, tmp_path: Path, monkeypatch) -> None:
    state = tmp_path / "state"
    state.write_text('{"format": 1, "bundle": "other"}')
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    done = run("score", saved, "--checkpoint", state)
    assert done.code == 1
    assert "other" in done.err


def test_nothing_listens_beyond_this_machine(alertmanager: str, tmp_path: Path) -> None:
    from stanza_lab.artefacts.replay.server import running

    (tmp_path / "c.yml").write_text("route: {receiver: a}\nreceivers: [{name: a}]\n")
    with running(tmp_path / "c.yml", binary=alertmanager):
        time.sleep(0.05)
        command = next(
            Path(f"/proc/{pid}/cmdline").read_bytes()
            for pid in (entry.name for entry in Path("/proc").iterdir())
            if pid.isdigit() and b"--web.listen-address=127.0.0.1" in _command(pid)
        )
    assert b"--cluster.listen-address=\0" in command


def _command(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
