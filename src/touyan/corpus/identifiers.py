"""Recognises mobile numbers, e-mail addresses, ID-card numbers and bank cards in Chinese text.

Owns the patterns, checksums and boundaries, and which of two overlapping readings wins. Knows nothing about masks or people.
Invariant: `\\b` is never used, because a Han character is a word character and 电话138… has no boundary in it; an identifier
ends where its digits end, whatever script stands beside it, in full-width and in separated spelling too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

Kind = Literal["email", "id-card", "bank-card", "mobile"]
PRIORITY: dict[str, int] = {"email": 0, "id-card": 1, "bank-card": 2, "mobile": 3}
"""An address that holds a number is masked whole; among numbers the strongest check wins."""

_ID_DIGITS, _CARD_DIGITS, _MOBILE_DIGITS = 18, range(16, 20), 11
_GROUPS = 8  # more groups than anybody writes, but for a form with one box for each digit of an ID card
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999, from ISO 7064 MOD 11-2
_ID_CHECK = "10X98765432"
_PROVINCES = frozenset(  # GB/T 2260; 81 to 83 are residence permits of Hong Kong, Macao and Taiwan
    str(code)
    for codes in (range(11, 16), range(21, 24), range(31, 38), range(41, 47), range(50, 55), range(61, 66), (71, 81, 82, 83, 91))
    for code in codes
)
# ISO/IEC 7812 issuers that cards in China carry: 3 to 6, MasterCard's 2221 to 2720, UnionPay's 81, the older 9558 of ICBC.
_ISSUER = re.compile(r"[3-6]|81|9558|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720")
_MOBILE = re.compile(r"1[3-9]\d{9}")
_MOBILE_GROUPS = frozenset({(11,), (3, 4, 4), (3, 8), (7, 4), (4, 4, 3), (3, 3, 5), (4, 3, 4)})
_COUNTRY = frozenset({"86", "086", "0086"})
_UNIT = re.compile(r" ?(?:[元万亿吨斤]|美元|欧元|日元|港元|人民币|平方|立方|千瓦|公里|[Kk][Ww])")
_CURRENCY = ("¥", "￥", "$", "€", "£")
_TELEPHONE_WORD = re.compile(r"(?:tel|phone|mobile|mob|cell|call|wechat|weixin|wx|vx|qq|id|no)[.:]?\Z", re.IGNORECASE)

# Only what can be part of an identifier: ，：（） are in every Chinese text, and must not cost a translation.
_SEPARATORS = "\u3000\u00a0．－＿\u2010-\u2015\u2212"
_FULL_WIDTH = re.compile(rf"[０-９Ａ-Ｚａ-ｚ＠]|[0-9A-Za-z][{_SEPARATORS}]")
_FOLD = {
    **{point: point - 0xFEE0 for point in range(0xFF01, 0xFF5F)},
    **dict.fromkeys((0x3000, 0x00A0), 0x20),
    **dict.fromkeys((*range(0x2010, 0x2016), 0x2212), 0x2D),
}

_BETWEEN = r"(?: ?[-.·_] ?| )?"
_RUN = re.compile(rf"[0-9](?:{_BETWEEN}[0-9]){{10,}}(?:{_BETWEEN}[Xx](?![0-9A-Za-z]))?")
_GROUP = re.compile(r"[0-9]+[Xx]?|[Xx]")
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9_][A-Za-z0-9._%+\-]{0,254}"  # RFC 5321: a path has at most 256 octets
    r" ?@ ?(?:[A-Za-z0-9][A-Za-z0-9\-]{0,62}\.)+[A-Za-z]{2,24}"
)


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier found in a text: the interval it takes and its spelling, as `core.document.one_spelling` gives it."""

    start: int
    end: int
    kind: Kind
    canonical: str


def folded(text: str) -> str:
    """`text` with full-width letters, digits and separators in ASCII: as many code points, each in its place."""
    return text.translate(_FOLD) if _FULL_WIDTH.search(text) else text


def find(text: str) -> list[Identifier]:
    """Every identifier in `text`, in no particular order.

    Numbers do not overlap each other (id-card before bank-card before mobile); an e-mail address may hold one of them.
    """
    plain = folded(text)
    found = list(_emails(plain)) if "@" in plain else []
    for run in _RUN.finditer(plain):
        found += _numbers(plain, run)
    return found


def _emails(text: str) -> Iterator[Identifier]:
    for match in _EMAIL.finditer(text):
        yield Identifier(match.start(), match.end(), "email", match.group().replace(" ", "").lower())


def _numbers(text: str, run: re.Match[str]) -> list[Identifier]:
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
        if len(digits) > _CARD_DIGITS[-1]:
            return
        if len(digits) == _ID_DIGITS or (len(digits) >= _MOBILE_DIGITS and j - i < _GROUPS):
            kind, canonical = _kind(text, digits, groups[i : j + 1])
            if kind is not None:
                yield j + 1, Identifier(groups[i][0], end, kind, canonical)


def _kind(text: str, digits: str, groups: list[tuple[int, int]]) -> tuple[Kind | None, str]:
    if is_id_card(digits):
        return "id-card", digits
    if _card_spelling(text, groups) and is_bank_card(digits):
        return "bank-card", digits
    if digits[-_MOBILE_DIGITS:].isdigit() and _mobile_spelling(text, digits, groups):
        return "mobile", digits[-_MOBILE_DIGITS:]
    return None, ""


def is_id_card(digits: str) -> bool:
    """Whether 18 characters are a citizen identification number: province, real date of birth, check character (GB 11643)."""
    if len(digits) != _ID_DIGITS or digits[:2] not in _PROVINCES or not digits[:17].isdigit() or not _is_birthday(digits[6:14]):
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, digits, strict=False))
    return digits[17] == _ID_CHECK[total % 11]


def _is_birthday(digits: str) -> bool:
    if digits[:2] not in ("18", "19", "20"):
        return False
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True


def is_bank_card(digits: str) -> bool:
    """Whether 16 to 19 digits are a payment card number: an issuer's first digits and the Luhn check (ISO/IEC 7812-1)."""
    if len(digits) not in _CARD_DIGITS or not digits.isdigit() or not _ISSUER.match(digits):
        return False
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


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
    return tuple(sizes) in _MOBILE_GROUPS and not _is_quantity(text, groups[0][0], groups[-1][1])


def _is_quantity(text: str, start: int, end: int) -> bool:
    before = text[max(0, start - 8) : start]
    is_word = _letter_after(text, end) or (_letter_before(text, start) and not _TELEPHONE_WORD.search(before))
    return bool(_is_decimal(text, start, end) or is_word or before.endswith(_CURRENCY) or _UNIT.match(text, end))


def _is_decimal(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    return (before[1:] == "." and before[:1].isdigit()) or (after[:1] == "." and after[1:].isdigit())


def _letter_before(text: str, start: int) -> bool:
    return start > 0 and text[start - 1].isascii() and text[start - 1].isalpha()


def _letter_after(text: str, end: int) -> bool:
    return text[end : end + 1].isascii() and text[end : end + 1].isalpha()
