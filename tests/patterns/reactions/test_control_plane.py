"""Plan, apply, verify, undo: nothing is done without a word from somebody, and nothing is ever run."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import SchemaError, StanzaError
from stanza_lab.patterns.reactions import ControlPlane, Proposal, RefusedError

NOW = pd.Timestamp("2026-03-01T14:02Z")
LATER = NOW + pd.Timedelta("4min")
PRODUCTION = sl.ProductionMap(
    pd.DataFrame({"src": ["api"], "dst": ["db"], "confidence": [0.99]}),
    ownership=pd.DataFrame({"service": ["db", "api"], "team": ["shop", "shop"]}),
)
FIRING = pd.DataFrame({"starts_at": [NOW], "ends_at": pd.to_datetime([None], utc=True), "service": ["db"]})


def proposal(folder: Path, more: str = "", done: object = None) -> Proposal:
    path = folder / "x.yaml"
    path.write_text(
        "team: shop\nreactions:\n  - {name: Restart, action: restart, risk: low, effect: [2min, 10min], "
        f"when: {{service: db}}, command: 'touch {folder}/was-run', {more}}}\n",
        encoding="utf-8",
    )
    return sl.propose(path, PRODUCTION, alerts=FIRING, done=done)[0]  # type: ignore[arg-type]


def test_a_plan_says_every_step(tmp_path: Path) -> None:
    plan = sl.DryRun().plan(proposal(tmp_path, "undo: start again, owner: ines"))
    assert str(plan).splitlines() == [
        "1. Restart db, because db alerts (confidence 0.50)",
        f"2. {plan.steps[1]}",
        "3. Ask a person; ines answers for it",
        f"4. Run by hand, as written by team shop: touch {tmp_path}/was-run",
        "5. Look again after 10 min: no alert should be open at db",
        "6. If it does not help: start again",
    ]
    assert plan.steps[1].startswith("Guardrails: target holds (db); sharing holds")


@pytest.mark.parametrize("kind", ["dry", "recorder"])
def test_without_approval_nothing_is_applied(tmp_path: Path, kind: str) -> None:
    plane: ControlPlane = sl.DryRun() if kind == "dry" else sl.Recorder(tmp_path / "done.jsonl")
    plan = plane.plan(proposal(tmp_path))
    with pytest.raises(RefusedError, match="needs a person's approval"):
        plane.apply(plan)
    for nobody in ("", "  ", "a\nb", 7):
        with pytest.raises(RefusedError, match="names nobody"):
            plane.apply(plan, approve=nobody)  # type: ignore[arg-type]
    assert plane.apply(plan, approve="ines", at=NOW).approved_by == "ines"
    free = plane.plan(proposal(tmp_path, "guardrails: {approval: none, cool_down: 0s}"))
    assert plane.apply(free, at=LATER).approved_by == ""
    assert issubclass(RefusedError, StanzaError)


@pytest.mark.parametrize("kind", ["dry", "recorder"])
def test_what_is_blocked_is_refused_whoever_approves(tmp_path: Path, kind: str) -> None:
    plane: ControlPlane = sl.DryRun() if kind == "dry" else sl.Recorder(tmp_path / "done.jsonl")
    plan = plane.plan(proposal(tmp_path, "guardrails: {min_confidence: 0.9}"))
    assert plan.steps[-1] == "Stop: it is blocked"
    with pytest.raises(RefusedError, match=r"blocked by confidence: 0\.50"):
        plane.apply(plan, approve="ines")


def test_nothing_is_ever_run(tmp_path: Path) -> None:
    recorder = sl.Recorder(tmp_path / "done.jsonl")
    plan = recorder.plan(proposal(tmp_path, f"undo: 'touch {tmp_path}/was-run'"))
    for plane in (sl.DryRun(), recorder):
        plane.apply(plan, approve="ines", at=NOW)
        plane.verify(plan, alerts=FIRING, at=LATER)
        plane.undo(plan, approve="ines", at=LATER)
    assert not (tmp_path / "was-run").exists()


def test_nothing_in_these_rooms_could_run_a_command() -> None:
    package = Path(sl.__file__).parent
    for path in sorted(package.glob("patterns/**/*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        called = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}  # type: ignore[misc]
        attributes = {one.attr for one in called if isinstance(one, ast.Attribute)}
        plain = {one.id for one in called if isinstance(one, ast.Name)}
        parts = {name.split(".")[0] for name in names}
        assert not parts & {"subprocess", "socket", "pty", "multiprocessing", "ctypes", "urllib", "pickle"}, path
        assert not attributes & {"system", "popen", "spawnl", "spawnv", "execv", "execvp", "startfile", "fork"}, path
        assert not plain & {"eval", "exec", "compile", "__import__"}, path


def test_the_record_only_grows_and_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "done.jsonl"
    recorder = sl.Recorder(path)
    assert recorder.records.empty
    assert not path.exists()
    plan = recorder.plan(proposal(tmp_path, "undo: back"))
    first = path.read_text(encoding="utf-8")
    recorder.apply(plan, approve="ines", at=NOW)
    recorder.verify(plan, alerts=FIRING, at=LATER)
    recorder.undo(plan, approve="omar", at=LATER)
    assert path.read_text(encoding="utf-8").startswith(first)
    table = sl.Recorder(path).records
    assert table["verb"].tolist() == ["plan", "apply", "verify", "undo"]
    assert table["state"].tolist() == ["planned", "applied", "too early", "undone"]
    assert table["approved_by"].tolist() == ["", "ines", "", "omar"]
    assert table["at"].tolist() == [NOW, NOW, LATER, LATER]
    assert table["target"].tolist() == ["db"] * 4
    assert recorder.applied["at"].tolist() == [NOW]
    assert repr(recorder) == "Recorder(done.jsonl: 4 records)"


def test_cool_downs_hold_between_all_who_share_the_record(tmp_path: Path) -> None:
    path = tmp_path / "done.jsonl"
    plan = sl.DryRun().plan(proposal(tmp_path))
    sl.Recorder(path).apply(plan, approve="ines", at=NOW)
    with pytest.raises(RefusedError, match="applied to db 4 min ago; again after 30 min"):
        sl.Recorder(path).apply(plan, approve="omar", at=LATER)
    assert sl.Recorder(path).apply(plan, approve="omar", at=NOW + pd.Timedelta("30min")).state == "applied"
    assert "done 0 s ago" in proposal(tmp_path, done=sl.Recorder(path)).blocked_by


def test_only_what_is_applied_can_be_undone_and_only_with_a_way_back(tmp_path: Path) -> None:
    recorder = sl.Recorder(tmp_path / "done.jsonl")
    with pytest.raises(RefusedError, match="no way back"):
        recorder.undo(sl.DryRun().plan(proposal(tmp_path)), approve="ines")
    plan = sl.DryRun().plan(proposal(tmp_path, "undo: back"))
    with pytest.raises(RefusedError, match="nothing to undo"):
        recorder.undo(plan, approve="ines")
    recorder.apply(plan, approve="ines", at=NOW)
    recorder.undo(plan, approve="ines", at=LATER)
    with pytest.raises(RefusedError, match="nothing to undo"):
        recorder.undo(plan, approve="ines")


@pytest.mark.parametrize(
    ("ends", "at", "state"),
    [
        (None, LATER, "too early"),
        (None, NOW + pd.Timedelta("10min"), "firing"),
        (NOW + pd.Timedelta("3min"), LATER, "recovered"),
        (NOW + pd.Timedelta("3min"), NOW + pd.Timedelta("2min"), "too early"),
    ],
)
def test_whether_it_helped_is_read_off_the_alerts(tmp_path: Path, ends: object, at: pd.Timestamp, state: str) -> None:
    alerts = FIRING.assign(ends_at=pd.to_datetime([ends], utc=True))
    found = sl.DryRun().verify(sl.DryRun().plan(proposal(tmp_path)), alerts=alerts, at=at)
    assert found.state == state
    if state == "recovered":
        assert "who or what did it is not known" in found.words


@pytest.mark.parametrize(
    "line", ["not json", "[]", "{}", '{"at": "soon"}', json.dumps({"at": "2026-03-01", "verb": 7})]
)
def test_a_damaged_record_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "done.jsonl"
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(SchemaError, match=r"done\.jsonl, line 1: no record"):
        _ = sl.Recorder(path).records


def test_a_tool_that_never_reports_an_end_says_little_about_recovery(tmp_path: Path) -> None:
    plan = sl.DryRun().plan(proposal(tmp_path))
    mute = FIRING.assign(source="sentry")
    later = sl.DryRun().verify(plan, alerts=mute, at=NOW + pd.Timedelta("1h"))
    assert later.state == "recovered"
    assert "sentry never reports an end: an alert of it counts as open for 30 min" in later.words
    over = mute.assign(ends_at=LATER)
    assert "never reports" not in sl.DryRun().verify(plan, alerts=over, at=NOW + pd.Timedelta("1h")).words


def test_a_record_with_a_wrong_number_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "done.jsonl"
    about = {"at": "2026-03-01T14:02Z", "verb": "apply", "reaction": "A", "team": "t", "target": "db"}
    path.write_text(json.dumps(about) + "\n" + json.dumps(about | {"incident_id": [3]}) + "\n")
    with pytest.raises(SchemaError, match="line 2"):
        _ = sl.Recorder(path).records
