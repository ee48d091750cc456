"""Facts about single characters: GBK codes, the forms that widths fold to, traditional and simplified forms, readings.

Owns these tables, made once per process from the codecs of Python, OpenCC and pypinyin. Knows nothing about text. Invariant:
a form stands for one character without its neighbours; whatever depends on a phrase is not here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache

LEADS = range(0x81, 0xFF)
"""First bytes of two-byte GBK."""
TRAILS = (*range(0x40, 0x7F), *range(0x80, 0xFF))
"""Second bytes of two-byte GBK."""
HAN_BLOCKS = ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00))
"""Han characters of the first plane, as half-open ranges."""


@lru_cache(maxsize=1)
def gbk() -> Mapping[int, str]:
    """Character by two-byte code; codes without one are absent."""
    return {code: character for code, character in _codes() if character and unicodedata.category(character) != "Co"}


@lru_cache(maxsize=1)
def gbk_gaps() -> Mapping[int, tuple[int, ...]]:
    """By first byte: the second bytes of codes that readers of GBK drop or show as a question mark, because no character is there."""
    gaps: dict[int, list[int]] = {}
    for code, _ in _codes():
        if code not in gbk():
            gaps.setdefault(code >> 8, []).append(code & 0xFF)
    return {lead: tuple(trails) for lead, trails in gaps.items()}


def _codes() -> Iterator[tuple[int, str]]:
    for lead in LEADS:
        for trail in TRAILS:
            yield lead << 8 | trail, bytes((lead, trail)).decode("gb18030", "ignore")


@lru_cache(maxsize=1)
def folds() -> Mapping[str, tuple[tuple[str, int], ...]]:
    """By first character: the strings that NFKC makes of a GBK character, and that character's code."""
    found: dict[str, list[tuple[str, int]]] = {}
    for code, character in gbk().items():
        plain = unicodedata.normalize("NFKC", character)
        if plain != character:
            found.setdefault(plain[0], []).append((plain, code))
    return {first: tuple(pairs) for first, pairs in found.items()}


@lru_cache(maxsize=1)
def simplified_forms() -> Mapping[str, str]:
    """Simplified form of each character that has another one, phrases aside."""
    return _forms("t2s")


def simplified(text: str) -> str:
    """`text` with each character in its simplified form, phrases aside."""
    return text.translate(_simplifying())


@lru_cache(maxsize=1)
def _simplifying() -> Mapping[int, str]:
    return {ord(character): simple for character, simple in simplified_forms().items()}


@lru_cache(maxsize=1)
def traditional_forms() -> Mapping[str, str]:
    """First traditional form of each character that has another one, phrases aside."""
    return _forms("s2t")


def _forms(direction: str) -> dict[str, str]:
    import opencc

    characters = [chr(code) for first, end in HAN_BLOCKS for code in range(first, end)]
    converted = opencc.OpenCC(direction).convert("\n".join(characters)).split("\n")
    return {a: b for a, b in zip(characters, converted, strict=True) if a != b}


@lru_cache(maxsize=1 << 15)
def readings(character: str) -> tuple[str, ...]:
    """Readings with tone marks, the most common one first; none for what is no Han character."""
    from pypinyin import Style, pinyin

    found = pinyin(character, style=Style.TONE, heteronym=True, errors="ignore") if is_han(character) else []
    return tuple(found[0]) if found else ()


def is_han(character: str) -> bool:
    """Whether it is a Han character of the first plane."""
    code = ord(character)
    return any(first <= code < end for first, end in HAN_BLOCKS)
