"""How well names of one service are found to be one: ``python -m benchmarks.identity [SHARED]``.

Pairwise over the distinct spellings of a production: of the pairs put together, how many mean one service (precision);
of the pairs that do, how many are put together (recall). Spellings that differ in case or separators only count once.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

import stanza_lab as sl
from stanza_lab.entities import naming
from stanza_lab.simulate.spellings import Spellings, simulate_spellings

KINDS: dict[str, dict[str, Any]] = {
    "default": {},
    "names alone": {"evidence": 0.0, "catalogued": 0.0},
    "few alerts": {"alerts_per_name": 1.0},
    "abbreviated": {"abbreviated": 0.25},
    "renamed": {"renamed": 0.15},
    "siblings": {"siblings": 1.0},
    "staging": {"staging": 0.3},
}
SEEDS = range(9100, 9103)
_TEXTS = ("alertname", "summary", "description", "service", "labels")


def score(drawn: Spellings) -> dict[str, float]:
    """Return pairwise precision and recall of the identities found in one production."""
    resolver = sl.EntityResolver(catalog=drawn.catalog).fit(drawn.alerts)
    names = drawn.names.assign(key=[naming.key(name) for name in drawn.names["spelled"]])
    names = names.drop_duplicates(["key", "service"])
    names = names.assign(found=[*map(resolver.canonical, names["spelled"])])
    together, real, both = (
        sum(n * (n - 1) // 2 for n in Counter(zip(*(names[c] for c in columns), strict=True)).values())
        for columns in (["found"], ["service"], ["found", "service"])
    )
    return {
        "services": names["service"].nunique(),
        "spellings": len(names),
        "found": names["found"].nunique(),
        "precision": both / together if together else 1.0,
        "recall": both / real if real else 1.0,
    }


def table(services: int = 2000) -> pd.DataFrame:
    """Return precision and recall for each kind of production, averaged over its seeds."""
    rows = []
    for kind, options in KINDS.items():
        scores = pd.DataFrame([score(simulate_spellings(services=services, random_state=s, **options)) for s in SEEDS])
        rows.append({"kind": kind, **scores.mean().to_dict()})
    return pd.DataFrame(rows)


def recordings(shared: Path) -> pd.DataFrame:
    """Return, for recordings with a list of services, how many are one identity, and how many identities are several.

    Once over the spellings that occur in the alerts, once over all that the list has.
    """
    rows = []
    for name in ("nezha_tt_0129", "petshop_low"):
        alerts = sl.read_alerts(shared / "data" / name / "alerts")
        truth = pd.read_csv(shared / "data" / name / "truth" / "services.csv")
        texts = "\n".join(text for column in _TEXTS for text in alerts[column].dropna().astype("str").unique())
        texts += "\n".join(alerts["resources"].explode().dropna().unique())
        resolver = sl.EntityResolver().fit(alerts)
        found = truth.assign(
            found=[*map(resolver.canonical, truth["alias"])], occurs=[alias in texts for alias in truth["alias"]]
        )
        for which, spellings in (("in the alerts", found[found["occurs"]]), ("all listed", found)):
            of_service = spellings.groupby("service")["found"].nunique()
            of_found = spellings.groupby("found")["service"].nunique()
            rows.append(
                {
                    "recording": name,
                    "which": which,
                    "spellings": len(spellings),
                    "services": len(of_service),
                    "one_identity": int((of_service == 1).sum()),
                    "merged": int((of_found > 1).sum()),
                }
            )
    return pd.DataFrame(rows)


def main() -> None:
    print(table().round(3).to_string(index=False))
    shared = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared")
    if (shared / "data").is_dir():
        print(recordings(shared).to_string(index=False))


if __name__ == "__main__":
    main()
