from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

import stanza_lab as sl
from stanza_lab.errors import ParameterError

DATA = Path(__file__).resolve().parents[2] / "data"


BY_HAND = ("front_doors/", "reactions/")  # what the teams of the bundled production know; no simulator does


def hashes(directory: Path) -> dict[str, str]:
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def production():
    return sl.simulate_production(services=12, teams=3, days=40, incidents=6)


def test_the_same_bytes_each_time(production, tmp_path) -> None:
    production.export(tmp_path / "one")
    sl.simulate_production(services=12, teams=3, days=40, incidents=6).export(tmp_path / "two")
    assert hashes(tmp_path / "one") == hashes(tmp_path / "two")


def test_data_is_the_default_production(tmp_path) -> None:
    sl.simulate_production().export(tmp_path)
    there = {name: digest for name, digest in hashes(DATA).items() if not name.startswith(BY_HAND)}
    assert there == hashes(tmp_path), "run `make data` and commit what changed"


def test_what_people_wrote_survives_new_data(production, tmp_path) -> None:
    production.export(tmp_path)
    (tmp_path / BY_HAND[0]).mkdir()
    (tmp_path / BY_HAND[0] / "shop.yaml").write_text("team: shop\n")
    production.export(tmp_path, overwrite=True)
    assert (tmp_path / BY_HAND[0] / "shop.yaml").read_text() == "team: shop\n"


def test_data_is_small_enough_for_git(tmp_path) -> None:
    sizes = [path.stat().st_size for path in sl.simulate_production().export(tmp_path)]
    assert max(sizes) < 2 * 2**20
    assert 2_000_000 < sum(sizes) < 5_000_000


def test_export_says_what_it_wrote(production, tmp_path) -> None:
    files = production.export(tmp_path / "new" / "place")
    assert files == sorted(path for path in (tmp_path / "new" / "place").rglob("*") if path.is_file())
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["place"]
    meta = json.loads((tmp_path / "new" / "place" / "meta.json").read_text())
    assert meta["parameters"]["services"] == meta["counts"]["services"] == 12
    assert len(meta["files"]) == len(files) - 1


def test_a_former_export_is_replaced_and_its_leftovers_go(production, tmp_path) -> None:
    production.export(tmp_path)
    shorter = sl.simulate_production(services=12, teams=3, days=5, incidents=2)
    with pytest.raises(ParameterError, match="holds a former export; pass another one, or overwrite=True"):
        shorter.export(tmp_path)
    shorter.export(tmp_path, overwrite=True)
    shorter.export(tmp_path / "fresh")
    fresh = hashes(tmp_path / "fresh")
    assert {path: code for path, code in hashes(tmp_path).items() if not path.startswith("fresh/")} == fresh


@pytest.mark.parametrize("overwrite", [False, True])
def test_other_things_are_never_overwritten(production, tmp_path, overwrite: bool) -> None:
    (tmp_path / "README.md").write_text("years of work")
    with pytest.raises(ParameterError, match="is not empty and no former export; pass another one"):
        production.export(tmp_path, overwrite=overwrite)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    assert (tmp_path / "README.md").read_text() == "years of work"


def test_a_file_is_no_directory(production, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ParameterError, match="is a file; pass a directory"):
        production.export(tmp_path / "file")


def test_a_forged_list_of_files_deletes_nothing_outside(production, tmp_path) -> None:
    (tmp_path / "outside.txt").write_text("keep")
    former = tmp_path / "former"
    former.mkdir()
    forged = {"generator": "stanza_lab.simulate_production", "files": ["../outside.txt", str(tmp_path / "outside.txt")]}
    (former / "meta.json").write_text(json.dumps(forged))
    production.export(former, overwrite=True)
    assert (tmp_path / "outside.txt").read_text() == "keep"
