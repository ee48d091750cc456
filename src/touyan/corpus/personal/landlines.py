"""Landline numbers: area code and local number, with an extension, in the spellings of letter heads and forms.

Owns the area codes and the words that a bare local number needs before it. Knows nothing about mobile numbers. Invariant: the
canonical spelling is area code and local number, digits only; whose line it is, an office's or a home's, digits do not tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from touyan.corpus.personal.identifier import Identifier
from touyan.corpus.personal.serials import is_serial

# The long-distance codes of the mainland: 3 digits for ten cities, 4 for the rest, by the blocks in use.
_AREA = (
    r"(?:10|2[0-57-9]|3(?:1\d|35|49|5\d|7\d|9[1-68])|4(?:[1-7]\d|8[23])|5[1-9]\d|6(?:3[1-5]|6[0238]|9[12])|"
    r"7[1-9]\d|8[1-9]\d|9[01357-9]\d)"
)
_LOCAL = r"[2-9]\d{2,3}(?:[- ]?\d{4})"
_EXTENSION = r"(?: ?(?:-|转|分机|转分机|[Ee]xt\.?) ?\d{1,6})?"
_END = r"(?![0-9]|[A-Za-z]|[-.][0-9])"
_FULL = re.compile(
    rf"(?<![0-9A-Za-z./\-_])(?:(?:\+|00)?86 ?-? ?|\+86\(0\) ?)?"
    rf"(?:[(（]0(?P<a>{_AREA})[)）] ?-? ?|0?(?P<b>{_AREA}) ?[-—–] ?|0(?P<c>{_AREA}) |0(?P<d>{_AREA}))(?P<local>{_LOCAL}){_EXTENSION}{_END}"
)
_BARE = re.compile(rf"(?<![0-9A-Za-z./\-])(?P<local>{_LOCAL}){_EXTENSION}{_END}")
_WORD = re.compile(
    r"(?:电\s?话|座机|固话|致电|拨打|来电|传真|热线|话机|小灵通|[Tt][Ee][Ll]|[Pp]hone|[Ff]ax|[Cc]all)"
    r"[^\d\n，。；,;]{0,10}(?:[(（]?0?\d{2,4}[)）]?[-—– ]?\d{7,8}[、/,， 或]{1,2})*\Z"
)


def landlines(text: str) -> Iterator[Identifier]:
    """The landline numbers in a folded text.

    A number without separator after its area code, or without an area code, counts only after a word for telephones.
    """
    for match in _FULL.finditer(text):
        area = next(filter(None, match.group("a", "b", "c", "d")))
        before = text[max(0, match.start() - 40) : match.start()]
        if not _fits(area, match["local"]) or is_serial(text, match.start()):
            continue
        if (match["d"] is None and "0" in text[match.start() : match.start("local")]) or _WORD.search(before):
            yield Identifier(match.start(), match.end(), "landline", f"0{area}{_digits(match['local'])}")
    for match in _BARE.finditer(text):
        if _WORD.search(text, max(0, match.start() - 40), match.start()):
            yield Identifier(match.start(), match.end(), "landline", _digits(match["local"]))


def _fits(area: str, local: str) -> bool:
    """The ten cities with three-digit codes have local numbers of eight digits, the others of seven or eight."""
    return len(area) == 3 or len(_digits(local)) == 8


def _digits(spelling: str) -> str:
    return "".join(letter for letter in spelling if letter.isdigit())
