"""Whose address it is: somebody's home, or the place of an office.

Owns the words that tell. Knows nothing about how an address is written. Invariant: an address is a home (`address`) where it
names a room, a unit or a house of a village and no office stands beside it, where the text says that a person lives there, or
where it shares a line with a person's number and no office stands beside it; any other is an `office-address`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import replace

from touyan.corpus.personal.identifier import Identifier, Kind

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


def kind_of(text: str, begin: int, tail: re.Match[str]) -> Kind:
    """Whose address it is that begins at `begin` and whose houses are `tail`, as far as its neighbourhood tells."""
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
