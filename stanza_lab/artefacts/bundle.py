"""The bundle: what was learned, as one directory of JSON and Parquet.

It holds parameters, what dependencies were counted from, edges and services, and a manifest with the versions, the span
of the data and a hash of every file. It holds no alert text (but the names of the nodes, whatever column they are, and
of places and teams) and nothing that executes when it is loaded. Written twice from the same models, it is the same
bytes.
"""

from __future__ import annotations

import hashlib
import html
import importlib.metadata
import os
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
from sklearn.utils.validation import check_is_fitted

import stanza_lab
from stanza_lab import schema
from stanza_lab.dependencies import DependencyModel
from stanza_lab.dependencies.known import known_edges
from stanza_lab.errors import BundleError
from stanza_lab.incidents import IncidentClusterer
from stanza_lab.production import ProductionMap

FORMAT = 2  # 1: dependencies counted from times alone, without places
MANIFEST = "manifest.json"
TABLES = ("arrivals", "claims", "cofirings", "edges", "firings", "near", "recent", "services", "traits")
_PLACED = ("arrivals", "near")  # only of a model with places
_OPTIONAL = ("recent", *_PLACED)  # recent: a model made from statistics alone has none
_SINCE_2 = ("claims", "traits")
_EDGES = "edges.parquet"  # stands in the manifest for edges that the clusterer knew
_NEAR = "near.parquet"  # stands in the manifest for the topology of places
_FILES = {MANIFEST, *(f"{name}.parquet" for name in TABLES)}
_COUNTED = ("alerts", "incidents", "services", "teams", "edges")
_LIBRARIES = ("hdbscan", "networkx", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy")
_LARGEST_MANIFEST = 1_000_000  # bytes; a manifest has a few thousand


@dataclass(frozen=True, repr=False)
class Bundle:
    """Hold a loaded bundle. Made by `load_bundle`.

    Attributes
    ----------
    path : Path
        Directory it was loaded from.
    manifest : dict
        Versions, parameters, data span, counts and the hash of every file.
    clusterer : IncidentClusterer
        With the parameters it was fitted with, not fitted: `fit` it on alerts of your own. Where it knew what depends
        on what, its `edges` are those of the map.
    dependencies : DependencyModel
        Fitted: its statistics came along, so `partial_fit` goes on where it was (not from a bundle of format 1). Its
        `topology` are the pairs of places that were near, `hops` is then 1.
    production : ProductionMap
        The map as it was saved.
    """

    path: Path
    manifest: dict[str, Any]
    clusterer: IncidentClusterer
    dependencies: DependencyModel
    production: ProductionMap

    @property
    def edges(self) -> pd.DataFrame:
        """The edges of the map, `schema.EDGES`, with the verdicts of traces where they were laid over it."""
        return self.production.edges

    @property
    def services(self) -> pd.DataFrame:
        """The services of the map, one row each: team, alerts, incidents, first and last seen, environment."""
        return self.production.services

    def __repr__(self) -> str:
        """Return one line: what it holds and of when."""
        sizes = ", ".join(f"{count:,} {what}" for what, count in self._sizes.items())
        return f"Bundle({self.path}: {sizes}, {self._span})"

    @property
    def _sizes(self) -> dict[str, int]:
        """How much there is, in the words of the map: a dependency is a link, whichever way."""
        counts = self.manifest["counts"]
        return {
            "services": len(self.services),
            "dependencies": len(self.production.links),
            "incidents": counts["incidents"],
            "alerts": counts["alerts"],
        }

    @property
    def _span(self) -> str:
        data = self.manifest["data"]
        return f"{data.get('since') or 'unknown'} to {data.get('until') or 'unknown'}"

    def _repr_html_(self) -> str:
        files = {name: entry for name, entry in self.manifest["files"].items() if name in _FILES}
        rows = [
            ("path", self.path),
            ("data", f"{self._span} (UTC)"),
            *((what, f"{count:,}") for what, count in self._sizes.items()),
            *((name, f"{entry['bytes']:,} bytes") for name, entry in files.items()),
            ("written by", f"stanza_lab {self.manifest['versions'].get('stanza_lab', 'unknown')}"),
        ]
        cells = (f"<tr><th>{html.escape(str(k))}</th><td>{html.escape(str(v))}</td></tr>" for k, v in rows)
        return f"<table><caption>Bundle</caption>{''.join(cells)}</table>"


def save_bundle(
    path: str | os.PathLike[str],
    *,
    clusterer: IncidentClusterer,
    dependencies: DependencyModel,
    production: ProductionMap,
    overwrite: bool = False,
) -> Path:
    """Save fitted models and the map as a directory of JSON and Parquet.

    Parameters
    ----------
    path : path-like
        Directory to make. It appears whole or not at all.
    clusterer : IncidentClusterer
        Fitted. Its parameters are saved; the alerts it saw are not. Of its `edges` only that there were some: those of
        the map take their place.
    dependencies : DependencyModel
        Fitted. Its parameters and statistics are saved.
    production : ProductionMap
        The map to save. Of a view, the whole map it was cut from.
    overwrite : bool, default False
        Replace a bundle that is there, its tables damaged or not. Anything else is never replaced: neither a directory
        without the manifest of a bundle, such as a history, nor a bundle that files were added to.

    Returns
    -------
    Path
        The directory.

    Raises
    ------
    BundleError
        Something is at `path` already, or a parameter cannot be written as JSON.
    NotFittedError
        The clusterer or the model is not fitted.

    Examples
    --------
    >>> import tempfile, pathlib, stanza_lab as sl
    >>> alerts = sl.simulate_production(services=8, teams=2, days=7, incidents=5, random_state=1).alerts
    >>> clusterer, model = sl.IncidentClusterer().fit(alerts), sl.DependencyModel().fit(alerts)
    >>> production = sl.ProductionMap(model.edges_, alerts)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = sl.save_bundle(
    ...         pathlib.Path(folder) / "bundle", clusterer=clusterer, dependencies=model, production=production
    ...     )
    ...     sorted(file.name for file in path.iterdir())
    ['claims.parquet', 'cofirings.parquet', 'edges.parquet', 'firings.parquet', 'manifest.json', 'recent.parquet',
     'services.parquet', 'traits.parquet']
    """
    target = Path(path)
    if target.exists():
        _refuse_foreign(target)
        if not overwrite:
            raise BundleError(
                f"{target} is there already; pass overwrite=True (--force) to replace it, or another path"
            )
    check_is_fitted(clusterer)
    production = production.whole
    tables = {"edges": production.edges, "services": production.services, **dependencies.to_frames()}
    manifest = _manifest(clusterer, dependencies, production)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as folder:
        new = Path(folder) / "new"
        new.mkdir()
        files = {}
        for name, table in sorted(tables.items()):
            table.to_parquet(new / f"{name}.parquet", index=False, compression="zstd")
            files[f"{name}.parquet"] = {**_fingerprint((new / f"{name}.parquet").read_bytes()), "rows": len(table)}
        (new / MANIFEST).write_bytes(_json(manifest | {"files": files}))
        if target.exists():  # moved aside first: a directory cannot be replaced in one step
            target.rename(Path(folder) / "old")
        new.rename(target)
    return target


def load_bundle(path: str | os.PathLike[str]) -> Bundle:
    """Load a bundle after checking every file against the manifest.

    Parameters
    ----------
    path : path-like
        Directory that `save_bundle` made.

    Returns
    -------
    Bundle
        The models and the map, ready to use.

    Raises
    ------
    BundleError
        It is no bundle, a file is missing or was altered, or a newer version of stanza_lab wrote it.

    Examples
    --------
    >>> import stanza_lab as sl
    >>> sl.load_bundle("no/such/place")
    Traceback (most recent call last):
        ...
    stanza_lab.errors.BundleError: no/such/place is no bundle: it has no manifest.json; ...
    """
    path = Path(path)
    manifest = _read_manifest(path)
    optional = _OPTIONAL if manifest["format"] > 1 else (*_OPTIONAL, *_SINCE_2)
    there = [name for name in TABLES if name not in optional or f"{name}.parquet" in manifest["files"]]
    tables = {name: _read_table(path, name, manifest) for name in there}
    parameters = manifest["parameters"]
    try:
        dependencies = DependencyModel.from_statistics(
            tables if manifest["format"] > 1 else _of_times_alone(tables),
            settings=manifest["statistics"],
            **_with_topology(parameters["dependencies"], tables),
        )
        return Bundle(
            path=path,
            manifest=manifest,
            clusterer=IncidentClusterer(**_with_edges(parameters["incidents"], tables["edges"])),
            dependencies=dependencies,
            production=ProductionMap.from_tables(
                schema.check(tables["edges"], schema.EDGES), services=tables["services"]
            ),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BundleError(f"{path / MANIFEST} does not fit this version of stanza_lab: {error}") from error


def _manifest(clusterer: IncidentClusterer, dependencies: DependencyModel, production: ProductionMap) -> dict[str, Any]:
    services = production.services
    since, until = services["first_seen"].min(), services["last_seen"].max()
    return {
        "format": FORMAT,
        "versions": {"stanza_lab": stanza_lab.__version__} | {n: importlib.metadata.version(n) for n in _LIBRARIES},
        "parameters": {"incidents": _without_edges(clusterer), "dependencies": _without_tables(dependencies)},
        "statistics": dependencies.statistics_.settings(),
        "data": {
            "since": None if pd.isna(since) else since.isoformat(),
            "until": None if pd.isna(until) else until.isoformat(),
        },
        "counts": {
            "alerts": len(clusterer.labels_),
            "incidents": int(max(clusterer.labels_, default=-1)) + 1,
            "services": len(services),
            "teams": len(production.teams),
            "links": len(production.links),
            "edges": len(production.edges),  # a row per direction
        },
    }


def _without_edges(clusterer: IncidentClusterer) -> dict[str, Any]:
    """Return the parameters as a manifest holds them: of edges the file, as the bundle has a table of them."""
    parameters: dict[str, Any] = clusterer.get_params()
    return parameters | {"edges": None if parameters["edges"] is None else _EDGES}


def _with_edges(parameters: dict[str, Any], edges: pd.DataFrame) -> dict[str, Any]:
    """Return the parameters of a manifest with the edges they name."""
    parameters = dict(parameters)  # a manifest that was altered may hold anything
    return parameters | {"edges": edges if parameters.get("edges") == _EDGES else None}


def _without_tables(model: DependencyModel) -> dict[str, Any]:
    """Return the parameters as a manifest holds them: known edges as pairs, of the topology the file of near places."""
    parameters: dict[str, Any] = model.get_params()
    for name in ("required", "forbidden"):
        if parameters[name] is not None:
            parameters[name] = sorted(known_edges(parameters[name], name))
    if not isinstance(parameters["sources"], str | None):
        parameters["sources"] = sorted(parameters["sources"])
    return parameters | {"topology": None if parameters["topology"] is None else _NEAR}


def _with_topology(parameters: dict[str, Any], tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """Return the parameters of a manifest with the topology they name: pairs of near places are one hop apart."""
    parameters = dict(parameters)
    for name in ("required", "forbidden"):
        if isinstance(parameters.get(name), list):
            parameters[name] = [tuple(edge) for edge in parameters[name]]
    if parameters.get("topology") is None:
        return parameters
    if parameters["topology"] != _NEAR:
        raise ValueError("topology is no table of this bundle")
    return parameters | {"topology": tables["near"], "hops": 1}


def _of_times_alone(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the tables of format 1 as they would be now, of firings of which only the times were read.

    It held fewer recent alerts than `partial_fit` needs by now, so the model that comes of it refuses to go on.
    """
    firings = tables["firings"].assign(place="", inner=0)
    return {"firings": firings, "cofirings": tables["cofirings"].assign(inner_a=0, inner_b=0)}


def _json(manifest: dict[str, Any]) -> bytes:
    """Return the manifest as bytes, durations as ISO 8601 text."""

    def plain(value: Any) -> str:
        if isinstance(value, (timedelta, np.timedelta64)):
            return pd.Timedelta(value).isoformat()
        raise TypeError(f"{value!r} is neither text, number nor duration")

    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY
    try:
        return orjson.dumps(manifest, default=plain, option=options)
    except TypeError as error:
        raise BundleError(f"a parameter cannot be saved: {error.__cause__ or error}; pass a plain value") from error


def _refuse_foreign(target: Path) -> None:
    """Raise unless a bundle is at `target` and nothing else: no other directory may be replaced."""
    try:
        _read_manifest(target)
    except BundleError as error:
        raise BundleError(f"{target} is there already and it is no bundle ({error}); choose another path") from error
    files = {path.name for path in target.iterdir() if path.is_file() and not path.is_symlink()}
    foreign = sorted({path.name for path in target.iterdir()} - (files & _FILES))
    if foreign:
        raise BundleError(
            f"{target} is there already and holds files that no bundle has ({', '.join(foreign[:5])}); "
            f"move them away, or choose another path"
        )


def _fingerprint(content: bytes) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def _read_manifest(path: Path) -> dict[str, Any]:
    file = path / MANIFEST
    if not file.is_file():
        raise BundleError(f"{path} is no bundle: it has no {MANIFEST}; make one with save_bundle or stanza-lab bundle")
    if file.stat().st_size > _LARGEST_MANIFEST:
        raise BundleError(f"{file} is larger than any manifest this package writes; it was altered")
    try:
        manifest = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        raise BundleError(f"{file} is no JSON ({error}); the bundle was altered or cut short") from error
    keys = ("versions", "parameters", "statistics", "data", "counts", "files")
    if not isinstance(manifest, dict) or not isinstance(manifest.get("format"), int):
        raise BundleError(f"{file} is no manifest of a bundle")
    if manifest["format"] > FORMAT:
        raise BundleError(
            f"{path} has format {manifest['format']}, this stanza_lab {stanza_lab.__version__} reads up to {FORMAT}; "
            f"it was written by {str(manifest.get('versions'))[:200]}; install that or newer"
        )
    if wrong := sorted(key for key in keys if not isinstance(manifest.get(key), dict)):
        raise BundleError(f"{file}: {wrong} are missing or no objects; the bundle was altered")
    if wrong := sorted(name for name in _COUNTED if not isinstance(manifest["counts"].get(name), int)):
        raise BundleError(f"{file}: the counts of {wrong} are missing or no numbers; the bundle was altered")
    return manifest


def _read_table(path: Path, name: str, manifest: dict[str, Any]) -> pd.DataFrame:
    """Read a table by the name we give it: names in the manifest never become paths."""
    file = path / f"{name}.parquet"
    expected = manifest["files"].get(file.name)
    if not isinstance(expected, dict) or not file.is_file():
        raise BundleError(f"{path} lacks {file.name}; save the bundle again")
    if file.stat().st_size != expected.get("bytes") or _fingerprint(file.read_bytes())["sha256"] != expected.get(
        "sha256"
    ):
        raise BundleError(f"{file} is not what the manifest says: it was altered or cut short; save the bundle again")
    return pd.read_parquet(file)
