"""Damage of bytes and of script, as the web does it: a sound text in, a damaged one out.

Owns the ways in which Chinese text is really broken, each as a function of the text (and a generator, where a page draws its
own lot). Knows nothing about documents or labels. Invariant: the same text and the same draws give the same damage; every
step works on bytes where the web's own tools did, because that is what makes the damage look as it does.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from random import Random
from typing import Any

_FULL_WIDTH = {ord(full): half for full, half in zip("，：；！？（）", ",:;!?()", strict=True)}

# One reading step of a careless GBK decoder. A lead byte just before a full-width ！ ； ？ is cut off, because a tool
# split the bytes there without looking at character borders; a lead byte with an impossible second byte takes it along.
_READ = re.compile(rb"[\x81-\xfe](?=\xa3[\xa1\xbb\xbf])|[\x81-\xfe][\x40-\x7e\x80-\xfe]|[\x81-\xfe][\s\S]?|[\s\S]")


def utf8_as_gbk(text: str) -> str:
    """UTF-8 read as GBK; bytes that are no GBK are lost to U+FFFD."""
    return text.encode().decode("gbk", "replace")


def utf8_as_cp1252(text: str) -> str:
    """UTF-8 read as Windows-1252; the five bytes that have no character there are lost to U+FFFD."""
    return text.encode().decode("cp1252", "replace")


def kun_jin_kao(text: str) -> str:
    """GBK read as UTF-8, saved, and read as GBK again: 锟斤拷, which nothing brings back."""
    return text.encode("gbk", "replace").decode("utf-8", "replace").encode().decode("gbk", "replace")


def traditional(text: str) -> str:
    """The text in traditional characters, converted by phrases."""
    converted: str = _converter().convert(text)
    return converted


def half_width(text: str) -> str:
    """The text with the half-width forms of ，：；！？（）."""
    return text.translate(_FULL_WIDTH)


def seo_mirror(text: str, rng: Random) -> str:
    """The text as a copying site serves it: traditional characters, some followed by their reading, torn bytes, no full widths.

    Each conversion step is the site's own: to GBK, one character at a time to traditional, then `X` -> `X(reading)` for a half
    of the page's converted characters and of 200 others, by a replacement that ignores the borders of characters.
    """
    sound = text.encode("gbk", "replace").decode("gbk")
    page = "".join(_one_by_one(character) for character in sound)
    converted = sorted(set(page) - set(sound))
    others = sorted(set(_converted_characters()) - set(converted))
    marked = rng.sample(converted, len(converted) // 2) + rng.sample(others, 200)
    rng.shuffle(marked)
    data = page.encode("gbk")
    for character in marked:
        pair = character.encode("gbk")
        data = data.replace(pair, pair + f"({_reading(character)})".encode("gbk"))
    return unicodedata.normalize("NFKC", "".join(_decoded(piece) for piece in _READ.findall(data)))


def _decoded(piece: bytes) -> str:
    """What the reader shows for one step: private-use characters are dropped, what is no character is a question mark."""
    try:
        character = piece.decode("gb18030")
    except UnicodeDecodeError:
        return "?"
    return "" if unicodedata.category(character) == "Co" else character


@lru_cache(maxsize=1)
def _converter() -> Any:
    import opencc

    return opencc.OpenCC("s2t")


@lru_cache(maxsize=1 << 16)
def _one_by_one(character: str) -> str:
    """The traditional form of one character without its context, where GBK has it."""
    converted: str = _converter().convert(character)
    return converted if converted.encode("gbk", "ignore") else character


@lru_cache(maxsize=1)
def _converted_characters() -> tuple[str, ...]:
    """All traditional characters that GB 2312's 6,763 become."""
    rows = (bytes((lead, trail)) for lead in range(0xB0, 0xF8) for trail in range(0xA1, 0xFF))
    plain = (pair.decode("gb2312", "ignore") for pair in rows)
    return tuple(sorted({_one_by_one(each) for each in plain if each and _one_by_one(each) != each}))


@lru_cache(maxsize=1 << 14)
def _reading(character: str) -> str:
    """The first reading, with its tone mark: the only one that the copying sites know."""
    from pypinyin import Style, pinyin

    return pinyin(character, style=Style.TONE)[0][0]
