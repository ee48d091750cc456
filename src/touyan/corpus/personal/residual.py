"""What is probably left after masking: an estimate from a sample of the released text, with its interval.

Owns the sample, its strata and the arithmetic. Knows nothing about who judges: a person with a sheet, a second detector, or
both. Invariant: nothing here says that a text is anonymous; it says de-identified, by how much, and how sure that is.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest

from touyan.core.errors import Invalid
from touyan.core.interval import wilson
from touyan.corpus.personal.policy import REPLACEMENTS
from touyan.corpus.personal.suspects import suspects

PASSAGE_CHARS = 200
"""The unit of the sample: at most, ending where a sentence or a line ends: short enough to be read whole."""
_PASSAGE = re.compile(
    rf"[\s\S]{{1,{PASSAGE_CHARS}}}(?<=[\n。；！？])|[\s\S]{{1,{PASSAGE_CHARS}}}"
)  # no identifier is cut at an end
ANY = "any"
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of released text in the sample."""

    doc_id: str
    start: int
    text: str
    stratum: str

    @property
    def digest(self) -> str:
        """16 hex digits by which a judgement finds its passage again; they tell nothing that the text does not."""
        return hashlib.sha256(f"{self.doc_id}:{self.start}:{self.text}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge found in one passage: how many identifiers of each kind are left."""

    stratum: str
    left: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Frame:
    """The passages that a sample was drawn from: how many there are in each stratum, and characters in all."""

    passages: Mapping[str, int]
    characters: int


@dataclass(frozen=True, slots=True)
class Rate:
    """Passages that hold an identifier of a kind, per million characters, with the 95 % interval."""

    kind: str
    held_by: int
    """Passages of the sample in which one was found."""
    per_million: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Residual:
    """What is left, by kind and in all."""

    judged: int
    any: Rate
    kinds: tuple[Rate, ...]

    def sentence(self) -> str:
        """The estimate in words, for a certificate."""
        return (
            f"de-identified, residual estimate {self.any.per_million:.3g} passages with an identifier per million characters "
            f"(95 % CI {self.any.low:.3g} to {self.any.high:.3g}; {self.judged:,} passages judged)"
        )

    def sentence_zh(self) -> str:
        """The same in Chinese."""
        return (
            f"已去标识化，残余估计为每百万字 {self.any.per_million:.3g} 段含标识符"
            f"（95% 置信区间 {self.any.low:.3g} 至 {self.any.high:.3g}；共判读 {self.judged:,} 段）"
        )


def passages(texts: Iterable[tuple[str, str]]) -> Iterator[Passage]:
    """All passages of the released texts (doc_id, text), in three strata: what is suspected is seen again, and so is what was masked.

    'suspected': the second detector sees something. 'masked': a mask stands in it. 'plain': neither.
    """
    for doc_id, text in texts:
        for match in _PASSAGE.finditer(text):
            yield Passage(doc_id, match.start(), match.group(), _stratum(match.group()))


def _stratum(piece: str) -> str:
    if suspects(piece):
        return "suspected"
    return "masked" if any(mark[:-1] in piece for mark in REPLACEMENTS.values()) else "plain"


def sample(pieces: Iterable[Passage], each: int, seed: str) -> tuple[list[Passage], Frame]:
    """Of every stratum `each` passages, or all, by the order of a seeded hash; and the frame that they came from.

    One pass; memory is bounded by the sample.
    """
    kept: dict[str, list[tuple[str, Passage]]] = defaultdict(list)
    counts: Counter[str] = Counter()
    characters = 0
    for piece in pieces:
        counts[piece.stratum] += 1
        characters += len(piece.text)
        drawn = kept[piece.stratum]
        drawn.append((_order(seed, piece), piece))
        if len(drawn) >= 2 * each + 64:
            kept[piece.stratum] = nsmallest(each, drawn, key=_first)
    chosen = [piece for stratum in sorted(kept) for _, piece in nsmallest(each, kept[stratum], key=_first)]
    return chosen, Frame(dict(counts), characters)


def estimate(judged: Sequence[Judgement], frame: Frame) -> Residual:
    """The rates of what is left, from judgements on a sample of the frame.

    The share is weighted by strata; the distances of their Wilson limits are squared and added (Newcombe 1998, method 10; Zou and
    Donner 2008), so that a large stratum in which nothing was found still widens the interval.
    Raises Invalid where a stratum of the frame was not judged at all.
    """
    missing = sorted(stratum for stratum, n in frame.passages.items() if n and all(each.stratum != stratum for each in judged))
    if missing:
        raise Invalid(
            "stratum-not-judged", f"no passage of {', '.join(missing)} was judged", "judge the whole sample, or draw it again"
        )
    kinds = sorted({kind for each in judged for kind, n in each.left.items() if n})
    rates = tuple(_rate(kind, [each.left.get(kind, 0) > 0 for each in judged], judged, frame) for kind in kinds)
    return Residual(len(judged), _rate(ANY, [any(each.left.values()) for each in judged], judged, frame), rates)


def by_detector(pieces: Iterable[Passage]) -> list[Judgement]:
    """Judgements of the second detector, which sees too much: an estimate from them bounds what a person would find."""
    return [Judgement(piece.stratum, suspects(piece.text)) for piece in pieces]


def _rate(kind: str, holds: Sequence[bool], judged: Sequence[Judgement], frame: Frame) -> Rate:
    total = sum(frame.passages.values())
    share = below = above = 0.0
    for stratum, count in frame.passages.items():
        hits = [held for held, each in zip(holds, judged, strict=True) if each.stratum == stratum]
        if count:
            weight, here = count / total, sum(hits) / len(hits)
            low, high = wilson(sum(hits), len(hits))
            unseen = 1 - len(hits) / count  # a stratum that was judged whole is known (Cochran 1977, section 2.6)
            share += weight * here
            below += unseen * (weight * (here - low)) ** 2
            above += unseen * (weight * (high - here)) ** 2
    scale = MILLION * total / frame.characters
    return Rate(kind, sum(holds), share * scale, max(0.0, share - math.sqrt(below)) * scale, (share + math.sqrt(above)) * scale)


def _order(seed: str, piece: Passage) -> str:
    return hashlib.sha256(f"{seed}:{piece.doc_id}:{piece.start}".encode()).hexdigest()


def _first(pair: tuple[str, Passage]) -> str:
    return pair[0]
