"""The estimator behind `resolve_entities`: learn which names are one service, apply it, explain it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from stanza_lab import schema
from stanza_lab.entities import naming
from stanza_lab.entities.evidence import Evidence, open_catalog
from stanza_lab.entities.identity.explanation import NameExplanation, conflicts, explain
from stanza_lab.entities.identity.learning import MIN_CONFIDENCE, Identity
from stanza_lab.entities.identity.overrides import Overrides, OverridesWarning, read_overrides
from stanza_lab.entities.resolve import resolve
from stanza_lab.errors import ParameterError

if TYPE_CHECKING:
    import pandas as pd


class EntityResolver(TransformerMixin, BaseEstimator):
    """Learn which names mean one service, and write services, teams and resources to alerts.

    Names that differ in case, separators, a production word or a pod's hash are one by rule (`resolve_entities` says
    which). Names that differ more are compared where something brings them together: the same words or initials, one
    alert that states both, a host or a trace in common, one name that takes over from another. A logistic model weighs
    that; pairs that are likely enough are joined, the likeliest first. Never joined are names of different
    environments or regions, and names that one tool uses side by side: orders-db and orders-api.

    Parameters
    ----------
    catalog : DataFrame or path, optional
        `schema.OWNERSHIP` or files for `read_ownership`. Its names win.
    overrides : path or mapping, optional
        What people say of names, as a YAML file or what it holds; it always wins. Keys: `services` (name: other names
        of it), `apart` (lists of names of which no two are one), `not_services` (names), `teams` (as services).
    min_confidence : float, default 0.7
        Probability from which on two names are one, between 0 and 1. Larger: fewer joins, fewer of them wrong. 1 joins
        nothing but what people say.

    Attributes
    ----------
    names_ : DataFrame
        `schema.NAMES`: every name, the service it means, how sure that is and why.
    conflicts_ : DataFrame
        `schema.NAME_CONFLICTS`: what was not joined though something speaks for it, or was joined against evidence.

    See Also
    --------
    resolve_entities : The same as a verb over tables.

    Notes
    -----
    The weights were fitted to simulated productions only, by ``python -m benchmarks.calibrate_identity``, and are those
    of I. P. Fellegi and A. B. Sunter, "A theory for record linkage", JASA 64 (1969), in spirit: log odds that add up.

    Examples
    --------
    >>> import pandas as pd
    >>> from stanza_lab import EntityResolver
    >>> alerts = pd.DataFrame({
    ...     "source": ["datadog", "sentry", "pagerduty"],
    ...     "service": ["checkout", "web-checkout", "Checkout (P1)"],
    ... })
    >>> resolver = EntityResolver().fit(alerts)
    >>> resolver.transform(alerts)["service"].tolist()
    ['checkout', 'checkout', 'checkout']
    >>> print(resolver.explain("web-checkout"))
    'web-checkout' is checkout: confidence ...
    """

    def __init__(
        self,
        *,
        catalog: pd.DataFrame | str | PathLike[str] | None = None,
        overrides: Overrides | Mapping[str, Any] | str | PathLike[str] | None = None,
        min_confidence: float = MIN_CONFIDENCE,
    ) -> None:
        self.catalog = catalog
        self.overrides = overrides
        self.min_confidence = min_confidence

    def fit(self, X: pd.DataFrame, y: object = None, *, spans: pd.DataFrame | None = None) -> Self:  # noqa: ARG002, N803
        """Learn from alerts.

        Parameters
        ----------
        X : DataFrame
            `schema.ALERTS`; columns are used as far as they are there.
        y : None
            Ignored.
        spans : DataFrame, optional
            `schema.SPANS`: services that traces name, and whose alerts carry the ids of their traces.

        Returns
        -------
        EntityResolver
            Itself.

        Raises
        ------
        SchemaError
            A table or file cannot be read.
        ParameterError
            `min_confidence` is not between 0 and 1.

        Warns
        -----
        OverridesWarning
            The overrides speak of services that no alert and no catalogue names.
        """
        if not isinstance(self.min_confidence, (int, float)) or not 0 <= self.min_confidence <= 1:
            raise ParameterError(f"min_confidence={self.min_confidence!r} must be between 0 and 1")
        self.catalog_ = open_catalog(self.catalog)
        self.overrides_ = read_overrides(self.overrides)
        alerts = schema.check(X, schema.ALERTS, need=[])
        evidence = Evidence(
            alerts, self.catalog_, overrides=self.overrides_, spans=spans, min_confidence=self.min_confidence
        )
        self.identity_: Identity = evidence.services
        listed = {naming.key(name) for name in evidence.catalog["service"]}
        spelled = evidence.spelled
        if unknown := self.overrides_.unknown(lambda name: naming.key(name) in listed or spelled.seen(name)):
            message = f"overrides speak of services that no alert and no catalogue names: {', '.join(unknown[:10])}"
            warnings.warn(message, OverridesWarning, stacklevel=2)
        self.names_ = names_table(self.identity_)
        self.conflicts_ = conflicts(self.identity_)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:  # noqa: N803
        """Return alerts with service, environment, team and resources resolved, as `resolve_entities` does.

        Parameters
        ----------
        X : DataFrame
            `schema.ALERTS`, those learned from or others; names never seen stay what they are.

        Returns
        -------
        DataFrame
            The same rows, order and columns.
        """
        check_is_fitted(self)
        alerts = schema.check(X, schema.ALERTS, need=[])
        return resolve(alerts, Evidence(alerts, self.catalog_, overrides=self.overrides_, identity=self.identity_))

    def canonical(self, name: str) -> str:
        """Return the one name of the service that `name` means.

        Parameters
        ----------
        name : str
            Any spelling.

        Returns
        -------
        str
            The name of its service; of a name never seen that name without a note or a pod's ending.
        """
        check_is_fitted(self)
        return self.identity_.canonical(name)

    def explain(self, alias: str) -> NameExplanation:
        """Say which service a name means, why, what speaks against it and what was not joined.

        Parameters
        ----------
        alias : str
            Any spelling of a name that an alert, the catalogue or an override has.

        Returns
        -------
        NameExplanation
            Its text is for people: print it, or let a notebook show it.

        Raises
        ------
        ParameterError
            No alert, catalogue or override has this name.
        """
        check_is_fitted(self)
        return explain(self.identity_, alias)


def names_table(identity: Identity) -> pd.DataFrame:
    """Return `schema.NAMES`: every name and the service it means."""
    told, paths = identity.statements, identity.paths()
    counts = told.counts.tocsr()
    first, last = (np.full(len(told.names), np.nan) for _ in range(2))
    if told.first.size:
        first, last = np.fmin.reduce(told.first, axis=1), np.fmax.reduce(told.last, axis=1)
    rows = []
    for k, name in enumerate(told.names):
        service = identity.canonical(name)
        steps = paths.get(name, [])
        given = naming.key(name) in identity.given
        rows.append(
            {
                "name": name,
                "service": service,
                "confidence": min((found for *_, found in steps), default=1.0),
                "basis": "given" if given else "learned" if steps else "stated",
                "spellings": identity.spelled.spellings.get(name, [name]),
                "places": [told.places[p] for p in counts.indices[counts.indptr[k] : counts.indptr[k + 1]].tolist()],
                "first_seen": None if np.isnan(first[k]) else int(first[k]),
                "last_seen": None if np.isnan(last[k]) else int(last[k]),
            }
        )
    table = schema.build(rows, schema.NAMES)
    return table.sort_values(["service", "name"], key=lambda c: c.astype("str").str.casefold(), ignore_index=True)
