"""The language filter: documents whose prose is not in a language that the recipe keeps.

Owns the gate, the division of a doubtful text into passages of one script each, and the decision. Knows nothing about how a
language is told within a script. Invariant: what decides is running text; a menu in another language decides nothing, unless
there is nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from touyan.core.document import Span, Verdict
from touyan.corpus.operator import DocumentBatch, Marks
from touyan.corpus.quality.alphabets import LETTERS, WEIGHTS, Script, scripts_of
from touyan.corpus.quality.points import Points, blocks
from touyan.corpus.quality.tongue import KNOWN_WITHOUT, has_kanji, name_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WITHIN = {"lzh": "zh", "yue": "zh"}
"""Who keeps Chinese keeps its classical form and Cantonese too."""
_PLAIN_CHARS = 32
"""From here on a text that is Han by three quarters needs no second look: running Japanese has a third of kana or more."""
_PROSE_WEIGHT = 60
"""A line of prose has at least 20 Han characters or 60 letters, and a mark that ends or divides sentences."""
_WEAK_WEIGHT = 20
"""Lines below it (numbers, single words) belong to the passage in which they stand."""
_TITLE_CHARS = 40
_FEW_KANA = 2
"""A single kana is a fashion of Chinese brands."""
_NAMES = re.compile(r"\\[A-Za-z]+|https?://[!-~]+|</?[A-Za-z][^<>\n]*>")


@dataclass(frozen=True, slots=True)
class Passage:
    """Consecutive lines of one script: the interval [start, end) of the text, and how much they say, in letters."""

    start: int
    end: int
    script: Script
    """The one that says most."""
    weight: int
    han: int
    """The part of `weight` that is Han: a line of Chinese is full of Latin names."""
    prose: int
    """The part of `weight` that is in lines of prose."""
    prose_han: int


@dataclass(frozen=True, slots=True)
class Language:
    """Drops documents whose prose is in languages of `keep` by less than `min_share`, and marks long passages in others.

    Shares are of letters, a Han character or a syllable counting as three. A Chinese page with an English block ten times
    its length in characters is kept, an English page with a Chinese menu is not.
    """

    name: ClassVar[str] = "language"
    version: ClassVar[str] = "1"

    keep: tuple[str, ...] = ("zh",)
    """ISO 639 codes as in `touyan.corpus.quality.tongue`; `code` for programs. zh includes lzh and yue."""
    min_share: float = 0.2
    min_weight: int = 12
    """Texts of fewer letters are left alone: there is nothing to tell a language by."""
    passage_weight: int = 200
    """Passages of at least this many letters in another language are marked."""
    cut: bool = False
    """Whether marked passages are taken out of the text."""

    def judge(self, batch: DocumentBatch) -> Marks:
        """Verdicts 'language-xx' scored by the share that is kept; spans 'foreign-language' in documents that stay."""
        spans: dict[int, Sequence[Span]] = {}
        verdicts: dict[int, Verdict] = {}
        doubtful = self._doubtful(batch.texts)
        texts = {row: _without_names(batch.texts[row]) for row in doubtful}
        for block in blocks(texts, doubtful):
            for row, passages in zip(block.rows, passages_of(block), strict=True):
                said = self._said(texts[row], passages)
                if isinstance(said, Verdict):
                    verdicts[row] = said
                elif said:
                    spans[row] = said
        return Marks(spans, verdicts)

    def _doubtful(self, texts: Sequence[str]) -> list[int]:
        """The rows that are not plainly Chinese, in order: by the share of Han, then, of what is left, by all scripts."""
        if "zh" not in self.keep:
            return list(range(len(texts)))
        long = [row for row, text in enumerate(texts) if len(text) >= _PLAIN_CHARS]
        short = [row for row, text in enumerate(texts) if len(text) < _PLAIN_CHARS]
        mixed = [row for block in blocks(texts, long) for row in _rows(block, ~_is_han(block))]
        foreign = {
            row for block in blocks(texts, short + mixed) for row in _rows(block, ~_is_chinese(block, self.passage_weight))
        }
        return sorted(foreign.union(row for row in short if has_kanji(texts[row])))

    def _said(self, text: str, passages: list[Passage]) -> Verdict | list[Span] | None:
        """The verdict on a text that leaves, or the spans of one that stays."""
        total = sum(passage.weight for passage in passages)
        if total < self.min_weight:
            return None
        # Where none of them is kept it does not matter which of the languages in Latin letters it is: lingua is not loaded.
        asks = not KNOWN_WITHOUT.issuperset(self.keep)
        names = cache(lambda passage: name_of(passage.script, text[passage.start : passage.end], by_statistics=asks))
        weights = self._weights(passages, total, names)
        share = sum(weight for language, weight in weights.items() if self.keeps(language)) / sum(weights.values())
        if share < self.min_share:
            foreign = max((name for name in weights if not self.keeps(name)), key=lambda name: (weights[name], name))
            return Verdict("drop", f"language-{foreign}", share)
        long = [passage for passage in passages if passage.weight >= self.passage_weight]
        return [
            Span(passage.start, passage.end, "foreign-language", names(passage), "" if self.cut else None)
            for passage in long
            if not self.keeps(names(passage))
        ]

    def _weights(self, passages: list[Passage], total: int, names: Callable[[Passage], str]) -> dict[str, int]:
        """How much each language says in the prose of a text or, where that is less than a fifth, in all of it."""
        is_prose = 5 * sum(passage.prose for passage in passages) >= total
        weights: dict[str, int] = {}
        for passage in passages:
            weight, han = (passage.prose, passage.prose_han) if is_prose else (passage.weight, passage.han)
            other = weight if passage.script is Script.HAN else weight - han
            for language, part in ((names(passage), other), ("zh", weight - other)):
                weights[language] = weights.get(language, 0) + part
        return weights

    def keeps(self, language: str) -> bool:
        """Whether documents in it stay."""
        return language in self.keep or _WITHIN.get(language) in self.keep


def _rows(block: Points, is_meant: NDArray[np.bool_]) -> list[int]:
    return [block.rows[i] for i in is_meant.nonzero()[0].tolist()]


def _is_han(block: Points) -> NDArray[np.bool_]:
    """Whether three quarters of the points of each text are Han."""
    import numpy as np

    return block.count((block.points - np.uint32(0x4E00)) < np.uint32(0x5200)) * 4 >= block.lengths * 3


def _is_chinese(block: Points, passage_weight: int) -> NDArray[np.bool_]:
    """Whether each text is mostly Han, without kana, and has too few other letters for a passage of them."""
    scripts = scripts_of(block.points)
    han, kana = block.count(scripts == Script.HAN), block.count(scripts == Script.KANA)
    others = WEIGHTS[Script.HANGUL] * block.count((scripts > Script.KANA) & (scripts <= Script.OTHER))
    return (han * WEIGHTS[Script.HAN] >= others) & (kana < _FEW_KANA) & (others < passage_weight)


def _without_names(text: str) -> str:
    """The text with web addresses, tags and commands of TeX blanked: they are spelled in Latin letters in every language."""
    return _NAMES.sub(lambda found: " " * len(found[0]), text)


def passages_of(block: Points) -> Iterator[list[Passage]]:
    """The passages of each text of a block, in order."""
    import numpy as np

    ends = np.flatnonzero(block.points == 10) + 1
    starts = np.concatenate([[0], ends[:-1]])
    scripts, weights = _lines(block.points, ends - starts)
    opens_text = np.isin(starts, block.starts, assume_unique=True)
    # A weak line has the script of the last line that was not weak.
    place = np.arange(len(scripts))
    strong = np.maximum.accumulate(np.where(opens_text | (weights[:, 0] >= _WEAK_WEIGHT), place, 0))
    scripts = scripts[strong]
    firsts = np.flatnonzero(opens_text | (scripts != np.roll(scripts, 1)))
    sums = np.add.reduceat(weights, firsts)
    bounds = [*np.searchsorted(starts[firsts], block.starts).tolist(), len(firsts)]
    lasts = ends[np.concatenate([firsts[1:], [len(starts)]]) - 1]
    for first, last, start, length in zip(bounds[:-1], bounds[1:], block.starts, block.lengths, strict=True):
        own = slice(first, last)
        edges = zip((starts[firsts[own]] - start).tolist(), np.minimum(lasts[own] - start, length).tolist(), strict=True)
        yield [
            Passage(*edge, Script(script), *parts)
            for edge, script, parts in zip(edges, scripts[firsts[own]].tolist(), sums[own].tolist(), strict=True)
        ]


def _lines(points: NDArray[np.uint32], lengths: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each line the script, shape (lines,), and the four weights of a Passage, shape (lines, 4)."""
    import numpy as np

    owner = np.repeat(np.arange(len(lengths)), lengths)
    counts = np.bincount(owner * len(Script) + scripts_of(points), minlength=len(lengths) * len(Script))
    counts = counts.reshape(len(lengths), len(Script))
    han, kana = counts[:, Script.HAN], counts[:, Script.KANA]
    # Running Japanese has a third of kana or more; a title may have one in ten.
    is_title = han + kana <= _TITLE_CHARS
    is_japanese = (kana >= _FEW_KANA) & (kana * np.where(is_title, 10, 4) >= han + kana)
    counts[:, Script.KANA], counts[:, Script.HAN] = np.where(is_japanese, han + kana, 0), np.where(is_japanese, 0, han)
    weights = counts[:, LETTERS] * np.array([WEIGHTS[script] for script in LETTERS])
    total, own = weights.sum(axis=1), weights[:, LETTERS.index(Script.HAN)]
    is_prose = (total >= _PROSE_WEIGHT) & (counts[:, Script.STOP] > 0)
    parts = np.stack([total, own, total * is_prose, own * is_prose], axis=1)
    return np.array(LETTERS)[weights.argmax(axis=1)], parts
