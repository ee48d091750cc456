"""Whole pages: the article stays, all else goes, and what it told about the article is marked."""

from __future__ import annotations

import pytest
from corpora import STATUTE, batch
from hypothesis import given, settings
from hypothesis import strategies as st
from web_pages import PAGE_LINES, PAGES, TEXT_LINES, UNSEEN_LINES, cleaned, kept, marks_of, spans_of, told, verdict_of

from touyan.core.document import apply, edits_of
from touyan.corpus.boilerplate.lines import Kind, kind_of
from touyan.corpus.boilerplate.operators import Boilerplate
from touyan.corpus.operator import DocumentBatch

LAW = ["# 某某管理条例", "第一章 总则", *(f"第{n}条 {STATUTE}" for n in "一二三四五六七八九十"), "附则", "二〇二四年三月五日"]
HEAD, TAIL = ["首页 > 新闻 > 正文", "登录", "分享到："], ["相关阅读", "返回顶部", "京ICP备99999999号-1"]
ARTICLE = [f"{n}、{STATUTE}" for n in "一二三"]


@pytest.mark.parametrize("name", PAGES)
def test_the_text_of_a_page_stays(name: str) -> None:
    lines = [line for _, line in PAGES[name]]
    stays = kept(lines, spans_of("\n".join(lines)))
    assert [line for (mark, line), stay in zip(PAGES[name], stays, strict=True) if mark == "+" and not stay] == []


def test_what_is_the_pages_goes() -> None:
    left, total = [], 0
    for page in PAGES.values():
        lines = [line for _, line in page]
        stays = kept(lines, spans_of("\n".join(lines)))
        left += [line for (mark, line), stay in zip(page, stays, strict=True) if mark == "-" and stay]
        total += sum(mark == "-" for mark, _ in page)
    assert len(left) <= 0.015 * total, left


def test_the_title_stays_once_and_is_marked() -> None:
    text = "\n".join(line for _, line in PAGES["news"])
    (title,) = told(text, "meta.title")
    assert title == "江城建成首条氢能公交示范线"
    assert cleaned(text).count(title) == 1


def test_bylines_are_cut_and_what_they_tell_is_marked() -> None:
    text = "\n".join(line for _, line in PAGES["people"])
    assert told(text, "meta.date") == ["2022年09月14日08:31"]
    assert told(text, "meta.source") == ["江海日报"]
    assert told(text, "meta.author") == ["冯雨、赵一航"]
    assert any("互联网新闻信息服务许可证" in line for line in told(text, "meta.licence"))
    assert "责编" not in cleaned(text)


def test_no_reason_quotes_a_person() -> None:
    spans = spans_of("\n".join(line for _, line in PAGES["paper"]))
    assert all(span.reason.isascii() for span in spans)


def test_a_page_that_was_flattened_into_one_line_is_divided() -> None:
    body = "".join(f"第{n}项措施已经落实，效果良好。" for n in range(20))
    head = "某某网 设为首页 加入收藏 手机版 当前位置： 首页 > 正文 某市推进改革 2024年02月03日 17:06 来源： 某某网 【打印】"
    text = f"{head} {body} 版权所有 京ICP备99999999号 返回顶部 关于我们 联系我们"
    assert body in cleaned(text)
    assert "返回顶部" not in cleaned(text)
    assert "设为首页" not in cleaned(text)


def test_any_page_that_lost_its_line_ends_is_divided() -> None:
    left = total = 0
    for page in PAGES.values():
        lines = [line for _, line in page]
        stays = kept(lines, spans_of(" ".join(lines)))
        assert [line for (mark, line), stay in zip(page, stays, strict=True) if mark == "+" and not stay] == []
        left += sum(mark == "-" and stay for (mark, _), stay in zip(page, stays, strict=True))
        total += sum(mark == "-" for mark, _ in page)
    assert left <= 0.03 * total


def test_blank_lines_and_indents_do_not_matter() -> None:
    lines = [line for _, line in PAGES["digest"]]
    wide = "\n\n".join(f"　　{line}" for line in lines)
    assert [line.strip() for line in cleaned(wide).splitlines() if line.strip()] == cleaned("\n".join(lines)).splitlines()


def test_a_statute_is_not_touched() -> None:
    assert spans_of("\n".join(LAW)) == ()


def test_code_between_fences_is_not_touched() -> None:
    code = ["```", "登录", "返回顶部", "```"]
    assert cleaned("\n".join([*HEAD, *ARTICLE, *code, *ARTICLE, *TAIL])) == "\n".join([*ARTICLE, *code, *ARTICLE])


def test_one_button_among_prose_is_a_heading() -> None:
    text = "\n".join([*HEAD, *ARTICLE, "下载", *ARTICLE, "搜索", *ARTICLE, *TAIL])
    assert {"下载", "搜索"} <= set(cleaned(text).splitlines())


def test_a_signature_above_the_footer_stays() -> None:
    text = "\n".join([*HEAD, *ARTICLE, "某某市人民政府", "2024年3月5日", "【打印本页】", *TAIL])
    assert cleaned(text).splitlines()[-2:] == ["某某市人民政府", "2024年3月5日"]


def test_a_torn_line_of_a_text_stays() -> None:
    torn = ["根据某某通知（某发〔", "2015", "〕", "13", "号），现就有关事项通知如下，请遵照执行，并及时报告有关情况，不得延误。"]
    assert cleaned("\n".join([*HEAD, *torn, *ARTICLE, *TAIL])) == "\n".join([*torn, *ARTICLE])


def test_teasers_that_are_sentences_go_with_their_dates() -> None:
    teaser = "近日，某地启动了一项新的计划，首批项目已经开工，预计明年完成。"
    text = "\n".join([*HEAD, *ARTICLE, "最热文章", *([teaser, "2024-05-11 09:12"] * 6), "返回顶部"])
    assert cleaned(text) == "\n".join(ARTICLE)


@pytest.mark.parametrize("moment", ["2024-05-11 09:12", "3小时前", "2024年5月11日"])
def test_beginnings_of_other_articles_before_a_moment_go_even_where_they_are_laws(moment: str) -> None:
    text = "\n".join(
        [*LAW, "延伸阅读", f"第二条 本办法所称{STATUTE[:20]}…", moment, "某某实施细则", "第一条 为了规范...", moment]
    )
    assert cleaned(text) == "\n".join(LAW)


def test_a_text_with_only_a_byline_and_a_notice_loses_both() -> None:
    notice = "本文转载自网络，如有侵权请联系本站删除。"
    text = "\n".join(["某县举办技能大赛", "2024-05-06 10:23 来源：某县日报", *ARTICLE, notice])
    assert cleaned(text) == "\n".join(["某县举办技能大赛", *ARTICLE])


def test_a_text_that_is_one_notice_stays() -> None:
    assert spans_of("这张图侵删，转载请注明出处。") == ()


def test_a_page_of_nothing_else_is_dropped() -> None:
    verdict = verdict_of("\n".join(PAGE_LINES[:40]))
    assert verdict is not None
    assert (verdict.outcome, verdict.reason) == ("drop", "only-boilerplate")
    assert verdict_of("\n".join([*HEAD, *ARTICLE, *TAIL])) is None
    assert verdict_of("短。") is None


def test_phrases_of_the_user_are_cut() -> None:
    text = "\n".join([*ARTICLE, "某某快报小程序", *ARTICLE])
    assert cleaned(text) == text
    assert cleaned(text, Boilerplate(also=("某某快报小程序",))) == "\n".join([*ARTICLE, *ARTICLE])


@settings(max_examples=60)
@given(st.lists(st.sampled_from(PAGE_LINES) | st.sampled_from(TEXT_LINES) | st.text(max_size=30), max_size=40))
def test_cuts_are_disjoint_and_never_take_an_article_of_a_law(lines: list[str]) -> None:
    text = "\n".join(lines)
    spans = spans_of(text)
    apply(text, edits_of(spans))
    lines = text.split("\n")
    for line, stays in zip(lines, kept(lines, spans), strict=True):
        assert stays or not line.strip() or kind_of(line.strip()).kind is not Kind.LAW or line.strip().endswith(("…", "."))


@settings(max_examples=60)
@given(st.data())
def test_blocks_of_page_lines_anywhere_in_a_statute_go_and_it_stays(data: st.DataObject) -> None:
    lines = [(False, line) for line in LAW]
    for _ in range(data.draw(st.integers(1, 3))):
        block = data.draw(st.lists(st.sampled_from(PAGE_LINES), min_size=4, max_size=12, unique=True))
        at = data.draw(st.sampled_from([0, *range(2, 12), len(lines)]))
        lines[at:at] = [(True, line) for line in block]
    text = [line for _, line in lines]
    stays = kept(text, spans_of("\n".join(text)))
    assert [line for (mine, line), stay in zip(lines, stays, strict=True) if not mine and not stay] == []
    sure = [
        stay for (mine, line), stay in zip(lines, stays, strict=True) if mine and kind_of(line).kind in (Kind.STRONG, Kind.LIST)
    ]
    assert sum(sure) == 0


def test_lines_that_no_lexicon_has_go_with_their_neighbours() -> None:
    words = UNSEEN_LINES * 2
    texts = ["\n".join([*words[i : i + 10], *LAW[:-2], *words[i + 10 : i + 26]]) for i in range(0, len(UNSEEN_LINES), 4)]
    left = [line for text in texts for line in cleaned(text).splitlines() if line in UNSEEN_LINES]
    assert len(left) <= 0.06 * 26 * len(texts), left


def test_a_document_gets_the_same_beside_others() -> None:
    texts = ["\n".join(line for _, line in page) for page in PAGES.values()]
    together = marks_of(batch(*texts))
    assert [together.spans[row] for row in range(len(texts))] == [spans_of(text) for text in texts]


@pytest.mark.parametrize("bullet", ["• ", "- ", "* "])
def test_bullets_before_the_entries_of_a_menu_hide_nothing(bullet: str) -> None:
    menu = [f"{bullet}{name}" for name in ("首页", "新闻", "时政", "登录")]
    items = [f"{bullet}第一站在城东", f"{bullet}末站在城西"]
    text = "\n".join([*menu, HEAD[0], "某市建成首条示范线", "2024-03-18 09:26 来源：某报", *ARTICLE, *items, *ARTICLE, *TAIL])
    assert cleaned(text) == "\n".join(["某市建成首条示范线", *ARTICLE, *items, *ARTICLE])


def test_the_title_of_the_html_head_finds_the_title_of_the_page() -> None:
    text = "\n".join([HEAD[0], "热点：某地今日降温", "某市建成首条示范线", "某报", "2024-03-18 09:26", *ARTICLE, *TAIL])
    documents = batch(text)
    named = DocumentBatch({**documents.columns, "title": ["某市建成首条示范线_某某网"]})
    (title,) = [span for span in marks_of(named).spans[0] if span.label == "meta.title"]
    assert text[title.start : title.end] == "某市建成首条示范线"


def test_half_width_marks_do_not_matter() -> None:
    half = str.maketrans("，：（）！；？", ",:()!;?")
    for page in PAGES.values():
        lines = [line.translate(half) for _, line in page]
        stays = kept(lines, spans_of("\n".join(lines)))
        assert [line for (mark, line), stay in zip(page, stays, strict=True) if mark == "+" and not stay] == []
