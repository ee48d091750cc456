"""The algebra of rights: the laws of `meet`, and what blocks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touyan.core.errors import Invalid
from touyan.core.rights import ANYWHERE, EVERYTHING, PURPOSES, Rights, effective, meet, rights_from_json

CLEAR = Rights(
    authority="contract", evidence=("contract 7",), personal="none", personal_state="none", security="public", purposes=PURPOSES,
)  # fmt: skip
RECORDS = st.builds(
    Rights,
    authority=st.sampled_from(["contract", "own-production", "open-licence", "unknown"]),
    licence=st.sampled_from(["", "CC-BY-SA-4.0", "MIT"]),
    personal=st.sampled_from(["none", "pipl-consent", "unknown"]),
    personal_state=st.sampled_from(["none", "contains", "unknown"]),
    original_purpose=st.sampled_from(["", "service"]),
    security=st.sampled_from(["public", "core", "unknown"]),
    purposes=st.lists(st.sampled_from(PURPOSES), unique=True).map(tuple),
    duties=st.lists(st.sampled_from(["attribution", "report"]), unique=True).map(tuple),
    territory=st.sampled_from([(ANYWHERE,), ("CN",), ("CN", "DE"), ("DE",)]),
    expires=st.sampled_from(["", "2026-01-01", "2027-12-31T12:00:00Z"]),
    evidence=st.sampled_from([(), ("contract 7",)]),
)
EFFECTIVE = st.builds(effective, st.sampled_from(["a/a", "b/b", "c/c"]), RECORDS)
NOW = 1_780_000_000_000


@given(EFFECTIVE, EFFECTIVE, EFFECTIVE)
def test_the_rights_of_a_mixture_do_not_depend_on_how_it_was_mixed(a: object, b: object, c: object) -> None:
    assert meet([a, meet([b, c])]) == meet([meet([a, b]), c]) == meet([c, b, a])  # type: ignore[list-item]


@given(EFFECTIVE)
def test_mixing_with_itself_or_with_nothing_changes_nothing(a: object) -> None:
    assert meet([a, a]) == meet([a]) == meet([EVERYTHING, a]) == a  # type: ignore[list-item]


@given(EFFECTIVE, EFFECTIVE, st.sampled_from(PURPOSES))
def test_a_mixture_permits_nothing_that_a_part_forbids(a: object, b: object, purpose: str) -> None:
    if not meet([a, b]).why_not(purpose, NOW):  # type: ignore[list-item, arg-type]
        assert not a.why_not(purpose, NOW)  # type: ignore[attr-defined]
        assert not b.why_not(purpose, NOW)  # type: ignore[attr-defined]


@given(EFFECTIVE, EFFECTIVE)
def test_a_mixture_keeps_every_duty_and_names_every_block(a: object, b: object) -> None:
    both = meet([a, b])  # type: ignore[list-item]
    assert both.duties == a.duties | b.duties  # type: ignore[attr-defined]
    assert both.blocks == a.blocks | b.blocks  # type: ignore[attr-defined]


@given(RECORDS)
def test_a_record_is_read_back_as_it_was_written(rights: Rights) -> None:
    assert rights_from_json(rights.to_json()) == rights


@pytest.mark.parametrize("change", [
    {"authority": "unknown"}, {"evidence": ()}, {"personal": "unknown"}, {"personal_state": "unknown"}, {"personal_state": "contains"},
    {"personal": "pipl-consent"}, {"security": "unknown"}, {"security": "state-secret"}, {"purposes": ("inspect",)},
])  # fmt: skip
def test_each_unknown_part_blocks_by_itself(change: dict[str, object]) -> None:
    assert not effective("a/a", CLEAR).why_not("train", NOW)
    assert effective("a/a", replace(CLEAR, **change)).why_not("train", NOW)  # type: ignore[arg-type]


def test_nothing_is_permitted_after_expiry() -> None:
    rights = effective("a/a", replace(CLEAR, expires="2026-01-01"))
    assert not rights.why_not("train", 1_767_225_599_999)
    assert rights.why_not("train", 1_767_225_600_000)


@pytest.mark.parametrize("value", [
    {"authority": "contrat"}, {"purpose": "train"}, {"purposes": ["trane"]}, {"purposes": "train"}, {"expires": "soon"}, {"licence": 7},
])  # fmt: skip
def test_a_record_with_a_slip_is_refused_with_the_nearest_word(value: dict[str, object]) -> None:
    with pytest.raises(Invalid) as told:
        rights_from_json(value)  # type: ignore[arg-type]
    assert told.value.hint
