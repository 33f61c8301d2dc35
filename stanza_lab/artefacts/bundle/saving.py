"""`save_bundle`: fitted models, the map and what was found as one directory, whole or not at all."""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from stanza_lab import schema
from stanza_lab.artefacts.bundle import contents, manifest
from stanza_lab.artefacts.bundle.card import model_card
from stanza_lab.artefacts.bundle.manifest import CARD, FILES, MANIFEST
from stanza_lab.dependencies.known import known_edges
from stanza_lab.entities import naming
from stanza_lab.errors import BundleError, SchemaError
from stanza_lab.patterns.reactions import writing as reaction_writing
from stanza_lab.production.spread.usual import Usual

if TYPE_CHECKING:
    from stanza_lab.dependencies import DependencyModel
    from stanza_lab.entities.identity.resolver import EntityResolver
    from stanza_lab.incidents import IncidentClusterer
    from stanza_lab.patterns.found import Patterns
    from stanza_lab.patterns.reactions.backtested import ReactionBacktest
    from stanza_lab.patterns.reactions.catalogue import Reactions
    from stanza_lab.patterns.reactions.writing import Tried
    from stanza_lab.production import ProductionMap

EDGES = "edges.parquet"  # stands in the manifest for edges that the clusterer knew
NEAR = "near.parquet"  # stands in the manifest for the topology of places


def save_bundle(
    path: str | os.PathLike[str],
    *,
    clusterer: IncidentClusterer,
    dependencies: DependencyModel,
    production: ProductionMap,
    alerts: pd.DataFrame | None = None,
    patterns: Patterns | None = None,
    reactions: Reactions | None = None,
    backtest: ReactionBacktest | Tried | None = None,
    names: EntityResolver | pd.DataFrame | None = None,
    metrics: pd.DataFrame | None = None,
    calibration: pd.DataFrame | None = None,
    keep_personal_data: bool = False,
    overwrite: bool = False,
) -> Path:
    """Save fitted models, the map and what was found as a directory of JSON and Parquet.

    Parameters
    ----------
    path : path-like
        Directory to make. It appears whole or not at all.
    clusterer : IncidentClusterer
        Fitted. Its parameters are saved and what it learned of rules; the alerts it saw are not. Of its `edges` only
        that there were some: those of the map take their place.
    dependencies : DependencyModel
        Fitted. Its parameters and statistics are saved.
    production : ProductionMap
        The map to save. Of a view, the whole map it was cut from.
    alerts : DataFrame, optional
        The alerts that the clusterer was fitted to. Only sums are saved: a row per rule with its habit and the labels
        that never change, which labels there are, which alert leads to which. Default: what needs labels, as a rule
        for Alertmanager, cannot be exported.
    patterns : Patterns, optional
        What `mine_patterns` found.
    reactions : Reactions, optional
        What `read_reactions` read.
    backtest : ReactionBacktest, optional
        How they did in history: its counts are saved.
    names : EntityResolver or DataFrame, optional
        Which names are one service, fitted, or `schema.NAMES`. Default: new alerts must use the names of the map.
    metrics : DataFrame, optional
        How good the models are: `metric`, `value`, `n` (what it was measured on), `definition`. What the grouping says
        of itself is added. Default: only that.
    calibration : DataFrame, optional
        How well confidence held, as `edge_reliability` returns it.
    keep_personal_data : bool, default False
        Save the names of people who reviewed or answer for reactions, whom a catalogue says to wake, and labels that
        hold a secret, a login or an e-mail address.
    overwrite : bool, default False
        Replace a bundle that is there, its files damaged or not. Anything else is never replaced: neither a directory
        without the manifest of a bundle, such as a history, nor a bundle that files were added to.

    Returns
    -------
    Path
        The directory.

    Raises
    ------
    BundleError
        Something is at `path` already, or a parameter cannot be written as JSON.
    SchemaError
        A table lacks a column.
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
    ...     sorted(file.name for file in path.iterdir())[:3]
    ['claims.parquet', 'cofirings.parquet', 'edges.parquet']
    """
    target = Path(path)
    if target.exists():
        _refuse_foreign(target)
        if not overwrite:
            raise BundleError(
                f"{target} is there already; pass overwrite=True (--force) to replace it, or another path"
            )
    check_is_fitted(clusterer)
    check_is_fitted(dependencies)
    production = production.whole
    if alerts is not None:
        alerts = schema.check(alerts, schema.ALERTS, need=["starts_at"])
    about = _about(clusterer, dependencies, production, alerts, keep_personal_data=keep_personal_data)
    manifest.canonical(about)  # what cannot be written is told before anything is counted
    tables = {
        "edges": production.edges,
        "services": production.services,
        **dependencies.to_frames(),
        **{f"incident_{name}": frame for name, frame in clusterer.to_frames().items()},
        **_of_alerts(alerts, clusterer, production, keep_personal_data=keep_personal_data),
        "usual": _usual(production),
        "owners": _owners(production, keep_personal_data=keep_personal_data),
        "aliases": None if names is None else _aliases(names),
        "metrics": _measured(clusterer, metrics),
        "calibration": None if calibration is None else _checked(calibration, contents.CALIBRATION, "calibration"),
        "tried": None if backtest is None else reaction_writing.Tried.of(backtest).table,
    }
    documents = {
        "patterns.json": None if patterns is None else patterns.to_dict(),
        "reactions.json": None
        if reactions is None
        else reaction_writing.to_dict(reactions, keep_personal_data=keep_personal_data),
    }
    counts = {"patterns": 0 if patterns is None else len(patterns.table)}
    about["counts"] |= counts | {"reactions": 0 if reactions is None else len(reactions)}
    files, entries = _files(tables, documents)
    card = model_card(about, tables={name: table for name, table in tables.items() if table is not None})
    files[CARD], entries[CARD] = card, manifest.fingerprint(card)
    files[MANIFEST] = manifest.sealed(about | {"files": entries})
    _write(target, files)
    return target


def _files(
    tables: dict[str, pd.DataFrame | None], documents: dict[str, Any]
) -> tuple[dict[str, bytes], dict[str, dict[str, Any]]]:
    """Return the content of every file, and what the manifest says of each."""
    files: dict[str, bytes] = {}
    entries: dict[str, dict[str, Any]] = {}
    for name, table in sorted(tables.items()):
        if table is not None:
            buffer = io.BytesIO()
            table.reset_index(drop=True).to_parquet(buffer, index=False, compression="zstd")
            files[f"{name}.parquet"] = buffer.getvalue()
            entries[f"{name}.parquet"] = manifest.fingerprint(buffer.getvalue()) | {"rows": len(table)}
    for name, told in documents.items():
        if told is not None:
            files[name] = manifest.canonical(told)
            entries[name] = manifest.fingerprint(files[name])
    return files, entries


def _write(target: Path, files: dict[str, bytes]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as folder:
        new = Path(folder) / "new"
        new.mkdir()
        for name, content in files.items():
            (new / name).write_bytes(content)
        if target.exists():  # moved aside first: a directory cannot be replaced in one step
            target.rename(Path(folder) / "old")
        new.rename(target)


def _of_alerts(
    alerts: pd.DataFrame | None, clusterer: IncidentClusterer, production: ProductionMap, *, keep_personal_data: bool
) -> dict[str, pd.DataFrame | None]:
    """Return the sums over alerts; without any, none."""
    if alerts is None:
        return {}
    return {
        "rules": contents.rule_table(alerts, clusterer, keep_personal_data=keep_personal_data),
        "labels": contents.label_table(alerts),
        "propagation": contents.follow_table(alerts, production.edges),
    }


def _usual(production: ProductionMap) -> pd.DataFrame:
    usual = Usual.of(production)
    return usual.around(0, 0, until=None).to_frame(usual.names)


def _owners(production: ProductionMap, *, keep_personal_data: bool) -> pd.DataFrame | None:
    """Return the catalogue of the map: of whom to wake only when people are to be kept."""
    owned = production.ownership
    if owned is None:
        return None
    kept = [name for name in owned.columns if name != "on_call" or keep_personal_data]
    table = owned[kept].astype(dict.fromkeys(kept, "str"))
    return table.sort_values(kept[:2], ignore_index=True)


def _aliases(names: EntityResolver | pd.DataFrame) -> pd.DataFrame:
    table = names if isinstance(names, pd.DataFrame) else names.names_
    checked = _checked(table, contents.NAMES, "names")
    if "spellings" in table:  # those that no rule about names alone brings to the service, as words in another order
        spelled = table.explode("spellings").dropna(subset="spellings")
        pairs = spelled[["spellings", "service"]].itertuples(index=False)
        known = [naming.key(service) in naming.spelled_as(spelling) for spelling, service in pairs]
        spelled = spelled.assign(name=spelled["spellings"])[~np.array(known, dtype=bool)]
        checked = pd.concat([checked, _checked(spelled, contents.NAMES, "names")]).drop_duplicates("name")
    return checked[checked["name"] != checked["service"]].sort_values(["service", "name"], ignore_index=True)


def _measured(clusterer: IncidentClusterer, metrics: pd.DataFrame | None) -> pd.DataFrame:
    """Return how good the models are: what was measured, and what the grouping says of itself."""
    given = contents.empty(contents.METRICS) if metrics is None else _checked(metrics, contents.METRICS, "metrics")
    return pd.concat([given, contents.own_metrics(clusterer)], ignore_index=True).drop_duplicates("metric")


def _checked(table: pd.DataFrame, columns: dict[str, Any], what: str) -> pd.DataFrame:
    if absent := [name for name in columns if name not in table]:
        raise SchemaError(f"{what}: no column {absent[0]!r}; needed are {', '.join(columns)}")
    return table[list(columns)].astype(columns).reset_index(drop=True)


def _about(
    clusterer: IncidentClusterer,
    dependencies: DependencyModel,
    production: ProductionMap,
    alerts: pd.DataFrame | None,
    *,
    keep_personal_data: bool,
) -> dict[str, Any]:
    """Return what the manifest says, without its files."""
    services = production.services
    since, until = services["first_seen"].min(), services["last_seen"].max()
    totals = clusterer.to_frames()["totals"].iloc[0]
    sources = (
        {} if alerts is None or "source" not in alerts else alerts["source"].astype("str").value_counts().to_dict()
    )
    return {
        "format": manifest.FORMAT,
        "versions": manifest.versions(),
        "parameters": {"incidents": _without_edges(clusterer), "dependencies": _without_tables(dependencies)},
        "statistics": dependencies.statistics_.settings(),
        "data": {
            "since": None if pd.isna(since) else since.isoformat(),
            "until": None if pd.isna(until) else until.isoformat(),
            "sources": {str(name): int(count) for name, count in sorted(sources.items())},
        },
        "redaction": {
            "people": "kept" if keep_personal_data else "left out",
            "labels": "kept" if keep_personal_data else "without secrets, logins and e-mail addresses",
            "names": "of rules, services and teams: as in the alerts, which may have been redacted when they were read",
            "alert_text": "none is in the bundle",
        },
        "counts": {
            "alerts": int(totals["alerts"]),
            "incidents": int(totals["incidents"]),
            "services": len(services),
            "teams": len(production.teams),
            "links": len(production.links),
            "edges": len(production.edges),  # a row per direction
        },
    }


def _without_edges(clusterer: IncidentClusterer) -> dict[str, Any]:
    """Return the parameters as a manifest holds them: of edges the file, as the bundle has a table of them."""
    parameters: dict[str, Any] = clusterer.get_params()
    return parameters | {"edges": None if parameters["edges"] is None else EDGES}


def _without_tables(model: DependencyModel) -> dict[str, Any]:
    """Return the parameters as a manifest holds them: known edges as pairs, of the topology the file of near places."""
    parameters: dict[str, Any] = model.get_params()
    for name in ("required", "forbidden"):
        if parameters[name] is not None:
            parameters[name] = sorted(known_edges(parameters[name], name))
    if not isinstance(parameters["sources"], str | None):
        parameters["sources"] = sorted(parameters["sources"])
    return parameters | {"topology": None if parameters["topology"] is None else NEAR}


def _refuse_foreign(target: Path) -> None:
    """Raise unless a bundle is at `target` and nothing else: no other directory may be replaced."""
    try:
        manifest.read(target)
    except BundleError as error:
        raise BundleError(f"{target} is there already and it is no bundle ({error}); choose another path") from error
    files = {path.name for path in target.iterdir() if path.is_file() and not path.is_symlink()}
    foreign = sorted({path.name for path in target.iterdir()} - (files & FILES))
    if foreign:
        raise BundleError(
            f"{target} is there already and holds files that no bundle has ({', '.join(foreign[:5])}); "
            f"move them away, or choose another path"
        )
