"""One bundle of a small simulated production, whole, for all tests of artefacts."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pandas as pd  # noqa: TC002 (pytest reads annotations)
import pytest

import stanza_lab as sl
from tests.artefacts.recurring import saved

SECRET = "the customer Ms Winterbottom called about order 4711"
REACTIONS = """
team: {team}
reviewed: {{by: Maria Sample, on: 2026-06-01}}
for: ["*"]
reactions:
  - {{name: Restart, action: restart, when: {{symptom: errors}}, command: "restart {{service}}", risk: low,
     owner: maria@example.com}}
  - {{name: Scale, action: scale, params: {{to: "+2"}}, when: {{symptom: saturation}}, command: scale, risk: medium}}
"""


class Learned(NamedTuple):
    """All that goes into a bundle, and the alerts that come after."""

    clusterer: sl.IncidentClusterer
    dependencies: sl.DependencyModel
    production: sl.ProductionMap
    alerts: pd.DataFrame
    patterns: sl.Patterns
    reactions: object
    backtest: object
    names: sl.EntityResolver


@pytest.fixture(scope="session")
def made() -> pd.DataFrame:
    """Return the alerts of a small production, with a sentence in their texts that no bundle may hold."""
    alerts = sl.simulate_production(services=16, teams=4, days=60, incidents=40, random_state=11).alerts
    told = ("{" + f'"note": "{SECRET}"' + "}", SECRET)
    return alerts.sort_values("starts_at", ignore_index=True).assign(
        labels=told[0], summary=told[1], description=told[1]
    )


@pytest.fixture(scope="session")
def learned(made: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Learned:
    """Return models fitted to the first two thirds of the alerts."""
    past = made.iloc[: 2 * len(made) // 3]
    clusterer = sl.IncidentClusterer().fit(past)
    alerts = past.assign(incident_id=clusterer.labels_)
    model = sl.DependencyModel().fit(alerts)
    owners = alerts.dropna(subset=["service", "team"]).drop_duplicates("service")[["service", "team"]]
    owners = owners.astype("str").assign(on_call="maria@example.com")
    production = sl.ProductionMap(model.edges_, alerts, ownership=owners)
    patterns = sl.mine_patterns(alerts)
    file = tmp_path_factory.mktemp("reactions") / "team.yaml"
    file.write_text(REACTIONS.format(team=production.teams[0]))
    reactions = sl.read_reactions(file)
    tried = sl.backtest(reactions, alerts, production=production, patterns=patterns)
    return Learned(clusterer, model, production, alerts, patterns, reactions, tried, sl.EntityResolver().fit(past))


@pytest.fixture(scope="session")
def bundle_path(learned: Learned, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the bundle is; copy it before changing it."""
    return sl.save_bundle(tmp_path_factory.mktemp("whole") / "bundle", **learned._asdict())


@pytest.fixture(scope="session")
def bundle(bundle_path: Path) -> sl.Bundle:
    """Return the bundle, loaded."""
    return sl.load_bundle(bundle_path)


@pytest.fixture(scope="session")
def later(made: pd.DataFrame) -> pd.DataFrame:
    """Return the alerts that came after those learned from."""
    return made.iloc[2 * len(made) // 3 :]


@pytest.fixture(scope="session")
def recurring(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where a bundle is in which three alerts of Alertmanager recur together; read it, change nothing."""
    return saved(tmp_path_factory.mktemp("recurring") / "bundle")
