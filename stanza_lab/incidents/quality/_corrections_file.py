"""The file of corrections: YAML that people read and edit; every slip is told by its line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from stanza_lab.errors import SchemaError
from stanza_lab.incidents.quality._correcting import KINDS, Statement
from stanza_lab.incidents.quality.labels import needed

if TYPE_CHECKING:
    import pandas as pd

_EXAMPLE = "together: [[3f2a, 9c01]]"
_COMMENT = 90  # characters


def written(statements: Iterable[Statement], alerts: pd.DataFrame | None) -> str:
    """Return statements as YAML, with what the alerts are as comments."""
    about = {} if alerts is None else _about(alerts)
    statements = list(statements)
    lines = ["# What people said about the grouping of alerts. Ids are alert_id."]
    for kind in KINDS:
        told = [statement for statement in statements if statement.kind == kind]
        if told:
            lines.append(f"{kind}:")
        for statement in told:
            lines += _lines(statement, about)
    return "\n".join(lines) + "\n"


def _lines(statement: Statement, about: dict[str, str]) -> Iterator[str]:
    def item(lead: str, name: str) -> str:
        return f"{lead}- {_quoted(name)}{about.get(name, '')}"

    if statement.kind == "alone":
        yield from (item("  ", name) for name in statement.sides[0])
        return
    lead = "  - "
    for side in statement.sides:
        plain = statement.kind == "together" or len(side) == 1
        for number, name in enumerate(side):
            yield item(lead if plain or number else f"{lead}- ", name)
            lead = "    " if plain else "      "
        lead = "    "


def _quoted(name: str) -> str:
    """Return an id in quotes: some ids look like numbers."""
    return str(yaml.dump(name, Dumper=yaml.SafeDumper, default_style='"', width=math.inf)).rstrip("\n")


def _about(alerts: pd.DataFrame) -> dict[str, str]:
    """Return a comment for each alert: when, service, name. It is untrusted text: one line, nothing unprintable."""
    ids = needed(alerts, ["alert_id"])["alert_id"]
    shown = [name for name in ("starts_at", "service", "alertname") if name in alerts.columns]
    if not shown:
        return {}
    table = alerts[shown].astype("str").fillna("")
    comments = {}
    for name, row in zip(ids, table.itertuples(index=False), strict=True):
        words = "".join(c if c.isprintable() else " " for c in "  ".join(filter(None, row)))
        comments[name] = f"  # {words[:_COMMENT]}"
    return comments


def read(path: Path) -> list[Statement]:
    """Return what a file says, each statement with its line."""
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise SchemaError(f"{path}{line}: cannot be read as YAML: {error.problem}") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise SchemaError(f"{path}: cannot be read as YAML: {error}") from error
    if root is None:
        return []
    if not isinstance(root, yaml.MappingNode):
        raise SchemaError(f"{path}: holds no keys and values; write for example {_EXAMPLE}")
    statements: list[Statement] = []
    seen: set[str] = set()
    for key, value in root.value:
        where = f"{path}, line {_line(key)}"
        if key.value not in KINDS:
            raise SchemaError(f"{where}: {key.value!r} is not known; the keys are {', '.join(KINDS)}")
        if key.value in seen:
            raise SchemaError(f"{where}: {key.value!r} stands there twice; put all its lists into one")
        seen.add(key.value)
        if _is_null(value):
            continue
        if key.value == "alone":
            statements.append(Statement("alone", (_ids(value, path),), _line(value)))
        else:
            statements += [_statement(str(key.value), node, path) for node in _items(value, path)]
    return [statement for statement in statements if statement.sides[0]]


def _statement(kind: str, node: yaml.Node, path: Path) -> Statement:
    if kind == "together":
        sides: tuple[tuple[str, ...], ...] = (_ids(node, path),)
        enough = len(sides[0]) > 1
    else:
        items = _items(node, path)
        sides = tuple(_ids(item, path) if isinstance(item, yaml.SequenceNode) else (_id(item, path),) for item in items)
        enough = len(sides) > 1 and all(sides)
    if not enough:
        raise SchemaError(f"{path}, line {_line(node)}: {kind} needs at least two alerts in a list, as in [[a, b]]")
    return Statement(kind, sides, _line(node))


def _items(node: yaml.Node, path: Path) -> list[yaml.Node]:
    if not isinstance(node, yaml.SequenceNode):
        raise SchemaError(f"{path}, line {_line(node)}: {str(node.value)[:60]!r} is no list; write {_EXAMPLE}")
    return list(node.value)


def _ids(node: yaml.Node, path: Path) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_id(item, path) for item in _items(node, path)))


def _id(node: yaml.Node, path: Path) -> str:
    """Return an id as it is written: 12e4 is an id, not a number."""
    if not isinstance(node, yaml.ScalarNode) or not node.value.strip() or _is_null(node):
        raise SchemaError(f"{path}, line {_line(node)}: an alert_id is needed here")
    return str(node.value).strip()


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and str(node.tag) == "tag:yaml.org,2002:null"


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
