"""Bylines: the lines above and below an article that tell its date, source, author and licence, and the values in them.

Owns the patterns of moments and labels over folded lines, and the division of a line that is cut into values and the rest. Knows
nothing about which lines are cut. Invariant: the pieces of a line are disjoint, in order, and cover it; a reason is the name of a
rule, never a value, since values are names of persons.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from touyan.core.document import Span

BOILERPLATE = "boilerplate"
TOLD = frozenset({"byline", "stamp", "licence", "notice"})
"""Rules of lines that tell something about the text."""

_DAY = r"(?:19|20)\d\d\s?(?:[-/.]\s?\d{1,2}\s?[-/.]\s?\d{1,2}|年\s?\d{1,2}\s?月\s?\d{1,2}\s?日)"
_TIME = r"\d{1,2}:\d\d(?::\d\d)?(?!\d)"
_MOMENT = (
    rf"(?:{_DAY}[\st]*\(?(?:星期.|周.)?\)?[\st]*(?:上午|下午)?\s?{_TIME}z?"  # a day and a time of day
    r"|(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}(?!\d)"  # a day as machines write it; 2024年3月5日 alone is how texts are signed
    rf"|\d{{1,2}}[-/月]\d{{1,2}}日?\s?{_TIME}|\d{{1,2}}-\d{{1,2}}(?![\d-])"
    rf"|(?:今[天日]|昨[天日]|前[天日])\s?(?:{_TIME})?|刚刚|\d+\s?(?:秒|分钟|小时|天|周|个月|年)之?前)(?:更新|发布|发表|编辑)?"
)
STAMP = re.compile(rf"[(\[]?\s?{_MOMENT}\s?[)\]]?(?:\s*{_MOMENT})?")
STAMP_WITH_ORIGIN = re.compile(
    rf"{_MOMENT}[\s·|]{{0,3}}\S{{0,6}}\s?(?:来自|阅读|浏览|评论|回复|举报|播放|发布于|编辑于).{{0,20}}$"
)

_SOURCE = (
    "(?:新闻|文章|信息|稿件|内容|消息|资讯|本文)?(?:来源|出处)|稿源|转自|摘自|来自|发布(?:单位|机构|部门|机关|人|者)|发文机关"
    "|发布主体|信息提供|供稿(?:单位)?|source"
)
_AUTHOR = (
    "(?:本文)?作者|(?:本报|本网|本刊|特约|见习|实习|首席|新华社)?(?:记者|通讯员|实习生)|责任?编辑?|责编|责任校对"
    "|(?:本期|值班|执行|图片|视频|网络|美术|版面|见习|实习|文字|流程|新媒体|当班|版式|首席|高级)?(?:编辑|主编|编审|编委|主任|总监|美编)"
    "|校对|校审|审核|审校|审读|审签|审稿|监制|监审|副主编|总编辑?|值班总编|摄影|摄像|撰稿|撰文|采写|文字|图片|信息员|供图|图文|翻译|译者"
    "|策划|统筹|制作|剪辑|设计|制图|主播|播音|执笔|投稿人?|录入[员者人]?|上传者|排版|[初复终一二三]审|签发|出品人?|组稿|编|文|图"
    "|by|author|editor|reporter"
)
_WHEN = (
    "(?:发布|发表|更新|修改|编辑|创建|上传|录入|发文|成文|发帖|出版|刊发|最后更新|最后修改|信息)(?:时间|日期|于)|日期|时间|更新|发布"
    "|publish(?:ed|date|time)?|posted|updated|last modified|date"
)
_TITLE = r"原?标\s*题|原题"
_OTHER = (
    r"(?:浏览|阅读|点击|访问|播放)(?:次数|量|数|率)?|字\s?[号体]|字体大小|分享|评论数?|收藏|点赞|人气|热度|发文字号|文\s*号|索\s*引\s*号"
    r"|主题分类|组配分类|公开(?:方式|形式|类别)|有\s?效\s?性|体裁分类|信息分类|名\s*称|分\s*类|生成日期|主\s*题\s*词"
)
_LABEL = rf"(?P<source>{_SOURCE})|(?P<author>{_AUTHOR})|(?P<date>{_WHEN})|(?P<title>{_TITLE})|(?P<other>{_OTHER})"
_ANY_LABEL = f"(?:{_SOURCE}|{_AUTHOR}|{_WHEN}|{_TITLE}|{_OTHER})"
_STOP = r"\s:,。!?;|()\[\]"
# A value ends where a mark, a day or the next label begins; names of persons stand side by side with a space between.
_VALUE = rf"(?:\d{{1,3}}(?:,\d{{3}})+|(?:(?!{_DAY})[^{_STOP}]){{1,28}})(?:\s{{1,3}}(?!{_ANY_LABEL})[^{_STOP}]{{1,10}}(?![^\s]*:)){{0,3}}"
_ITEM = re.compile(
    rf"(?:(?:发布|发表|更新|编辑|写|发)于\s*)?(?P<moment>{_MOMENT}|{_DAY})"
    rf"|(?:{_LABEL})\s*[:|/]\s*(?P<value>{_MOMENT}|{_DAY}|{_VALUE})?"
    rf"|(?:责任编辑|责编|编辑|校对|审核|审读|监制|摄影|记者|值班编辑)\s(?P<name>[^{_STOP}]{{2,4}})(?=[\s)\]]|$)"
)
_FILLER = r"(?:[\s|/·•,、()\[\]—\-]|大|中|小|打印|关闭|收藏|纠错|我要纠错|分享到?:?|次|人)"
# Possessive and atomic: a long line that is no byline after all is not tried in every other way.
_BYLINE = re.compile(rf"(?:{_FILLER}*+(?>{re.sub(r'[?]P<[a-z]+>', '?:', _ITEM.pattern)}))++{_FILLER}*+")
_PAGES_ONLY = re.compile(
    r"责任?编辑?:|责编|责任编辑|稿源:|(?:信息|文章|新闻|稿件)来源:|(?:发布|更新|发表)(?:时间|日期|于)|值班|校对|审核:|审读|监制"
    r"|发布(?:单位|机构|人|者):|发文机关:|录入|(?:浏览|阅读|点击|访问|播放)(?:次数|量|数)?:|字[号体]:|publish|索引号|发文字号|成文日期"
    r"|作者/|编辑[:/|]|\d\d:\d\d.*来源:|来源:.*\d\d:\d\d"
)
_TOLD_ANYWHERE = re.compile(rf"{_ANY_LABEL}\s*[:|/]|{_MOMENT}")
CREDIT = re.compile(
    r"[(\[]\s*(?:责编|责任编辑|编辑|审核|校对|记者|通讯员|实习生|作者|来源|原标题|原题)\s*[:|/ ]\s*[^。)\]]{0,60}[)\]]$"
    r"|(?:纠错\]?\s*)?\[?责任编辑[:\s].{0,20}$"
    r"|[\u4e00-\u9fff]{0,8}(?:记者|通讯员|实习生|编辑|校对)\s\S{2,4}(?:[\s、]\S{2,4}){0,3}$"
)
_TERMS = re.compile(r"版权|转载|授权|知识共享|著作权|copyright|licen[sc]e|©|icp|公网安备|许可证")
_META = {"source": "meta.source", "author": "meta.author", "date": "meta.date", "title": "meta.title"}


def is_byline(line: str) -> bool | None:
    """Whether a folded line is a byline that only pages have; False for one that texts have too, None for any other line."""
    if not _BYLINE.fullmatch(line):
        return None
    if _PAGES_ONLY.search(line):
        return True
    return False if _TOLD_ANYWHERE.search(line) else None


def spans_of(start: int, end: int, at: int, folded: str, rule: str) -> Iterator[Span]:
    """The edits that cut [start, end) of a text, where a line begins at `at` that reads `folded`."""
    if rule in ("licence", "notice") and _TERMS.search(folded):
        yield Span(start, end, "meta.licence", rule, "")
        return
    for label, left, right in _values(folded) if rule in TOLD else ():
        if start < at + left:
            yield Span(start, at + left, BOILERPLATE, rule, "")
        yield Span(at + left, at + right, label, rule, "")
        start = at + right
    if start < end:
        yield Span(start, end, BOILERPLATE, rule, "")


def _values(folded: str) -> Iterator[tuple[str, int, int]]:
    """The values in a folded line: label, start, end."""
    for match in _ITEM.finditer(folded):
        if match["moment"]:
            yield "meta.date", *match.span("moment")
        elif match["name"]:
            yield "meta.author", *match.span("name")
        elif match["value"]:
            told = next((label for name, label in _META.items() if match[name]), None)
            if told and (told != "meta.date" or match["value"][0].isdigit()):
                yield told, *match.span("value")
