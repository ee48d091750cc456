"""Punctuation and script: what belongs to Chinese is changed, what belongs to numbers, code and quotations is not."""

from __future__ import annotations

import pytest
from corpora import batch
from hypothesis import given, settings
from hypothesis import strategies as st

from touyan.core.document import apply, edits_of
from touyan.corpus.encoding.punctuation import Punctuation
from touyan.corpus.encoding.simplified import Simplified
from touyan.corpus.operator import Operator
from touyan.corpus.plant.damage import half_width, traditional

MIXED = "产业发展,;:!?()（）“”，。：1234:5.6abcURLhttp://a.cn/?q=中国於著後乾隆着裏\n "


def after(operator: Operator, text: str) -> str:
    return apply(text, edits_of(operator.judge(batch(text)).spans.get(0, ())))


@pytest.mark.parametrize(
    ("half", "full"),
    [
        ("产业发展,应当有序;", "产业发展，应当有序；"),
        ("有下列情形之一的:\n(一)未报告的;\n(二)谎报的.", "有下列情形之一的：\n（一）未报告的；\n（二）谎报的."),
        ("真的吗?是的!", "真的吗？是的！"),
        ("联系电话:13800000000", "联系电话：13800000000"),
        ("《办法》(以下简称办法)", "《办法》（以下简称办法）"),
        ("增长5%,创新高", "增长5%，创新高"),
    ],
)
def test_marks_between_chinese_become_full_width(half: str, full: str) -> None:
    assert after(Punctuation(), half) == full


@pytest.mark.parametrize(
    "text",
    [
        "共1,234人",
        "时间为10:30到11:00",
        "见http://www.gov.cn/a?b=1",
        "函数f(x)的值",
        "Hello, world!",
        'print("中文", x); y = (1, 2)',
        "比例为1:5",
    ],
)
def test_marks_of_numbers_addresses_and_code_stay(text: str) -> None:
    assert after(Punctuation(), text) == text


def test_half_width_statutes_come_back() -> None:
    text = "第一条 违反本法规定，有下列情形之一的，责令改正；逾期不改正的，处罚款：\n（一）未登记（备案）的；\n（二）拒绝检查的！"
    assert after(Punctuation(), half_width(text)) == text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("隨著經濟發展，沿著這條路走著", "随着经济发展，沿着这条路走着"),
        ("著作權與名著、顯著進步", "著作权与名著、显著进步"),
        ("已處於潛伏期", "已处于潜伏期"),
        ("乾隆年間的頭髮", "乾隆年间的头发"),
    ],
)
def test_traditional_text_is_simplified_by_phrases(old: str, new: str) -> None:
    assert after(Simplified(), old) == new


@pytest.mark.parametrize(
    "text", ["杨堃、陈喆与朱镕基", "繁体字“龍”的写法", "他叫陳小春，是这里的产业工人，负责车间设备", "Latin only"]
)
def test_a_name_or_a_quoted_character_keeps_its_script(text: str) -> None:
    assert after(Simplified(), text) == text


def test_a_recipe_may_keep_the_traditional_script() -> None:
    assert after(Simplified(keep=True), "隨著經濟發展") == "隨著經濟發展"


def test_a_document_in_both_scripts_is_flagged() -> None:
    marks = Simplified().judge(batch("產業發展規劃應當公佈。\n产业发展规划应当公布。"))
    assert marks.verdicts[0].reason == "mixed-script"
    assert apply("產業發展規劃應當公佈。", [s for s in marks.spans[0]]) == "产业发展规划应当公布。"


@settings(max_examples=80, deadline=None)
@given(st.text(st.sampled_from(MIXED), max_size=50), st.sampled_from([Punctuation(), Simplified()]))
def test_a_second_pass_changes_nothing_and_lengths_stay(text: str, operator: Operator) -> None:
    once = after(operator, text)
    assert len(once) == len(text)
    assert after(operator, once) == once


@settings(max_examples=40, deadline=None)
@given(st.text(st.sampled_from("产业发展规划应当公布经济社会医疗教育，。"), min_size=8, max_size=40))
def test_traditional_there_and_back(text: str) -> None:
    assert after(Simplified(), traditional(text) + "國際學會") == text + "国际学会"
