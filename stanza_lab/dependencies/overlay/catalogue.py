"""Dependencies that people wrote down: Backstage and Datadog entities, tables of callers and callees."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from stanza_lab.entities import naming
from stanza_lab.entities.ownership import _catalogue_files
from stanza_lab.errors import ParameterError, SchemaError, StanzaWarning

_ENDS = (("src", "dst"), ("caller", "callee"))
# What tables call the two ends, folded to letters; the first pair that is there wins.
_HEADERS = (
    ("src", "dst"),
    ("caller", "callee"),
    ("service", "dependson"),
    ("source", "target"),
    ("source", "destination"),
    ("from", "to"),
    ("consumer", "provider"),
    ("client", "server"),
    ("service", "dependency"),
)
_BACKSTAGE = ("backstage.io/", "scaffolder.backstage.io/")
_DATADOG = ("v3", "v3.0")
_RELATIONS = ("dependsOn", "dependencyOf", "consumesApi", "providesApi")
_NOT_RUN = ("library", "documentation", "template")  # nothing alerts about these
_MAX_WRAPPERS = 8
_SHOWN = 5  # names a warning lists


class DeclaredEdgesWarning(StanzaWarning):
    """Tell of declared dependencies whose other end is not known: an API that no component provides."""


def read_declared_edges(paths: str | PathLike[str] | Iterable[str | PathLike[str]]) -> pd.DataFrame:
    r"""Read the dependencies that catalogues declare.

    Parameters
    ----------
    paths : path or iterable of paths
        Files in UTF-8, or folders that are searched through for these:

        * CSV (``.csv``, ``.tsv``) with a header line: ``src`` and ``dst``, ``caller`` and ``callee``, ``service`` and
          ``depends_on``, ``source`` and ``target``, ``from`` and ``to``, ``consumer`` and ``provider``. A cell of the
          second column may list several names, separated by spaces, semicolons or commas.
        * Backstage ``catalog-info.yaml``, or entities of its API as JSON: ``dependsOn``, ``dependencyOf``,
          ``consumesApis`` and ``providesApis`` of components and resources, and the same as ``relations``. Who consumes
          an API depends on each component that provides it; libraries and documentation are left out.
        * Datadog entities of version 3: ``dependsOn``.

    Returns
    -------
    DataFrame
        A row per pair, sorted by src, dst: `src`, `dst` (str: src depends on dst), `told_by` (str: dependsOn,
        dependencyOf, consumesApis or table; several joined by commas), `file` (str: the first that says so). Names are
        those of the entities, without kind and namespace.

    Raises
    ------
    SchemaError
        A file that was named is not readable as a catalogue (it says where and why), or a folder holds none at all.
    ParameterError
        `paths` holds something that is no path.

    Warns
    -----
    DeclaredEdgesWarning
        An API is consumed that no component of these files provides; or a file of a folder is no catalogue.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import stanza_lab as sl
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "calls.csv").write_text("service,depends_on\ncheckout,orders payments\n")
    >>> sl.read_declared_edges(folder)[["src", "dst", "told_by"]].values.tolist()
    [['checkout', 'orders', 'table'], ['checkout', 'payments', 'table']]
    """
    said = _Said()
    for path in _given(paths):
        if path.is_dir():
            said.take_folder(path)
        else:
            said.take(path)
    pairs, orphaned = said.pairs()
    notes = [f"{len(orphaned)} consumed APIs are provided by no component read: {_shown(orphaned)}"] if orphaned else []
    notes += [f"files that declare nothing readable were passed over: {_shown(said.passed_over)}"] * bool(
        said.passed_over
    )
    for note in notes:
        warnings.warn(note, DeclaredEdgesWarning, stacklevel=2)
    table = pd.DataFrame(pairs, columns=["src", "dst", "told_by", "file"], dtype="str")
    together = table.groupby(["src", "dst"], sort=True).agg(
        told_by=("told_by", lambda words: ",".join(sorted(set(words)))), file=("file", "first")
    )
    return together.reset_index().astype("str")


def declared_pairs(declared: pd.DataFrame) -> pd.DataFrame:
    """Return the `src` and `dst` of a table that has these or `caller` and `callee`; rows with a null are none."""
    for ends in _ENDS:
        if set(ends) <= set(declared.columns):
            return declared[list(ends)].set_axis(["src", "dst"], axis=1).dropna().astype("str").reset_index(drop=True)
    raise SchemaError(
        f"declared: columns are {[str(c) for c in declared.columns[:20]]}; pass src and dst, or caller and callee"
    )


class _Said:
    """What the files say, put together at the end: an API may stand in one file and its provider in another."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str, str]] = []
        self.provides: dict[str, set[str]] = {}
        self.consumes: list[tuple[str, str, str]] = []
        self.not_run: set[str] = set()
        self.passed_over: list[str] = []

    def take_folder(self, folder: Path) -> None:
        read = 0
        for path in _catalogue_files.within(folder):
            if path.name == "CODEOWNERS":
                continue
            try:
                self.take(path)
                read += 1
            except SchemaError:
                self.passed_over.append(str(path))
        if not read:
            raise SchemaError(f"{folder}: no file here declares dependencies; pass the files or the folder that do")

    def take(self, path: Path) -> None:
        suffix = path.suffix.lower()
        if suffix in (".csv", ".tsv"):
            self.rows += [(src, dst, "table", str(path)) for src, dst in _pairs_of_table(path)]
        elif suffix in _catalogue_files.SUFFIXES:
            known = [self._entity(entity, str(path)) for entity in _entities(_catalogue_files.values(path))]
            if not any(known):
                raise SchemaError(f"{path}: holds no entities of Backstage or Datadog (version 3); pass a catalogue")
        else:
            raise SchemaError(f"{path}: no reader for {suffix or 'files without suffix'}; save it as CSV or YAML")

    def pairs(self) -> tuple[list[tuple[str, str, str, str]], list[str]]:
        """Return the rows, and the consumed APIs of which no provider is known."""
        rows = list(self.rows)
        for src, api, file in self.consumes:
            rows += [(src, dst, "consumesApis", file) for dst in sorted(self.provides.get(naming.key(api), ()))]
        orphaned = sorted({api for _, api, _ in self.consumes if not self.provides.get(naming.key(api))})
        keys = ((row, naming.key(row[0]), naming.key(row[1])) for row in rows)
        return [row for row, src, dst in keys if src != dst and self.not_run.isdisjoint((src, dst))], orphaned

    def _entity(self, entity: Mapping[str, Any], file: str) -> bool:
        version, spec = str(entity.get("apiVersion") or ""), _mapping(entity.get("spec"))
        name = naming.clean(_mapping(entity.get("metadata")).get("name"))
        backstage = version.startswith(_BACKSTAGE)
        if not backstage and not (version in _DATADOG and "kind" in entity):
            return False
        if name is None:
            return True
        if backstage and spec.get("type") in _NOT_RUN:
            self.not_run.add(naming.key(name))
        told = {word: _names(spec.get(word)) for word in ("dependsOn", "dependencyOf", "consumesApis", "providesApis")}
        for relation, target in _relations(entity.get("relations")):
            told[f"{relation}s" if relation.endswith("Api") else relation].append(target)
        self.rows += [(name, other, "dependsOn", file) for other in told["dependsOn"]]
        self.rows += [(other, name, "dependencyOf", file) for other in told["dependencyOf"]]
        self.consumes += [(name, api, file) for api in told["consumesApis"]]
        for api in told["providesApis"]:
            self.provides.setdefault(naming.key(api), set()).add(name)
        return True


def _given(paths: str | PathLike[str] | Iterable[str | PathLike[str]]) -> list[Path]:
    try:
        given = [Path(path) for path in ([paths] if isinstance(paths, (str, PathLike)) else paths)]
    except TypeError as error:
        raise ParameterError(f"paths={paths!r} is no path; pass a file, a folder or a list of them") from error
    if not given:
        raise ParameterError("paths is empty; pass a file, a folder or a list of them")
    return given


def _pairs_of_table(path: Path) -> Iterator[tuple[str, str]]:
    header, *body = _catalogue_files.rows(path)
    place = {"".join(filter(str.isalpha, name.lower())): i for i, name in reversed(list(enumerate(header)))}
    ends = next((ends for ends in _HEADERS if set(ends) <= set(place)), None)
    if ends is None:
        wanted = "src and dst, caller and callee, or service and depends_on"
        raise SchemaError(f"{path}: no columns for {wanted}; columns are {header}; rename two")
    for row in body:
        cells = [row[place[end]].strip() if place[end] < len(row) else "" for end in ends]
        src = naming.clean(cells[0])
        for name in cells[1].replace(";", " ").replace(",", " ").split():
            dst = naming.clean(name)
            if src and dst:
                yield src, dst


def _entities(values: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the entities of documents: themselves, in lists, or in pages of an API."""
    waiting = [(value, 0) for value in values][::-1]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, list) and depth < _MAX_WRAPPERS:
            waiting += [(each, depth + 1) for each in reversed(value)]
        elif isinstance(value, dict):
            yield value
            inside = [value[page] for page in ("items", "entities", "data") if isinstance(value.get(page), list)]
            waiting += [(page, depth + 1) for page in inside if depth < _MAX_WRAPPERS]


def _relations(value: Any) -> Iterator[tuple[str, str]]:
    for relation in value if isinstance(value, list) else []:
        kind, target = _mapping(relation).get("type"), _reference(_mapping(relation).get("targetRef"))
        if kind in _RELATIONS and target:
            yield kind, target


def _names(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [name for name in map(_reference, listed) if name]


def _reference(value: Any) -> str | None:
    """Return the name that ``[kind:][namespace/]name`` refers to."""
    text = naming.clean(value)
    return naming.clean(text.rpartition(":")[2].rpartition("/")[2]) if text else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _shown(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
