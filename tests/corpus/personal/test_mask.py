"""Masking: nothing changes but the identifiers, and nothing that comes out betrays them."""

from __future__ import annotations

import pytest
from corpora import BANK_CARD, EMAIL, ID_CARD, MOBILE, batch
from hypothesis import given
from hypothesis import strategies as st

from touyan.core.document import apply, edits_of, pseudonym
from touyan.corpus.operator import Signature
from touyan.corpus.personal.mask import Mask
from touyan.corpus.personal.policy import IDENTIFIERS, REPLACEMENTS

SENTENCE = f"市民(身份证号:{ID_CARD})来电,联系电话{MOBILE},邮箱{EMAIL},退款账号{BANK_CARD}。"
identifiers = st.sampled_from([ID_CARD, MOBILE, EMAIL, BANK_CARD])
pieces = st.lists(identifiers | st.text("中文，。 \n１a.@-", max_size=8), max_size=8)


def test_every_identifier_is_replaced_by_its_kind() -> None:
    assert Mask().masked(SENTENCE) == "市民(身份证号:[身份证号])来电,联系电话[手机号],邮箱[邮箱],退款账号[银行卡号]。"


@given(pieces)
def test_text_outside_the_masks_never_changes(parts: list[str]) -> None:
    text = "".join(parts)
    edits = edits_of(Mask().spans(text))
    masked = apply(text, edits)
    outside = [text[a:b] for a, b in zip([0, *(e.end for e in edits)], [*(e.start for e in edits), len(text)], strict=True)]
    rest = masked
    for kept, edit in zip(outside, edits, strict=False):
        assert rest.startswith(kept + (edit.replacement or ""))
        rest = rest[len(kept) + len(edit.replacement or "") :]
    assert rest == outside[-1]


@given(pieces)
def test_a_masked_text_has_no_identifier_left_to_mask(parts: list[str]) -> None:
    mask = Mask(kinds=IDENTIFIERS)
    once = mask.masked("，".join(parts))
    assert mask.masked(once) == once


def test_marks_never_quote_an_identifier() -> None:
    marks = Mask(key=b"secret").judge(batch(SENTENCE))
    assert not any(identifier in repr(marks) for identifier in (ID_CARD, MOBILE, EMAIL, BANK_CARD))


def test_a_subject_is_found_again_by_its_pseudonym_whatever_the_spelling() -> None:
    mask = Mask(key=b"secret")
    assert mask.subjects("电话159-1330-5356") == mask.subjects("电话１５９１３３０５３５６") == {pseudonym(b"secret", MOBILE)}


def test_without_a_key_there_are_no_pseudonyms() -> None:
    assert Mask().subjects(SENTENCE) == set()


def test_an_address_that_holds_a_number_is_masked_whole_and_names_both() -> None:
    mask = Mask(key=b"secret")
    text = f"写信到{MOBILE}@qq.com"
    assert mask.masked(text) == "写信到[邮箱]"
    assert mask.subjects(text) == {pseudonym(b"secret", MOBILE), pseudonym(b"secret", f"{MOBILE}@qq.com")}


def test_kinds_that_are_not_asked_for_stay() -> None:
    assert Mask(kinds=("mobile",)).masked(f"{MOBILE}，{EMAIL}") == f"[手机号]，{EMAIL}"


def test_a_kind_that_is_not_asked_for_hides_none_that_is() -> None:
    assert Mask(kinds=("mobile",)).masked(f"微信同号{MOBILE}") == "微信同号[手机号]"


def test_the_secret_has_no_part_in_the_signature() -> None:
    assert Signature.of(Mask(key=b"one")) == Signature.of(Mask(key=b"two"))
    assert "one" not in repr(Mask(key=b"one"))


@pytest.mark.parametrize("replacement", REPLACEMENTS.values())
def test_what_stands_for_an_identifier_is_no_identifier(replacement: str) -> None:
    assert Mask().masked(replacement * 3) == replacement * 3
