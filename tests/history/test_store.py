from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from stanza_lab import History, fold_events, read_alerts, schema
from stanza_lab.errors import HistoryError, LoadError, ParameterError, StanzaWarning
from stanza_lab.loaders import _batches, read_files


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history")


def contents(history: History) -> dict[str, bytes]:
    """Return every file of a history that counts."""
    found = (path for path in history.path.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(history.path)): path.read_bytes() for path in found}


def test_every_record_is_accounted_for(history: History, changes: Path) -> None:
    report = history.ingest(changes)
    assert (report.records, report.events, report.duplicates) == (7, 5, 0)
    assert report.ignored == {"cloudwatch alarm definition": 1}
    assert report.rejected["locator"].tolist() == ["line 7, character 1"]
    assert (report.alerts_before, report.alerts_after) == (0, 3)
    assert report.by_file.drop(columns="file").values.tolist() == [[7, 5, 0, 1, 1]]
    assert report.by_source.values.tolist() == [["cloudwatch", 5, 5, 0]]


def test_alerts_are_what_folding_all_events_gives(history: History, changes: Path, items: Path) -> None:
    history.ingest([changes, items])
    events = pd.concat([batch.events for batch in read_files([changes, items])])
    pd.testing.assert_frame_equal(history.alerts(), fold_events(events))
    with pytest.warns(StanzaWarning, match="1 of 12 records"):
        pd.testing.assert_frame_equal(read_alerts([changes, items]), fold_events(events))


def test_second_ingest_adds_nothing(history: History, changes: Path) -> None:
    history.ingest(changes)
    history.alerts()
    before = contents(history)
    again = history.ingest(changes)
    assert (again.records, again.events, again.duplicates) == (7, 0, 5)
    assert (sum(again.ignored.values()), len(again.rejected), again.new_alerts) == (1, 1, 0)
    assert contents(history) == before
    assert len(history.rejected()) == 1


def test_copy_under_another_name_adds_nothing(history: History, changes: Path, tmp_path: Path) -> None:
    history.ingest(changes)
    before = contents(history)
    shutil.copy(changes, tmp_path / "copy.ndjson")
    assert history.ingest(tmp_path / "copy.ndjson").duplicates == 5
    assert contents(history) == before


def test_overlapping_export_adds_what_is_new(history: History, changes: Path, export: Callable[..., Path]) -> None:
    history.ingest(changes)
    lines = changes.read_text().splitlines()
    later = lines[2].replace("cpu", "memory")
    report = history.ingest(export("later.ndjson", lines[3], lines[4], later))
    assert (report.events, report.duplicates) == (1, 2)
    assert history.files()[["records", "events", "duplicates"]].values.tolist() == [[7, 5, 0], [3, 1, 2]]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_second_shape_is_a_duplicate_whose_ids_and_fields_are_kept(
    history: History, changes: Path, items: Path, order: tuple[int, int]
) -> None:
    first, second = ([changes, items][i] for i in order)
    history.ingest(first)
    ids = set(history.alerts()["alert_id"])
    report = history.ingest(second)
    assert (report.events, report.duplicates, report.new_alerts) == (0, 5, 0)
    alerts = history.alerts()
    assert set(alerts["alert_id"]) == ids
    assert alerts["rule_key"].str.startswith("arn:").all()
    assert "cpu|2026-03-01T00:00:00.000Z" in alerts["event_ids"].explode().tolist()
    assert history.events()["event_id"].is_unique
    assert len(history.events()) == 5


def test_split_and_order_of_files_do_not_matter(
    tmp_path: Path, changes: Path, items: Path, export: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    together = History(tmp_path / "together")
    together.ingest([changes, items])
    monkeypatch.setattr(_batches, "BATCH_RECORDS", 2)
    apart = History(tmp_path / "apart")
    apart.ingest(items)
    for number, line in enumerate(reversed(changes.read_text().splitlines())):
        apart.ingest(export(f"{number}.json", line))
    pd.testing.assert_frame_equal(apart.alerts(), together.alerts())
    pd.testing.assert_frame_equal(apart.events(), together.events())
    assert apart.files()["events"].sum() == together.files()["events"].sum() == 5


def test_same_file_twice_in_one_ingest_counts_once(history: History, changes: Path) -> None:
    report = history.ingest([changes, changes])
    assert (report.records, report.events, report.duplicates, len(report.rejected)) == (14, 5, 5, 2)


def test_archive_members_are_told_apart(history: History, changes: Path, items: Path, tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    for path in (changes, items):
        shutil.copy(path, tmp_path / "pack")
    archive = Path(shutil.make_archive(str(tmp_path / "pack"), "zip", tmp_path / "pack"))
    history.ingest(archive)
    before = contents(history)
    assert history.files()["file"].tolist() == [f"{archive}!history.ndjson", f"{archive}!sns.ndjson"]
    history.ingest(archive)
    assert contents(history) == before


def test_reading_again_with_a_zone_replaces_what_was_rejected(history: History, export: Callable[..., Path]) -> None:
    record = {"AlarmName": "cpu", "NewStateValue": "ALARM", "StateChangeTime": "2026-03-01T14:02:11"}
    path = export("local.json", record)
    assert history.ingest(path).events == 0
    assert len(history.rejected()) == 1
    history.ingest(path, tz="Europe/Berlin")
    assert len(history.rejected()) == 0
    assert history.files()[["records", "events", "rejected"]].values.tolist() == [[1, 1, 0]]
    assert history.alerts()["starts_at"].tolist() == [pd.Timestamp("2026-03-01T13:02:11Z")]


def test_reading_again_without_the_zone_takes_nothing_back(history: History, export: Callable[..., Path]) -> None:
    alarm = {"AlarmName": "cpu", "NewStateValue": "ALARM"}
    times = ["2026-03-01T14:00:00Z", *(f"2026-03-01T14:0{n}:00" for n in (1, 2, 3))]
    path = export("local.json", *(alarm | {"StateChangeTime": at} for at in times))
    seen = []
    for tz in (None, "UTC", None):
        report = history.ingest(path, tz=tz)
        seen.append((report.events, len(report.rejected), history.files().iloc[0, 1:].tolist()))
        assert len(history.rejected()) == history.files()["rejected"].sum()
    assert seen == [(1, 3, [4, 1, 0, 0, 3]), (3, 0, [4, 4, 0, 0, 0]), (0, 3, [4, 4, 0, 0, 0])]


def test_rejected_record_is_listed_once_however_often_it_was_read(history: History, export: Callable) -> None:
    path = export("bad.json", "{broken")
    assert len(history.ingest([path, path]).rejected) == 2
    assert history.files()["rejected"].tolist() == [1]
    history.ingest(path)
    assert len(history.rejected()) == 1


def test_own_directory_inside_the_ingested_folder_is_left_out(changes: Path) -> None:
    history = History(changes.parent / "history")
    first = history.ingest(changes.parent)
    again = history.ingest(changes.parent)
    assert (first.records, again.records, again.duplicates) == (7, 7, 5)


def test_equal_names_in_two_accounts_are_two_alerts(
    history: History, export: Callable[..., Path], sns: Callable
) -> None:
    def told(account: str, state: str, minute: int) -> dict[str, str]:
        return sns("cpu", state, minute) | {"AlarmArn": f"arn:aws:cloudwatch:eu-west-1:{account}:alarm:cpu"}

    records = [told("111", "ALARM", 0), told("222", "ALARM", 0), told("111", "OK", 5)]
    report = history.ingest(export("together.json", *records, *records))
    assert (report.events, report.duplicates, report.alerts_after) == (3, 3, 2)
    assert history.alerts()["ends_at"].notna().tolist() == history.alerts()["rule_key"].str.contains("111").tolist()
    assert history.events()["event_id"].is_unique
    assert len(history.events()) == 3
    for number, order in enumerate([(0, 1, 2), (2, 1, 0)]):
        apart = History(history.path.with_name(f"apart{number}"))
        counts = [apart.ingest(export(f"{number}{n}.json", records[n])).events for n in order]
        assert counts == [1, 1, 1]
        pd.testing.assert_frame_equal(apart.alerts(), history.alerts())
        assert apart.ingest(export("together.json", *records)).duplicates == 3


def test_leftovers_of_a_cut_off_ingest_are_ignored_and_removed(
    history: History, changes: Path, items: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.ingest(changes)
    alerts = history.alerts()
    with monkeypatch.context() as patched:
        patched.setattr("stanza_lab.history.manifest.write", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            history.ingest(items)
    (history.path / "rejected" / "part.tmp").write_bytes(b"half")
    assert len(list(history.path.glob("events/*.parquet"))) == 2
    pd.testing.assert_frame_equal(history.alerts(), alerts)
    assert history.ingest(changes).duplicates == 5
    assert len(list(history.path.glob("*/part*"))) == 2


def test_former_rejected_rows_are_removed(history: History, changes: Path, export: Callable[..., Path]) -> None:
    history.ingest(changes)
    history.ingest(export("torn.json", "{torn"))
    assert len(list(history.path.glob("rejected/*"))) == 1


@pytest.mark.parametrize("ask", [History.alerts, History.events, History.rejected, History.files, "ingest"])
def test_parts_without_a_manifest_are_kept_and_told(history: History, changes: Path, ask: Callable | str) -> None:
    history.ingest(changes)
    (history.path / "manifest.json").unlink()
    before = contents(history)
    with pytest.raises(HistoryError, match=r"holds 2 parts that manifest\.json does not list \(.*restore"):
        history.ingest(changes) if isinstance(ask, str) else ask(history)
    assert contents(history) == before


@pytest.mark.parametrize("folder", ["events", "rejected"])
def test_parts_the_manifest_does_not_list_are_kept_and_told(history: History, changes: Path, folder: str) -> None:
    history.ingest(changes)
    manifest = json.loads((history.path / "manifest.json").read_text())
    (history.path / "manifest.json").write_text(json.dumps(manifest | {folder: []}))
    before = contents(history)
    with pytest.raises(HistoryError, match=rf"holds 1 part that manifest\.json does not list \({folder}/part-"):
        history.ingest(changes)
    assert contents(history) == before


def test_manifest_lost_after_a_cut_off_ingest_is_told(
    history: History, changes: Path, items: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.ingest(changes)
    with monkeypatch.context() as patched:
        patched.setattr("stanza_lab.history.manifest.write", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            history.ingest(items)
    (history.path / "manifest.json").unlink()
    before = contents(history)
    with pytest.raises(HistoryError, match="does not list"):
        history.ingest(changes)
    assert contents(history) == before


def test_listed_part_that_is_not_whole_removes_nothing(history: History, changes: Path, items: Path) -> None:
    history.ingest(changes)
    history.ingest(items)
    part = next(history.path.glob("events/*"))
    part.write_bytes(part.read_bytes()[:-100])
    (history.path / "rejected" / "part.tmp").write_bytes(b"half")
    before = contents(history)
    with pytest.raises(HistoryError, match=r"a part of the history in .* cannot be read"):
        history.ingest(changes)
    assert contents(history) == before


def test_folded_alerts_are_kept_and_damage_to_them_is_repaired(history: History, changes: Path) -> None:
    history.ingest(changes)
    alerts = history.alerts()
    [cache] = (history.path / "cache").iterdir()
    cache.write_bytes(b"damaged")
    pd.testing.assert_frame_equal(history.alerts(), alerts)
    assert cache.read_bytes()[:4] == b"PAR1"


def test_since_until_and_where_select(history: History, changes: Path) -> None:
    history.ingest(changes)
    assert history.alerts(since="2026-03-01T00:03Z", until="2026-03-01T01:00Z")["alertname"].tolist() == ["disk"]
    assert len(history.alerts(where="alertname = 'cpu' and ends_at is null")) == 1


def test_where_that_is_no_condition_names_the_columns(history: History, changes: Path) -> None:
    history.ingest(changes)
    with pytest.raises(ParameterError, match=r"where='nope = 1' .* columns are \['alert_id'"):
        history.alerts(where="nope = 1")


def test_tables_have_their_dtypes(history: History, changes: Path) -> None:
    history.ingest(changes)
    for found, table in ((history.events(), schema.EVENTS), (history.rejected(), schema.REJECTED)):
        assert found.columns.tolist() == table.names
        pd.testing.assert_frame_equal(schema.check(found, table), found)


def test_history_without_alerts_is_empty(history: History, export: Callable[..., Path]) -> None:
    report = history.ingest(export("nothing.json", "[]", "{broken"))
    assert report.events == 0
    assert len(history.alerts()) == len(history.events()) == 0
    assert history.rejected()["reason"].tolist() == ["bad_json"]


def test_missing_history_says_how_to_make_one(tmp_path: Path) -> None:
    for ask in (History.alerts, History.events, History.rejected, History.files):
        with pytest.raises(HistoryError, match=r"no history at .*nowhere; make one with: stanza-lab ingest PATH"):
            ask(History(tmp_path / "nowhere"))
    assert not (tmp_path / "nowhere").exists()


def test_wrong_path_makes_no_history(history: History, tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="missing"):
        history.ingest(tmp_path / "missing")
    with pytest.raises(ParameterError, match="tz="):
        history.ingest(tmp_path, tz="Mars")
    assert not history.path.exists()


def test_directory_of_something_else_is_left_alone(tmp_path: Path, changes: Path) -> None:
    with pytest.raises(HistoryError, match=r"is no history and holds other files \(sns.ndjson\)"):
        History(tmp_path).ingest(changes)
    assert {path.name for path in tmp_path.iterdir()} == {"sns.ndjson"}
    with pytest.raises(HistoryError, match="is a file"):
        History(changes).ingest(changes)
    with pytest.raises(HistoryError, match="cannot be written to"):
        History(changes / "below").ingest(changes)


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("{", "cannot be read"),
        ('{"other": 1}', "is not the manifest of a history"),
        ('{"format": "stanza_lab history", "version": 99}', "version 99, this stanza_lab reads version 1; upgrade"),
        ('{"format": "stanza_lab history", "version": 1}', "is damaged"),
    ],
)
def test_manifest_that_cannot_be_used_says_why(history: History, changes: Path, manifest: str, message: str) -> None:
    history.path.mkdir()
    (history.path / "manifest.json").write_text(manifest)
    with pytest.raises(HistoryError, match=message):
        history.alerts()
    with pytest.raises(HistoryError, match=message):
        history.ingest(changes)


def test_missing_part_is_told(history: History, changes: Path) -> None:
    history.ingest(changes)
    history.alerts()
    for folder in ("events", "cache"):
        shutil.rmtree(history.path / folder)
    with pytest.raises(HistoryError, match=r"a part of the history in .* cannot be read"):
        history.alerts()
    with pytest.raises(HistoryError, match=r"a part of the history in .* cannot be read"):
        history.ingest(changes)


def test_two_ingests_at_once_are_refused(history: History, changes: Path) -> None:
    history.ingest(changes)
    with (history.path / ".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(HistoryError, match="another ingest is writing"):
            history.ingest(changes)
    assert history.ingest(changes).duplicates == 5


def test_manifest_lists_parts_and_files(history: History, changes: Path) -> None:
    history.ingest(changes)
    manifest = json.loads((history.path / "manifest.json").read_text())
    assert manifest["events"][0]["rows"] == 5
    assert manifest["facts"] == {"cloudwatch": 5}
    assert manifest["first"] == "2026-03-01T00:00:00.000000Z"
    assert manifest["files"][0]["ignored"] == {"cloudwatch alarm definition": 1}


def test_repr_says_what_is_there(history: History, changes: Path) -> None:
    assert repr(history).endswith("history'): nothing ingested yet")
    history.ingest(changes)
    assert repr(history).endswith("history'): 5 events from 1 file, 2026-03-01 to 2026-03-01")
    assert "<td>cloudwatch</td>" in history._repr_html_()


def test_names_are_escaped_in_html(tmp_path: Path, changes: Path) -> None:
    history = History(tmp_path / "<b>history")
    history.ingest(changes)
    assert "<b>" not in history._repr_html_()


def test_progress_goes_to_stderr(history: History, changes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history.ingest(changes, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "sns.ndjson" in err


@pytest.mark.shared
@pytest.mark.parametrize("order", [1, -1])
def test_petshop_gives_309_alerts_whichever_file_is_first(history: History, shared: Path, order: int) -> None:
    files = sorted((shared / "data/petshop_low/alerts").iterdir())[::order]
    events = duplicates = 0
    for path in files:
        report = history.ingest(path)
        events, duplicates = events + report.events, duplicates + report.duplicates
    alerts = history.alerts()
    assert (events, duplicates, len(alerts)) == (664, 618, 309)  # 46 definitions
    assert alerts["ends_at"].notna().all()
    assert labelled(shared / "data/petshop_low", alerts) == 1.0


@pytest.mark.shared
def test_nezha_folds_sentry_by_the_quiet_gap(history: History, shared: Path) -> None:
    report = history.ingest(shared / "data/nezha_tt_0129/alerts")
    assert (report.records, report.events) == (664, 664)
    alerts = history.alerts()
    assert alerts["source"].value_counts().to_dict() == {"datadog": 258, "sentry": 42}
    assert labelled(shared / "data/nezha_tt_0129", alerts) == 1.0


def labelled(data: Path, alerts: pd.DataFrame) -> float:
    """Return the share of firing truth rows found in the alerts, each in exactly one."""
    truth = pd.read_csv(data / "truth/alert_labels.csv", dtype=str)
    firing = truth.loc[truth["kind"] == "firing", "native_id"]
    times = alerts["event_ids"].explode().value_counts()
    return float((firing.map(times) == 1).mean())
