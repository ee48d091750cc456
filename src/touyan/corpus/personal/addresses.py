"""Postal addresses: from the province, the street or the estate down to house, unit and room.

Owns the grammar of addresses. Knows nothing about maps, nor about who lives there. Invariant: an address holds a number of a
house, after a street, an estate or a place that the gazetteer knows; 第5号, 12月5日 and 3号线 are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from touyan.corpus.personal.homes import kind_of
from touyan.corpus.personal.identifier import Identifier
from touyan.corpus.personal.places import last_chain

_N = r"(?:甲?[A-Za-z]?[0-9]{1,5}[A-Za-z]?|[A-Z](?=[座栋幢区单])|[零一二三四五六七八九十百]{1,4}|[甲乙丙丁])"
_NUMBER = rf"{_N}(?:[-—/之]{_N}){{0,3}}"
_UNIT = r"(?:号(?:[楼院房门铺库]|宿舍)?|#(?:楼)?|支?弄|[栋幢座组室院区社户层楼门舍委期排]|单元|房)"
_ESTATE_END = (
    "小区|花园|花苑|家园|公寓|新村|小镇|大厦|广场|家属[院楼]|宿舍|山庄|别墅|名邸|名苑|华庭|公馆|雅居|豪庭|华府|嘉园|国际|中心|"
    "[里苑园城府邸庭湾坊院村楼轩阁居墅郡都座]"
)
_ENDED = r"(?![0-9A-Za-z.%年月元万亿号项条个名家户平多余-])"
_ESTATE = rf"(?:[一-龥A-Za-z]{{1,8}}?(?:{_ESTATE_END})(?:[东西南北一二三四五六七八九十]?[区期])?){{1,2}}"
_ROOM = r"(?:[A-Za-z]?[0-9]{3,4}|[0-9]{1,4}(?:-[0-9]{1,4}){1,2})"
_BUILDING = "(?:小区|花园|家园|公寓|大厦|广场|新村|山庄|嘉园|名苑|华庭|宿舍|家属院)"
# 12号3幢502室; 140号书香名邸7号楼东单元865室; 1组40号; 3栋1502; 272号附13号; 753号之二1501房; 121号2-2; 575号建工大厦; 12-3-502.
_TAIL = re.compile(
    rf"(?<![0-9A-Za-z第])(?:(?:[甲乙丙丁]字楼)?{_NUMBER} ?{_UNIT}(?:之{_N})?"
    rf"(?: ?(?:{_ESTATE}|附)? ?(?:{_NUMBER} ?{_UNIT}|[东西南北中左右](?:单元|户|门)))*"
    rf"(?: ?(?:{_ESTATE})?(?<=[栋幢座元楼院号层厦园苑城寓邸庭府居场门舍区期之一二三四五六]) ?{_ROOM}(?:[室房]|{_ENDED}))?"
    rf"(?:(?<=号)[一-龥]{{2,8}}?{_BUILDING})?"
    rf"|[0-9]{{1,3}}-[0-9]{{1,3}}-[0-9]{{3,4}}{_ENDED}|(?<=[园苑区里庭邸府城村寓院])[0-9]{{1,3}}-[0-9]{{3,4}}{_ENDED})"
)
_HOMELY = re.compile(rf"{_NUMBER} ?(?:号楼|[栋幢]) ?(?:{_NUMBER} ?(?:单元|室|号)|[东西中]单元|[0-9]{{3,4}}(?![0-9]))")
_HOUSE_OF_A_PLACE = re.compile(rf"(?:{_NUMBER} ?{_UNIT})*?{_NUMBER} ?(?:号楼|[栋幢]|单元)")
_BARE_ROOM = re.compile(r"[0-9]{1,3}-[0-9]{3,4}(?![0-9-])")
_TOWNSHIP = re.compile(r"(?:镇|乡|街道|社区|村)[一-龥]{1,8}\Z")
_NOT_HOUSE = re.compile(
    r"(?:以[上下内]|车|文件?|公告|令|通知|决定|批复|函|线|电梯|码|机组?|提案|议案|建议|台风|馆|厅|染色|汽油|柴油|标|信箱|窗口|病房|井|坑|泵)"
)
_STREET_END = (
    "(?:路|街|大道|道|巷|胡同|弄|里|坊|公路|村|庄|屯|寨|社区|镇|乡|街道|组|队|小区|花园|苑|园|家园|公寓|新村|大厦|广场|宿舍|"
    "家属院|山庄|城|府|邸|庭|湾|院)"
)
_STREET = re.compile(
    rf"{_STREET_END}(?:[东西南北中]?(?:段|侧|口|区|头|面)?|[一二三四五六七八九十0-9]{{1,3}}[段期区])(?:自编|门牌|临)? ?\Z"
)
_LAST_STREET = re.compile(rf"[一-龥]{{1,4}}{_STREET_END}(?:[一-龥]{{0,4}}{_STREET_END})?[一-龥0-9]{{0,3}} ?\Z")
_PLACE_WORD = re.compile(
    r"(?:地址|地点|位于|坐落于?|住址|住所地?|户籍(?:所在)?地|家住|现住|居住[在于]?|暂住|租住[在于]?|住在|搬到|寄[到往至]|送[到至]|前往|来到|[在住于到至往址])"
)
_STOP = re.compile(r"[^一-龥0-9A-Za-z ·\-#]|(?<![省市区县州旗镇乡路街道村]) ")
_LONGEST_HEAD, _SHORT_HEAD = 40, 12


def addresses(text: str) -> Iterator[Identifier]:
    """The addresses in a folded text; canonical without spaces."""
    done = 0
    for tail in _TAIL.finditer(text):
        begin = _begin(text, tail.start(), done)
        if begin is None or _NOT_HOUSE.match(text, tail.end()):
            continue
        done = tail.end()
        yield Identifier(begin, done, kind_of(text, begin, tail), "".join(text[begin:done].split()))


def _begin(text: str, tail: int, low: int) -> int | None:
    """Where the address begins whose houses begin at `tail`; None where no street, estate or place stands before them."""
    low = max(low, tail - _LONGEST_HEAD)
    for stop in _STOP.finditer(text, low, tail):
        low = stop.end()
    head = text[low:tail]
    chain = last_chain(head)
    if not head or not _is_led_to(head, chain, text, tail):
        return None
    words = [match for match in _PLACE_WORD.finditer(head) if chain is None or (match.end() > chain and len(match.group()) > 1)]
    if words and words[-1].end() < len(head):
        return low + words[-1].end()
    if chain is not None:
        return low + chain
    street = _LAST_STREET.search(head)
    return low if len(head) <= _SHORT_HEAD else low + street.start() if street else None


def _is_led_to(head: str, chain: int | None, text: str, tail: int) -> bool:
    """Whether `head` ends as a way to a house does, or what follows can be nothing but a house of the places in it."""
    if chain is None:
        return bool((_STREET.search(head) and not _BARE_ROOM.match(text, tail)) or _HOMELY.match(text, tail))
    return bool(_STREET.search(head) or _HOUSE_OF_A_PLACE.match(text, tail) or _TOWNSHIP.search(head, chain))
