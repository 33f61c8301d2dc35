from __future__ import annotations

import stanza_lab as sl
from stanza_lab.simulate.describing import counts, readme


def test_the_readme_counts_what_is_there() -> None:
    production = sl.simulate_production(services=12, teams=3, days=7, incidents=4)
    found = counts(production)
    assert found["alerts"] == len(production.alerts) == sum(found["alerts_by_source"].values())
    assert "12 services of a shop, 3 teams" in readme(production)
    assert f"{found['incidents_with_alerts']} of the 4" in readme(production)
