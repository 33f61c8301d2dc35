"""Which code runs as which service: the repositories of the catalogue, and those that alerts name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from stanza_lab import schema
from stanza_lab.entities import naming
from stanza_lab.entities._together import Catalog, Said, Together, resolve_together
from stanza_lab.entities.ownership._claims import repository as slug_of

if TYPE_CHECKING:
    from stanza_lab.entities.extraction.readings import Kind

_SHARE = 0.5  # of what the alerts of a service mention: its own is more than that
_TOOLING = 3  # services whose alerts name one repository before it is taken for a common one, such as runbooks


def map_repositories(alerts: pd.DataFrame, *, catalog: Catalog = None, overrides: Said = None) -> pd.DataFrame:
    """Tell which repository holds the code of which service, both ways: filter by either column.

    Parameters
    ----------
    alerts : DataFrame
        `schema.ALERTS`; before or after `resolve_entities`. Repositories are read from labels and texts.
    catalog : DataFrame or path, optional
        `schema.OWNERSHIP` or files for `read_ownership` (``CODEOWNERS`` among them).
    overrides : path or mapping, optional
        What people say of names, as `EntityResolver` takes it.

    Returns
    -------
    DataFrame
        `schema.REPOSITORIES`, one row per pair, sorted by repository and service. `basis` says whether the catalogue
        declares it, alerts of the service mention it, or both. A mention is a hint: a repository of runbooks is named
        by alerts of many services.

    Raises
    ------
    SchemaError
        A column cannot be read as what it should be, or the catalogue has no column for the service.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> catalog = pd.DataFrame({"service": ["web", "worker"], "team": "shop", "repository": "acme/shop"})
    >>> alerts = pd.DataFrame({"service": ["web", "web"]})
    >>> sl.map_repositories(alerts, catalog=catalog)[["repository", "service", "alerts"]].values.tolist()
    [['acme/shop', 'web', 2], ['acme/shop', 'worker', 0]]
    """
    together = resolve_together(alerts, catalog, overrides=overrides)
    declared = together.owned[["service", "repository"]].dropna().astype("str").assign(declared=True)
    mentioned = mentions(together, "repository").rename(columns={"name": "repository"})
    spelled = {_key(name): name for name in [*mentioned["repository"], *declared["repository"]]}  # the catalogue's wins
    pairs = pd.concat([mentioned, declared])
    pairs = pairs.assign(repository=[spelled[_key(name)] for name in pairs["repository"]])
    pairs = pairs.groupby(["repository", "service"]).agg(mentions=("mentions", "sum"), declared=("declared", "sum"))
    pairs = pairs.sort_index().reset_index()
    basis = pd.Series("both", index=pairs.index).mask(pairs["mentions"] == 0, "declared")
    sizes = together.alerts["service"].value_counts().rename(str).astype("int64")
    owners, paged = together.owned.set_index("service")["team"], _teams(together.alerts)
    pairs = pairs.assign(
        basis=basis.mask(pairs["declared"] == 0, "mentioned"),
        alerts=pairs["service"].map(sizes).fillna(0),
        team=pairs["service"].map(owners).astype("str").fillna(pairs["service"].map(paged).astype("str")),
    )
    return schema.check(pairs[schema.REPOSITORIES.names], schema.REPOSITORIES)


def mentions(together: Together, kind: Kind) -> pd.DataFrame:
    """Return how many alerts of a service name what: service, name, mentions."""
    evidence = together.evidence
    rows = pd.DataFrame({"weight": evidence.weight})
    rows["service"] = together.alerts["service"].astype("str").groupby(evidence.of_row).first()
    found = [pd.DataFrame({"row": pd.Series(dtype="int64"), "name": pd.Series(dtype="str")})]
    for column in evidence.columns.values():
        named = {code: [r.name for r in each if r.kind == kind] for code, each in enumerate(column.readings)}
        said = {code: [*dict.fromkeys(names)] for code, names in named.items() if names}
        pairs = pd.DataFrame({"row": range(evidence.rows), "name": pd.Series(column.codes).map(said)})
        found.append(pairs.dropna().explode("name").astype({"name": "str"}))
    mentioned = pd.concat(found).drop_duplicates().join(rows, on="row")
    counted = mentioned.groupby(["service", "name"])["weight"].sum()
    return counted.rename("mentions").reset_index().astype({"mentions": "int64", "service": "str", "name": "str"})


def most_mentioned(named: pd.DataFrame) -> dict[str, str]:
    """Return for each service the name that most of its mentions give, without names that many services mention."""
    share = named["mentions"] / named.groupby("service")["mentions"].transform("sum")
    common = named.groupby("name")["service"].transform("nunique") > _TOOLING
    own = named[(share > _SHARE) & ~common]
    return dict(zip(own["service"], own["name"], strict=True))


def _key(repository: str) -> str:
    return naming.key(slug_of(repository) or repository)


def _teams(alerts: pd.DataFrame) -> pd.Series:
    """Return the team most alerts of each service name."""
    pairs = alerts[["service", "team"]].dropna().astype("str").value_counts().reset_index()
    pairs = pairs.sort_values(["count", "team"], ascending=[False, True]).drop_duplicates("service")
    return pairs.set_index("service")["team"]
