"""Fill what alerts lack from the definitions of their rules: alarms, monitors and triggers as their system lists them.

A definition is an event of kind note with a rule key and without an occurrence key (a note about one firing has one).
"""

from __future__ import annotations

import numpy as np
import orjson
import pandas as pd

from stanza_lab import schema

_FILLED = ("service", "environment", "team", "description", "url")
_RULE = ["source", "rule_key", "alertname"]


def fill(alerts: pd.DataFrame, defined: pd.DataFrame) -> pd.DataFrame:
    """Return the alerts with what the definitions of their rules know and they do not.

    A definition belongs to the alerts of its source with its rule key; to those of its groups, whose rule key goes on
    behind '|', when the names agree; and to those whose key lacks what stands before the name when it is the only one
    of that name. Service, environment, team, description, url and resources are filled where they
    are null or empty, labels where the alert does not have the key. Nothing an alert says itself is changed.

    Parameters
    ----------
    alerts : DataFrame
        `schema.ALERTS`.
    defined : DataFrame
        One row per rule, as `latest` returns them.

    Returns
    -------
    DataFrame
        The alerts, same rows and index; the same object when no definition fits.
    """
    if defined.empty or alerts.empty:
        return alerts
    rules = alerts[_RULE].astype("str")
    unique = rules.drop_duplicates()
    known = unique.assign(row=_defining(unique, defined))
    rows = rules.merge(known, on=_RULE, how="left")["row"].to_numpy()
    if not (rows >= 0).any():
        return alerts
    of = defined.take(np.where(rows >= 0, rows, 0)).set_axis(alerts.index)
    fits = rows >= 0
    filled = {
        name: schema.convert(alerts[name].astype("str").fillna(of[name].where(fits)), schema.ALERTS[name])
        for name in _FILLED
    }
    bare = fits & (alerts["resources"].str.len() == 0).to_numpy()
    lists = zip(alerts["resources"], of["resources"], bare, strict=True)
    resources = [list(theirs) if empty else own for own, theirs, empty in lists]
    filled["resources"] = pd.Series(resources, index=alerts.index, dtype=object)
    filled["labels"] = _labels(alerts["labels"], of["labels"].where(fits))
    return alerts.assign(**filled)


def latest(facts: pd.DataFrame) -> pd.DataFrame:
    """Return what the definitions among the facts know of their rules, one row per source and rule key.

    Of several definitions of a rule the latest that has a value counts, column by column: by `at`, then event id; one
    without a time before all others.
    """
    notes = facts[(facts["kind"] == "note") & facts["rule_key"].notna() & facts["occurrence_key"].isna()]
    notes = notes.sort_values(["at", "event_id"], ascending=False, na_position="last")
    number = notes.groupby(["source", "rule_key"], sort=False).ngroup()
    defined = notes[["source", "rule_key", "alertname", *_FILLED, "labels"]].groupby(number, sort=True).first()
    listed = notes["resources"].where(notes["resources"].str.len() > 0)
    resources = listed.groupby(number, sort=True).first()
    lists = [list(value) if isinstance(value, (list, np.ndarray)) else [] for value in resources]
    return defined.assign(resources=pd.Series(lists, index=defined.index, dtype=object))


def _defining(rules: pd.DataFrame, defined: pd.DataFrame) -> list[int]:
    """Return for each rule the row of its definition, -1 where there is none."""
    keyed = defined[_RULE].itertuples(index=False, name=None)
    row: dict[tuple[str, str], tuple[int, str]] = {}
    named: dict[tuple[str, str], int] = {}
    twice: set[tuple[str, str]] = set()
    for number, (source, key, name) in enumerate(keyed):
        row[source, key] = number, name
        twice |= {(source, name)} & named.keys()
        named[source, name] = number
    found = []
    for source, key, name in rules.itertuples(index=False, name=None):
        if not isinstance(key, str):
            found.append(-1)
            continue
        exact = row.get((source, key), (-1, None))[0]
        group = (row[source, part][0] for part in _stems(key) if row.get((source, part), (0, 0))[1] == name)
        bare = isinstance(name, str) and f"{key}|".startswith(f"{name}|") and (source, name) not in twice
        found.append(exact if exact >= 0 else next(group, named.get((source, name), -1) if bare else -1))
    return found


def _stems(key: str) -> list[str]:
    """Return what stands before each '|' of a rule key, the longest first, with and without that '|'."""
    cuts = [at for at, sign in enumerate(key) if sign == "|"]
    return [stem for at in reversed(cuts) for stem in (key[: at + 1], key[:at])]


def _labels(own: pd.Series, theirs: pd.Series) -> pd.Series:
    """Return the labels with the keys they lack; each pair of texts is put together once."""
    pairs = pd.DataFrame({"own": own, "theirs": theirs})
    unique = pairs.dropna(subset="theirs").drop_duplicates()
    texts = [_united(*pair) for pair in unique.itertuples(index=False, name=None)]
    known = pairs.merge(unique.assign(text=pd.Series(texts, index=unique.index, dtype="str")), how="left")
    return known["text"].set_axis(own.index).fillna(own).astype("str")


def _united(own: object, theirs: str) -> str:
    if not isinstance(own, str):
        return theirs
    try:
        said, defined = orjson.loads(own), orjson.loads(theirs)
    except orjson.JSONDecodeError:
        return own
    if not isinstance(said, dict) or not isinstance(defined, dict) or defined.keys() <= said.keys():
        return own
    return orjson.dumps({**defined, **said}, option=orjson.OPT_SORT_KEYS).decode()
