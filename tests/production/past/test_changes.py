from __future__ import annotations

import functools

import numpy as np
import pandas as pd
import pytest

from stanza_lab.dependencies import DependencyModel
from stanza_lab.errors import ParameterError
from stanza_lab.production import ProductionMap
from stanza_lab.production.past.changes import COLUMNS, KINDS
from stanza_lab.simulate import simulate_production

START = pd.Timestamp("2026-03-01T03:00Z")
SINCE = "2026-04-30"  # day 60 of 90


def every(days: int, *, start: int = 0, stop: int = 90, late: str = "0s") -> list[pd.Timestamp]:
    hours = [START + pd.Timedelta(days=day, hours=day * 7 % 17) for day in range(start, stop, days)]
    return [at + pd.Timedelta(late) for at in hours]


def made(**fired: list[pd.Timestamp]) -> ProductionMap:
    rows = [{"service": name, "starts_at": at} for name, times in fired.items() for at in times]
    alerts = pd.DataFrame(rows).sort_values("starts_at", ignore_index=True)
    model = DependencyModel().fit(alerts)
    return ProductionMap(model.edges_, alerts, model=model)


@functools.cache
def story() -> ProductionMap:
    """db serves orders until day 55, then files does; search is gone from day 62 on, ads came on day 70."""
    apart = every(2, start=56, late="5h")  # orders alerts on, but no longer with db
    return made(
        db=every(2),
        orders=[*every(2, stop=56, late="70s"), *apart],
        files=[*every(2, stop=56, late="9h"), *(at + pd.Timedelta("40s") for at in apart)],
        search=every(3, stop=62, late="11h"),
        ads=every(3, start=70, late="2h"),
    )


def rows(found: pd.DataFrame, what: str) -> pd.DataFrame:
    return found[found["what"] == what]


def test_the_table_has_its_columns_and_its_order() -> None:
    found = story().changes(SINCE)
    assert tuple(found.columns) == COLUMNS
    assert tuple(found["what"].cat.categories) == KINDS
    assert found["what"].is_monotonic_increasing
    assert str(found["at"].dtype) == "datetime64[us, UTC]"
    assert {str(found[name].dtype) for name in ("before", "after", "expected", "probability")} == {"float64"}
    assert {str(found[name].dtype) for name in ("service", "src", "dst", "words")} == {"str"}


def test_a_service_that_fell_silent_is_gone_and_it_says_how_sure_that_is() -> None:
    found = rows(story().changes(SINCE), "service gone")
    assert found["service"].tolist() == ["search"]
    gone = found.iloc[0]
    assert gone["at"] == every(3, stop=62, late="11h")[-1]
    assert gone["expected"] == pytest.approx(10, abs=1.5)
    assert gone["probability"] < 0.001
    assert gone["words"].startswith("search alerted on 21 days, last on 2026-05-01; in the last")
    assert gone["words"].endswith("It is gone, or its monitors are.")


def test_a_service_that_first_alerts_is_said_to_be_new_only_with_its_odds() -> None:
    found = rows(story().changes(SINCE), "service appeared")
    assert found["service"].tolist() == ["ads"]
    assert found["at"].iloc[0] == every(3, start=70, late="2h")[0]
    assert found["probability"].iloc[0] < 0.01
    assert "had it been there in the 60 days before 2026-04-30, it would have alerted" in found["words"].iloc[0]


def test_both_ends_alert_on_and_no_longer_together() -> None:
    found = rows(story().changes(SINCE), "dependency gone")
    assert found[["src", "dst"]].to_numpy().tolist() == [["db", "orders"]]
    gone = found.iloc[0]
    assert gone["before"] > 0.5
    assert gone["expected"] > 5
    assert gone["words"].endswith("both still alert.")


def test_a_new_pair_whose_ends_alerted_apart_before_is_a_new_dependency() -> None:
    found = rows(story().changes(SINCE), "dependency appeared")
    new = found[found[["src", "dst"]].eq(["files", "orders"]).all(axis=1)]
    # It began four days before the window, with the counts of those days: what is known by then is not new.
    early = story().changes("2026-04-20")
    appeared = rows(early, "dependency appeared")
    assert appeared[["src", "dst"]].to_numpy().tolist() == [["files", "orders"]]
    assert appeared["probability"].iloc[0] < 0.01
    assert new.empty or new["probability"].notna().all()


def test_with_an_end_that_is_gone_a_dependency_is_not_lost_besides() -> None:
    production = made(db=every(2), orders=every(2, stop=60, late="70s"))
    found = production.changes(SINCE)
    assert rows(found, "service gone")["service"].tolist() == ["orders"]
    assert rows(found, "dependency gone").empty


def test_a_service_that_was_gone_before_is_no_change_since() -> None:
    production = made(db=every(2), search=every(2, stop=30, late="11h"))
    assert "search" in set(production.changes("2026-03-31")["service"].dropna())
    assert rows(production.changes("2026-05-10"), "service gone").empty


def test_what_alerts_too_rarely_is_counted_and_not_called_gone() -> None:
    production = made(db=every(2), search=every(25, stop=55, late="11h"))
    found = production.changes(SINCE)
    assert rows(found, "service gone").empty
    assert rows(found, "not judged")["words"].iloc[0].startswith("1 service did not alert since, too rare before")


def test_until_looks_no_further() -> None:
    found = story().changes("2026-04-25", until="2026-05-08")
    assert rows(found, "service appeared").empty


def test_a_view_sees_what_touches_it() -> None:
    found = story().near("search", hops=0).changes(SINCE)
    assert set(found["service"].dropna()) == {"search"}
    assert found["src"].isna().all()


def test_before_the_first_alert_everything_appeared() -> None:
    found = story().changes("2026-01-01")
    assert set(rows(found, "service appeared")["service"]) == {"ads", "db", "files", "orders", "search"}
    assert found["probability"].isna().all()


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [
        ("2027-01-01", None, "leaves nothing to look at: the history goes from 2026-03-01"),
        ("2026-04-01", "2026-03-20", "leaves nothing to look at"),
        ("2026-02-01", "2026-02-10", "nothing had alerted by then"),
        ("soon", None, "since='soon' is not a time"),
    ],
)
def test_times_outside_the_history_are_refused(since: str, until: str | None, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        story().changes(since, until=until)


def test_without_a_model_it_says_what_to_pass() -> None:
    with pytest.raises(ParameterError, match=r"changes counts again .* this map has no model"):
        ProductionMap(story().edges).changes(SINCE)


def test_without_alerts_times_are_days() -> None:
    production = ProductionMap(story().edges, model=story()._model)
    found = rows(production.changes(SINCE), "service gone")
    assert found["at"].iloc[0] == every(3, stop=62, late="11h")[-1].normalize()


@pytest.mark.parametrize("seed", range(4))
def test_where_nothing_changed_nothing_is_claimed(seed: int) -> None:
    alerts = simulate_production(services=24, teams=6, days=60, incidents=40, random_state=seed).alerts
    model = DependencyModel().fit(alerts)
    found = ProductionMap(model.edges_, alerts, model=model).changes("2026-08-10")
    assert not found["what"].isin(["service gone", "dependency gone"]).any()
    assert rows(found, "dependency appeared")["probability"].isna().all()


def test_the_order_of_alerts_does_not_matter() -> None:
    production = story()
    assert production.alerts is not None
    shuffled = production.alerts.sample(frac=1, random_state=0)
    model = DependencyModel().fit(shuffled)
    again = ProductionMap(model.edges_, shuffled, model=model).changes(SINCE)
    pd.testing.assert_frame_equal(again, production.changes(SINCE))
    assert np.isfinite(again["probability"].dropna()).all()
