"""Postal addresses: from the province, the street or the estate down to house, unit and room.

Owns the grammar of addresses and the question whose address it is. Knows nothing about maps. Invariant: an address is
somebody's home (`address`) where it names a room, a unit or a house of a village and no office stands beside it, where the text
says that a person lives there, or where it shares a line with a person's number; any other is an `office-address`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace

from touyan.corpus.personal.identifier import Identifier, Kind
from touyan.corpus.personal.places import last_chain

_N = r"(?:甲?[A-Za-z]?[0-9]{1,5}[A-Za-z]?|[A-Z](?=[座栋幢区单])|[零一二三四五六七八九十百]{1,4}|[甲乙丙丁])"
_NUMBER = rf"{_N}(?:[-—/之]{_N}){{0,3}}"
_UNIT = r"(?:号(?:[楼院房门铺库]|宿舍)?|#(?:楼)?|支?弄|[栋幢座组室院区社户层楼]|单元|房)"
_ESTATE_END = (
    "小区|花园|花苑|家园|公寓|新村|小镇|大厦|广场|家属[院楼]|宿舍|山庄|别墅|名邸|名苑|华庭|公馆|雅居|豪庭|华府|嘉园|国际|中心|"
    "[里苑园城府邸庭湾坊院村楼轩阁居墅郡都座]"
)
_ENDED = r"(?![0-9A-Za-z.%年月元万亿号项条个名家户平多余-])"
_ESTATE = rf"(?:[一-龥A-Za-z]{{1,8}}?(?:{_ESTATE_END})(?:[东西南北一二三四五六七八九十]?[区期])?)"
# 12号3幢502室; 140号书香名邸7号楼2单元865室; 1组40号; 3栋1502.
# 12号3幢502室; 140号书香名邸7号楼东单元865室; 1组40号; 3栋1502; 272号附13号; 121号2-2.
# 12号3幢502室; 140号书香名邸7号楼东单元865室; 1组40号; 3栋1502; 272号附13号; 121号2-2; 12-3-502.
_TAIL = re.compile(
    rf"(?<![0-9A-Za-z第])(?:{_NUMBER} ?{_UNIT}(?: ?(?:{_ESTATE}|附)? ?(?:{_NUMBER} ?{_UNIT}|[东西南北中左右]单元))*"
    rf"(?: ?{_ESTATE}?(?<=[栋幢座元楼院号层厦园苑城寓邸庭府居场]) ?(?:[A-Za-z]?[0-9]{{3,4}}|[0-9]{{1,4}}(?:-[0-9]{{1,4}}){{1,2}}){_ENDED})?"
    rf"|[0-9]{{1,3}}-[0-9]{{1,3}}-[0-9]{{3,4}}{_ENDED})"
)
_HOMELY = re.compile(rf"{_NUMBER} ?(?:号楼|[栋幢]) ?(?:{_NUMBER} ?(?:单元|室|号)|[东西中]单元|[0-9]{{3,4}}(?![0-9]))")
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
_HOME = re.compile(r"室|单元|户\Z|房\Z|[栋幢楼座] ?[A-Za-z]?[0-9]{3,4}\Z|组|弄|[0-9]-[0-9]{1,4}\Z")
_VILLAGE = re.compile(r"[村屯庄寨组队]\Z")
_DWELLS = re.compile(
    r"(?:家庭住址|常住地址|现住址|住址|户籍(?:所在)?地?|户口所在地|家住|现住|居住(?:地址?|在|于)?|暂住|租住(?:在|于)?|住在|住所|"
    r"收[件货](?:人)?(?:地址)?|寄件(?:人)?(?:地址)?|[家来]的?地址|(?<![居入暂衣食常])住)[为是:：在于 ]{0,3}\Z"
)
_OFFICE = re.compile(
    r"(?:办公|单位|公司|注册|经营|机关|营业|政府|局|委员?会?|法院|检察院|医院|学校|大学|中心|银行|厅|处|大厅|窗口|门店|店铺?)"
    r"(?:所在地|所|的)?(?:地址|地点|住所地?|位于|设在|坐落于?)?[为是:：在于（( ]{0,3}\Z"
)
_OFFICE_AFTER = re.compile(
    r"[ (（]?[一-龥]{0,14}?(?:公司|局|委|部|处|厅|院|所|站|馆|中心|大学|协会|秘书处|办公室|政府|银行|学校|医院|店|收发室)(?![一-龥]?\d)"
)
_PERSONAL = frozenset({"id-card", "birth-date", "mobile", "bank-card"})
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
        yield Identifier(begin, done, _kind(text, begin, tail), "".join(text[begin:done].split()))


def _begin(text: str, tail: int, low: int) -> int | None:
    """Where the address begins whose houses begin at `tail`; None where no street, estate or place stands before them."""
    low = max(low, tail - _LONGEST_HEAD)
    for stop in _STOP.finditer(text, low, tail):
        low = stop.end()
    head = text[low:tail]
    chain = last_chain(head)
    if not head or not (_STREET.search(head) or _HOMELY.match(text, tail)):
        return None
    words = [match for match in _PLACE_WORD.finditer(head) if chain is None or (match.end() > chain and len(match.group()) > 1)]
    if words and words[-1].end() < len(head):
        return low + words[-1].end()
    if chain is not None:
        return low + chain
    street = _LAST_STREET.search(head)
    return low if len(head) <= _SHORT_HEAD else low + street.start() if street else None


def _kind(text: str, begin: int, tail: re.Match[str]) -> Kind:
    if _DWELLS.search(text, max(0, begin - 16), begin):
        return "address"
    is_home = _HOME.search(tail.group()) or _VILLAGE.search(text, begin, tail.start())
    return "address" if is_home and not _is_office(text, begin, tail.end()) else "office-address"


def _is_office(text: str, start: int, end: int) -> bool:
    return bool(_OFFICE.search(text, max(0, start - 16), start) or _OFFICE_AFTER.match(text, end))


def homes(text: str, found: list[Identifier]) -> list[Identifier]:
    """`found` with the addresses that stand in one line with a person's number, and beside no office, as that person's."""
    return [replace(each, kind="address") if _is_of_a_person(text, each, found) else each for each in found]


def _is_of_a_person(text: str, address: Identifier, found: list[Identifier]) -> bool:
    if address.kind != "office-address" or _is_office(text, address.start, address.end):
        return False
    low = text.rfind("\n", 0, address.start) + 1
    end = text.find("\n", address.end)
    high = end if end >= 0 else len(text)
    first, last = bisect_left(found, low, key=_start), bisect_left(found, high, key=_start)
    return any(each.kind in _PERSONAL for each in found[first:last])


def _start(found: Identifier) -> int:
    return found.start
