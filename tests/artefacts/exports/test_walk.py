"""The walk of a bundle: what it holds, in a fixed order, and what was left out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stanza_lab.artefacts.exports.walk import Walk
from stanza_lab.errors import ParameterError, UnknownNameError

if TYPE_CHECKING:
    import stanza_lab as sl


def test_everything_of_the_bundle_is_walked_in_order(bundle: sl.Bundle) -> None:
    walk = Walk.of(bundle, min_confidence=0)
    names = [one.name for one in walk.services]
    assert names == sorted(bundle.services["service"])
    ends = [(link.src, link.dst) for link in walk.links]
    assert ends == sorted(ends)
    assert len(ends) == len(bundle.production.links)
    assert [one.rule for one in walk.rules] == bundle.rules["rule"].tolist()
    assert walk.bundle_id == bundle.id


def test_two_walks_of_one_bundle_are_equal(bundle: sl.Bundle) -> None:
    one, two = Walk.of(bundle), Walk.of(bundle)
    assert (one.services, one.links, one.rules, one.settings) == (two.services, two.links, two.rules, two.settings)


def test_links_that_are_less_likely_are_left_out_and_counted(bundle: sl.Bundle) -> None:
    every = Walk.of(bundle, min_confidence=0).links
    least = sorted(link.link_confidence for link in every)[len(every) // 2]
    walk = Walk.of(bundle, min_confidence=least)
    assert walk.links
    assert all(link.link_confidence >= least for link in walk.links)
    left = len(every) - len(walk.links)
    assert left > 0
    assert any(sentence.startswith(f"{left} link") for sentence in walk.unseen)


def test_chosen_services_come_with_their_own_links_and_rules(bundle: sl.Bundle) -> None:
    link = Walk.of(bundle, min_confidence=0).links[0]
    walk = Walk.of(bundle, min_confidence=0, services=[link.src, link.dst])
    assert {one.name for one in walk.services} == {link.src, link.dst}
    assert {(one.src, one.dst) for one in walk.links} <= {(link.src, link.dst), (link.dst, link.src)}
    assert {one.service for one in walk.rules} <= {link.src, link.dst}
    assert any("other services of the map are left out" in sentence for sentence in walk.unseen)


def test_a_direction_is_never_surer_than_its_link(bundle: sl.Bundle) -> None:
    for link in Walk.of(bundle, min_confidence=0).links:
        assert 0 <= link.confidence <= link.link_confidence <= 1


def test_durations_are_seconds(bundle: sl.Bundle) -> None:
    settings = Walk.of(bundle).settings
    assert all(isinstance(value, int | float) for value in settings.values())
    assert settings["max_gap"] > 1


def test_whose_a_service_is(bundle: sl.Bundle) -> None:
    walk = Walk.of(bundle)
    one = next(one for one in walk.services if one.team)
    assert walk.team_of(one.name) == one.team
    assert walk.team_of("no-such-service") is None
    assert one.team in walk.teams


def test_a_service_that_is_not_there_is_refused(bundle: sl.Bundle) -> None:
    with pytest.raises(UnknownNameError, match="no-such-service"):
        Walk.of(bundle, services=["no-such-service"])


@pytest.mark.parametrize("least", [-0.1, 1.1, float("nan")])
def test_a_confidence_that_is_none_is_refused(bundle: sl.Bundle, least: float) -> None:
    with pytest.raises(ParameterError, match="min_confidence"):
        Walk.of(bundle, min_confidence=least)
