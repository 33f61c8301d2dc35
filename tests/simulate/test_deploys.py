from __future__ import annotations

import pandas as pd

import stanza_lab as sl


def test_a_bad_deploy_stands_before_its_incident() -> None:
    production = sl.simulate_production(incidents=120)
    bad = production.incidents[production.incidents["fault_type"] == "deploy regression"]
    deploys = production.deploys
    assert len(bad) > 5
    for incident in bad.itertuples():
        earlier = incident.start - deploys.loc[deploys["service"] == incident.root_service, "at"]
        assert earlier.between(pd.Timedelta("1min"), pd.Timedelta("8min")).any()


def test_people_deploy_code_in_office_hours() -> None:
    production = sl.simulate_production()
    at = production.deploys["at"]
    kinds = production.services.set_index("service").loc[production.deploys["service"], "kind"]
    assert at.is_monotonic_increasing
    assert at.dt.hour.between(8, 17).mean() > 0.8
    assert set(kinds) <= {"web", "service", "lambda"}
