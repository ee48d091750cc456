"""The operator `simplified`: traditional text becomes simplified, by phrases, with 著/着 told apart.

Owns when a text counts as traditional and what OpenCC's table leaves open. Knows nothing about damage. Invariant: every edit
is one run of characters and keeps its length; a simplified text is only counted, and a second pass changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from touyan.core.document import Span, Verdict
from touyan.corpus.encoding.characters import simplified_forms, traditional_forms
from touyan.corpus.operator import DocumentBatch, Marks

_MIN_TRADITIONAL, _MIXED_SHARE = 2, 0.1
"""Traditional characters that a line of another script may quote; the lesser script's share from which a document is mixed."""
# OpenCC leaves 著 to be decided by a phrase, and takes 處於潛伏 for the town of 於潛.
_WRITING = re.compile("(?<=[专论原拙遗名巨译编合所撰显卓昭土新旧执])著|著(?=[作名述称者有录书文])")
_AT = re.compile("於(?!潜[镇县])")


@dataclass(frozen=True, slots=True)
class Simplified:
    """Simplifies lines in traditional characters. With `keep`, nothing is changed and mixed documents are still flagged."""

    name: ClassVar[str] = "simplified"
    version: ClassVar[str] = "1"

    keep: bool = False

    def judge(self, batch: DocumentBatch) -> Marks:
        """Edits labelled 'traditional', one for each changed run; flag 'mixed-script' where a document is in both scripts."""
        spans: dict[int, Sequence[Span]] = {}
        verdicts: dict[int, Verdict] = {}
        for row, text in enumerate(batch.texts):
            if not _only_gb2312(text) and _traditional().search(text):
                edits = () if self.keep else tuple(_edits(text))
                if edits:
                    spans[row] = edits
                if (share := _lesser_share(text)) >= _MIXED_SHARE:
                    verdicts[row] = Verdict("flag", "mixed-script", share)
        return Marks(spans, verdicts)


def _only_gb2312(text: str) -> bool:
    """Whether the text has no character outside the standard of 1980, which has the simplified forms alone."""
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _edits(text: str) -> Iterator[Span]:
    n_traditional, n_simplified = _counted(text)
    if n_traditional > n_simplified:
        simple = _converted(text)
    else:
        simple = "\n".join(_converted(line) if _is_traditional(line) else line for line in text.split("\n"))
    for start, end in _changed(text, simple):
        yield Span(start, end, "traditional", "traditional characters, simplified by phrases", simple[start:end])


def _is_traditional(line: str) -> bool:
    """Whether a line is traditional in a document that is not: a name or a quoted word does not make it so."""
    n_traditional, n_simplified = _counted(line)
    return n_traditional >= _MIN_TRADITIONAL and n_traditional > n_simplified


def _counted(text: str) -> tuple[int, int]:
    """Characters that only the traditional, and that only the simplified script has."""
    return len(_traditional().findall(text)), len(_simplified().findall(text))


def _converted(text: str) -> str:
    """The text by phrases; 著 where it is no writing becomes 着, 於 where it is no town becomes 于."""
    simple: str = _opencc().convert(text)
    if len(simple) != len(text):  # a phrase of another length: its line falls back to characters, which the edits can follow
        if "\n" in text:
            return "\n".join(map(_converted, text.split("\n")))
        simple = "".join(simplified_forms().get(c, c) for c in text)
    simple = _AT.sub("于", simple)
    if "著" not in simple:
        return simple
    written = {match.start() for match in _WRITING.finditer(simple)}
    return "".join("着" if c == "著" and i not in written else c for i, c in enumerate(simple))


def _changed(before: str, after: str) -> Iterator[tuple[int, int]]:
    """The runs in which two strings of one length differ."""
    import numpy as np

    one, other = (np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4") for text in (before, after))
    places = np.flatnonzero(one != other)
    is_apart = np.diff(places) > 1
    starts, ends = places[np.append(True, is_apart)[: len(places)]], places[np.append(is_apart, True)[: len(places)]] + 1
    return zip(starts.tolist(), ends.tolist(), strict=True)


def _lesser_share(text: str) -> float:
    """The lesser script's share of the characters that tell the scripts apart."""
    n_traditional, n_simplified = _counted(text)
    return min(n_traditional, n_simplified) / max(1, n_traditional + n_simplified)


@lru_cache(maxsize=1)
def _opencc() -> Any:
    import opencc

    return opencc.OpenCC("t2s")


@lru_cache(maxsize=1)
def _traditional() -> re.Pattern[str]:
    """Characters that only traditional text has: they change, and nothing else becomes them."""
    return _class({c for c in simplified_forms() if not _in_gb2312(c)})


@lru_cache(maxsize=1)
def _simplified() -> re.Pattern[str]:
    """Characters that only simplified text has."""
    traditional = set(traditional_forms().values())
    return _class({c for c in traditional_forms() if c not in traditional and not _in_big5(c)})


def _class(characters: set[str]) -> re.Pattern[str]:
    return re.compile(f"[{''.join(sorted(characters))}]")


def _in_gb2312(character: str) -> bool:
    return bool(character.encode("gb2312", "ignore"))


def _in_big5(character: str) -> bool:
    return bool(character.encode("big5", "ignore"))
