"""Repair of code points: what is repaired, what is left alone, and that both are stable."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touyan.core.document import EditMap, apply, edits_of
from touyan.corpus.unicode import repairs

TROUBLE = (
    "中文ab1，。 \t\n\r\u3000\u00a0\u200b\u200c\u200d\ufeff\ue000\x00\x85\u2028"
    "\u0301e\u00e9\uac00\u1100\u1161👩\u0915\ufffe\uf9a9"
)


def repaired(text: str) -> str:
    return apply(text, repairs(text))


SOUND = ["，：（）“”！；？", "——……《》【】", "ＡＢＣ１２３", "㎡№℃", "👩\u200d👩\u200d👧 \u0915\u094d\u200d\u0937", "a  b\n\n  c"]


@pytest.mark.parametrize("text", SOUND)
def test_what_is_sound_is_left_alone(text: str) -> None:
    assert repairs(text) == ()


@pytest.mark.parametrize(
    ("broken", "sound"),
    [
        ("\ufeff第一条", "第一条"),
        ("手\u200b机1\u200d3", "手机13"),
        ("一\r\n二\r三\x85四\u2028五", "一\n二\n三\n四\n五"),
        ("\u3000\u3000第一条\u3000总则\u3000\n\u3000第二条", "第一条 总则\n第二条"),
        ("价\u00a0格", "价 格"),
        ("行尾  \n下一行\t", "行尾\n下一行"),
        ("e\u0301cole", "école"),
        ("坏\x00字\ue123符\ufffe", "坏字符"),
        ("反\u202e向", "反向"),
        ("\uf9a9", "囹"),
        ("行尾 \u200b\n", "行尾\n"),
    ],
)
def test_what_is_broken_is_repaired(broken: str, sound: str) -> None:
    assert repaired(broken) == sound


@given(st.text(st.sampled_from(TROUBLE)) | st.text())
def test_repair_is_idempotent_and_in_canonical_form(text: str) -> None:
    once = repaired(text)
    assert unicodedata.is_normalized("NFC", once)
    assert repairs(once) == ()


@given(st.text(st.sampled_from("éa\u0301\u0327\u1100\u1161\u11a8\u0915\u093c中。\u302a\u3099かが\u1fbfΩ\u2126"), max_size=30))
def test_composition_piece_by_piece_is_composition_of_the_whole(text: str) -> None:
    assert repaired(text) == unicodedata.normalize("NFC", text)


@given(st.text(st.sampled_from(TROUBLE)))
def test_text_outside_the_repairs_is_where_the_map_says(text: str) -> None:
    edits = repairs(text)
    assert edits_of(edits) == edits
    after, carried = repaired(text), EditMap.of(edits)
    for i, character in enumerate(text):
        if not any(edit.start <= i < edit.end for edit in edits):
            start, end = carried.forward(i, i + 1)
            assert after[start:end] == character
