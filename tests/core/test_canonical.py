"""Canonical JSON: one value, one text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touyan.core.canonical import MAX_INTEGER, canonical, digest, parse
from touyan.core.errors import Invalid

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12
)


@given(VALUES)
def test_what_is_written_is_read_back(value: object) -> None:
    assert parse(canonical(value)) == value  # type: ignore[arg-type]


@given(st.dictionaries(TEXTS, SCALARS, max_size=6))
def test_the_order_of_members_changes_nothing(value: dict[str, object]) -> None:
    turned = dict(reversed(value.items()))
    assert canonical(turned) == canonical(value)  # type: ignore[arg-type]


@given(VALUES)
def test_the_text_is_json_that_anyone_reads(value: object) -> None:
    assert json.loads(canonical(value)) == value  # type: ignore[arg-type]


def test_keys_are_sorted_by_utf_16_code_units() -> None:
    """The example of RFC 8785 section 3.2.3."""
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    written = list(json.loads(canonical(dict.fromkeys(names, 0))))
    assert written == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


def test_control_characters_are_escaped_as_rfc_8785_says() -> None:
    assert canonical('\b\t\n\f\r"\\/\x0f\x7f\u2028') == b'"\\b\\t\\n\\f\\r\\"\\\\/\\u000f\x7f\xe2\x80\xa8"'


@pytest.mark.parametrize(
    "value", [1.0, float("nan"), MAX_INTEGER + 1, -MAX_INTEGER - 1, "\ud800", {1: "a"}, b"bytes", {"a": {1, 2}}]
)
def test_what_two_languages_would_write_differently_is_refused(value: object) -> None:
    with pytest.raises(Invalid):
        canonical(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [
    b"1.0", b"1e3", b"NaN", b"-Infinity", b'{"a":1,"a":2}', b"9007199254740992", b"[", b"", b"\xff", b"\xef\xbb\xbf1",
    '"a"'.encode("utf-16"),
])  # fmt: skip
def test_json_that_could_mean_two_things_is_refused(text: bytes) -> None:
    with pytest.raises(Invalid):
        parse(text)


def test_depth_without_end_is_an_error_and_no_crash() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(Invalid):
        canonical(deep)  # type: ignore[arg-type]
    with pytest.raises(Invalid):
        parse("[" * 100_000)
    while deep:  # let go of it level by level: freeing it at once is as deep as writing it
        deep = deep[0]  # type: ignore[assignment]


def test_true_and_one_are_not_the_same() -> None:
    assert digest({"a": True}) != digest({"a": 1})
