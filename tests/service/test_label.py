"""Labels on generated content."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touyan.core.errors import Invalid, Refused, TouyanError
from touyan.service.label import (
    FIELDS,
    NOTICE,
    Place,
    ProducerCode,
    around,
    check_credit_code,
    check_producer,
    credit_check_digit,
    header,
    marked,
    read_label,
    verify_label,
    write_label,
)  # fmt: skip
from touyan.store.keys import PublicKey, new_pair

PAIR = new_pair()
PUBLIC = PublicKey(PAIR.key_id, PAIR.public_hex)
SAMPLE = "001191110108MA01KP2T5U00000"  # a provider code seen in published content, TC260-PG-20252A


def test_a_label_has_the_seven_fields_in_their_order() -> None:
    label = write_label("头雁", "cmpl-1", "文", PAIR)
    assert tuple(label["AIGC"]) == FIELDS
    assert label["AIGC"] | {"ReservedCode1": ""} == {
        "Label": "1", "ContentProducer": "头雁", "ProduceID": "cmpl-1", "ReservedCode1": "",
        "ContentPropagator": "", "PropagateID": "", "ReservedCode2": "",
    }  # fmt: skip


@given(st.text(max_size=50), st.from_regex(r"cmpl-[0-9a-f]{1,32}", fullmatch=True))
def test_a_label_verifies_for_its_text_and_for_no_other(text: str, number: str) -> None:
    label = write_label(SAMPLE, number, text, PAIR)
    assert verify_label(json.loads(json.dumps(label)), text, PUBLIC) == number
    with pytest.raises(Refused, match="another text"):
        verify_label(label, text + ".", PUBLIC)


@pytest.mark.parametrize("name", ["ContentProducer", "ProduceID", "ReservedCode1"])
def test_a_changed_field_is_caught(name: str) -> None:
    label = write_label("acme", "cmpl-1", "文", PAIR)
    label["AIGC"][name] = label["AIGC"][name].replace("1", "2").replace("acme", "other")
    with pytest.raises(TouyanError):
        verify_label(label, "文", PUBLIC)


def test_another_key_does_not_verify() -> None:
    stranger = new_pair()
    with pytest.raises(Refused, match="signed by"):
        verify_label(write_label("acme", "c", "文", PAIR), "文", PublicKey(stranger.key_id, stranger.public_hex))


@pytest.mark.parametrize(
    "label", [{}, {"AIGC": {}}, {"AIGC": []}, {"AIGC": dict.fromkeys(FIELDS, "9")}, {"AIGC": dict.fromkeys(FIELDS, 1)}]
)
def test_what_is_no_label_is_refused(label: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        read_label(label)


def test_the_header_of_a_stream_is_ascii_and_not_signed() -> None:
    text = header(write_label("头雁", "cmpl-1", "", None))
    assert text.isascii()
    assert json.loads(text)["AIGC"]["ContentProducer"] == "头雁"
    with pytest.raises(Invalid, match="no signature"):
        verify_label(json.loads(text), "", PUBLIC)


@pytest.mark.parametrize("place", ["start", "end", "notice"])
def test_a_piecewise_text_is_marked_like_a_whole_one(place: Place) -> None:
    before, after = around(place)
    assert before + "文" + after == marked("文", place)
    assert (NOTICE in marked("文", place)) == (place != "notice")
    assert "人工智能" in NOTICE
    assert "AI" in NOTICE


def test_the_published_sample_has_a_good_check_digit() -> None:
    assert check_producer(SAMPLE) == SAMPLE
    assert str(ProducerCode("91110108MA01KP2T5U")) == SAMPLE


@given(st.text(alphabet="0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=17, max_size=17), st.integers(0, 16))
def test_a_wrong_character_is_caught_by_the_check_digit(first: str, place: int) -> None:
    code = first + credit_check_digit(first)
    assert check_credit_code(code) == code
    other = "0" if code[place] != "0" else "1"
    with pytest.raises(Invalid):
        check_credit_code(code[:place] + other + code[place + 1 :])


@pytest.mark.parametrize("producer", ["", "a\nb", "x" * 201, SAMPLE.replace("T5U", "T5W")])
def test_a_producer_is_a_name_or_a_good_code(producer: str) -> None:
    with pytest.raises(Invalid):
        check_producer(producer)


@pytest.mark.parametrize(("code", "suffix"), [("91110108MA01KP2T5I", "00000"), ("9111", "00000"), ("91110108MA01KP2T5U", "x")])
def test_a_producer_code_is_checked(code: str, suffix: str) -> None:
    with pytest.raises(Invalid):
        ProducerCode(code, suffix)


def test_there_is_no_way_to_take_a_label_away() -> None:
    from touyan.service import label

    words = ("strip", "remove", "unmark", "clear", "delete", "drop")
    assert not [name for name in dir(label) if any(w in name.lower() for w in words)]
