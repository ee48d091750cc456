"""Repair of text at the level of code points: NFC, invisible characters, line ends, ideographic spaces.

Owns the rules below and nothing beyond them. It never folds widths: ，：（）“” are Chinese punctuation, not damage.
Invariant: the repair is idempotent, and every change is a span, so that it can be shown and undone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from touyan.core.document import Span, apply, compose
from touyan.corpus.operator import DocumentBatch, Marks
from touyan.corpus.signs import sign, signs

# Bidirectional controls reorder what a reader sees (Unicode TR 36); the rest is invisible and splits words and identifiers.
_INVISIBLE = "\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
_CONTROL = "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"
_PRIVATE = "\ue000-\uf8ff\U000f0000-\U0010ffff"
_NONCHARACTER = "\ufdd0-\ufdef\ufffe\uffff"
_LINE_END = "\x0b\x0c\x85\u2028\u2029\r"
_SPACE = "\u00a0\u1680\u2000-\u200a\u202f\u205f"
# A joiner is meant between emoji and in Indic and Persian script; beside these it only hides a break in a word or a number.
_JOINED = f"\\x00-\\u02ff\\u2000-\\u200a\\u202f\\u205f\\u3000-\\u9fff\\uf900-\\ufaff\\uff00-\\uffef{_SPACE}"

_Rule = tuple[str, str, str, str]  # label, pattern, replacement, reason
_CHARACTERS: tuple[_Rule, ...] = (
    ("line-end", rf"\r\n|[{_LINE_END}]", "\n", "line ends are one line feed"),
    ("invisible", rf"[{_INVISIBLE}]+", "", "zero-width or direction control character"),
    ("control", rf"[{_CONTROL}]+", "", "control character"),
    ("private-use", rf"[{_PRIVATE}]+", "", "private-use character without a meaning of its own"),
    ("noncharacter", rf"[{_NONCHARACTER}]+", "", "not a character (Unicode 23.7)"),
)
_JOINERS: tuple[_Rule, ...] = (
    ("invisible", rf"(?<=[{_JOINED}])[\u200c\u200d]+|[\u200c\u200d]+(?=[{_JOINED}])", "", "joiner that joins nothing"),
)
_SPACES: tuple[_Rule, ...] = (
    ("trailing-space", rf"[ \t\u3000{_SPACE}]+(?=\n|\Z)", "", "white space at the end of a line"),
    ("indent", rf"(?:(?<=\n)|(?<![\s\S]))[ \t{_SPACE}]*\u3000[ \t\u3000{_SPACE}]*", "", "ideographic indent of a paragraph"),
    ("space", rf"[\u3000{_SPACE}]", " ", "another kind of space"),
)


@dataclass(frozen=True, slots=True)
class _Stage:
    """Rules that see the same text; where one of them applies, there stands a run of `characters`."""

    rules: tuple[_Rule, ...]
    pattern: re.Pattern[str]
    runs: re.Pattern[str]

    @classmethod
    def of(cls, rules: tuple[_Rule, ...], runs: str) -> _Stage:
        pattern = re.compile("|".join(f"(?P<r{i}>{pattern})" for i, (_, pattern, _, _) in enumerate(rules)))
        return cls(rules, pattern, re.compile(runs))

    def changes(self, text: str) -> Iterator[Span]:
        """The edits of this stage, in order."""
        for run in self.runs.finditer(text):
            at = run.start()
            while at < run.end():
                match = self.pattern.match(text, at)
                at = match.end() if match else at + 1
                if match:
                    label, _, replacement, reason = self.rules[int((match.lastgroup or "r0")[1:])]
                    yield Span(match.start(), match.end(), label, reason, replacement)


_BROKEN, _WIDE = f"{_INVISIBLE}{_CONTROL}{_PRIVATE}{_NONCHARACTER}{_LINE_END}", f"\u3000{_SPACE}"
# A class in front is what `re` scans fastest. Spaces between words are none of ours: only runs with another space, or at the end.
_STAGES = (
    _Stage.of(_CHARACTERS, f"[{_BROKEN}][{_BROKEN}]*"),
    _Stage.of(_JOINERS, "[\u200c\u200d]+"),
    _Stage.of(_SPACES, rf"[ \t{_WIDE}](?:(?<=[{_WIDE}])[ \t{_WIDE}]*|[ \t]*(?:[{_WIDE}][ \t{_WIDE}]*|(?=\n|\Z)))"),
)
_SUSPECTS = f"[{_INVISIBLE}{_CONTROL}{_PRIVATE}{_NONCHARACTER}{_LINE_END}{_SPACE}\u200c\u200d\u3000]"
# Before one of these, normalisation always has a boundary: they neither combine with what precedes nor reorder (UAX 15).
_BOUNDARY = "\x00-\x7f\u3001-\u3029\u4e00-\u9fff\uff00-\uffef"
_SEGMENT = re.compile(f"[{_BOUNDARY}]?[^{_BOUNDARY}]+")
# Dashes, quotation marks and the ideographic space are in every text, and composed already.
_UNCLEAN, _UNCOMPOSED, _BLANK = sign(_SUSPECTS), sign(f"[^{_BOUNDARY}\xb7\u2010-\u2027\u3000]"), sign("[ \t]")


@dataclass(frozen=True, slots=True)
class UnicodeRepair:
    """The first operator of every recipe."""

    name: ClassVar[str] = "unicode"
    version: ClassVar[str] = "1"

    def judge(self, batch: DocumentBatch) -> Marks:
        """Edits that bring each text into the form above; a text that has it already is only scanned."""
        seen = enumerate(zip(batch.texts, signs(batch.texts), strict=True))
        found = ((row, repairs(text, bits)) for row, (text, bits) in seen)
        return Marks(spans={row: spans for row, spans in found if spans})


def repairs(text: str, seen: int = _UNCLEAN | _UNCOMPOSED | _BLANK) -> tuple[Span, ...]:
    """The edits that repair one text, of which `signs` has `seen` so much."""
    edits: tuple[Span, ...] = ()
    trails = seen & _BLANK and (" \n" in text or "\t\n" in text or text.endswith((" ", "\t")))
    if seen & _UNCLEAN or trails:
        for stage in _STAGES:
            found = tuple(stage.changes(text))
            if found:
                edits, text = compose(edits, found) if edits else found, apply(text, found)
    if seen & _UNCOMPOSED and not unicodedata.is_normalized("NFC", text):
        edits = compose(edits, tuple(_normalisations(text)))
    return edits


def _normalisations(text: str) -> Iterator[Span]:
    for match in _SEGMENT.finditer(text):
        segment = match.group()
        composed = unicodedata.normalize("NFC", segment)
        if composed != segment:
            yield Span(match.start(), match.end(), "composition", "canonical composition (NFC)", composed)
