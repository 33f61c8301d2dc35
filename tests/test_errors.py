from __future__ import annotations

import inspect

import pytest

from stanza_lab import errors


def test_every_error_is_a_stanza_error() -> None:
    classes = [c for _, c in inspect.getmembers(errors, inspect.isclass) if c.__module__ == errors.__name__]
    assert {c.__name__ for c in classes if not issubclass(c, errors.StanzaError)} == {"StanzaWarning"}


@pytest.mark.parametrize(
    ("known", "hint"),
    [
        (["checkout", "cart"], "service 'chekout' not found; did you mean 'checkout'?"),
        (["a", "b"], "service 'chekout' not found; 2 known: 'a', 'b'"),
        ([], "service 'chekout' not found; no service is known here"),
    ],
)
def test_unknown_name_says_what_is_there(known: list[str], hint: str) -> None:
    assert str(errors.UnknownNameError.among("service", "chekout", known)) == hint


def test_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        raise errors.UnknownNameError("x")
