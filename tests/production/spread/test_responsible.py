"""Whose a service in trouble is likely to be."""

from __future__ import annotations

import pandas as pd
import pytest

from stanza_lab.errors import ParameterError, UnknownNameError
from stanza_lab.production import ProductionMap

START = pd.Timestamp("2026-03-01T00:00Z")
# shop -> cart -> cart-db, shop -> search; reports -> cart-db
EDGES = pd.DataFrame(
    [("shop", "cart", 0.9), ("cart", "cart-db", 0.9), ("shop", "search", 0.9), ("reports", "cart-db", 0.9)],
    columns=["src", "dst", "confidence"],
)
OWNERS = pd.DataFrame(
    {
        "service": ["shop", "cart", "cart-db", "search"],
        "team": ["web", "cart", "storage", "search"],
        "on_call": ["web-primary", "cart-primary", "storage-primary", None],
    }
)
NOISE = [
    (name, 5000.0 + 700 * k + 97 * n)
    for n, name in enumerate(["shop", "cart", "cart-db", "search", "reports"])
    for k in range(6)
]


def production(*rows: tuple[str, float], owners: pd.DataFrame | None = OWNERS) -> ProductionMap:
    table = pd.DataFrame([*rows, *NOISE], columns=["service", "minute"])
    alerts = table.assign(starts_at=START + pd.to_timedelta(table.pop("minute"), unit="min"))
    return ProductionMap(EDGES, alerts, ownership=owners)


def at(minute: float) -> pd.Timestamp:
    return START + pd.Timedelta(minutes=minute)


FAILING = [("cart-db", 20_000.0), ("cart", 20_001.0), ("reports", 20_001.5), ("shop", 20_002.0)]


def test_the_team_whose_failure_explains_who_fires_comes_first() -> None:
    found = production(*FAILING).whom_to_wake("shop", at=at(20_005))
    assert found["team"].iloc[0] == "storage"
    assert found["suspects"].iloc[0] == ["cart-db"]
    assert (found["wake"].iloc[0], found["on_call"].iloc[0]) == ("wake now", "storage-primary")
    assert found["probability"].sum() == pytest.approx(1.0, abs=0.02)
    assert found["rank"].tolist() == list(range(1, len(found) + 1))


def test_reasons_say_what_speaks_for_and_against() -> None:
    found = production(*FAILING).whom_to_wake("shop", at=at(20_005)).set_index("team")
    reasons = found.loc["storage", "reasons"]
    assert reasons[0].startswith("shop depends on cart-db: 0.")
    assert "likeliest through cart" in reasons[0]
    assert "cart-db began to fire 2 min before shop" in reasons
    assert "it would explain cart, reports" in reasons
    assert "wake now (storage-primary)" in found.loc["storage", "words"]


def test_who_is_alone_in_trouble_is_suspected_itself() -> None:
    found = production(("shop", 20_000.0)).whom_to_wake("shop", at=at(20_005))
    assert found["team"].iloc[0] == "web"
    assert found["reasons"].iloc[0][:2] == ["shop is theirs", "shop began to fire 5 min ago"]


def test_silence_speaks_against_a_suspect() -> None:
    found = production(("shop", 20_000.0), ("search", 19_999.0)).whom_to_wake("shop", at=at(20_005))
    assert found["team"].iloc[0] == "search"
    rest = found[found["team"] != "search"].explode("reasons")
    assert not rest["reasons"].str.contains("would explain").any()
    both = production(("shop", 20_000.0), ("cart", 19_999.0)).whom_to_wake("shop", at=at(20_005)).set_index("team")
    assert "cart-db itself is silent" in both.loc["storage", "reasons"]


def test_the_future_is_not_looked_at() -> None:
    early = production(*FAILING[:1], ("shop", 19_999.0)).whom_to_wake("shop", at=at(20_000.5))
    more = production(*FAILING[:1], ("shop", 19_999.0), ("search", 20_001.0), ("cart", 20_003.0))
    later = more.whom_to_wake("shop", at=at(20_000.5))
    assert early["team"].tolist() == later["team"].tolist()
    assert later["probability"].tolist() == pytest.approx(early["probability"].tolist(), abs=0.05)


def test_without_a_moment_past_firings_decide() -> None:
    rows = [(name, 20_000.0 + 1000 * k + lag) for k in range(30) for name, lag in (("search", 0.0), ("shop", 1.0))]
    found = production(*rows).whom_to_wake("shop").set_index("team")
    assert found.index[0] == "search"
    assert "search fired around 30 of 36 past firings of shop, before it in 30" in found.loc["search", "reasons"]


def test_the_own_team_is_always_there_and_at_least_asked() -> None:
    found = production(*FAILING).whom_to_wake("shop", at=at(20_005)).set_index("team")
    assert (found.loc["web", "probability"] < 0.2, found.loc["web", "wake"]) == (True, "ask first")
    assert found.loc["web", "reasons"][-1] == "it is their service: ask them first"


def test_a_team_that_is_not_known_is_called_so_service_by_service() -> None:
    found = production(*FAILING, owners=OWNERS.head(2)).whom_to_wake("shop", at=at(20_005))
    assert found["team"].iloc[0] == "team not known (service cart-db)"
    assert found["on_call"].isna().iloc[0]
    assert (found["probability"].iloc[0] >= 0.5, found["wake"].iloc[0]) == (True, "ask first")
    assert found["reasons"].iloc[0][-1] == "nobody to wake is known for it: find out whose it is"


def test_from_links_alone_it_says_so() -> None:
    found = ProductionMap(EDGES, ownership=OWNERS).whom_to_wake("shop")
    assert found["team"].iloc[0] == "web"
    assert "pass alerts= to the map" in found.attrs["words"][0]
    assert found["wake"].iloc[0] == "ask first"  # likely theirs, but nothing is known to be wrong


def test_a_moment_needs_alerts() -> None:
    with pytest.raises(ParameterError, match="pass alerts= to the map"):
        ProductionMap(EDGES).whom_to_wake("shop", at="2026-03-01")


def test_a_moment_when_nothing_fired_says_so() -> None:
    found = production(*FAILING).whom_to_wake("shop", at=at(21_000))
    assert "0 services began to fire within 15 min before" in found.attrs["words"][0]
    assert "shop itself did not alert then" in found.attrs["words"][1]
    assert found.attrs["words"][2] == "nothing fired then that has to do with it: this is only the links"
    assert "wake now" not in set(found["wake"])
    assert found["reasons"].iloc[0][-1] == "no alert speaks for it: ask before you wake anyone"


def test_unknown_services_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean"):
        production().whom_to_wake("shpo")


def test_how_often_a_service_alerts_is_what_was_known_then() -> None:
    before = [("shop", 100.0), ("cart", 99.0)]
    later = [("cart-db", 20_000.0 + 500 * k) for k in range(40)]
    asked = {"service": "shop", "at": at(101)}
    then, now = production(*before).whom_to_wake(**asked), production(*before, *later).whom_to_wake(**asked)
    pd.testing.assert_frame_equal(then, now)
    assert now.attrs["words"] == then.attrs["words"]
    assert "search" in " ".join(now.attrs["words"])  # it had not alerted by then
    assert any("later alerts included" in said for said in now.attrs["words"])


@pytest.mark.parametrize("moment", ["2300-01-01", "1600-01-01"])
def test_a_moment_out_of_reach_is_refused(moment: str) -> None:
    with pytest.raises(ParameterError, match="out of reach"):
        production().whom_to_wake("shop", at=moment)


def test_a_service_that_never_alerted_is_still_likelier_itself_than_what_it_may_depend_on() -> None:
    edges = pd.concat([EDGES, EDGES.tail(1).assign(src="quiet", dst="cart", confidence=0.2)], ignore_index=True)
    alerts = production(*FAILING).alerts
    found = ProductionMap(edges, alerts, ownership=OWNERS).whom_to_wake("quiet")
    assert found["team"].iloc[0] == "team not known (service quiet)"
    assert found["wake"].iloc[0] == "ask first"
    assert found["probability"].iloc[0] > 0.6


@pytest.mark.parametrize("minute", [4_000, 20_002 + 1_441])
def test_a_moment_outside_the_history_is_refused_with_what_it_covers(minute: float) -> None:
    with pytest.raises(ParameterError, match=r"go from 2026-03-04 11:20 to 2026-03-14 21:22 UTC"):
        production(*FAILING).whom_to_wake("shop", at=at(minute))


def test_links_of_later_are_named_only_where_later_alerts_are_known() -> None:
    to_now, further = production(*FAILING), production(*FAILING, ("search", 20_100.0))
    words = [made.whom_to_wake("shop", at=at(20_005)).attrs["words"] for made in (to_now, further)]
    assert [any("later alerts included" in said for said in some) for some in words] == [False, True]


def test_a_service_without_dependencies_has_no_other_suspect_and_that_is_said() -> None:
    found = production(*FAILING).whom_to_wake("cart-db", at=at(20_005))
    assert found["team"].tolist() == ["storage"]
    assert "nothing is known that cart-db depends on: there is no other suspect" in found.attrs["words"]


def test_callers_behind_one_service_do_not_count_one_by_one_against_its_database() -> None:
    callers = [f"caller-{k}" for k in range(8)]
    rows = [("api", "db", 0.9, 0.95), *[(name, "api", 0.95, 0.95) for name in callers]]
    edges = pd.DataFrame(rows, columns=["src", "dst", "confidence", "link_confidence"])
    past = [(name, 5000.0 + 700 * k + 97 * n) for n, name in enumerate(["db", "api", *callers]) for k in range(6)]
    now = [("db", 20_000.0), *[(name, 20_001.0) for name in callers]]  # the api itself stays silent
    table = pd.DataFrame([*past, *now], columns=["service", "minute"])
    alerts = table.assign(starts_at=START + pd.to_timedelta(table.pop("minute"), unit="min"))
    owners = pd.DataFrame({"service": ["db", "api"], "team": ["storage", "api"]})
    made = ProductionMap(edges, alerts, ownership=owners)
    assert made.services.set_index("service").loc["db", "alerts"] == 7
    at_db, at_caller = (made.whom_to_wake(name, at=at(20_004)) for name in ("db", "caller-3"))
    assert (at_db["team"].iloc[0], at_db["wake"].iloc[0]) == ("storage", "wake now")
    assert at_caller["team"].iloc[0] == "storage"
