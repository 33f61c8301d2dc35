"""`export`: write a bundle in the format of another tool, with a guide and what could not be carried over."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.resources import files as resources
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab.artefacts.exports.registry import TARGETS, Option, Target, Written, target_of
from stanza_lab.artefacts.exports.walk import Walk
from stanza_lab.errors import BundleError, ParameterError, UnknownNameError

if TYPE_CHECKING:
    from stanza_lab.artefacts.bundle import Bundle

GUIDE = "README.md"
MARK = ".stanza-lab-export.json"  # says that a directory is an export, of which target and with which files
_COMMON = {"min_confidence": "--min-confidence", "services": "--service"}  # as the command line has them


@dataclass(frozen=True)
class Exported:
    """What was written: where, which files, and in sentences what could not be carried over."""

    target: str
    path: Path
    files: tuple[str, ...]
    lost: tuple[str, ...]

    def __repr__(self) -> str:
        """Return one line: what is where."""
        return f"Exported({self.target}: {len(self.files)} files in {self.path}; {len(self.lost)} things not carried)"


def export_targets() -> pd.DataFrame:
    """Return where a model can go.

    Returns
    -------
    DataFrame
        One row per target, by name: `target`, `what`, `proven_by` (the tool our tests check it with), `options` (str).

    Examples
    --------
    >>> import stanza_lab as sl
    >>> {"target", "what", "proven_by", "options"} == set(sl.export_targets().columns)
    True
    """
    rows = []
    for name in sorted(TARGETS):
        module = target_of(name)
        told = "; ".join(f"{option}: {about.help}" for option, about in module.OPTIONS.items())
        rows.append((name, module.WHAT, module.PROVEN_BY, told))
    return pd.DataFrame(rows, columns=["target", "what", "proven_by", "options"], dtype="str")


def export(
    bundle: Bundle,
    target: str,
    path: str | os.PathLike[str],
    *,
    min_confidence: float = 0.5,
    services: Collection[str] | None = None,
    overwrite: bool = False,
    **options: Any,
) -> Exported:
    """Write a bundle in the format of another tool.

    Parameters
    ----------
    bundle : Bundle
        What `load_bundle` returned.
    target : str
        Where it goes; see `export_targets`.
    path : path-like
        Directory to make. It appears whole or not at all.
    min_confidence : float, 0 to 1, default 0.5
        Links less likely than this are left out. Larger: fewer, surer links.
    services : collection of str, optional
        Only these services. Default: all.
    overwrite : bool, default False
        Replace an earlier export that is there. Nothing else is ever replaced.
    **options : object
        What the target can be told besides; see `export_targets`.

    Returns
    -------
    Exported
        The files, among them a guide, and what could not be carried over.

    Raises
    ------
    UnknownNameError
        There is no such target or service.
    ParameterError
        The target has no such option, or an option is outside its range.
    BundleError
        Something else is at `path` already.

    Examples
    --------
    >>> import tempfile, pathlib, stanza_lab as sl
    >>> alerts = sl.simulate_production(services=8, teams=2, days=7, incidents=5, random_state=1).alerts
    >>> clusterer, model = sl.IncidentClusterer().fit(alerts), sl.DependencyModel().fit(alerts)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = sl.save_bundle(
    ...         pathlib.Path(folder) / "bundle",
    ...         clusterer=clusterer,
    ...         dependencies=model,
    ...         production=sl.ProductionMap(model.edges_, alerts),
    ...     )
    ...     made = sl.export(sl.load_bundle(path), "dot", pathlib.Path(folder) / "dot")
    >>> made.files
    ('README.md', 'dependencies.dot')
    """
    module, directory = target_of(target), Path(path)
    if directory.exists():
        _refuse_foreign(directory, overwrite=overwrite)
    if isinstance(services, str):
        raise ParameterError(f"services={services!r} must be several names; pass [{services!r}] for one")
    walk = Walk.of(bundle, min_confidence=min_confidence, services=services)
    written = module.write(walk, **_complete(target, module, options))
    lost = tuple(written.lost) if written.whole else (*written.lost, *walk.unseen)
    content = {**written.files, GUIDE: _guide(target, walk, lost)}
    content[MARK] = json.dumps({"target": target, "bundle": walk.bundle_id, "files": sorted(content)}).encode()
    _write(directory, content)
    return Exported(target, directory, tuple(sorted(content.keys() - {MARK})), lost)


def _complete(target: str, module: Target, given: Mapping[str, Any]) -> dict[str, Any]:
    for name in given:
        if name not in module.OPTIONS:
            known = ", ".join((*module.OPTIONS, *_COMMON))
            raise ParameterError(f"{target} has no option {name!r}; it has {known}")
    return {name: given.get(name, about.default) for name, about in module.OPTIONS.items()}


def read_option(target: str, name: str, value: str) -> Any:
    """Return an option of the command line as the target takes it."""
    about: Option | None = target_of(target).OPTIONS.get(name)
    if about is None:
        if name in _COMMON:
            raise ParameterError(f"{name} is for every target: pass {_COMMON[name]} instead of --option {name}")
        if not target_of(target).OPTIONS:
            raise ParameterError(f"{target} has no options of its own; leave out --option {name}")
        raise UnknownNameError.among(f"option of {target}", name, target_of(target).OPTIONS)
    if about.kind == "number":
        try:
            return float(value)
        except ValueError as error:
            raise ParameterError(f"option {name}={value!r} of {target} must be a number") from error
    if about.kind == "flag":
        if value.lower() not in ("yes", "true", "1", "no", "false", "0"):
            raise ParameterError(f"option {name}={value!r} of {target} must be yes or no")
        return value.lower() in ("yes", "true", "1")
    return value


def _guide(target: str, walk: Walk, lost: Collection[str]) -> bytes:
    """Return the guide of a target, with what this export could not carry over."""
    from stanza_lab.artefacts.exports.quoting import markdown

    told = resources("stanza_lab.artefacts.exports").joinpath("guides", f"{target}.md").read_text(encoding="utf-8")
    span = " to ".join("unknown" if at is None else f"{at:%Y-%m-%d}" for at in (walk.since, walk.until))
    lines = [
        told.rstrip(),
        "",
        "## What could not be carried over",
        "",
        *(f"* {markdown(sentence)}" for sentence in lost),
        "",
        "## Where this comes from",
        "",
        f"Bundle `{walk.bundle_id}` of stanza_lab, alerts from {span} (UTC).",
        "",
    ]
    return "\n".join(lines).encode()


def _refuse_foreign(directory: Path, *, overwrite: bool) -> None:
    """Raise unless an export is at `directory`, nothing else, and it may be replaced."""
    mark = directory / MARK
    try:
        known = set(json.loads(mark.read_text(encoding="utf-8"))["files"]) | {MARK}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BundleError(f"{directory} is there already and is no export; choose another path") from error
    there = {path.relative_to(directory).as_posix() for path in directory.rglob("*") if not path.is_dir()}
    if foreign := sorted(there - known):
        raise BundleError(f"{directory} holds files that the export did not write ({', '.join(foreign[:5])}); move it")
    if not overwrite:
        raise BundleError(f"{directory} is there already; pass overwrite=True (--force) to replace it")


def _write(directory: Path, content: Mapping[str, bytes]) -> None:
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix=f".{directory.name}-") as folder:
        new = Path(folder) / "new"
        for name, data in content.items():
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                raise BundleError(f"an export cannot write {name!r}: it lies outside its directory")
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).write_bytes(data)
        old = Path(folder) / "old"
        if directory.exists():  # moved aside first: a directory cannot be replaced in one step
            directory.rename(old)
        try:
            new.rename(directory)
        except OSError:
            if old.exists():
                old.rename(directory)
            raise


__all__ = ["Exported", "Written", "export", "export_targets", "read_option"]
