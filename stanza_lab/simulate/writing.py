"""Write an export: all of it beside its place first, then each file into place, the list of files last."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from stanza_lab.errors import ParameterError
from stanza_lab.simulate.describing import counts, readme
from stanza_lab.simulate.exports import indicators, render_exports
from stanza_lab.simulate.truth import render_truth

if TYPE_CHECKING:
    from stanza_lab.simulate.production import Production

_META = "meta.json"
_GENERATOR = "stanza_lab.simulate_production"


def write_export(production: Production, directory: Path, *, overwrite: bool) -> list[Path]:
    """Write `production` to `directory` and return the files, sorted."""
    former = _former_files(directory)
    if directory.exists() and not directory.is_dir():
        raise ParameterError(f"path={str(directory)!r} is a file; pass a directory")
    if directory.is_dir() and any(directory.iterdir()):
        if former is None:
            raise ParameterError(f"path={str(directory)!r} is not empty and no former export; pass another one")
        if not overwrite:
            raise ParameterError(
                f"path={str(directory)!r} holds a former export; pass another one, or overwrite=True (--force)"
            )
    directory.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        files = _stage(production, staged)
        (directory / _META).unlink(missing_ok=True)
        for name in [*files, _META]:
            target = directory / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (staged / name).replace(target)
        for name in sorted(set(former or []) - {*files, _META}):
            (directory / name).unlink(missing_ok=True)
    finally:
        shutil.rmtree(staged)
    return sorted(directory / name for name in [*files, _META])


def _stage(production: Production, staged: Path) -> list[str]:
    files = []
    for name, text in _render(production):
        path = staged / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
        files.append(name)
    meta = {
        "generator": _GENERATOR,
        "parameters": dict(production.parameters),
        "counts": counts(production),
        "files": sorted(files),
    }
    (staged / _META).write_text(json.dumps(meta, indent=1) + "\n", encoding="utf-8", newline="")
    return files


def _render(production: Production) -> Iterator[tuple[str, str]]:
    yield from render_exports(production)
    yield from indicators.render(production)
    yield from render_truth(production)
    yield "README.md", readme(production)


def _former_files(directory: Path) -> list[str] | None:
    """Return what a former export wrote here, None when there was none."""
    try:
        meta = json.loads((directory / _META).read_text(encoding="utf-8"))
        names = meta["files"] if meta["generator"] == _GENERATOR else None
    except (OSError, ValueError, TypeError, KeyError):
        return None
    if names is None:
        return None
    # The list decides what is deleted: nothing outside the directory, whatever it says.
    paths = [PurePosixPath(str(name)) for name in names]
    return [str(path) for path in paths if not path.is_absolute() and ".." not in path.parts]
