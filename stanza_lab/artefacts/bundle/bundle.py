"""The bundle: what was learned, loaded from one directory of JSON and Parquet.

It holds parameters, what the models counted, the map, patterns, reactions and owners, and a manifest with the versions,
the span of the data and a hash of every file. It holds no alert (but the names of rules, services and teams) and
nothing that executes when it is loaded. Written twice from the same models, it is the same bytes.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stanza_lab.artefacts.bundle.manifest import FILES, sealed
from stanza_lab.production import words

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from stanza_lab.artefacts.scoring import Scorer
    from stanza_lab.dependencies import DependencyModel
    from stanza_lab.incidents import IncidentClusterer
    from stanza_lab.patterns.found import Patterns
    from stanza_lab.patterns.reactions.catalogue import Reactions
    from stanza_lab.patterns.reactions.writing import Tried
    from stanza_lab.production import ProductionMap

_ONE = {"dependencies": "dependency"}  # what is no plural in -s


@dataclass(frozen=True, repr=False, eq=False)
class Bundle:
    """Hold a loaded bundle. Made by `load_bundle`.

    Attributes
    ----------
    path : Path
        Directory it was loaded from.
    manifest : dict
        Versions, parameters, data span, counts and the hash of every file.
    clusterer : IncidentClusterer
        Fitted, without the alerts it saw: `predict` judges new alerts by all that was learned. (From a bundle before
        format 3 only its parameters.) Where it knew what depends on what, its `edges` are those of the map.
    production : ProductionMap
        The map as it was saved, without the alerts on it.
    patterns : Patterns, optional
        What recurs.
    reactions : Reactions, optional
        What could be done.
    backtest : Tried, optional
        How reactions did in history, for `propose`.
    names : DataFrame, optional
        Other names of services: name, service (str), confidence (float64), basis (str).
    rules : DataFrame
        A row per recurring alert, the most alerts first: rule, alertname, service, team, environment, source, severity,
        kind (str), alerts, incidents (int64), alone_share, chronic, per_day (float64), habit (str), labels (JSON of
        those that are the same on all its alerts).
    labels : DataFrame
        A row per label of a source: source, label (str), share (float64: of its alerts), values (int64: how many).
    propagation : DataFrame
        Which alert on a callee leads to which on its caller (see `infer_propagation`), link by link.
    metrics : DataFrame
        How good the models were measured to be: metric (str), value (float64), n (int64), definition (str).
    calibration : DataFrame
        How well confidence held (see `edge_reliability`).
    card : str
        The model card, Markdown.
    infer : callable
        Makes `dependencies`.
    """

    path: Path
    manifest: dict[str, Any]
    clusterer: IncidentClusterer
    production: ProductionMap
    patterns: Patterns | None
    reactions: Reactions | None
    backtest: Tried | None
    names: pd.DataFrame | None
    rules: pd.DataFrame
    labels: pd.DataFrame
    propagation: pd.DataFrame
    metrics: pd.DataFrame
    calibration: pd.DataFrame
    card: str
    infer: Callable[[], DependencyModel]

    @cached_property
    def dependencies(self) -> DependencyModel:
        """The model of dependencies, fitted: inferred from its statistics when it is first asked for.

        `partial_fit` goes on where it was (not from a bundle of format 1). Its `topology` are the pairs of places that
        were near, `hops` is then 1. The map needs none of it.

        Raises
        ------
        BundleError
            Its statistics were counted in another way than its parameters say.
        """
        return self.infer()

    @cached_property
    def id(self) -> str:
        """Which bundle this is: 16 hexadecimal digits that change with anything in it."""
        from hashlib import sha256

        return str(self.manifest.get("seal") or sha256(sealed(self.manifest)).hexdigest())[:16]

    @property
    def edges(self) -> pd.DataFrame:
        """The edges of the map, `schema.EDGES`, with the verdicts of traces where they were laid over it."""
        return self.production.edges

    @property
    def services(self) -> pd.DataFrame:
        """The services of the map, one row each: team, alerts, incidents, first and last seen, environment."""
        return self.production.services

    def score(self, alerts: pd.DataFrame) -> pd.DataFrame:
        """Say of new alerts what they belong to, where it likely began, whose it is and what could be done.

        Parameters
        ----------
        alerts : DataFrame
            `schema.ALERTS`, in any order; `starts_at` must be there.

        Returns
        -------
        DataFrame
            A row per alert, in the order given; see `Scorer.score`.

        Raises
        ------
        SchemaError
            A column is missing or malformed.
        BundleError
            The bundle is of a format that kept nothing of what was learned.
        """
        return self.scorer().score(alerts)

    def scorer(self) -> Scorer:
        """Return a scorer for a stream of alerts: it remembers what it was told.

        Returns
        -------
        Scorer
            That has heard of no alert yet.
        """
        from stanza_lab.artefacts.scoring import Scorer

        return Scorer(self)

    def __repr__(self) -> str:
        """Return one line: what it holds and of when."""
        sizes = ", ".join(words.count(count, _ONE.get(what, what[:-1])) for what, count in self._sizes.items())
        return f"Bundle({self.path}: {sizes}, {self._span})"

    @property
    def _sizes(self) -> dict[str, int]:
        """How much there is, in the words of the map: a dependency is a link, whichever way."""
        counts = self.manifest["counts"]
        sizes = {
            "services": len(self.services),
            "dependencies": len(self.production.links),
            "incidents": counts["incidents"],
            "alerts": counts["alerts"],
        }
        if self.patterns is not None:
            sizes["patterns"] = len(self.patterns.table)
        if self.reactions is not None:
            sizes["reactions"] = len(self.reactions)
        return sizes

    @property
    def _span(self) -> str:
        data = self.manifest["data"]
        return f"{data.get('since') or 'unknown'} to {data.get('until') or 'unknown'}"

    def _repr_html_(self) -> str:
        files = {name: entry for name, entry in self.manifest["files"].items() if name in FILES}
        rows = [
            ("path", self.path),
            ("id", self.id),
            ("data", f"{self._span} (UTC)"),
            *((what, f"{count:,}") for what, count in self._sizes.items()),
            *((name, f"{entry['bytes']:,} bytes") for name, entry in files.items()),
            ("written by", f"stanza_lab {self.manifest['versions'].get('stanza_lab', 'unknown')}"),
        ]
        cells = (f"<tr><th>{html.escape(str(k))}</th><td>{html.escape(str(v))}</td></tr>" for k, v in rows)
        return f"<table><caption>Bundle</caption>{''.join(cells)}</table>"
