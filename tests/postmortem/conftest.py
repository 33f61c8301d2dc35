from __future__ import annotations

import pytest

import stanza_lab as sl
from tests.postmortem import scenes

_RANKED = "stanza_lab.postmortem.origins.rank_origins"


@pytest.fixture
def pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pin where it began: what is asked here is what a review makes of it."""
    monkeypatch.setattr(_RANKED, scenes.origins)


@pytest.fixture(scope="session")
def found() -> sl.Review:
    """Return the review of incident 7 with all there is; nobody changes it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_RANKED, scenes.origins)
        return sl.review(
            scenes.history(),
            incident=7,
            production=scenes.production(),
            events=scenes.events(),
            pages=scenes.pages(),
        )
