from __future__ import annotations

import pandas as pd
import pytest

from stanza_lab import schema
from stanza_lab.errors import ParameterError, SchemaError, UnknownNameError
from stanza_lab.production import ProductionMap
from stanza_lab.production.past.replay import choose, first_movers, lit, states

EDGES = schema.build(
    [
        {"src": "shop", "dst": "orders", "confidence": 0.9, "support": 9, "lag_s": 60, "provenance": ["inferred"]},
        {"src": "orders", "dst": "db", "confidence": 0.8, "support": 9, "lag_s": 60, "provenance": ["inferred"]},
        {"src": "orders", "dst": "mail", "confidence": 0.7, "support": 9, "lag_s": 60, "provenance": ["inferred"]},
        {"src": "mail", "dst": "queue", "confidence": 0.7, "support": 9, "lag_s": 60, "provenance": ["inferred"]},
    ],
    schema.EDGES,
)

COLUMNS = ["service", "incident_id", "summary", "starts_at", "ends_at", "acked_at", "severity"]


def alert(service: str | None, at: str, end: str | None = None, incident: int = 3, **more: object) -> dict[str, object]:
    times = {"starts_at": f"2026-03-01T{at}Z", "ends_at": end and f"2026-03-01T{end}Z"}
    return {"service": service, "incident_id": incident, "summary": f"{service} is slow", **times, **more}


def made(*alerts: dict[str, object]) -> ProductionMap:
    return ProductionMap(EDGES, schema.build(alerts, schema.ALERTS)[COLUMNS])


@pytest.fixture
def production() -> ProductionMap:
    return made(
        alert("db", "14:02:10", "14:20", severity="critical", acked_at="2026-03-01T14:09Z"),
        alert("orders", "14:04:30", "14:06", severity="warning"),
        alert("orders", "14:05:10", "14:18", severity="error"),
        alert("shop", "14:06", None),
        alert("search", "16:00", "16:05", incident=9),
    )


def course_of(found: pd.DataFrame, service: str) -> dict[str, str]:
    mine = found[found["service"] == service]
    changed = mine[mine["state"].astype(str) != mine["state"].astype(str).shift()]
    return {f"{row.at:%H:%M}": str(row.state) for row in changed.itertuples()}


def test_each_service_goes_through_its_states(production: ProductionMap) -> None:
    found = production.replay(3, step="1min")
    assert course_of(found, "db") == {"14:02": "firing", "14:09": "acknowledged", "14:20": "recovered"}
    assert course_of(found, "orders") == {"14:04": "firing", "14:18": "recovered"}
    assert course_of(found, "shop") == {"14:06": "firing", "14:36": "end not known"}


def test_rows_are_sorted_and_typed_and_leave_out_who_has_not_alerted(production: ProductionMap) -> None:
    found = production.replay(3, step="1min")
    assert list(found.columns) == ["frame", "at", "service", "state", "alerts", "severity", "since_s", "first", "title"]
    assert found[["frame", "service"]].equals(found[["frame", "service"]].sort_values(["frame", "service"]))
    assert str(found["at"].dtype) == "datetime64[us, UTC]"
    assert found["severity"].cat.ordered
    assert found.loc[found["frame"] == 0, "service"].tolist() == ["db"]


def test_a_step_counts_what_is_open_in_it_with_the_worst_and_the_latest(production: ProductionMap) -> None:
    found = production.replay(3, step="1min").set_index(["at", "service"])
    row = found.loc[(pd.Timestamp("2026-03-01T14:05Z"), "orders")]
    assert (row["alerts"], row["severity"], row["title"], row["since_s"]) == (2, "error", "orders is slow", 90.0)
    late = found.loc[(pd.Timestamp("2026-03-01T14:07Z"), "orders")]
    assert (late["alerts"], late["severity"]) == (1, "error")


def test_an_alert_that_came_and_went_within_a_step_is_seen() -> None:
    found = made(alert("db", "14:02:10", "14:02:40"), alert("db", "14:40", "14:50")).replay(3, step="10min")
    assert found["state"].tolist()[:2] == ["firing", "recovered"]


def test_what_something_it_depends_on_preceded_is_not_first(production: ProductionMap) -> None:
    found = production.replay(3).drop_duplicates("service", keep="last")
    assert found.loc[found["first"], "service"].tolist() == ["db"]


def test_first_looks_across_one_silent_service() -> None:
    production = made(alert("queue", "14:00", "14:20"), alert("orders", "14:04", "14:20"))
    assert first_movers(choose(production, 3)) == ["queue"]


def test_who_is_preceded_by_a_caller_only_is_first_and_a_minute_is_no_order() -> None:
    assert first_movers(choose(made(alert("orders", "14:00"), alert("db", "14:05")), 3)) == ["orders", "db"]
    assert first_movers(choose(made(alert("db", "14:00:00"), alert("orders", "14:00:50")), 3)) == ["db", "orders"]


def test_a_link_is_lit_while_both_ends_alert_soon_after_each_other(production: ProductionMap) -> None:
    course = choose(production, 3, step="1min")
    links = lit(course, states(course))
    at = {f"{time:%H:%M}": pairs for time, pairs in zip(course.times, links, strict=True)}
    assert at["14:03"] == []
    assert at["14:05"] == [("orders", "db")]
    assert sorted(at["14:10"]) == [("orders", "db"), ("shop", "orders")]
    assert at["14:30"] == []


def test_ends_that_alerted_far_apart_do_not_light_their_link() -> None:
    course = choose(made(alert("db", "14:00", "15:00"), alert("orders", "14:20", "15:00")), 3)
    assert not any(lit(course, states(course)))


@pytest.mark.parametrize(
    ("last", "step"), [("14:03", "1min"), ("14:50", "2min"), ("16:00", "5min"), ("23:00", "10min")]
)
def test_steps_are_round_and_at_most_sixty(last: str, step: str) -> None:
    course = choose(made(alert("db", "14:02:10", "14:03"), alert("orders", last, "23:30")), 3)
    assert course.step == pd.Timedelta(step)
    assert len(course.times) <= 60
    assert course.times[0] <= pd.Timestamp("2026-03-01T14:02:10Z") < course.times[1]


def test_one_late_recovery_does_not_squeeze_the_rest() -> None:
    course = choose(made(alert("db", "14:00", "23:00"), alert("orders", "14:10", "14:20")), 3)
    assert course.times[-1] == pd.Timestamp("2026-03-01T14:40Z")


def test_a_period_instead_of_an_incident(production: ProductionMap) -> None:
    found = production.replay(since="2026-03-01T15:00Z", until="2026-03-01T17:00Z")
    assert found["service"].unique().tolist() == ["search"]
    assert found["at"].min() == pd.Timestamp("2026-03-01T16:00Z")
    everything = production.replay(since="2026-03-01")
    assert set(everything["service"]) == {"db", "orders", "shop", "search"}


def test_an_unknown_incident_names_those_near(production: ProductionMap) -> None:
    with pytest.raises(UnknownNameError, match=r"incident 4 not found; 2 known, 3 to 9; near: \[3, 9\]"):
        production.replay(4)
    with pytest.raises(UnknownNameError, match="incident -1 not found"):
        made(alert("db", "14:00", incident=-1), alert("orders", "14:10")).replay(-1)


def test_a_view_replays_its_own_services(production: ProductionMap) -> None:
    assert production.near("db", hops=0).replay(3)["service"].unique().tolist() == ["db"]
    with pytest.raises(UnknownNameError, match=r"no alert of incident 3 .* its services: \['db', 'orders', 'shop'\]"):
        production.near("mail", hops=0).replay(3)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, "pass an incident"),
        ({"incident": 3, "since": "2026-03-01"}, "pass an incident"),
        ({"incident": 3, "until": "2026-03-01"}, "goes with since="),
        ({"incident": 3, "step": "1s"}, "makes 2,"),
        ({"incident": 3, "step": "soon"}, "step='soon' is not a duration"),
        ({"since": "2027-01-01"}, "nothing fired from 2027"),
    ],
)
def test_wrong_parameters_are_refused(production: ProductionMap, wrong: dict, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        production.replay(**wrong)


def test_without_alerts_or_incidents_it_says_what_is_missing(production: ProductionMap) -> None:
    with pytest.raises(SchemaError, match="this map has no alerts to replay"):
        ProductionMap(EDGES).replay(3)
    assert production.alerts is not None
    with pytest.raises(SchemaError, match=r"carry no incident_id; .* sl.cluster_incidents"):
        ProductionMap(EDGES, production.alerts.drop(columns="incident_id")).replay(3)


def test_alerts_without_a_service_are_counted() -> None:
    assert choose(made(alert("db", "14:00"), alert(None, "14:01")), 3).nameless == 1


@pytest.mark.parametrize("incident", ["7", True, 7.5])
def test_an_incident_is_a_number(production: ProductionMap, incident: object) -> None:
    with pytest.raises(ParameterError, match="is no number"):
        production.replay(incident)  # type: ignore[arg-type]
