"""The doctor as an operator: what stays, what waits, what goes, and that sound text is left alone."""

from __future__ import annotations

from random import Random

import pytest
from corpora import STATUTE, batch
from hypothesis import given, settings
from hypothesis import strategies as st

from touyan.core.document import Verdict, apply, edits_of
from touyan.corpus.encoding.doctor import EncodingDoctor
from touyan.corpus.plant.damage import kun_jin_kao, seo_mirror, utf8_as_cp1252, utf8_as_gbk

LAW = (
    "第一条 为了规范产业发展，保护经营者的合法权益，根据《中华人民共和国产业促进法》，制定本条例。\n"
    "第二条 县级以上人民政府应当将产业发展纳入国民经济和社会发展规划，设立专项资金，并加强监督检查。\n"
    "第三条 国务院有关部门应当按照职责分工，做好产业标准的制定、实施和评估工作。\n"
)
SOUND = [
    LAW, STATUTE, "", "短", "Plain English, 50% off & more???", "亳(bó)州市和歙(shè)县", "他说：“烫！烫烫！”", "屯屯村", "Café 与 naïve",
    "温度是25±2℃，约§3·4节", "日本語のテキスト：これは文です。", "한국어 문장과 中文", "¿Qué? Français",
    "产品（一）：价格￥100；真的吗？？",
]  # fmt: skip


def examined(text: str, **settings: bool) -> tuple[str, Verdict | None]:
    """The text as the next operator sees it, and the verdict."""
    marks = EncodingDoctor(**settings).judge(batch(text))
    return apply(text, edits_of(marks.spans.get(0, ()))), marks.verdicts.get(0)


@pytest.mark.parametrize("text", SOUND)
def test_sound_text_is_left_alone(text: str) -> None:
    assert examined(text) == (text, None)


def test_a_mirror_page_is_repaired_and_stays_a_suspect() -> None:
    repaired, verdict = examined(seo_mirror(LAW, Random(5)))
    assert repaired.translate({ord(","): "，"}) == LAW
    assert verdict is not None
    assert (verdict.outcome, verdict.reason) == ("flag", "suspected-mirror")


def test_a_recipe_may_keep_no_mirrors() -> None:
    _, verdict = examined(seo_mirror(LAW, Random(5)), keep_mirrors=False)
    assert verdict is not None
    assert verdict.outcome == "quarantine"


def test_a_character_that_the_copying_site_lost_sends_its_page_to_a_person() -> None:
    page = seo_mirror(LAW, Random(5)).replace("第三", "第?三")
    marks = EncodingDoctor().judge(batch(page))
    assert marks.verdicts[0].reason == "mirror-unproved"
    assert [page[s.start : s.end] for s in marks.spans[0] if s.label == "damage"] == ["?"]


@pytest.mark.parametrize(("written", "read"), [("utf-8", "latin-1"), ("gb18030", "latin-1"), ("utf-8", "gb18030")])
def test_a_wrong_codec_that_lost_nothing_is_undone(written: str, read: str) -> None:
    line = "为了规范产业发展，制定本条例。" if read == "latin-1" else "第一条为了规范"
    damaged = line.encode(written).decode(read, "strict" if read == "latin-1" else "ignore")
    if read != "latin-1" and damaged.encode(read) != line.encode(written):
        pytest.skip("this line does not survive the codec")
    repaired, verdict = examined(LAW + damaged)
    assert repaired == LAW + line
    assert verdict is not None
    assert verdict.reason == "mojibake-repaired"


def test_two_layers_are_undone() -> None:
    line = "为了规范产业发展，制定本条例。"
    once = line.encode().decode("latin-1")
    assert examined(once.encode().decode("latin-1"))[0] == line


@pytest.mark.parametrize("damage", [utf8_as_gbk, utf8_as_cp1252])
def test_lost_bytes_are_never_guessed(damage: object) -> None:
    damaged = damage(LAW)  # type: ignore[operator]
    marks = EncodingDoctor().judge(batch(damaged))
    assert (marks.verdicts[0].outcome, marks.verdicts[0].reason) == ("quarantine", "mojibake-unproved")
    assert any(span.label == "damage" for span in marks.spans[0])


@pytest.mark.parametrize("text", [kun_jin_kao(LAW), "烫" * 40, LAW[:30] + "????? ??? ???????" * 9])
def test_ruins_go(text: str) -> None:
    marks = EncodingDoctor().judge(batch(text))
    assert (marks.verdicts[0].outcome, marks.verdicts[0].reason) == ("drop", "ruined")
    assert {span.label for span in marks.spans[0]} == {"damage"}


def test_a_stray_replacement_character_is_flagged() -> None:
    _, verdict = examined(LAW + "公\ufffd告" + LAW)
    assert verdict is not None
    assert (verdict.outcome, verdict.reason) == ("flag", "stray-replacement")


def test_references_that_were_escaped_twice_are_read() -> None:
    assert examined("产业&amp;nbsp;发展&#20013;&ldquo;国&rdquo;")[0] == "产业\u00a0发展中“国”"
    assert examined("in HTML, write &nbsp; or &#160;")[1] is None


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.sampled_from(LAW), min_size=1, max_size=60),
    st.sampled_from(["gb18030", "big5", "cp1252", "cp949", "cp932", "latin-1", "utf-8"]),
    st.sampled_from(["gb18030", "big5", "cp1252", "cp949", "cp932", "latin-1", "utf-8"]),
)
def test_a_second_visit_changes_nothing(text: str, written: str, read: str) -> None:
    once, verdict = examined(text.encode(written, "replace").decode(read, "replace"))
    if verdict is None or verdict.outcome == "flag":
        assert examined(once)[0] == once


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["gb18030", "big5", "cp1252", "cp949", "cp932", "latin-1", "utf-8"]))
def test_any_bytes_in_any_codec_are_examined(data: bytes, codec: str) -> None:
    text, verdict = examined(data.decode(codec, "replace"))
    assert isinstance(text, str)
    assert verdict is None or verdict.reason
