"""What people know and wrote down: runbooks, diagnostics, mitigations and SLOs, a reviewed YAML file per team.

Commands are text to read, think about and copy. Nothing here ever runs one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab import _params
from stanza_lab.errors import SchemaError
from stanza_lab.production import reading, words
from stanza_lab.production.door.pattern import Around, Fit, Pattern, applies
from stanza_lab.production.reading import globbed

if TYPE_CHECKING:
    import os

    import yaml

    from stanza_lab.production.reading import Problems

RISKS = ("low", "medium", "high")
_TEAM = ("team", "reviewed", "on_call", "contacts", "runbooks", "diagnostics", "mitigations", "slos")
_KINDS = {"diagnostics": "diagnostic", "mitigations": "mitigation"}
_ACTION = ("name", "when", "command", "risk", "owner")
_RUNBOOK, _SLO = ("name", "service", "url"), ("name", "service", "objective", "window")
_MEASURED = ("kind", "within", "indicator")  # of an SLO: read where it is measured, by `read_objectives`
_COLUMNS = {
    "teams": ("team", "reviewed_by", "reviewed_on", "on_call", "contacts"),
    "runbooks": ("team", *_RUNBOOK),
    "actions": ("team", "kind", *_ACTION),
    "slos": ("team", *_SLO),
}


@dataclass(frozen=True, eq=False, repr=False)
class Contributed:
    """What the files of all teams say, as tables; each row names its `team`, `file` and `line`.

    Attributes
    ----------
    teams : DataFrame
        reviewed_by (empty: nobody says so), reviewed_on (datetime64, null when not said), on_call, contacts (list).
    runbooks : DataFrame
        name, service (a glob such as "payments-*"), url (untrusted text).
    actions : DataFrame
        kind (diagnostic, mitigation), name, when (`Pattern`), command (text; never run), risk (low, medium, high),
        owner.
    slos : DataFrame
        name, service (a glob), objective (percent, above 0 and below 100), window (as written: "30d").
    """

    teams: pd.DataFrame
    runbooks: pd.DataFrame
    actions: pd.DataFrame
    slos: pd.DataFrame

    def __repr__(self) -> str:
        """Count what is there."""
        sizes = [
            words.count(len(table), name)
            for table, name in ((self.teams, "file"), (self.runbooks, "runbook"), (self.slos, "SLO"))
        ]
        kinds = [words.count(int((self.actions["kind"] == kind).sum()), kind) for kind in _KINDS.values()]
        return f"Contributed({', '.join([*sizes, *kinds])})"

    def applying(self, around: Around, *, service: str, alerts: pd.DataFrame | None = None) -> list[tuple[int, Fit]]:
        """Return the rows of `actions` that apply at a service (by position), each with why.

        Parameters
        ----------
        around : Around
            What surrounds the services of a map.
        service : str
            Where something is to be done.
        alerts : DataFrame, optional
            What fires now; see `pattern.applies`.

        Returns
        -------
        list of (int, Fit)
            In the order of the table.
        """
        fits = (applies(around, when, service=service, alerts=alerts) for when in self.actions["when"])
        return [(row, fit) for row, fit in enumerate(fits) if fit.holds]

    def cautions(self, *, at: pd.Timestamp | None, older_than: _params.Duration = "180D") -> dict[str, str]:
        """Return team -> what to know before trusting its file: that nobody reviewed it, or that this was long ago.

        Parameters
        ----------
        at : Timestamp, optional
            The day it is. Default: age is not judged.
        older_than : duration, default "180D"
            A review of so long ago is worth a word; a larger value keeps quiet longer.

        Returns
        -------
        dict of str to str
            Only teams whose file deserves caution.
        """
        limit = _params.duration(older_than, "older_than")
        said = {}
        for row in self.teams.to_dict("records"):
            file = f"what {row['team']} contributed ({Path(str(row['file'])).name})"
            if not row["reviewed_by"] or pd.isna(row["reviewed_on"]):
                said[str(row["team"])] = f"nobody is named who reviewed {file}, or when"
            elif at is not None and at.tz_localize(None) - row["reviewed_on"] > limit:
                day, by = f"{row['reviewed_on']:%Y-%m-%d}", row["reviewed_by"]
                said[str(row["team"])] = f"{file} was last reviewed on {day} by {by}, more than {limit.days} days ago"
        return said

    def unmatched(self, *, services: Iterable[str], teams: Iterable[str]) -> list[str]:
        """Return what names nothing there is: a typing error, or something that is gone.

        Parameters
        ----------
        services, teams : iterable of str
            All of a map.

        Returns
        -------
        list of str
            One sentence per entry, with its file and line.
        """
        known, groups = list(services), list(teams)
        about = [("service", row["name"], [row["service"]], known, row) for row in self.runbooks.to_dict("records")]
        about += [("service", row["name"], [row["service"]], known, row) for row in self.slos.to_dict("records")]
        for row in self.actions.to_dict("records"):
            about.append(("service", row["name"], list(row["when"].service), known, row))
            about.append(("team", row["name"], list(row["when"].team), groups, row))
        about += [("team", "the file", [row["team"]], groups, row) for row in self.teams.to_dict("records")]
        return [
            f"{Path(str(row['file'])).name}, line {row['line']}: {name} names {kind} {', '.join(globs)}, "
            "and none is so called"
            for kind, name, globs, there, row in about
            if globs and there and not any(globbed(one, globs) for one in there)
        ]


def read_contributed(path: str | os.PathLike[str]) -> Contributed:
    """Read what teams know of their services: runbooks, diagnostics, mitigations, SLOs, contacts.

    Parameters
    ----------
    path : path
        A YAML file, or a folder of them: one per team, kept where the team reviews changes. Keys: `team`; `reviewed`
        (`by`, `on`); `on_call`; `contacts` (a list); `runbooks` (each `name`, `service`, `url`); `diagnostics` and
        `mitigations` (each `name`, `when`, `command`, `risk` low, medium or high, `owner`); `slos` (each `name`,
        `service`, `objective` in percent, `window`; `read_objectives` reads more). `when` names `service` and `team`
        (globs), and what must be there: `alert` (globs of its name), `severity` (or worse), `symptom` (see
        `classify_symptoms`), and `near`: a list of `service`, `direction` (downstream: what it depends on), `hops`,
        `alerting`. Without any: all of the team's.

    Returns
    -------
    Contributed
        Tables `teams`, `runbooks`, `actions`, `slos`; each row names its file and line. For
        `ProductionMap.front_door(..., contributed=...)`. Commands are text and are never run.

    Raises
    ------
    SchemaError
        A file cannot be read, has an unknown key, or lacks one such as the risk of an action; the problems of all files
        at once, each with its line.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import stanza_lab as sl
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "shop.yaml")
    ...     _ = file.write_text('''
    ... team: shop
    ... reviewed: {by: maria, on: 2026-09-20}
    ... diagnostics:
    ...   - name: Slow queries
    ...     when: {service: "*-api", symptom: latency, near: [{service: "*-db", direction: downstream}]}
    ...     command: psql -c 'select * from pg_stat_activity'
    ...     risk: low
    ... ''')
    ...     sl.read_contributed(folder)
    Contributed(1 file, 0 runbooks, 0 SLOs, 1 diagnostic, 0 mitigations)
    """
    files = [Path(path)]
    if files[0].is_dir():
        files = sorted(file for file in files[0].iterdir() if file.suffix in {".yaml", ".yml"})
        if not files:
            raise SchemaError(f"{path}: no .yaml file in this folder; write one per team")
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in _COLUMNS}
    wrong: list[str] = []
    for file in files:
        try:
            root, problems = reading.compose(file)
        except SchemaError as error:
            wrong.append(str(error))
            continue
        for name, found in _team(root, problems).items():
            rows[name] += found
        wrong += problems.lines
    if wrong:
        raise SchemaError("\n".join(wrong))
    tables = {name: pd.DataFrame(rows[name], columns=[*columns, "file", "line"]) for name, columns in _COLUMNS.items()}
    tables["teams"]["reviewed_on"] = pd.to_datetime(tables["teams"]["reviewed_on"]).astype("datetime64[us]")
    return Contributed(**tables)


def _team(root: yaml.Node, problems: Problems) -> Mapping[str, list[dict[str, Any]]]:
    keys = problems.keys(root, _TEAM, need=["team"], what="the file")
    team, file = problems.text(keys.get("team"), "team"), str(problems.path)
    reviewed = problems.keys(keys["reviewed"], ("by", "on"), what="reviewed") if "reviewed" in keys else {}
    about = {
        "team": team,
        "reviewed_by": problems.text(reviewed.get("by"), "by"),
        "reviewed_on": problems.day(reviewed.get("on"), "on"),
        "on_call": problems.text(keys.get("on_call"), "on_call"),
        "contacts": list(problems.texts(keys.get("contacts"), "contacts")),
    }
    rows: dict[str, list[dict[str, Any]]] = {"teams": [about | {"file": file, "line": reading.line(root)}]}
    actions = [
        {"kind": kind} | _action(item, problems, team=team)
        for key, kind in _KINDS.items()
        for item in problems.items(keys.get(key), key)
    ]
    runbooks = [_runbook(item, problems) for item in problems.items(keys.get("runbooks"), "runbooks")]
    slos = [_slo(item, problems) for item in problems.items(keys.get("slos"), "slos")]
    for name, found in (("actions", actions), ("runbooks", runbooks), ("slos", slos)):
        rows[name] = [{"team": team, "file": file} | row for row in found]
    return rows


def _action(node: yaml.Node, problems: Problems, *, team: str) -> dict[str, Any]:
    keys = problems.keys(node, _ACTION, need=["name", "command", "risk"], what="an action")
    return {
        "name": problems.text(keys.get("name"), "name"),
        "when": Pattern.read(keys.get("when"), problems, team=team),
        "command": problems.text(keys.get("command"), "command"),
        "risk": problems.choice(keys.get("risk"), "risk", RISKS),
        "owner": problems.text(keys.get("owner"), "owner") or team,
        "line": reading.line(node),
    }


def _runbook(node: yaml.Node, problems: Problems) -> dict[str, Any]:
    keys = problems.keys(node, _RUNBOOK, need=["name", "service"], what="a runbook")
    said = {key: problems.text(keys.get(key), key) for key in _RUNBOOK}
    return said | {"line": reading.line(node)}


def _slo(node: yaml.Node, problems: Problems) -> dict[str, Any]:
    keys = problems.keys(node, (*_SLO, *_MEASURED), need=_SLO, what="an SLO")
    window = problems.text(keys.get("window"), "window")
    if window:
        try:
            _params.duration(re.sub(r"(?<=\d)\s*d$", "D", window), "window")  # pandas has no small d
        except ValueError as error:
            problems.say(keys["window"], str(error))
    return {
        "name": problems.text(keys.get("name"), "name"),
        "service": problems.text(keys.get("service"), "service"),
        "objective": problems.number(keys.get("objective"), "objective", low=1e-9, high=100 - 1e-9),
        "window": window,
        "line": reading.line(node),
    }
