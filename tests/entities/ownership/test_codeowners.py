"""CODEOWNERS of GitHub and GitLab."""

from __future__ import annotations

import time

import pytest

from stanza_lab import read_ownership
from stanza_lab.entities.ownership._codeowners import _matches, owned

GITHUB = """\
# The last match wins.
*                     @acme/platform   # everyone
/services/checkout/   @acme/payments jane@acme.test
/services/search/     jane@acme.test @jdoe @acme/search @acme/discovery
/services/mail/       jane@acme.test
/services/cart        @acme/basket
services/orders/**    @acme/fulfilment
/services/checkout/docs/  @acme/writers
*.md                  @acme/writers
/services/README.md   @acme/writers
/docs/                @acme/writers
/apps/web/            @acme/web
"""
GITLAB = """\
* @acme/platform

[Payments] @acme/shop/payments
/services/checkout/
/services/ledger/ @@maintainer @finance-team

^[Docs][2] @acme/writers
/services/checkout/

[search] @search
/services/search/
/services/mail/ @jdoe
!/services/gone/
"""


def test_github_services_have_the_team_of_the_last_match() -> None:
    assert owned(GITHUB, "shop") == [
        ("checkout", "payments"),
        ("search", "search"),
        ("cart", "basket"),
        ("orders", "fulfilment"),
        ("web", "web"),
    ]


def test_later_rule_for_all_services_wins_over_one_service() -> None:
    assert owned("/services/checkout/ @acme/payments\n/services/ @acme/platform\n", None) == [("checkout", "platform")]
    assert owned("/services/checkout/ @acme/payments\n/services/checkout/\n", None) == []


def test_gitlab_sections_are_looked_at_one_by_one() -> None:
    assert owned("[Payments] @acme/shop/payments\n/services/checkout/\n", None) == [("checkout", "payments")]
    assert owned(GITLAB.replace("* @acme/platform", ""), None) == [
        ("checkout", "payments"),
        ("ledger", "finance-team"),
        ("search", "search"),
    ]


def test_gitlab_rule_for_all_files_is_the_last_that_counts() -> None:
    assert owned(GITLAB, None) == [
        ("checkout", "payments"),
        ("ledger", "finance-team"),
        ("search", "search"),
        ("mail", "platform"),
    ]


def test_gitlab_sections_of_one_name_are_one() -> None:
    text = "[A] @acme/a\n/services/x/\n[B] @acme/b\n/services/y/\n[a]\n/services/y/\n/services/x/ @acme/c\n"
    assert owned(text, None) == [("x", "c"), ("y", "a")]


def test_handle_without_slash_is_a_team_only_where_it_may_be_and_sounds_so() -> None:
    assert owned("/services/a/ @payments-team\n", None) == []
    assert owned("/services/a/ @payments-team\n/services/b/ @jdoe", None, gitlab=True) == [("a", "payments-team")]


def test_repository_without_service_folders_is_one_service() -> None:
    assert owned("* @acme/payments\n*.md @acme/writers\n/docs/ @acme/writers\n", "checkout") == [
        ("checkout", "payments")
    ]
    assert owned("* jane@acme.test\n", "checkout") == []
    assert owned("/docs/ @acme/writers\n", "checkout") == []


@pytest.mark.parametrize("place", ["CODEOWNERS", ".github/CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"])
def test_repository_is_called_as_its_folder(tmp_path, place) -> None:
    path = tmp_path / "checkout" / place
    path.parent.mkdir(parents=True)
    path.write_text("* @acme/payments\n")
    for given in (path, tmp_path / "checkout", tmp_path):
        assert read_ownership(given)[["service", "team"]].values.tolist() == [["checkout", "payments"]]


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("*", True),
        ("**", True),
        ("/", True),
        ("/*", False),
        ("/services/", True),
        ("services", True),
        ("/services/*", False),
        ("/services/*/", True),
        ("/services/**", True),
        ("/services/checkout", True),
        ("services/checkout/*", True),
        ("/services/check*/", True),
        ("/services/check?ut/", True),
        ("/services/checkou/", False),
        ("checkout/", True),
        ("/checkout/", False),
        ("**/checkout/**", True),
        ("*.md", False),
        ("/services/checkout/docs/", False),
        ("/services/[c]heckout/", False),
    ],
)
def test_patterns_mean_what_they_mean_to_git(pattern, matches) -> None:
    assert _matches(pattern, ("services", "checkout", "\0")) is matches


def test_no_pattern_takes_long() -> None:
    hostile = ["**/" * 100 + "x", "*a" * 200 + "b", "a" * 100_000, "(" * 400, "[" * 400, "\\"]
    text = "".join(f"/services/{'a' * 200}/ @acme/a\n{pattern} @acme/b\n" for pattern in hostile)
    start = time.process_time()
    assert owned(text, None) == [("a" * 200, "a")]
    assert time.process_time() - start < 2
