"""Damage as the web does it: it looks as real pages look, and the same draws give the same page."""

from __future__ import annotations

from random import Random

from touyan.corpus.plant.damage import half_width, kun_jin_kao, seo_mirror, traditional, utf8_as_cp1252, utf8_as_gbk

LAW = "国务院产业主管部门应当加强服务，推动学校、乡镇发展；规模化产业应当设立标准。联系我们！"


def test_utf8_read_as_gbk_loses_bytes() -> None:
    assert utf8_as_gbk("浙江") == "娴欐睙"
    assert "\ufffd" in utf8_as_gbk("中国")


def test_utf8_read_as_windows_1252_is_western_letters() -> None:
    assert utf8_as_cp1252("法") == "æ³•"


def test_kun_jin_kao_is_what_it_says() -> None:
    assert "锟斤拷" in kun_jin_kao("第四十四条 经营者")


def test_a_mirror_page_marks_traditional_characters_with_their_first_reading() -> None:
    page = seo_mirror(LAW * 5, Random(1))
    assert "(" in page
    assert "產" in page or "產(chǎn)" in page
    assert "，" not in page


def test_the_same_draws_give_the_same_page() -> None:
    assert seo_mirror(LAW * 5, Random(3)) == seo_mirror(LAW * 5, Random(3))
    assert seo_mirror(LAW * 5, Random(3)) != seo_mirror(LAW * 5, Random(4))


def test_bytes_are_torn_before_a_full_width_mark_inside_two_characters() -> None:
    """模化產 is C4A3 BBAF AE61 and has ； (A3BB) in its middle; AFAE is nobody's character."""
    page = seo_mirror("规模化产业", Random(0))
    assert page.startswith(("規?;a", "規(guī)?;a"))


def test_script_and_width() -> None:
    assert traditional("头发发现") == "頭髮發現"
    assert half_width("甲，乙（丙）：丁；") == "甲,乙(丙):丁;"
