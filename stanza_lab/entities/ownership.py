"""Who owns which service: catalogues -> the ownership table. Every format is one function here."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path

import pandas as pd

from stanza_lab import schema
from stanza_lab.errors import SchemaError

# What catalogues call our columns, folded to letters only; the first that is there wins.
_HEADERS: Mapping[str, tuple[str, ...]] = {
    "service": ("service", "servicename", "name", "component"),
    "team": ("team", "owner", "squad", "owningteam"),
    "repository": ("repository", "repo", "repositoryurl", "repourl"),
    "on_call": ("oncall", "pager", "escalationpolicy"),
    "tier": ("tier", "criticality"),
}


def read_ownership(path: str | PathLike[str]) -> pd.DataFrame:
    r"""Read an ownership catalogue.

    Parameters
    ----------
    path : path
        A CSV file in UTF-8 with a header line. Headers are matched loosely: ``service`` (or name, component), ``team``
        (owner, squad), ``repository`` (repo), ``on_call`` (pager), ``tier`` (criticality); others are left out.

    Returns
    -------
    DataFrame
        `schema.OWNERSHIP`: one row per line that names a service, in file order; what is empty is null.

    Raises
    ------
    SchemaError
        The file is not readable as a table, or has no column for the service or for the team.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import stanza_lab as sl
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "catalog.csv"
    >>> _ = path.write_text("Name,Owner\ncheckout,payments\n")
    >>> sl.read_ownership(path)[["service", "team"]].values.tolist()
    [['checkout', 'payments']]
    """
    path = Path(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise SchemaError(
            f"{path}: no reader for {path.suffix or 'files without suffix'}; save it as {sorted(_READERS)}"
        )
    table = reader(path)
    chosen = {column: _header(table, names) for column, names in _HEADERS.items()}
    missing = [column for column in ("service", "team") if chosen[column] is None]
    if missing:
        wanted = " and ".join(f"{column} (or {', '.join(_HEADERS[column][1:])})" for column in missing)
        raise SchemaError(f"{path}: no column for {wanted}; columns are {[str(c) for c in table.columns]}; rename one")
    values = {c: table[h].str.strip().replace("", None) if h else None for c, h in chosen.items()}
    owned = pd.DataFrame(values, index=table.index, columns=schema.OWNERSHIP.names)
    return schema.check(owned[owned["service"].notna()].reset_index(drop=True), schema.OWNERSHIP)


def _header(table: pd.DataFrame, names: tuple[str, ...]) -> str | None:
    folded = {"".join(filter(str.isalpha, str(column).lower())): str(column) for column in reversed(table.columns)}
    return next((folded[name] for name in names if name in folded), None)


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            separator = max(",;\t", key=lines.readline(100_000).count)
            lines.seek(0)
            rows = [row for row in csv.reader(lines, delimiter=separator, strict=True) if any(row)]
    except OSError as error:
        raise SchemaError(f"{path}: {error.strerror}; pass the path of a CSV file") from error
    except (ValueError, csv.Error) as error:  # bad UTF-8 is a ValueError
        raise SchemaError(f"{path}: not a CSV table ({error}); give it a header line and a line per service") from error
    if not rows:
        raise SchemaError(f"{path}: the file is empty; give it a header line and a line per service")
    header, *body = rows
    width = len(header)
    for row in body:
        if any(cell.strip() for cell in row[width:]):
            raise SchemaError(f"{path}: {row} has more values than the header has columns; name them or take them out")
    return pd.DataFrame([row[:width] + [""] * (width - len(row)) for row in body], columns=header, dtype="str")


_READERS: Mapping[str, Callable[[Path], pd.DataFrame]] = {".csv": _read_csv, ".tsv": _read_csv}
