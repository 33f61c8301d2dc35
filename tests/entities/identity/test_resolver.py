"""Which names are one service: joined, kept apart, given, explained."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from stanza_lab import EntityResolver, resolve_entities, schema
from stanza_lab.entities.identity.overrides import OverridesWarning
from stanza_lab.errors import ParameterError, SchemaError


def alerts_of(*stated, **columns):
    """Return alerts from pairs of system and service."""
    return pd.DataFrame({"source": [s for s, _ in stated], "service": [n for _, n in stated], **columns})


def found(alerts, **options):
    """Return the service of each name, as the resolver says."""
    resolver = EntityResolver(**options).fit(alerts)
    return dict(zip(resolver.names_["name"], resolver.names_["service"], strict=True))


CHECKOUT = [("datadog", "checkout"), ("cloudwatch", "prod-checkout-api"), ("sentry", "web-checkout")]


def test_one_service_under_the_names_of_four_tools():
    alerts = alerts_of(*CHECKOUT, ("pagerduty", "Checkout (P1)"))
    assert set(resolve_entities(alerts)["service"]) == {"checkout"}


@pytest.mark.parametrize(
    "names",
    [
        [("datadog", "orders-db"), ("cloudwatch", "orders-api")],
        [("datadog", "orders"), ("cloudwatch", "orders-worker")],
        [("datadog", "checkout"), ("cloudwatch", "staging-checkout")],
        [("datadog", "checkout"), ("cloudwatch", "checkout-stg")],
        [("datadog", "Checkout"), ("pagerduty", "Checkout (Staging)")],
        [("datadog", "payments"), ("sentry", "payouts")],
        [("datadog", "shard-1"), ("sentry", "shard-2")],
        [("datadog", "orders-eu-west-1"), ("cloudwatch", "orders-us-east-1")],
    ],
)
def test_siblings_and_stages_stay_apart(names):
    assert len(set(found(alerts_of(*names)).values())) == len(names)


def test_what_one_tool_has_side_by_side_is_two():
    alerts = alerts_of(("datadog", "orders-api"), ("datadog", "orders-web"), ("sentry", "orders"))
    services = found(alerts)
    assert len(set(services.values())) == 3
    conflicts = EntityResolver().fit(alerts).conflicts_
    assert {*conflicts["name"], *conflicts["other"]} == {"orders", "orders-api", "orders-web"}
    assert conflicts["probability"].max() <= 0.5  # two fit alike: neither is likelier


def test_alerts_that_state_both_join_what_no_word_would():
    labels = [json.dumps({"tags": ["service:basket"]})] * 12
    alerts = alerts_of(*[("datadog", "cart")] * 12, ("pagerduty", "basket"), labels=[*labels, None])
    assert len(set(found(alerts).values())) == 1


def test_a_tag_that_names_many_joins_none():
    tags = [json.dumps({"tags": ["service:platform"]})] * 30
    alerts = alerts_of(*[("datadog", f"svc{k % 10}x{'abcdefghij'[k % 10]}") for k in range(30)], labels=tags)
    assert len(set(found(alerts).values())) == 11


def test_hosts_in_common_join_an_old_name_and_a_new():
    old = [("datadog", "basket")] * 8
    new = [("datadog", "cart")] * 8
    times = pd.date_range("2026-05-01", periods=16, freq="1D", tz="UTC")
    hosts = [["web-a17"], ["web-b22"], *[[]] * 6, ["web-a17"], ["web-b22"], *[[]] * 6]
    alerts = alerts_of(*old, *new, starts_at=times, resources=hosts)
    assert len(set(found(alerts).values())) == 1
    assert "begins when the other ends" in str(EntityResolver().fit(alerts).explain("cart"))
    mixed = alerts.assign(starts_at=[*times[::2], *times[1::2]])
    assert len(set(found(mixed).values())) == 2


def test_people_win():
    overrides = {
        "services": {"Till": ["checkout", "web-checkout"]},
        "apart": [["checkout", "prod-checkout-api"]],
        "not_services": ["synthetics"],
        "teams": {"payments": ["pay-squad"]},
    }
    alerts = alerts_of(*CHECKOUT, ("datadog", "synthetics"), team=["pay-squad", "payments", None, None])
    resolved = resolve_entities(alerts, overrides=overrides)
    assert resolved["service"].astype(object).where(resolved["service"].notna(), None).tolist() == [
        "Till",
        "prod-checkout-api",
        "Till",
        None,
    ]
    assert resolved["team"].dropna().tolist() == ["payments", "payments"]


def test_people_join_what_evidence_forbids_and_that_is_listed():
    alerts = alerts_of(("datadog", "orders-api"), ("datadog", "orders-web"))
    resolver = EntityResolver(overrides={"services": {"orders": ["orders-api", "orders-web"]}}).fit(alerts)
    assert set(resolver.transform(alerts)["service"]) == {"orders"}
    assert "the overrides say" in str(resolver.explain("orders-web"))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"service": {}}, "service is not known; the keys are"),
        ({"services": ["a"]}, "has no names with lists of names"),
        ({"services": {"a": ["x"], "b": ["x"]}}, "'x' is listed under 'a' and 'b'"),
        ({"services": {"a": ["x"]}, "apart": [["a", "x"]]}, "are kept apart, but are one"),
        ({"services": {"a": [1]}}, "1 is no name; put it in quotes"),
        ({"services": {"a": []}, "not_services": ["a"]}, "under services and under not_services"),
    ],
)
def test_overrides_that_make_no_sense_are_refused(overrides, message):
    with pytest.raises(SchemaError, match=message):
        EntityResolver(overrides=overrides).fit(alerts_of(*CHECKOUT))


def test_overrides_may_be_a_file(tmp_path):
    path = tmp_path / "names.yaml"
    path.write_text("services:\n  till: [checkout]\n")
    assert resolve_entities(alerts_of(("datadog", "checkout")), overrides=path)["service"].tolist() == ["till"]
    path.write_text("services: [")
    with pytest.raises(SchemaError, match=r"names\.yaml, line 1: cannot be read as YAML: expected"):
        resolve_entities(alerts_of(("datadog", "checkout")), overrides=path)


def test_the_catalogue_names_the_service():
    catalog = pd.DataFrame({"service": ["web-checkout"], "team": ["shop"]})
    resolved = resolve_entities(alerts_of(*CHECKOUT), catalog=catalog)
    assert set(resolved["service"]) == {"web-checkout"}
    assert set(resolved["team"]) == {"shop"}


def test_a_larger_threshold_joins_less():
    assert len(set(found(alerts_of(*CHECKOUT), min_confidence=1.0).values())) == 3
    with pytest.raises(ParameterError, match="min_confidence=2 must be between 0 and 1"):
        EntityResolver(min_confidence=2).fit(alerts_of(*CHECKOUT))


def test_explain_says_where_why_and_what_speaks_against():
    said = str(EntityResolver().fit(alerts_of(*CHECKOUT, ("datadog", "checkout-db"))).explain("web-checkout"))
    assert said.startswith("'web-checkout' is checkout: confidence 0.")
    assert "stands in sentry service (1)" in said
    assert "both are called checkout" in said
    assert "web in web-checkout is taken for a habit of its tool" in said


def test_explain_of_a_name_nobody_has_says_which_there_are():
    with pytest.raises(ParameterError, match=r"called 'checkou'; names like it are \['checkout', 'web-checkout'\]"):
        EntityResolver().fit(alerts_of(("datadog", "checkout"), ("datadog", "web-checkout"))).explain("checkou")


def test_explanation_is_escaped_in_html():
    alerts = alerts_of(("datadog", "<b>x</b>"), ("sentry", "web-<b>x</b>"))
    assert "<b>" not in EntityResolver().fit(alerts).explain("<b>x</b>")._repr_html_()


def test_new_alerts_are_resolved_by_what_was_learned():
    resolver = EntityResolver().fit(alerts_of(*CHECKOUT))
    new = alerts_of(("sentry", "web-checkout"), ("sentry", "unheard-of"))
    assert resolver.transform(new)["service"].tolist() == ["checkout", "unheard-of"]


def test_order_of_alerts_does_not_matter():
    alerts = alerts_of(*CHECKOUT, ("datadog", "orders-api"), ("sentry", "orders"), ("pagerduty", "Orders (P2)"))
    pd.testing.assert_frame_equal(EntityResolver().fit(alerts).names_, EntityResolver().fit(alerts[::-1]).names_)


def test_nothing_stated_is_nothing_learned():
    resolver = EntityResolver().fit(schema.empty(schema.ALERTS))
    assert resolver.names_.empty
    assert resolver.conflicts_.empty
    schema.check(resolver.names_, schema.NAMES)


def test_spans_name_services_too():
    spans = pd.DataFrame({"trace_id": ["t1"], "service": ["checkoutservice"]})
    resolver = EntityResolver().fit(alerts_of(("datadog", "checkout-service")), spans=spans)
    assert resolver.canonical("checkoutservice") == resolver.canonical("checkout-service")


def test_what_was_learned_follows_what_people_say():
    alerts = alerts_of(*CHECKOUT)
    resolver = EntityResolver(overrides={"services": {"till": ["checkout"]}}).fit(alerts)
    assert set(resolver.transform(alerts)["service"]) == {"till"}
    names = resolver.names_.set_index("name")
    assert names["basis"].to_dict() == {"checkout": "given", "prod-checkout-api": "learned", "web-checkout": "learned"}
    assert names.loc["checkout", "confidence"] == 1.0
    assert names.loc["web-checkout", "confidence"] < 1.0


def test_names_given_to_two_services_are_never_joined_by_what_is_learned():
    overrides = {"services": {"till": ["checkout"], "shop": ["web-checkout"]}}
    alerts = alerts_of(*CHECKOUT)
    services = resolve_entities(alerts, overrides=overrides)["service"].tolist()
    assert services[0] == "till"
    assert services[2] == "shop"


def test_numbered_things_are_not_compared_with_each_other():
    alerts = alerts_of(*[(("datadog", "sentry")[k % 2], f"job-{k:05d}AB{k:05d}") for k in range(3000)])
    resolver = EntityResolver().fit(alerts)
    assert len(resolver.identity_.pairs) < 3000
    assert resolver.names_["service"].nunique() == 3000


def test_an_alert_that_names_very_many_says_nothing_of_any_two():
    labels = json.dumps({"tags": [f"service:unit{k}x" for k in range(500)]})
    resolver = EntityResolver().fit(alerts_of(("datadog", "checkout"), labels=[labels]))
    assert (resolver.identity_.pairs["alerts"] == 0).all()


def test_overrides_that_name_nothing_known_are_told():
    with pytest.warns(OverridesWarning, match="no alert and no catalogue names: chekout"):
        EntityResolver(overrides={"services": {"till": ["chekout"]}}).fit(alerts_of(*CHECKOUT))


def test_a_key_given_twice_is_refused(tmp_path):
    path = tmp_path / "names.yaml"
    path.write_text("services:\n  a: [x]\n  a: [y]\n")
    with pytest.raises(SchemaError, match="'a' stands there twice"):
        EntityResolver(overrides=path).fit(alerts_of(*CHECKOUT))


def test_what_is_no_service_is_none_in_any_spelling():
    alerts = alerts_of(("datadog", "probe"), ("datadog", "prod-probe"), ("datadog", "Probe (P1)"), ("datadog", "web"))
    assert resolve_entities(alerts, overrides={"not_services": ["probe"]})["service"].dropna().tolist() == ["web"]


def test_a_team_may_be_called_as_its_longer_name():
    alerts = alerts_of(("datadog", "x"), ("datadog", "x"), team=["pay", "team-pay"])
    assert set(resolve_entities(alerts, overrides={"teams": {"team-pay": ["pay"]}})["team"]) == {"team-pay"}


def test_spans_without_a_trace_id_name_services_still():
    spans = pd.DataFrame({"trace_id": ["1", None], "service": ["web", "shop"]})
    assert {"web", "shop"} <= set(EntityResolver().fit(alerts_of(("datadog", "web")), spans=spans).names_["name"])


def test_a_nameless_row_of_the_catalogue_is_none():
    catalog = pd.DataFrame({"service": ["checkout", ""], "team": ["shop", "lost"]})
    assert resolve_entities(alerts_of(("datadog", "checkout")), catalog=catalog)["team"].tolist() == ["shop"]
