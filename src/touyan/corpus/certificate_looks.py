"""Second looks at released texts: damage, lines of pages, checked numbers, length and script, each by rules of its own.

Owns those rules. Knows nothing about the operators whose work it looks at and shares no pattern with them, so that one mistake
does not pass twice. Invariant: a look sees rather too much than too little; what it sees in one text depends on that text alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from touyan.corpus.personal.checks import is_bank_card, is_id_card
from touyan.corpus.personal.suspects import suspects

_COMMON = "的一是在不了有和人这中大为上个国我以要他时来用们到作地于出就分对成会，。、：；“”（）"
_TONES = "āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜ"
_PLAIN_DAMAGE = (
    r"[\ufffd\ue000-\uf8ff\x80-\x84\x86-\x9f]",
    r"锟斤",
    r"烫烫烫",
    r"屯屯屯",
    r"\?\?\?\?",
    rf"[一-龥][(（][a-zü]*[{_TONES}][a-zü]*[)）]",
    r"(?:[ä-é][\x80-\xbf‚ƒ„…†‡ˆ‰Š‹Œ‘’“”•–—˜™š›œžŸ€]{2}){2}",
)
"""Lost characters, their well-known remains, unassigned and control characters, pinyin behind a Han character, UTF-8 read as a
Western codec: three bytes of which the first is E4 to E9, as those of nearly every Han character are."""
_PAGE_LINE = re.compile(
    r"""^[\s>»|·•\[【（(]*(?:
        分享(?:到|至)|责任?编辑?[:：丨|]|编辑[:：]|来源[:：]|作者[:：]|记者[:：]|[上下]一[篇条页][:：\s]?|返回(?:顶部|首页|列表)|关闭窗口
        |打印(?:本页|此页)?\s*$|字号[:：]|收藏本站|设为首页|扫一扫|相关(?:阅读|推荐|链接|新闻|文章)|猜你喜欢|热门(?:推荐|文章|标签)|推荐阅读
        |版权(?:所有|声明)|技术支持[:：]|主办单位[:：]|承办单位[:：]|网站地图|联系我们|关于我们|免责声明|当前位置|您?现?在?的?位置[:：]
        |[首主]页\s*[>»/|]|登录\s*[|/]?\s*注册|阅读(?:数|量|次数)?[:：]?\s*\d|浏览(?:数|量|次数)?[:：]\s*\d|点击(?:数|量|次数)?[:：]\s*\d
        |发布(?:时间|日期)[:：]|Copyright|©|\w{1,3}ICP[备证]|\w{1,3}公网安备|\{\{|<%|\$\{
    )""",
    re.VERBOSE | re.MULTILINE | re.IGNORECASE,
)
_NUMBER = re.compile(r"[0-9０-９](?<![0-9A-Za-z０-９].)(?:[ -]?[0-9０-９]){14,17}(?:[ -]?[0-9０-９]|[XxＸ])(?![0-9A-Za-z０-９])")
_PLAIN = str.maketrans("０１２３４５６７８９Ｘ", "0123456789X", " -")


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen in one text."""

    chars: int
    """Code points without white space."""
    han_share: float
    """Of its letters."""
    is_damaged: bool
    page_lines: int
    checked_numbers: int
    """Identity and card numbers whose check holds; on average one of ten random numbers of a card's length does."""
    suspicions: int
    """What the second detector of personal information would ask a person about."""


def looks(texts: Sequence[str]) -> list[Look]:
    """One look for each text."""
    from touyan.corpus.script import han_shares

    shares = han_shares(list(texts)).tolist()
    return [_look(text, share) for text, share in zip(texts, shares, strict=True)]


def _look(text: str, han_share: float) -> Look:
    return Look(
        chars=len("".join(text.split())),
        han_share=han_share,
        is_damaged=is_damaged(text),
        page_lines=len(page_lines(text)),
        checked_numbers=checked_numbers(text),
        suspicions=sum(suspects(text).values()),
    )


def is_damaged(text: str) -> bool:
    """Whether any sign of a wrong codec or of a mirror page stands in the text."""
    return any(pattern.search(text) for pattern in _damage())


def page_lines(text: str) -> list[str]:
    """The openings of lines that a page has and an article does not."""
    return [match[0].strip() for match in _PAGE_LINE.finditer(text)]


def checked_numbers(text: str) -> int:
    """How many numbers have the form and the check digit of an identity card or a payment card."""
    found = (match[0].translate(_PLAIN).upper() for match in _NUMBER.finditer(text))
    return sum(is_id_card(number) or is_bank_card(number) for number in found)


@cache
def _damage() -> tuple[re.Pattern[str], ...]:
    """Also UTF-8 read as GBK: three pairs of bytes, near each other, that common characters begin with.

    One by one they are found by their first characters, ten times as fast as in one alternative.
    """
    begun = {character.encode()[:2].decode("gbk", "ignore") for character in _COMMON} - {""}
    pair = f"[{''.join(sorted(begun))}]"
    return tuple(map(re.compile, (*_PLAIN_DAMAGE, rf"{pair}[^\n]{{0,3}}{pair}[^\n]{{0,3}}{pair}")))
