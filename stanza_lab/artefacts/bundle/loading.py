"""`load_bundle`: a directory back into models, after every file was checked."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stanza_lab import schema
from stanza_lab.artefacts.bundle import contents, manifest
from stanza_lab.artefacts.bundle.bundle import Bundle
from stanza_lab.artefacts.bundle.manifest import CARD, DOCUMENTS, TABLES
from stanza_lab.artefacts.bundle.saving import EDGES, NEAR
from stanza_lab.dependencies import DependencyModel
from stanza_lab.dependencies.sums import DependencyStatistics
from stanza_lab.errors import BundleError, StanzaError
from stanza_lab.incidents import IncidentClusterer
from stanza_lab.incidents.correlation.learned import FRAMES
from stanza_lab.patterns.found import Patterns
from stanza_lab.patterns.reactions import writing as reaction_writing
from stanza_lab.production import ProductionMap

_ALWAYS = ("cofirings", "edges", "firings", "services")
_SINCE = {"claims": 2, "traits": 2, "usual": 3, **{f"incident_{name}": 3 for name in FRAMES}}
_MOST_ROWS = 20_000_000
_MOST_BYTES = 2_000_000_000  # of one table, unpacked


def load_bundle(path: str | os.PathLike[str], *, expect: str | None = None) -> Bundle:
    """Load a bundle after checking every file against the manifest, and the manifest against its seal.

    Parameters
    ----------
    path : path-like
        Directory that `save_bundle` made.
    expect : str, optional
        The `id` that it must have, as somebody noted it: hashes tell that a bundle was damaged or altered, not that it
        was exchanged whole for another one. Default: any.

    Returns
    -------
    Bundle
        The models and the map, ready to use.

    Raises
    ------
    BundleError
        It is no bundle, a file is missing, was altered or added, or a newer version of stanza_lab wrote it.

    Examples
    --------
    >>> import stanza_lab as sl
    >>> sl.load_bundle("no/such/place")
    Traceback (most recent call last):
        ...
    stanza_lab.errors.BundleError: no/such/place is no bundle: it has no manifest.json; ...
    """
    path = Path(path)
    told = manifest.read(path)
    _refuse_added(path, told)
    there = [name for name in TABLES if f"{name}.parquet" in told["files"]]
    for name in (*_ALWAYS, *(name for name, since in _SINCE.items() if since <= told["format"])):
        if name not in there:
            raise BundleError(f"{path} lacks {name}.parquet; save the bundle again")
    tables = {name: _table(path, name, told) for name in there}
    documents = {name: _document(path, name, told) for name in DOCUMENTS if name in told["files"]}
    card = manifest.verified(path, CARD, told).decode("utf-8", "replace") if CARD in told["files"] else ""
    with _fitting(path):
        bundle = _bundle(path, told, tables, documents, card)
    if expect is not None and bundle.id != expect:
        raise BundleError(f"{path} is bundle {bundle.id}, not {expect[:80]}; it was exchanged, or saved anew")
    return bundle


@contextmanager
def _fitting(path: Path) -> Iterator[None]:
    """Say which bundle it is that does not fit, whatever is wrong in it."""
    try:
        yield
    except StanzaError as error:
        raise error if isinstance(error, BundleError) else BundleError(f"{path}: {error}") from error
    except (AttributeError, KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise BundleError(f"{path / manifest.MANIFEST} does not fit this version of stanza_lab: {error}") from error


def _refuse_added(path: Path, told: dict[str, Any]) -> None:
    """Raise where files were added to a bundle; what a system leaves in folders, with a dot before it, is let be."""
    there = {file.name for file in path.iterdir() if not file.name.startswith(".")}
    if told["format"] >= 3 and (added := sorted(there - set(told["files"]) - {manifest.MANIFEST})):
        raise BundleError(
            f"{path} holds {', '.join(f'{name:.100}' for name in added[:5])!a}, of which its manifest knows nothing; "
            f"move that away"
        )


def _bundle(
    path: Path, told: dict[str, Any], tables: dict[str, pd.DataFrame], documents: dict[str, Any], card: str
) -> Bundle:
    parameters = told["parameters"]
    counts = tables if told["format"] > 1 else _of_times_alone(tables)
    known = _with_topology(parameters["dependencies"], tables)
    DependencyModel(**known)  # what is inferred later is refused now where it cannot be
    DependencyStatistics.from_frames(counts, settings=told["statistics"])
    owners = tables.get("owners")
    production = ProductionMap.from_tables(
        schema.check(tables["edges"], schema.EDGES),
        services=tables["services"],
        ownership=None if owners is None else schema.check(owners, schema.OWNERSHIP, need=["service", "team"]),
        usual=tables.get("usual"),
    )
    patterns, reactions = documents.get("patterns.json"), documents.get("reactions.json")
    tried = tables.get("tried")
    return Bundle(
        path=path,
        manifest=told,
        clusterer=_clusterer(_with_edges(parameters["incidents"], tables["edges"]), tables),
        production=production,
        patterns=None if patterns is None else Patterns.from_dict(patterns),
        reactions=None if reactions is None else reaction_writing.from_dict(reactions),
        backtest=None if tried is None else reaction_writing.Tried.read(tried),
        names=tables.get("aliases"),
        rules=_known(tables, "rules", contents.RULES),
        labels=_known(tables, "labels", contents.LABELS),
        propagation=tables.get("propagation", pd.DataFrame({"src": [], "dst": []}, dtype="str")),
        metrics=_known(tables, "metrics", contents.METRICS),
        calibration=_known(tables, "calibration", contents.CALIBRATION),
        card=card,
        infer=partial(_inferred, path, counts, told["statistics"], known),
    )


def _inferred(
    path: Path, counts: dict[str, pd.DataFrame], settings: dict[str, int], parameters: dict[str, Any]
) -> DependencyModel:
    with _fitting(path):
        return DependencyModel.from_statistics(counts, settings=settings, **parameters)


def _clusterer(parameters: dict[str, Any], tables: dict[str, pd.DataFrame]) -> IncidentClusterer:
    """Return the clusterer, fitted; of a bundle before format 3, which kept nothing that it learned, it is not."""
    frames = {name: tables[f"incident_{name}"] for name in FRAMES if f"incident_{name}" in tables}
    return IncidentClusterer.from_frames(frames, **parameters) if frames else IncidentClusterer(**parameters)


def _known(tables: dict[str, pd.DataFrame], name: str, columns: dict[str, Any]) -> pd.DataFrame:
    if name not in tables:
        return contents.empty(columns)
    if absent := [column for column in columns if column not in tables[name]]:
        raise BundleError(f"{name}.parquet lacks {absent}; save the bundle again")
    return tables[name][list(columns)].astype(columns)


def _with_edges(parameters: dict[str, Any], edges: pd.DataFrame) -> dict[str, Any]:
    """Return the parameters of a manifest with the edges they name."""
    parameters = dict(parameters)  # a manifest that was altered may hold anything
    return parameters | {"edges": edges if parameters.get("edges") == EDGES else None}


def _with_topology(parameters: dict[str, Any], tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """Return the parameters of a manifest with the topology they name: pairs of near places are one hop apart."""
    parameters = dict(parameters)
    for name in ("required", "forbidden"):
        if isinstance(parameters.get(name), list):
            parameters[name] = [tuple(edge) for edge in parameters[name]]
    if parameters.get("topology") is None:
        return parameters
    if parameters["topology"] != NEAR:
        raise ValueError("topology is no table of this bundle")
    return parameters | {"topology": tables["near"], "hops": 1}


def _of_times_alone(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the tables of format 1 as they would be now, of firings of which only the times were read.

    It held fewer recent alerts than `partial_fit` needs by now, so the model that comes of it refuses to go on.
    """
    firings = tables["firings"].assign(place="", inner=0)
    return {"firings": firings, "cofirings": tables["cofirings"].assign(inner_a=0, inner_b=0)}


def _document(path: Path, name: str, told: dict[str, Any]) -> Any:
    content = manifest.verified(path, name, told)
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise BundleError(f"{path / name} is no JSON ({error}); save the bundle again") from error
    if not isinstance(document, dict):
        raise BundleError(f"{path / name} holds no object; save the bundle again")
    return document


def _table(path: Path, name: str, told: dict[str, Any]) -> pd.DataFrame:
    """Return a table once it is what the manifest says and not larger than any that is written."""
    content = manifest.verified(path, f"{name}.parquet", told)
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        about = file.metadata
        if about.num_rows != told["files"][f"{name}.parquet"].get("rows", about.num_rows):
            raise BundleError(f"{path / name}.parquet has {about.num_rows:,} rows, not those of the manifest")
        if about.num_rows > _MOST_ROWS or _unpacked(content, about) > _MOST_BYTES:
            raise BundleError(f"{path / name}.parquet unpacks to more than any bundle holds; it was altered")
        table: pd.DataFrame = file.read().to_pandas()
        return table
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BundleError(f"{path / name}.parquet is no table ({error}); save the bundle again") from error


def _unpacked(content: bytes, about: pq.FileMetaData) -> int:
    """Return how many bytes a table takes once unpacked, or a bound of it; a long text may stand for many rows."""
    groups = [about.row_group(i) for i in range(about.num_row_groups)]
    parts = [group.column(i) for group in groups for i in range(group.num_columns)]
    texts = [part for part in parts if part.physical_type == "BYTE_ARRAY"]
    size = sum(group.total_byte_size for group in groups)
    most: int = size + sum(part.num_values * part.total_uncompressed_size for part in texts)
    if most <= _MOST_BYTES or size > _MOST_BYTES:
        return most
    names = sorted({part.path_in_schema for part in texts if "." not in part.path_in_schema})
    nested = sum(part.num_values * part.total_uncompressed_size for part in texts if "." in part.path_in_schema)
    table = pq.ParquetFile(io.BytesIO(content), read_dictionary=names).read(columns=names)
    chunks = [chunk for column in table.columns for chunk in column.chunks if isinstance(chunk, pa.DictionaryArray)]
    lengths = (pc.sum(pc.take(pc.binary_length(chunk.dictionary), chunk.indices)).as_py() for chunk in chunks)
    whole: int = size + nested + sum(length or 0 for length in lengths)
    return whole
