"""Codes of letters and digits: credit codes, vehicles and their plates, travel papers, insurance cards.

Owns their forms, and the words without which a form says nothing. Knows nothing about who is meant. Invariant: a code without
a check digit is believed only after a word that names it; a plate only where province, office and length agree (GA 36-2018).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from touyan.corpus.personal.checks import is_uscc, is_vin
from touyan.corpus.personal.identifier import Identifier, Kind
from touyan.corpus.personal.points import PLATE_PROVINCES

_ALONE, _END = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
_CODE = re.compile(rf"{_ALONE}[0-9A-Za-z](?: ?-?[0-9A-Za-z]){{16,17}}{_END}")

# The province, the office, an optional point, and five or (new energy) six places. I and O were never issued, but are written.
_PLATE = re.compile(
    rf"(?<![A-Za-z0-9])[{PLATE_PROVINCES}][A-HJ-Za-hj-z](?: ?[·•.． -] ?| )?"
    r"(?:(?:[A-HJKa-hjk][A-Za-z0-9]\d{4}|\d{5}[A-HJKa-hjk])"
    r"|[A-Za-z0-9]{5}|[A-Za-z0-9]{4}[学警挂港澳试超领使]|\d{3}[学警]\d)(?![A-Za-z0-9])"
)
_PLATE_WORD = re.compile(r"(?:车牌|号牌|牌照|车号|车辆)[^\d\n]{0,8}\Z")
_DIPLOMATIC = re.compile(r"使\d{3}[·•.]?\d{3}(?![0-9])")

_PASSPORT = re.compile(rf"{_ALONE}(?:[EeGgDdSsPpHhKkMm]\d{{8}}|[Ee][A-HJ-NP-Za-hj-np-z]\d{{7}}|1[45]\d{{7}}){_END}")
_PASSPORT_WORD = re.compile(r"(?:护照|[Pp]assport)[^\d\n]{0,12}\Z")
_PERMIT = re.compile(rf"{_ALONE}(?:[CcWwHhMmLlTtKk](?:\d{{8}}(?:\d{{2}})?|[A-Za-z]\d{{7}})|\d{{8}}|\d{{10}}){_END}")
_PERMIT_WORD = re.compile(r"(?:通行证|台胞证|回乡证|往来(?:港澳|台湾|内地|大陆)[^\d\n]{0,8})[^\d\n]{0,10}\Z")
_CARD = re.compile(rf"{_ALONE}[A-Za-z]{{0,2}}\d{{8,12}}(?:[Xx]|\d{{4,8}})?{_END}")
_CARD_WORD = re.compile(
    r"(?:社保|社会保[障险]|医保|医疗保险|医疗证|参保|就诊|诊疗|病历|病案|住院|养老保险)(?:卡|证|手册)?(?:编?号码?|[证卡]号)[^\d\n。；]{0,6}\Z"
)
_ASKED = re.compile("护照|[Pp]assport|通行证|台胞证|回乡证|往来|保[障险]|[社医]保|医疗证|参保|就诊|诊疗|病[历案]|住院")


def codes(text: str) -> Iterator[Identifier]:
    """Credit codes, vehicle numbers, papers and insurance cards in a folded text."""
    for match in _CODE.finditer(text):
        code = match.group().upper()
        kind: Kind | None = "uscc" if is_uscc(code) else "vin" if is_vin(code) else None
        if kind is not None:
            yield Identifier(match.start(), match.end(), kind, code)
    if not _ASKED.search(text):
        return
    yield from _named("passport", _PASSPORT, _PASSPORT_WORD, text)
    yield from _named("travel-permit", _PERMIT, _PERMIT_WORD, text)
    yield from _named("social-card", _CARD, _CARD_WORD, text)


def plates(text: str) -> Iterator[Identifier]:
    """The number plates in a folded text: civil, new energy, police, trainer, trailer, Hong Kong and Macao."""
    for match in _PLATE.finditer(text):
        canonical = re.sub("[^0-9A-Za-z一-龥]", "", match.group()).upper()
        has_digit = any(map(str.isdigit, canonical))
        if has_digit or _PLATE_WORD.search(text, max(0, match.start() - 12), match.start()):
            yield Identifier(match.start(), match.end(), "plate", canonical)
    yield from _named("plate", _DIPLOMATIC, _PLATE_WORD, text)


def _named(kind: Kind, form: re.Pattern[str], word: re.Pattern[str], text: str) -> Iterator[Identifier]:
    """What has the form and stands after the word."""
    for match in form.finditer(text):
        if word.search(text, max(0, match.start() - 28), match.start()):
            yield Identifier(match.start(), match.end(), kind, match.group().upper())
