"""Who owns which service: catalogues of any make, put together -> the ownership table."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path

import pandas as pd

from stanza_lab import schema
from stanza_lab.entities import naming
from stanza_lab.entities.ownership import _catalogue_files
from stanza_lab.entities.ownership._claims import PAGERDUTY, Claim, Entries, repository
from stanza_lab.errors import ParameterError, SchemaError, StanzaWarning

_COLUMNS = ("team", "repository", "on_call", "tier")
_SHOWN = 10  # conflicts and files a warning lists


class CatalogueWarning(StanzaWarning):
    """Tell of catalogues that differ on a service, and of files in a folder that are no catalogue."""


def read_ownership(paths: str | PathLike[str] | Iterable[str | PathLike[str]]) -> pd.DataFrame:
    r"""Read ownership catalogues.

    Parameters
    ----------
    paths : path or iterable of paths
        Files in UTF-8, or folders that are searched through:

        * CSV (``.csv``, ``.tsv``) with a header line. Headers are matched loosely: ``service`` (or name, component),
          ``team`` (owner, squad), ``repository`` (repo), ``on_call`` (pager), ``tier`` (criticality); others are left
          out.
        * Backstage ``catalog-info.yaml``: components, but for libraries and documentation. An owner that is a user is
          no team. The repository is the project slug or the source location.
        * Datadog service definitions, v1 to v3, as YAML or JSON files or as pages of the API.
        * PagerDuty pages of the REST API as JSON: services, teams, escalation policies. Whom to wake is the escalation
          policy or a schedule, never a person.
        * ``CODEOWNERS`` of GitHub or GitLab. Folders in ``services/``, ``service/``, ``apps/``, ``microservices/`` or
          ``svc/`` are services; where there is none the repository is one, called as its folder. Owners that are
          people (an e-mail address, a handle without a slash) are no team.

        YAML and JSON files are told by their content, whatever their name. Lifecycles, contacts and integration keys
        are not kept.

    Returns
    -------
    DataFrame
        `schema.OWNERSHIP`: one row per service, what is not stated is null. Spellings that differ in case or
        separators are one service, and so are entries that name the same PagerDuty service. Of several values the
        first counts: CSV, then Backstage, Datadog, PagerDuty, CODEOWNERS; within one kind in the order of the files.
        Rows are in that order too. ``on_call`` is ``pagerduty:ID`` where only the id of a PagerDuty service is known.

    Raises
    ------
    SchemaError
        A file that was named is not readable as a catalogue (it says where and why), or a folder holds none at all.
    ParameterError
        `paths` holds something that is no path.

    Warns
    -----
    CatalogueWarning
        Catalogues differ on a service, or a folder holds files that look like a catalogue and are none.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import stanza_lab as sl
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "catalog.csv").write_text("Name,Owner\ncheckout,payments\n")
    >>> _ = (folder / "CODEOWNERS").write_text("*  @acme/platform\n/services/orders/  @acme/fulfilment\n")
    >>> sl.read_ownership(folder)[["service", "team"]].values.tolist()
    [['checkout', 'payments'], ['orders', 'fulfilment']]
    """
    read, passed_over = _read_all(_given(paths))
    claims = _resolved(read)
    groups = _groups(claims)
    rows = [_row(group) for group in groups]
    differ = [line for group in groups for line in _conflicts(group)]
    told = [
        _told(differ, "catalogues differ, and the first named was taken"),
        _told(passed_over, "files that are no catalogue were passed over"),
    ]
    for message in filter(None, told):
        warnings.warn(message, CatalogueWarning, stacklevel=2)
    return schema.check(pd.DataFrame(rows, columns=schema.OWNERSHIP.names, dtype=object), schema.OWNERSHIP)


def _given(paths: str | PathLike[str] | Iterable[str | PathLike[str]]) -> list[Path]:
    try:
        given = [Path(path) for path in ([paths] if isinstance(paths, (str, PathLike)) else paths)]
    except TypeError as error:
        raise ParameterError(f"paths={paths!r} is no path; pass a file, a folder or a list of them") from error
    if not given:
        raise ParameterError("paths is empty; pass a file, a folder or a list of them")
    return given


def _read_all(paths: Sequence[Path]) -> tuple[list[Entries], list[str]]:
    """Return what the files say, and for those met in a folder that are no catalogue why not."""
    read: dict[Path, Entries] = {}
    passed_over: list[str] = []
    for path in paths:
        if not path.is_dir():
            read[path] = _catalogue_files.read(path)
            continue
        found = _catalogue_files.within(path)
        before, reasons = len(read), []
        for file in found:
            try:
                read.setdefault(file, _catalogue_files.read(file))
            except SchemaError as error:
                reasons.append(str(error))
        if len(read) == before and not any(file in read for file in found):
            why = f": {'; '.join(reasons[:_SHOWN])}" if reasons else ""
            raise SchemaError(f"{path}: no catalogue in this folder{why}; pass the files or folder that hold one")
        passed_over += reasons
    return list(read.values()), passed_over


def _resolved(read: Sequence[Entries]) -> list[Claim]:
    """Return all claims by rank, with what they take from each other filled in."""
    policies = {key: value for entries in read for key, value in entries.policies.items()}
    teams = {key: value for entries in read for key, value in entries.teams.items()}
    systems = {key: value for entries in reversed(read) for key, value in entries.systems.items()}

    policy_names = {key: name for key, (name, _) in policies.items()}
    of_policy: dict[str | None, str | None] = {name: team for name, team in policies.values() if name is not None}
    claims = []
    for claim in (claim for entries in read for claim in entries.claims):
        if claim.rank == PAGERDUTY:
            on_call = _named(claim.on_call, policy_names)
            team = _named(claim.team or of_policy.get(on_call), teams)
            claim = dataclasses.replace(claim, team=team, on_call=on_call)
        elif claim.team is None and claim.system is not None:
            claim = dataclasses.replace(claim, team=systems.get(naming.key(claim.system)))
        claims.append(claim)
    return sorted(claims, key=lambda claim: claim.rank)


def _named(value: str | None, names: Mapping[str, str | None]) -> str | None:
    """Return a name, also where only the id of what has it is known: ``#`` and the id."""
    return names.get(value[1:]) if value is not None and value.startswith("#") else value


def _groups(claims: Sequence[Claim]) -> list[list[Claim]]:
    """Return the claims by service."""
    by_pager: dict[str, str] = {}
    groups: dict[str, list[Claim]] = {}
    for claim in claims:
        key = naming.key(claim.service or "")
        if claim.pager is not None:
            owner = by_pager.setdefault(claim.pager, key)
            key = owner if claim.rank == PAGERDUTY else key
        groups.setdefault(key, []).append(claim)
    return list(groups.values())


def _row(group: Sequence[Claim]) -> dict[str, str | None]:
    row = {column: next(filter(None, (getattr(c, column) for c in group)), None) for column in ("service", *_COLUMNS)}
    pager = next(filter(None, (claim.pager for claim in group)), None)
    row["on_call"] = row["on_call"] or (f"pagerduty:{pager}" if pager else None)
    return row


def _conflicts(group: Sequence[Claim]) -> list[str]:
    """Return a line for each column in which the claims on one service differ: which service, values and files."""
    lines = []
    for column in _COLUMNS:
        stated: dict[str, Claim] = {}
        for claim in group:
            value = getattr(claim, column)
            if value is not None:
                stated.setdefault(_folded(column, value), claim)
        if len(stated) > 1:
            said = " or ".join(f"{getattr(claim, column)!r} ({claim.file})" for claim in stated.values())
            lines.append(f"{group[0].service!r} has {column.replace('_', ' ')} {said}")
    return lines


def _folded(column: str, value: str) -> str:
    """Return what two spellings of one value share."""
    return naming.key(repository(value) or value if column == "repository" else value)


def _told(lines: Sequence[str], what: str) -> str | None:
    if not lines:
        return None
    more = f"; and {len(lines) - _SHOWN:,} more" if len(lines) > _SHOWN else ""
    return f"{what}: {'; '.join(lines[:_SHOWN])}{more}"
