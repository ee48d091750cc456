"""The words of pages, from the data pack `lexicon.txt`, as patterns that a folded line is held against.

Owns the form of the pack, the folding (traditional to simplified, full to half width, lower case) and the order of the words.
Knows nothing about what a line is cut for. Invariant: folding gives one character for one, so that places stay places.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

Section = Literal["strong", "list", "weak", "unit", "stem", "glue"]
_SECTIONS: tuple[Section, ...] = ("glue", "stem", "unit", "weak", "strong", "list")  # the later one counts where two have a word

# What may stand between words without being one: digits count, so that a word with its counter is still only a word.
SEPARATORS = frozenset("0123456789|/\\>»›→←↑↓▲▼△▽◆◇■□●○★☆•·∙×.,:;!?\"'”‘’()[]{}〈〉》<>「」『』-_=+*&#@^~…—–©®¥$%、。¦")
_QUOTES = {"“": "”", "《": "》"}
MAX_QUOTED = 16


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words of a pack and of the user, folded and without spaces."""

    sections: Mapping[str, Section]
    lengths: Mapping[str, Sequence[int]]
    """First letter -> the lengths of the words that begin with it, the longest first."""

    def kinds(self, line: str) -> list[str] | None:
        """The sections of the words that a folded line is made of; None where something else stands in it."""
        if line and line[0] not in self.lengths and line[0] not in SEPARATORS and line[0] not in _QUOTES:
            return None
        compact = "".join(line.split())
        found: list[str] = []
        at = 0
        while at < len(compact):
            word = self._word(compact, at)
            if word:
                found.append(self.sections.get(word, "quoted"))
            elif compact[at] not in SEPARATORS:
                return None
            at += len(word) or 1
        return found

    def _word(self, text: str, at: int) -> str:
        """The longest word at a place, or the name in quotes."""
        first = text[at]
        for n in self.lengths.get(first, ()):
            if text[at : at + n] in self.sections:
                return text[at : at + n]
        end = text.find(_QUOTES[first], at, at + MAX_QUOTED) if first in _QUOTES else -1
        return text[at : end + 1]


@cache
def lexicon(also: tuple[str, ...] = ()) -> Lexicon:
    """The shipped lexicon together with the phrases `also`, which count as strong."""
    pack = _pack()
    sections: dict[str, Section] = {word: name for name in _SECTIONS for word in pack[name]}
    sections |= {"".join(fold(phrase).split()): "strong" for phrase in also if phrase.strip()}
    lengths: dict[str, set[int]] = {}
    for word in sections:
        lengths.setdefault(word[0], set()).add(len(word))
    return Lexicon(sections, {first: sorted(found, reverse=True) for first, found in lengths.items()})


@cache
def _pack() -> dict[str, list[str]]:
    """The sections of the pack. The strings of the section `fold` are kept as they are."""
    sections: dict[str, list[str]] = {}
    name = ""
    for line in files(__package__).joinpath("lexicon.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name = line.strip("[] ")
        elif not line.startswith("#"):
            sections.setdefault(name, []).extend(word.replace("_", "") for word in line.split())
    return sections


_COMMON = tuple(zip("，：（）！；？　【】", ",:()!;? []", strict=True))
"""Marks that every text has: ten replacements in C cost less than one translation by table."""


@cache
def _folding() -> tuple[re.Pattern[str], dict[int, str]]:
    """Which characters are folded besides the common marks, and what each one becomes."""
    wide = {point: chr(point - 0xFEE0) for point in range(0xFF01, 0xFF5F)}
    upper = {point: chr(point + 32) for point in range(0x41, 0x5B)}
    wide |= {point: chr(point - 0xFEE0 + 32) for point in range(0xFF21, 0xFF3B)}
    marks = {0xA0: " ", 0x3014: "[", 0x3015: "]", 0xFF5C: "|", 0x4E28: "|"}
    traditional = {ord(pair[0]): pair[1] for pair in _pack()["fold"]}
    folding = wide | upper | marks | traditional
    return re.compile(f"[{re.escape(''.join(map(chr, folding)))}]"), folding


def fold(text: str) -> str:
    """`text` in the form of the lexicon, character by character."""
    if text.isascii():
        return text.lower()
    for mark, plain in _COMMON:
        text = text.replace(mark, plain)
    pattern, folding = _folding()
    return text.translate(folding) if pattern.search(text) else text
