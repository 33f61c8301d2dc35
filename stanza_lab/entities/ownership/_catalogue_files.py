"""Files of catalogues -> claims: CSV, YAML, JSON and CODEOWNERS, read within bounds."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from stanza_lab.entities.ownership import _codeowners
from stanza_lab.entities.ownership._claims import CODEOWNERS, CSV, Claim, Entries
from stanza_lab.errors import SchemaError

MAX_FILE = 64 * 2**20  # bytes
MAX_YAML = 8 * 2**20  # bytes; a megabyte takes seconds
MAX_NODES = 1_000_000  # values in a YAML file, those behind an alias counted each time
MAX_DEPTH = 100
SUFFIXES = (".csv", ".tsv", ".yaml", ".yml", ".json", ".jsonl", ".ndjson")
_WHERE_CODEOWNERS_LIVE = (".github", ".gitlab", "docs")
_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"\s*")
_KNOWN = "Backstage entities, Datadog service definitions or PagerDuty services, teams or escalation policies"
# What catalogues call our columns, folded to letters only; the first that is there wins.
_HEADERS: Mapping[str, tuple[str, ...]] = {
    "service": ("service", "servicename", "name", "component"),
    "team": ("team", "owner", "squad", "owningteam"),
    "repository": ("repository", "repo", "repositoryurl", "repourl"),
    "on_call": ("oncall", "pager", "escalationpolicy"),
    "tier": ("tier", "criticality"),
}


def read(path: Path) -> Entries:
    """Return what a file says, or raise `SchemaError` that says why it is no catalogue."""
    entries = Entries(str(path))
    if path.name == "CODEOWNERS":
        entries.claims += _codeowners_claims(path)
    elif path.suffix.lower() in (".csv", ".tsv"):
        entries.claims += _csv_claims(path)
    elif path.suffix.lower() in SUFFIXES:
        for value in values(path):
            entries.add(value)
        if not entries.known:
            raise SchemaError(f"{path}: holds no catalogue; expected are {_KNOWN}")
    else:
        suffix = path.suffix or "files without suffix"
        raise SchemaError(f"{path}: no reader for {suffix}; save it as {', '.join(SUFFIXES)} or CODEOWNERS")
    return entries


def values(path: Path) -> Iterator[Any]:
    """Yield the documents of a YAML file or the values of a JSON file."""
    yield from _yaml(path) if path.suffix.lower() in (".yaml", ".yml") else _json(path)


def rows(path: Path) -> list[list[str]]:
    """Return the rows of a CSV file, its header first."""
    return _csv_rows(path)


def within(folder: Path) -> list[Path]:
    """Return the files below a folder that may be catalogues, sorted; of hidden folders those of CODEOWNERS alone."""
    found: list[Path] = []
    for parent, subfolders, names in os.walk(folder):
        here = Path(parent)
        if here.name in (".github", ".gitlab") and here != folder:
            subfolders.clear()
            found += [here / name for name in names if name == "CODEOWNERS"]
            continue
        subfolders[:] = [n for n in subfolders if n in (".github", ".gitlab") or n[:1] not in (".", "_")]
        subfolders[:] = [name for name in subfolders if name != "node_modules"]
        found += [here / n for n in names if n == "CODEOWNERS" or (n[:1] != "." and Path(n).suffix.lower() in SUFFIXES)]
    return sorted(path for path in found if path.is_file())


def _held(path: Path, limit: int) -> str:
    """Return the text of a file."""
    try:
        if path.exists() and not path.is_file():
            raise SchemaError(f"{path}: not a regular file; pass the path of a catalogue, or of a folder of them")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise SchemaError(f"{path}: {error.strerror}; pass the path of a catalogue") from error
    if len(data) > limit:
        raise SchemaError(f"{path}: over {limit // 2**20} MB, which no catalogue of this kind is; split it")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SchemaError(f"{path}, line {line}: not text in UTF-8; save it as UTF-8") from error
    if not text.strip():
        raise SchemaError(f"{path}: the file is empty; export it again")
    return text


def _yaml(path: Path) -> Iterator[Any]:
    text = _held(path, MAX_YAML)
    try:
        _check_size(path, text)
        yield from yaml.safe_load_all(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise SchemaError(f"{path}{where}: not valid YAML ({error.problem or error.context}); correct it") from error
    except (yaml.YAMLError, ValueError, TypeError, OverflowError, RecursionError) as error:
        if isinstance(error, SchemaError):
            raise
        why = str(error).partition("\n")[0]
        raise SchemaError(f"{path}: not valid YAML ({why}); correct it") from error


def _check_size(path: Path, text: str) -> None:
    """Refuse YAML that is nested deeply, or grows when its aliases are put in, before anything is built from it."""
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []
    nodes = 0
    for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.DocumentStartEvent):
            sizes.clear()
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise SchemaError(
                    f"{path}, line {line}: alias *{event.anchor} stands in itself or nowhere; write it out"
                )
            nodes += sizes[event.anchor]
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            if anchor is not None:
                sizes[anchor] = nodes - before
        elif isinstance(event, yaml.NodeEvent):
            nodes += 1
            if isinstance(event, yaml.CollectionStartEvent):
                open_nodes.append((event.anchor, nodes - 1))
            elif event.anchor is not None:
                sizes[event.anchor] = 1
        if nodes > MAX_NODES:
            grows = f"over {MAX_NODES:,} values once its aliases are put in"
            raise SchemaError(f"{path}, line {line}: {grows}, which no catalogue has; write out what the aliases mean")
        if len(open_nodes) > MAX_DEPTH:
            raise SchemaError(
                f"{path}, line {line}: nested over {MAX_DEPTH} deep, which no catalogue is; pass the export"
            )


def _json(path: Path) -> Iterator[Any]:
    """Yield the JSON values of a file, one or several one after another."""
    text = _held(path, MAX_FILE)
    at = 0
    try:
        while (at := _after_space(text, at)) < len(text):
            value, at = _DECODER.raw_decode(text, at)
            yield value
    except json.JSONDecodeError as error:
        raise SchemaError(f"{path}, line {error.lineno}: not valid JSON ({error.msg}); export it again") from error
    except (RecursionError, ValueError) as error:
        raise SchemaError(f"{path}: JSON that no catalogue is ({error}); export it again") from error


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _codeowners_claims(path: Path) -> list[Claim]:
    text = _held(path, MAX_FILE)
    folder = path.absolute().parent
    inside = folder.name in _WHERE_CODEOWNERS_LIVE
    name = (folder.parent if inside else folder).name or None
    owned = _codeowners.owned(text, name, gitlab=folder.name == ".gitlab")
    return [Claim(CODEOWNERS, str(path), service, team=team) for service, team in owned]


def _csv_claims(path: Path) -> list[Claim]:
    header, *body = _csv_rows(path)
    found = {"".join(filter(str.isalpha, name.lower())): i for i, name in reversed(list(enumerate(header)))}
    columns = {column: next((found[n] for n in names if n in found), None) for column, names in _HEADERS.items()}
    missing = [column for column in ("service", "team") if columns[column] is None]
    if missing:
        wanted = " and ".join(f"{column} (or {', '.join(_HEADERS[column][1:])})" for column in missing)
        raise SchemaError(f"{path}: no column for {wanted}; columns are {header}; rename one")
    claims = []
    for row in body:
        row += [""] * (len(header) - len(row))
        stated = {column: None if i is None else row[i].strip() or None for column, i in columns.items()}
        if stated["service"]:
            claims.append(Claim(CSV, str(path), **stated))
    return claims


def _csv_rows(path: Path) -> list[list[str]]:
    text = _held(path, MAX_FILE)
    try:
        separator = max(",;\t", key=text.partition("\n")[0].count)
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        rows = [row for row in lines if any(row)]
    except csv.Error as error:
        raise SchemaError(f"{path}: not a CSV table ({error}); give it a header line and a line per service") from error
    if not rows:
        raise SchemaError(f"{path}: the file is empty; give it a header line and a line per service")
    for row in rows:
        if any(cell.strip() for cell in row[len(rows[0]) :]):
            raise SchemaError(f"{path}: {row} has more values than the header has columns; name them or take them out")
    return rows
