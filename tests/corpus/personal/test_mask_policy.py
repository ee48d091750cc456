"""What is done with identifiers: each kind as the policy says, and one person under one tag."""

from __future__ import annotations

import re

import pytest
from corpora import EMAIL, ID_CARD, MOBILE, batch

from touyan.core.document import pseudonym
from touyan.core.errors import Invalid, Missing
from touyan.corpus.operator import build
from touyan.corpus.personal.identifier import PRIORITY, Identifier
from touyan.corpus.personal.mask import Mask
from touyan.corpus.personal.policy import KINDS, REASONS, REPLACEMENTS, policy_of
from touyan.corpus.personal.subjects import SINGULAR, subjects

KEY = b"secret"
RECORD = f"王小明，{ID_CARD}，{MOBILE}"


def tags(text: str) -> list[str]:
    return re.findall(r"·([0-9a-f]+)\]", text)


def test_every_kind_has_a_rank_a_replacement_and_a_reason() -> None:
    assert set(KINDS) == set(PRIORITY) == set(REPLACEMENTS) == set(REASONS)
    assert set(SINGULAR) < set(KINDS)


def test_what_belongs_to_an_organisation_is_noted_and_stays() -> None:
    text = "咨询400-123-4567，代码91110000600037341L，地址：北京市海淀区中关村南大街5号。"
    assert Mask().masked(text) == text
    assert [span.label for span in Mask(key=KEY).spans(text)] == ["hotline", "uscc", "office-address"]
    assert Mask(key=KEY).subjects(text) == set()


def test_the_policy_may_ask_for_them_too() -> None:
    assert Mask(policy=("hotline=mask",)).masked("致电400-123-4567") == "致电[服务热线]"


def test_a_kind_may_be_kept() -> None:
    mask = Mask(policy=("email=keep",), key=KEY)
    assert mask.masked(f"{EMAIL}，{MOBILE}") == f"{EMAIL}，[手机号]"
    assert pseudonym(KEY, EMAIL) in mask.subjects(EMAIL), "who withdraws is found whatever the policy"


def test_a_kind_may_drop_its_document_and_nothing_is_quoted() -> None:
    marks = Mask(policy=("id-card=drop",)).judge(batch(MOBILE, ID_CARD))
    assert set(marks.verdicts) == {1}
    assert (marks.verdicts[1].outcome, marks.verdicts[1].reason, marks.verdicts[1].may_quote) == ("drop", "holds-id-card", False)


def test_a_pseudonym_is_the_same_wherever_the_person_is_met() -> None:
    mask = Mask(policy=("mobile=pseudonym", "id-card=pseudonym"), key=KEY)
    first, second = tags(mask.masked(RECORD))
    assert first == second == pseudonym(KEY, ID_CARD)[:6]
    assert tags(mask.masked(f"另据{ID_CARD}反映")) == [first]
    assert tags(Mask(policy=("id-card=pseudonym",), key=b"other").masked(ID_CARD)) != [first]


def test_a_tagged_text_has_nothing_left_to_mask() -> None:
    mask = Mask(policy=tuple(f"{kind}=pseudonym" for kind in KINDS), key=KEY)
    once = mask.masked(f"{RECORD}，微信zhang_san，QQ12345678，座机010-88889999，京A12345，{EMAIL}")
    assert mask.masked(once) == once


def test_pseudonyms_need_a_key() -> None:
    with pytest.raises(Missing, match="key") as error:
        Mask(policy=("mobile=pseudonym",))
    assert "TOUYAN_PSEUDONYM_KEY" in error.value.hint


@pytest.mark.parametrize(
    ("policy", "named"), [("mobil=mask", "mobile"), ("mobile=hide", "mask, pseudonym, keep, drop"), ("mobile", "one of")]
)
def test_a_policy_that_cannot_be_kept_is_refused_with_what_can(policy: str, named: str) -> None:
    with pytest.raises(Invalid) as error:
        policy_of([policy])
    assert named in error.value.hint


def test_an_unknown_kind_is_refused_when_the_recipe_is_read() -> None:
    with pytest.raises(Invalid) as error:
        build("mask", {"kinds": ("mobiles",)})
    assert "mobile" in error.value.hint


def identifiers(*kinds: str) -> tuple[str, list[Identifier]]:
    """A text of one sentence a kind, joined by commas, and its identifiers; `|` ends a sentence."""
    text, found = "", []
    for kind in kinds:
        if kind == "|":
            text += "。"
            continue
        name = f"{kind}{len(found)}" if kind != "person" else "王小明"
        found.append(Identifier(len(text), len(text) + len(name), kind, name))  # type: ignore[arg-type]
        text += name + "，"
    return text, found


def test_a_record_is_one_persons_and_the_strongest_number_stands_for_it() -> None:
    assert subjects(*identifiers("person", "mobile", "id-card", "address")) == ["id-card2"] * 4


def test_two_of_a_kind_are_two_persons_so_that_nothing_is_joined() -> None:
    assert subjects(*identifiers("person", "mobile", "mobile")) == [None, "mobile1", "mobile2"]


def test_a_sentence_ends_a_record() -> None:
    assert subjects(*identifiers("mobile", "|", "email")) == ["mobile0", "email1"]


def test_a_name_stays_with_the_person_of_its_first_record() -> None:
    assert subjects(*identifiers("person", "mobile", "|", "person", "|", "person", "email")) == [
        "mobile1", "mobile1", "mobile1", "email4", "email4",
    ]  # fmt: skip


def test_a_name_alone_stands_for_nobody() -> None:
    assert subjects(*identifiers("person")) == [None]
    assert subjects("", []) == []
