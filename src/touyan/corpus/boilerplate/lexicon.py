"""The words of pages, from the data pack `lexicon.txt`, as patterns that a folded line is held against.

Owns the form of the pack, the folding (traditional to simplified, full to half width, lower case) and the order of the words.
Knows nothing about what a line is cut for. Invariant: folding gives one character for one, so that places stay places.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

Section = Literal["fold", "strong", "list", "weak", "stem", "glue"]

# What may stand between words without being one: digits count, so that a word with its counter is still only a word.
SEPARATORS = r"\s\d|/\\>»›→←↑↓▲▼△▽◆◇■□●○★☆•·.,:;!?\"'“”‘’()\[\]{}〈〉《》<>「」『』\-_=+*&#@^~…—–©®¥$%、。丨¦"


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words of a pack and of the user, folded, and the pattern of one word or separator."""

    token: re.Pattern[str]
    """Matches at every place where a word, a quoted name or a run of separators stands; the group says which."""

    def kinds(self, line: str) -> list[str] | None:
        """What a folded line is made of, without its separators; None where something else stands in it."""
        found: list[str] = []
        at = 0
        while at < len(line):
            match = self.token.match(line, at)
            if match is None:
                return None
            at = match.end()
            if match.lastgroup != "separator":
                found.append(match.lastgroup or "")
        return found


@cache
def lexicon(also: tuple[str, ...] = ()) -> Lexicon:
    """The shipped lexicon together with the phrases `also`, which count as strong."""
    pack = _pack()
    groups: dict[str, str] = {word: name for name in ("glue", "stem", "weak", "strong", "list") for word in pack[name]}
    groups |= {fold(phrase).replace("_", " "): "strong" for phrase in also}
    by_group = {name: [word for word, group in groups.items() if group == name] for name in ("strong", "list", "weak", "stem", "glue")}
    words = "|".join(f"(?P<{name}>{_longest_first(words)})" for name, words in by_group.items() if words)
    return Lexicon(re.compile(f"{words}|(?P<quoted>[“《][^”》]{{1,16}}[”》])|(?P<separator>[{SEPARATORS}]+)"))


def _longest_first(words: Iterable[str]) -> str:
    """An alternation in which no word hides a longer one. A Latin word ends where letters end: `ad` is not in `add`."""
    ordered = sorted(words, key=lambda word: (-len(word), word))
    return "|".join(re.escape(word).replace(r"\ ", r"\s?") + (r"(?![a-z])" if word[-1].isascii() else "") for word in ordered)


@cache
def _pack() -> dict[str, list[str]]:
    """The sections of the pack. The strings of the section `fold` are kept as they are."""
    sections: dict[str, list[str]] = {}
    name = ""
    for line in files(__package__).joinpath("lexicon.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name = line.strip("[] ")
        elif not line.startswith("#"):
            sections.setdefault(name, []).extend(word.replace("_", " ") for word in line.split())
    return sections


@cache
def _folding() -> dict[int, str]:
    wide = {point: chr(point - 0xFEE0) for point in range(0xFF01, 0xFF5F)}
    upper = {point: chr(point + 32) for point in range(0x41, 0x5B)}
    marks = {0x3000: " ", 0xA0: " ", 0x3010: "[", 0x3011: "]", 0x3014: "[", 0x3015: "]", 0xFF5C: "|", 0x4E28: "|", 0xFF1A: ":"}
    folding = wide | {point: chr(point - 0xFEE0 + 32) for point in range(0xFF21, 0xFF3B)} | upper | marks
    return folding | {ord(pair[0]): pair[1] for pair in _pack()["fold"]}


def fold(text: str) -> str:
    """`text` in the form of the lexicon, character by character."""
    return text.translate(_folding())
