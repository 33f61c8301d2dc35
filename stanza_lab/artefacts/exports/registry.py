"""Where a model can go: one line per target, the module that writes it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, cast

from stanza_lab.errors import UnknownNameError

TARGETS: dict[str, str] = {
    "alertmanager": "stanza_lab.artefacts.exports.alertmanager",
    "backstage": "stanza_lab.artefacts.exports.backstage",
    "cytoscape": "stanza_lab.artefacts.exports.cytoscape",
    "dot": "stanza_lab.artefacts.exports.dot",
    "gexf": "stanza_lab.artefacts.exports.gexf",
    "grafana": "stanza_lab.artefacts.exports.grafana",
    "graphml": "stanza_lab.artefacts.exports.graphml",
    "keep": "stanza_lab.artefacts.exports.keep",
    "keep_topology": "stanza_lab.artefacts.exports.keep_topology",
    "mermaid": "stanza_lab.artefacts.exports.mermaid",
    "mlflow": "stanza_lab.artefacts.exports.mlflow",
    "pagerduty": "stanza_lab.artefacts.exports.pagerduty",
    "prometheus": "stanza_lab.artefacts.exports.prometheus",
}


@dataclass(frozen=True)
class Option:
    """What a target can be told: in words, its default, and how its text on the command line is read."""

    help: str
    default: Any = None
    kind: Literal["text", "number", "flag", "path"] = "text"


@dataclass(frozen=True)
class Written:
    """What a target made: relative file names and their content, and in sentences what it could not carry over."""

    files: Mapping[str, bytes]
    lost: list[str] = field(default_factory=list)
    whole: bool = False  # it holds the whole bundle, also what the walk leaves out


class Target(Protocol):
    """A module of this folder."""

    WHAT: str
    PROVEN_BY: str
    OPTIONS: Mapping[str, Option]
    write: Callable[..., Written]


def target_of(name: str) -> Target:
    """Return the module of a target; it is loaded when it is asked for."""
    if name not in TARGETS:
        raise UnknownNameError.among("export target", name, TARGETS)
    return cast("Target", importlib.import_module(TARGETS[name]))
