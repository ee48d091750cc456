"""Statements: their fold, and what may be kept."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touyan.core.errors import Invalid
from touyan.core.rights import Rights
from touyan.core.seam import iso
from touyan.core.statement import Statement, check_statement, fold, read_statement, statement_bytes

WITHDRAWAL = {"selector": "source", "value": "a/b", "effect": "erase", "deadline": "", "reason": "asked"}


def said(kind: str, at_ms: int, **body: object) -> Statement:
    return Statement("default", "0" * 64, kind, body, "acme/ann", iso(at_ms))  # type: ignore[arg-type]


CLAIMS = st.one_of(
    st.builds(lambda at, p: said("owner", at, party=p), st.integers(0, 9), st.sampled_from("abc")),
    st.builds(lambda at, w: said("withdrawal", at, **WITHDRAWAL, withdrawal=w), st.integers(0, 9), st.sampled_from("xyz")),
    st.builds(lambda at, w: said("lift", at, withdrawal=w, reason=""), st.integers(0, 9), st.sampled_from("xyz")),
    st.builds(lambda at, n: said("name", at, name=n), st.integers(0, 9), st.sampled_from("abc")),
)


@given(st.lists(CLAIMS, max_size=12), st.integers(0, 10))
def test_the_standing_at_a_time_is_the_fold_of_what_was_said_until_then(claims: list[Statement], at: int) -> None:
    assert fold(claims, iso(at)) == fold([c for c in claims if c.at <= iso(at)])


@given(st.lists(CLAIMS, max_size=12))
def test_the_last_claim_of_a_kind_holds(claims: list[Statement]) -> None:
    owners = [c.body["party"] for c in claims if c.kind == "owner"]
    assert fold(claims).owner == (owners[-1] if owners else "")


@given(CLAIMS)
def test_a_statement_is_read_back_as_it_was_signed(claim: Statement) -> None:
    assert read_statement(statement_bytes(claim)) == claim


def test_a_lifted_withdrawal_no_longer_stands_and_the_others_do() -> None:
    both = [said("withdrawal", n, **WITHDRAWAL, withdrawal=w) for n, w in enumerate("xy")]
    assert set(fold([*both, said("lift", 2, withdrawal="x", reason="")]).withdrawals) == {"y"}


def test_rights_are_those_last_stated() -> None:
    rights = Rights(authority="own-production")
    assert fold([said("rights", 0, rights=Rights().to_json()), said("rights", 1, rights=rights.to_json())]).rights == rights


@pytest.mark.parametrize("bad", [
    said("praise", 0), said("owner", 0), said("rights", 0, rights={"authority": "mine"}), said("rights", 0, rights=7),
    said("withdrawal", 0, selector="source"), said("withdrawal", 0, **(WITHDRAWAL | {"effect": "shred"})),
    replace(said("owner", 0, party="a"), at="2026-01-01"), replace(said("owner", 0, party="a"), at="tomorrow"),
])  # fmt: skip
def test_what_a_fold_could_not_read_is_never_kept(bad: Statement) -> None:
    with pytest.raises(Invalid):
        check_statement(bad)


def test_a_statement_of_a_later_version_is_refused() -> None:
    with pytest.raises(Invalid, match="version 1"):
        read_statement(statement_bytes(said("owner", 0, party="a")).replace(b'"statement":1', b'"statement":2'))
