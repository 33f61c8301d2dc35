"""Whatever the record: redaction tells people apart, finds all it knows, changes nothing else, and ends."""

from __future__ import annotations

import json
import time
from collections import Counter

import orjson
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab.loaders import Redaction
from stanza_lab.loaders.redaction import Redactor
from tests.loaders.test_redaction import MAIL, everything, redacted

words = st.text("abcdefghij", min_size=4, max_size=12)
logins = st.builds(lambda a, b, n: f"{a}{n}{b}x", words, words, st.integers(0, 99))
texts = st.text(max_size=12)
# How sensitive data stand in a record: a login goes in.
FORMS = (
    *(
        lambda w, key=key: {key: w}
        for key in (
            "user",
            "userName",
            "User Name",
            "assignee",
            "acknowledged_by",
            "resolvedBy",
            "sys_created_by",
            "enduser.id",
            "lastModifiedUserName",
            "labels.user",
            "'user'",
            "client_secret",
            "password",
            "X-Api-Key",
            "Set-Cookie",
            "caller_id",
            "webhook_url",
            "http.request.header.authorization",
            "url_private",
            "SubscribeURL",
            "ackId",
            "ss_user",
            "login",
        )
    ),
    lambda w: {"assignee": {"name": w, "type": "user"}},
    lambda w: {"x": {"type": "User", "name": w}},
    lambda w: {"owner": {"name": w, "login": w}},
    lambda w: {"responders": [{"name": w, "email": "a@b.io"}]},
    lambda w: {"seenBy": [w]},
    lambda w: {"attributes": [{"key": "user.email", "value": {"stringValue": w}}]},
    lambda w: {"tags": [["user", w]]},
    lambda w: {"headers": [{"name": "Cookie", "value": w}]},
    lambda w: {"m": f"{w}@acme.com"},
    lambda w: {"m": f"mail:{w}@acme.co.uk,"},
    lambda w: {f"{w}@acme.com": 1},
    lambda w: {"m": f"https://hooks.slack.com/services/{w}"},
    lambda w: {"m": f"amqp://u:{w}@host"},
    lambda w: {"m": f"https://a/b?x=1&token={w}"},
    lambda w: {"m": f"password={w}"},
    lambda w: {"m": f"Bearer {w}0123"},
    lambda w: {"m": f"user={w}"},
    lambda w: {"m": f"secret: {w}123"},
    lambda w: {"m": f'got {{"user": "{w}"}} there'},
    lambda w: {"m": f'got {{\\"user\\": \\"{w}\\"}} there'},
)
forms = st.sampled_from(FORMS)
around = st.dictionaries(
    st.text(max_size=5), st.one_of(texts, st.integers(0, 9), st.lists(texts, max_size=2)), max_size=3
)


@st.composite
def packed(draw, value):
    """Put a value where records have it: in objects, arrays, JSON in text, however it is written."""
    for how in draw(st.lists(st.sampled_from("oajpu"), max_size=4)):
        if how == "o":
            value = {**draw(around), "in": value}
        elif how == "a":
            value = [draw(texts), value]
        elif how == "j":
            value = orjson.dumps(value).decode()
        elif how == "p":
            value = json.dumps(value, indent=draw(st.sampled_from([None, 1])))
        else:
            value = json.dumps(value).replace("/", "\\/").replace("@", "\\u0040")
    return {"record": value}


@settings(max_examples=100, deadline=None)
@given(login=logins, form=forms, data=st.data())
def test_a_record_with_any_of_it_is_suspected_and_loses_it(login, form, data):
    record = data.draw(packed(form(login)))
    raw = orjson.dumps(record).decode()
    assert Redactor(Redaction()).suspects(pa.array([raw])) == [0]
    assert login not in orjson.dumps(redacted(record)).decode()


fragments = st.sampled_from(
    [
        "user",
        "assignee",
        "by",
        "@",
        ".",
        "com",
        "jane",
        "://",
        ":",
        "/",
        "=",
        "token",
        "password",
        "secret",
        "&",
        "?",
        '"',
        "\\",
        " ",
        "hooks.slack.com",
        "AKIAIOSFODNN7EXAMPLE",
        "https",
        "Bearer",
        "0123456789abcdef",
        "<@U12>",
        "10.0.0.1",
        "::1",
        ",",
        "person-0123456789",
        "@redacted.invalid",
        "redacted-0123456789",
        "{",
        "}",
        "name",
        "type",
        "api_key",
        "key",
        "services/",
        "T12345",
        "B12345",
        "é",
        "ſ",
        "K",
        "\n",
        "'",
        "[",
        "]",
        "-----BEGIN PRIVATE KEY-----",
        "xoxb-",
        "mail",
        "login",
        "<",
        ">",
        "|",
    ]
)
odd = st.one_of(st.text(max_size=10), st.lists(fragments, max_size=8).map("".join))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63), st.floats(allow_nan=False), odd),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(odd, inner, max_size=4),
        inner.map(lambda value: json.dumps(value, ensure_ascii=False)),
    ),
    max_leaves=12,
)
records = st.dictionaries(odd, values, max_size=5)
options = st.builds(Redaction, redact_ips=st.booleans())


def structure(value):
    """Return a value without its texts."""
    if isinstance(value, dict):
        return [structure(item) for item in value.values()]
    if isinstance(value, list):
        return [structure(item) for item in value]
    return "" if isinstance(value, str) else value


def encodable(record):
    try:
        return orjson.dumps(record).decode()
    except TypeError:
        return None


@settings(max_examples=300, deadline=None)
@given(record=records, options=options)
def test_what_is_not_suspected_would_not_change(record, options):
    redactor = Redactor(options)
    changed = redactor.record(record)
    raw = encodable(record)
    if raw is not None and changed != record:
        assert redactor.suspects(pa.array([raw])) == [0]


@settings(max_examples=200, deadline=None)
@given(record=records, options=options)
def test_once_is_enough_and_only_texts_change(record, options):
    once = Redactor(options).record(record)
    again = Redactor(options)
    assert again.record(once) == once
    assert again.found == Counter()
    assert structure(once) == structure(record)


@settings(max_examples=200, deadline=None)
@given(text=odd, options=options)
def test_a_text_once_redacted_stays(text, options):
    once = Redactor(options).text(text)
    assert Redactor(options).text(once) == once


@given(first=logins, second=logins, form=forms)
def test_pseudonyms_tell_people_apart(first, second, form):
    here, there = redacted(form(first)), redacted(form(second))
    assert (here == there) == (first == second)
    assert redacted(form(first)) == here
    assert redacted(form(first), key="ours") != here


def test_letter_case_is_no_other_person():
    assert redacted({"user": "Jane Doe"}) == redacted({"user": " jane doe"})
    assert redacted({"m": "Jane@Acme.com"}) == redacted({"m": "jane@acme.com"})


@pytest.mark.parametrize(
    "wrap", [lambda v: [v], lambda v: {"user": v}, lambda v: {"a": v}], ids=["array", "user", "object"]
)
def test_depth_is_no_matter(wrap, read):
    value = MAIL
    for _ in range(1_000):
        value = wrap(value)
    deep = Redactor(Redaction()).record({"a": value})["a"]
    for _ in range(1_000):
        deep = next(iter(deep.values())) if isinstance(deep, dict) else deep[0]
    assert deep.endswith("@redacted.invalid")
    text = '{"a":' * 1_000 + f'"{MAIL}"' + "}" * 1_000
    assert MAIL not in json.dumps(Redactor(Redaction()).record({"message": text}))
    assert MAIL not in everything(read(text))


def test_half_a_surrogate_pair_is_no_matter():
    assert MAIL not in str(Redactor(Redaction()).record({"a\ud800": f"\udc00 {MAIL}", "user": "\ud800"}))


@pytest.mark.parametrize(
    "part",
    [
        "@",
        "a",
        "://",
        "a@",
        "a@a.",
        "a.",
        "a:a@",
        "-",
        "\\",
        '"',
        '"user":',
        "token=",
        "Bearer ",
        "<@U",
        "https://a:",
        "=&",
        "1.",
        "::",
        '\\"a\\":',
        "-----BEGIN ",
        "secret: ",
        "hooks.slack.com/",
        "/services/T12345",
        "[",
        '{"a":',
        "x@y.z ",
        "a://b:c",
    ],
)
def test_time_is_linear_in_hostile_text(part):
    def taken(length):
        text = part * (length // len(part))
        started = time.process_time()
        Redactor(Redaction(redact_ips=True)).record({"a": text})
        return time.process_time() - started

    assert taken(400_000) < 40 * max(taken(40_000), 0.005)
