"""Lines by themselves: what is the page's wherever it stands, what needs company, and what is never the page's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_pages import PAGE_LINES, TEXT_LINES

from touyan.corpus.boilerplate.lexicon import fold, lexicon
from touyan.corpus.boilerplate.lines import PAGE_KINDS, Kind, kind_of

LAWS = [
    "第一条 网站应当公示备案编号。",
    "（一）转载、摘编新闻信息的；",
    "二、举报电话",
    "## 第三章 版权所有人",
    "第十条　未经授权，不得转载。",
]


def test_nearly_every_line_of_pages_is_told_from_text() -> None:
    missed = [line for line in PAGE_LINES if kind_of(line).kind not in PAGE_KINDS]
    assert len(missed) <= 0.01 * len(PAGE_LINES), missed


@pytest.mark.parametrize("line", TEXT_LINES)
def test_no_line_of_a_text_is_surely_the_pages(line: str) -> None:
    assert kind_of(line).kind not in (Kind.STRONG, Kind.LIST)


@pytest.mark.parametrize("line", LAWS)
def test_articles_of_laws_are_protected_whatever_they_speak_of(line: str) -> None:
    assert kind_of(line).kind is Kind.LAW


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("首页> 文史频道> 考古 > 正文", "breadcrumb"), ("【责任编辑：某某】", "byline"), ("京ICP备99999999号-1", "licence"),
        ("#{user}#{time}", "template"), ("{{ item.title }}", "template"), ("<%= title %>", "template"), ("%s条评论", "template"),
        ("打开微信后点击右上角菜单即可分享", "saying"), ("上一篇：某市召开会议", "neighbour"), ("共 12 页 当前第 1 页", "pager"),
        ("图/某某社", "photo-credit"), ("本文系转载，如有侵权请联系本站删除。", "notice"), ("人 民 网 版 权 所 有", "licence"),
        ("2024-01-02 10:20", "stamp"), ("点赞 128", "words"), ("关于我们 | 联系我们 | 法律声明", "words"), ("相关阅读：", "list"),
    ],
)  # fmt: skip
def test_a_line_names_its_rule(line: str, rule: str) -> None:
    assert kind_of(line).rule == rule


@pytest.mark.parametrize(
    ("traditional", "simplified"),
    [
        ("返回頂部", "返回顶部"), ("相關閱讀", "相关阅读"), ("責任編輯：某某", "责任编辑：某某"),
        ("版權所有，未經授權禁止轉載", "版权所有，未经授权禁止转载"),
    ],
)  # fmt: skip
def test_traditional_lines_are_as_simplified_ones(traditional: str, simplified: str) -> None:
    one, other = kind_of(traditional), kind_of(simplified)
    assert (one.kind, one.rule) == (other.kind, other.rule)


@pytest.mark.parametrize("line", [r"\begin{tabular}{ll}", "print(f'{name}')", "DNA→RNA→蛋白质", "x = {1: 2}", "A > B > C"])
def test_formulas_and_code_are_not_templates(line: str) -> None:
    assert kind_of(line).kind not in (Kind.STRONG, Kind.LIST)


def test_a_word_with_its_counter_is_only_a_word() -> None:
    assert lexicon().kinds("点赞(12) 收藏 3") == ["weak", "weak"]


def test_a_word_is_not_found_inside_another() -> None:
    assert lexicon().kinds("收藏单位") is None


def test_phrases_of_the_user_are_strong() -> None:
    assert kind_of("本馆微报").kind is Kind.SHORT
    assert kind_of("本馆微报", ("本馆微报",)).kind is Kind.STRONG


@given(st.text())
def test_folding_moves_no_character(text: str) -> None:
    assert len(fold(text)) == len(text)
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    "piece",
    ["来源:人", "编辑 张三 ", "页", "上一页1页", "共1条", "%s", "{{a}}", "首页 ", "A>B", "a » ", "2024-01-01 ", "作者:张 三 李 四 "],
)  # fmt: skip
def test_a_line_that_almost_fits_is_given_up_at_once(piece: str) -> None:
    assert kind_of((piece * 250)[:258] + "汉").kind is not Kind.LAW  # what tried every other way would not come back at all


def test_signs_in_misread_text_say_nothing() -> None:
    misread = "版权»所有 首页»正文".encode().decode("latin-1")
    assert kind_of(misread).kind is Kind.PROSE
