"""Lines in the wrong codec: undone exactly or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touyan.corpus.encoding.mojibake import restored, sense

LINE = "第二十一条 县级以上人民政府应当加强对产业发展的监督管理，依法查处违法行为。"
TRADITIONAL = "第二十一條 縣級以上人民政府應當加強對產業發展的監督管理，依法查處違法行為。"
PAIRS = [
    ("utf-8", "latin-1"),
    ("gb18030", "latin-1"),
    ("big5", "gb18030"),
    ("gb18030", "cp949"),
    ("utf-8", "cp932"),
    ("gb18030", "big5"),
]


@pytest.mark.parametrize(("written", "read"), PAIRS)
def test_what_went_through_whole_comes_back_whole(written: str, read: str) -> None:
    line = TRADITIONAL if written == "big5" else LINE
    damaged = line.encode(written).decode(read, "replace")
    found = restored(damaged)
    if found is not None and found.is_whole:
        assert found.text == line
    if "\ufffd" not in damaged:
        assert found is not None


@pytest.mark.parametrize(
    "line", [LINE, TRADITIONAL, "", "abc", "Ñandú à la carte", "これは日本語の文です。", "한국어 문장입니다."]
)
def test_a_sound_line_is_no_mojibake(line: str) -> None:
    assert restored(line) is None


def test_lost_bytes_stay_lost() -> None:
    found = restored(LINE.encode().decode("cp1252", "replace"))
    assert found is not None
    assert not found.is_whole
    assert found.mixture.read_as == "cp1252"
    assert found.text.startswith("第")


def test_noise_makes_less_sense_than_chinese() -> None:
    assert sense(LINE) > sense("涓浗浜烘皯鍏卞拰鍥") + 4


@settings(max_examples=80, deadline=None)
@given(st.text(st.sampled_from(LINE + TRADITIONAL + "abc123 ，。"), min_size=12, max_size=40), st.sampled_from(PAIRS))
def test_a_whole_repair_goes_back_to_the_damage(text: str, pair: tuple[str, str]) -> None:
    written, read = pair
    damaged = text.encode(written, "ignore").decode(read, "replace")
    found = restored(damaged)
    if found is not None and found.is_whole and found.layers == 1:
        assert found.text.encode(found.mixture.written) == found.mixture.encode(damaged)
