"""Numbers made of digits alone: identity cards, bank cards, mobile telephones, and the freephone lines that are nobody's.

Owns runs of digits, how they are cut into groups, and which of several readings of one run wins. Knows nothing about letters.
Invariant: `\\b` is never used, because a Han character is a word character and 电话138… has no boundary in it; an identifier
ends where its digits end, whatever script stands beside it, in full-width and in separated spelling too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from touyan.corpus.personal.checks import CARD_DIGITS, ID_DIGITS, is_bank_card, is_id_card, is_old_id_card
from touyan.corpus.personal.identifier import PRIORITY, Identifier, Kind
from touyan.corpus.personal.serials import is_serial

_MOBILE_DIGITS, _SHORTEST = 11, 10
_GROUPS = 8  # more groups than anybody writes, but for a form with one box for each digit of an ID card
_MOBILE = re.compile(r"1[3-9]\d{9}")
_HOTLINE = re.compile(r"[48]00[1-9]\d{6}")
_MOBILE_GROUPS = frozenset({(11,), (3, 4, 4), (3, 8), (7, 4), (4, 4, 3), (3, 3, 5), (4, 3, 4)})
_HOTLINE_GROUPS = frozenset({(10,), (3, 7), (3, 3, 4), (3, 4, 3), (4, 3, 3), (6, 4)})
_COUNTRY = frozenset({"86", "086", "0086"})
_UNIT = re.compile(r" ?(?:[元吨斤株尾件]|美元|欧元|日元|港元|人民币|平方|立方|千瓦|公里|[Kk][Ww])")
_CURRENCY = ("¥", "￥", "$", "€", "£")
_TELEPHONE_WORD = re.compile(
    r"(?:tel|phone|mobile|mob|cell|call|wechat|weixin|wx|vx|qq|id|no|(?<![A-Za-z])[vtm])[.:]?\Z", re.IGNORECASE
)
_OLD_ID_WORD = re.compile(r"(?:身份证|公民身份|证件)[^\d\n]{0,12}\Z")

_BETWEEN = r"(?: ?[-.·_] ?| )?"
_RUN = re.compile(rf"[0-9](?:{_BETWEEN}[0-9]){{{_SHORTEST - 1},}}(?:{_BETWEEN}[Xx](?![0-9A-Za-z]))?")
_BRACKETED = re.compile(r"(?<![0-9A-Za-z])(?:\+?86[ -]?)?[(（](1[3-9]\d)[)）][ -]?(\d{4})[ -]?(\d{4})(?![0-9A-Za-z])")
_GROUP = re.compile(r"[0-9]+[Xx]?|[Xx]")


def numbers(text: str) -> Iterator[Identifier]:
    """The numbers in a folded text; they do not overlap each other."""
    for run in _RUN.finditer(text):
        yield from _of_run(text, run)
    for match in _BRACKETED.finditer(text):
        yield Identifier(match.start(), match.end(), "mobile", "".join(match.groups()))


def _of_run(text: str, run: re.Match[str]) -> list[Identifier]:
    """The identifiers in one run of digits: each takes whole groups of it, the strongest check first, from left to right."""
    groups = [match.span() for match in _GROUP.finditer(text, run.start(), run.end())]
    candidates = [(i, j, found) for i in range(len(groups)) for j, found in _windows(text, groups, i)]
    candidates.sort(key=lambda c: (PRIORITY[c[2].kind], c[0], c[0] - c[1]))
    taken: set[int] = set()
    winners: list[Identifier] = []
    for i, j, found in candidates:
        if taken.isdisjoint(range(i, j)):
            taken.update(range(i, j))
            winners.append(found)
    return winners


def _windows(text: str, groups: list[tuple[int, int]], i: int) -> Iterator[tuple[int, Identifier]]:
    """Every identifier that begins with group `i`, and the number of the group after it."""
    digits = ""
    for j in range(i, len(groups)):
        start, end = groups[j]
        digits += text[start:end].upper()
        if len(digits) > CARD_DIGITS[-1]:
            return
        if len(digits) == ID_DIGITS or (len(digits) >= _SHORTEST and j - i < _GROUPS):
            kind, canonical = _kind(text, digits, groups[i : j + 1])
            if kind is not None:
                plus = kind == "mobile" and text.startswith("+", groups[i][0] - 1) and groups[i][0] > 0
                yield j + 1, Identifier(groups[i][0] - plus, end, kind, canonical)


def _kind(text: str, digits: str, groups: list[tuple[int, int]]) -> tuple[Kind | None, str]:
    start = groups[0][0]
    if is_id_card(digits) or (is_old_id_card(digits) and _OLD_ID_WORD.search(text, max(0, start - 20), start)):
        return "id-card", digits
    if is_serial(text, start):
        return None, ""
    if is_bank_card(digits) and _card_spelling(text, groups):
        return "bank-card", digits
    if digits[-_MOBILE_DIGITS:].isdigit() and _mobile_spelling(text, digits, groups):
        return "mobile", digits[-_MOBILE_DIGITS:]
    if _HOTLINE.fullmatch(digits) and tuple(b - a for a, b in groups) in _HOTLINE_GROUPS and not _is_quantity(text, groups):
        return "hotline", digits
    return None, ""


def _card_spelling(text: str, groups: list[tuple[int, int]]) -> bool:
    """A card is printed in groups of at least four, or in one; part of a word or of a decimal fraction it is something else."""
    start, end = groups[0][0], groups[-1][1]
    if any(last - first < 4 for first, last in groups[:-1]):
        return False
    return not (_letter_before(text, start) or _letter_after(text, end) or _is_decimal(text, start, end))


def _mobile_spelling(text: str, digits: str, groups: list[tuple[int, int]]) -> bool:
    """Eleven digits in a usual grouping, perhaps after the country code; not an amount, a decimal or part of a word."""
    number, prefix = digits[-_MOBILE_DIGITS:], digits[:-_MOBILE_DIGITS]
    if not _MOBILE.fullmatch(number) or (prefix and prefix not in _COUNTRY and prefix != "0"):
        return False
    sizes = [end - start for start, end in groups]
    if prefix and sizes[0] == len(prefix):
        sizes = sizes[1:] if text[groups[0][1]] != "." else []
    elif prefix:
        sizes[0] -= len(prefix)
    return tuple(sizes) in _MOBILE_GROUPS and not _is_quantity(text, groups)


def _is_quantity(text: str, groups: list[tuple[int, int]]) -> bool:
    """An amount, a decimal, or part of a word or of the path of an address of the web."""
    start, end = groups[0][0], groups[-1][1]
    before = text[max(0, start - 8) : start]
    is_path = before.endswith("/") and before[-2:-1].isascii() and before[-2:-1].isalnum()
    is_word = _letter_after(text, end) or (
        (is_path or _letter_before(text, start)) and not _TELEPHONE_WORD.search(before.rstrip("/"))
    )
    return bool(_is_decimal(text, start, end) or is_word or before.endswith(_CURRENCY) or _UNIT.match(text, end))


def _is_decimal(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    return (before[1:] == "." and before[:1].isdigit()) or (after[:1] == "." and after[1:].isdigit())


def _letter_before(text: str, start: int) -> bool:
    return start > 0 and text[start - 1].isascii() and text[start - 1].isalpha()


def _letter_after(text: str, end: int) -> bool:
    return text[end : end + 1].isascii() and text[end : end + 1].isalpha()
