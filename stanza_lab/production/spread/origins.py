"""Where an incident likely began: suspects weighed by what speaks for and against each, with reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import softmax

from stanza_lab import _params, schema
from stanza_lab.errors import ParameterError, SchemaError
from stanza_lab.production.contents import MapContents
from stanza_lab.production.spread import origin_words
from stanza_lab.production.spread.origin_weights import WEIGHTS
from stanza_lab.production.spread.suspects import FEATURES, OUTSIDE, Suspects, suspects
from stanza_lab.production.spread.usual import Usual

if TYPE_CHECKING:
    from stanza_lab.production import ProductionMap

COLUMNS: dict[str, Any] = {
    "rank": "int64",
    "service": "str",
    "probability": "float64",
    "alerts": "int64",
    "first_at": schema.TIME_DTYPE,
    "silent": "bool",
    "reasons": object,
    "words": "str",
}
NOWHERE = ("", "unknown")  # what some tools write where no service is known
_USED = ("alertname", "rule_key", "labels", "summary", "description", "severity", "starts_at", "service")


def rank_origins(
    production: ProductionMap,
    *,
    alerts: pd.DataFrame,
    at: _params.Instant | None = None,
    top: int | None = None,
    events: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Rank the services that an incident may have begun at, those that never alerted included.

    Suspects are the services that alerted and what they depend on, within three links of the map. Looked at is how
    unusual it is that a service alerts at all, how much it alerts and of what it complains, who began, whom its failure
    would explain, whether another's failure explains its own alerts, who would have noticed and is silent, and, where
    `events` tell, whether it was changed just before. What the map says counts as far as its links are likely.

    Parameters
    ----------
    production : ProductionMap
        The map; of a view the whole map is used. Its alerts are the history that says what is usual.
    alerts : DataFrame
        `schema.ALERTS` of one incident; `service` and `starts_at` must be there.
    at : str or Timestamp, optional
        The moment of asking; without a zone it is UTC. Alerts and events after it are not looked at, neither of the
        incident nor of the history; the links are the map's (`ProductionMap.as_of` has those of then). Default: all.
    top : int, optional
        Rows returned, at least 1. Default: all suspects.
    events : DataFrame, optional
        `schema.EVENTS`, as from `History.events`: changes (kind "changed", by service) in the 30 minutes before the
        first alert speak for a service. Default: changes are not known, and not looked at.

    Returns
    -------
    DataFrame
        One row per suspect, the likeliest first; among equals in the order of their names. `rank` (int64, from 1),
        `service` (str), `probability` (float64: that it began there; all together less than 1, the rest is
        ``attrs["outside"]``: something that is none of them, as a shared host), `alerts` (int64, of the incident),
        `first_at` (datetime64[us, UTC], null: silent), `silent` (bool), `reasons` (list of str, for and against),
        `words` (str). ``attrs["words"]`` says first whether one stands out, then what it is known from and what could
        not be seen. No rows where no alert says its service.

    Raises
    ------
    SchemaError
        `production` is no map, or a column of `alerts` or `events` is missing or malformed.
    ParameterError
        `alerts` are of several incidents, or `at` or `top` is outside its range.

    Notes
    -----
    A conditional logit: the numbers of `suspects.FEATURES` are weighed by `origin_weights.WEIGHTS`, fitted on simulated
    productions by ``python -m benchmarks.origins --fit``. Order within two minutes says little: monitors see late, each
    on its own minute.

    ``python -m benchmarks.origins FOLDER`` measures it: on other simulated productions the origin comes first clearly
    more often than whoever alerted first or most, and the probabilities hold. On two recordings of faults it is hardly
    better than who alerted most, among the first three even worse, and where it is surest it is too sure, as the origin
    was often silent. Read it as where to look first.

    References
    ----------
    McFadden (1974). Conditional logit analysis of qualitative choice behavior. In Frontiers in Econometrics.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> edges = pd.DataFrame({"src": ["shop", "orders"], "dst": ["orders", "orders-db"], "confidence": [0.9, 0.9]})
    >>> alerts = pd.DataFrame({
    ...     "starts_at": ["2026-03-01T14:02Z", "2026-03-01T14:09Z", "2026-03-01T14:10Z"],
    ...     "service": ["orders-db", "orders", "shop"],
    ... })
    >>> found = sl.rank_origins(sl.ProductionMap(edges, alerts), alerts=alerts)
    >>> found["service"].iloc[0]
    'orders-db'
    >>> found["reasons"].iloc[0][-2:]
    ['began to alert 7 min before the next', 'it would explain orders, shop']
    """
    if not isinstance(production, MapContents):
        raise SchemaError(f"production must be a ProductionMap, not {type(production).__name__}; pass sl.ProductionMap")
    until = None if at is None else _params.instant(at, "at")
    if top is not None:
        _params.at_least(top, "top", 1)
    given = _checked(alerts)
    there = given[given["starts_at"].notna()]
    if until is not None:
        there = there[there["starts_at"] <= until]
    located = there[~there["service"].astype("str").fillna("").str.strip().str.lower().isin(NOWHERE)]
    unlocated = len(there) - len(located)
    if located.empty:
        empty = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in COLUMNS.items()})
        empty.attrs = {"outside": 1.0, "words": [origin_words.nothing(len(there), unlocated, until)]}
        return empty
    usual = Usual.of(production)
    micro = None if until is None else until.value // 1000
    found = suspects(usual, located, until=micro, deploys=_changes(events, until))
    share, outside = probabilities(found)
    table = _table(found, share)
    table.attrs = {
        "outside": outside,
        "words": origin_words.summary(
            table, found, outside, unlocated=unlocated, told=events is not None, history=usual.known
        ),
    }
    if top is None:
        return table
    cut = table.head(top)
    cut.attrs = table.attrs
    return cut


def probabilities(found: Suspects) -> tuple[np.ndarray, float]:
    """Return how likely each suspect is the origin, and how likely none of them is."""
    score = found.features @ np.array([WEIGHTS[name] for name in FEATURES])
    beside = found.outside @ np.array([WEIGHTS[name] for name in OUTSIDE])
    share = softmax(np.append(score, beside))
    return share[:-1], float(share[-1])


def _checked(alerts: pd.DataFrame) -> pd.DataFrame:
    known = schema.check(alerts, schema.ALERTS, need=["service", "starts_at"])
    incidents = len(known["incident_id"].unique()) if "incident_id" in known.columns else 1
    if incidents > 1:
        raise ParameterError(
            f"alerts are of {incidents:,} incidents; pass those of one, as alerts[alerts['incident_id'] == 7]"
        )
    return known[[name for name in known.columns if name in _USED]]


def _changes(events: pd.DataFrame | None, until: pd.Timestamp | None) -> pd.DataFrame | None:
    if events is None:
        return None
    known = schema.check(events, schema.EVENTS, need=["at", "kind", "service"])
    known = known[(known["kind"] == "changed") & known["at"].notna() & known["service"].notna()]
    return known if until is None else known[known["at"] <= until]


def _table(found: Suspects, share: np.ndarray) -> pd.DataFrame:
    order = np.lexsort((found.names, -share))
    first = pd.Series(pd.to_datetime(found.first_us[order], unit="us", utc=True)).astype(schema.TIME_DTYPE)
    silent = order >= found.alerting
    reasons = [origin_words.reasons(found, int(one)) for one in order]
    names = found.names[order].tolist()
    said = [origin_words.one(name, p, why) for name, p, why in zip(names, share[order], reasons, strict=True)]
    return pd.DataFrame(
        {
            "rank": np.arange(1, len(order) + 1),
            "service": names,
            "probability": share[order],
            "alerts": found.alerts[order],
            "first_at": first.mask(silent),
            "silent": silent,
            "reasons": pd.Series(reasons, dtype=object),
            "words": said,
        }
    ).astype(COLUMNS)
