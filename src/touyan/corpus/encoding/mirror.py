"""Pages of copying sites: known by readings in brackets behind traditional characters, and brought back to what was copied.

Owns the diagnosis, the proof, and the edits. Knows nothing about rights or about what becomes of the document. Invariant: a
page is proved only where every question mark on it is explained, every torn run has one original far ahead of all others,
and nothing that looks like a mark is left.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from touyan.core.document import Span
from touyan.corpus.encoding.bigrams import Learned
from touyan.corpus.encoding.characters import readings, simplified, simplified_forms
from touyan.corpus.encoding.torn import SYLLABLE, Mending, Page, mended

_TONES = "āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜ"
_MARKED = re.compile(rf"([\u4e00-\u9fff])\(({SYLLABLE})\)")
_MARK = re.compile(rf"\((?<=[\u4e00-\u9fff]\(){SYLLABLE}\)")
_TONE = re.compile(f"[{_TONES}]")
_LEFT = re.compile(rf"\(?[a-z]*[{_TONES}][a-z]*\)")
_MIN_MARKS, _MIN_SHARE = 3, 0.005
"""Marks that make a page suspect, and per Han character: a sound text explains a rare character or two, a mirror one in seven."""
_AROUND = 12
"""Characters before a run that its mending may depend on: a character with its mark."""
_RUN = re.compile(r"\?[^\x00-\x7f]*")
_ADDRESS = re.compile(r"[A-Za-z0-9/._=%-]\?[A-Za-z0-9_%-]+[=&]")
_QUESTION = re.compile(r"[吗嗎呢么麼吧何谁誰哪几幾否怎啥]")


@dataclass(frozen=True, slots=True)
class Cure:
    """What a page was: edits that bring it back, and the intervals that nothing proves."""

    edits: tuple[Span, ...]
    unproved: tuple[tuple[int, int], ...]
    marked_share: float
    """Marks per Han character."""


def diagnosed(text: str) -> Page | None:
    """The page's own habits, if it is a mirror's; None for sound text."""
    counts = Counter(_MARKED.findall(text))
    found = Counter({mark: n for mark, n in counts.items() if mark[1] in readings(mark[0])})
    n_marks = sum(n for (character, _), n in found.items() if character in simplified_forms())
    if n_marks < _MIN_MARKS or n_marks < _MIN_SHARE * len(text):
        return None
    marked = {character: reading for (character, reading), _ in reversed(found.most_common())}
    plain = _MARK.sub("", text)
    sound = simplified(_RUN.sub("\n", plain)) if "?" in plain else ""  # nobody asks it where nothing is torn
    return Page.of(marked, plain, Learned.of(sound))


def cured(text: str, page: Page) -> Cure:
    """Edits and doubts for a page that is known to be a mirror's."""
    mendings, doubts = _mendings(text, page)
    edits = sorted([*_mended_spans(mendings), *_plain_spans(text, page, mendings)], key=lambda span: span.start)
    repaired = "".join(span.replacement or "" for span in edits)
    if _LEFT.search("\n".join((repaired, *_between(text, edits)))):
        starts = [edit.start for edit in edits]
        left = ((m.start(), m.end(), bisect_right(starts, m.start()) - 1) for m in _LEFT.finditer(text))
        doubts += [(start, end) for start, end, before in left if before < 0 or edits[before].end <= start]
    n_marks = len(_MARK.findall(text))
    return Cure(tuple(edits), tuple(sorted(doubts)), n_marks / max(1, len(text)))


def _mendings(text: str, page: Page) -> tuple[list[Mending], list[tuple[int, int]]]:
    found: list[Mending] = []
    known: list[Mending] = []
    doubts: list[tuple[int, int]] = []
    at = text.find("?")
    while at >= 0:
        if doubts:  # one is enough for quarantine; what else is torn is for those who will look
            doubts += [(mark.start(), mark.end()) for mark in _RUN.finditer(text, at)]
            break
        mending = _again(text, at, known) or mended(text, at, page)
        end = at + 1 if mending is None else mending.end
        known += [mending] if mending else []
        if mending is None or not _is_proved(text, at, mending):
            doubts.append((at, end))
        else:
            found.append(mending)
        at = text.find("?", end)
    return found, doubts


def _again(text: str, at: int, known: Iterable[Mending]) -> Mending | None:
    """The mending of the same run in the same surroundings: a page repeats its words, and the damage with them."""
    for one in known:
        if one.start >= _AROUND and text.startswith(text[one.start - _AROUND : one.end + 1], at - _AROUND):
            return replace(one, start=at, end=at + one.end - one.start)
    return None


def _is_proved(text: str, at: int, mending: Mending) -> bool:
    """Whether one original is far ahead, and leaves neither a mark nor an unexplained question mark."""
    if not mending.is_proved or _TONE.search(mending.original):
        return False
    return "?" not in mending.original or _asks(text, at, mending)


def _asks(text: str, at: int, mending: Mending) -> bool:
    """Whether a question mark that stands for itself follows a question, or stands in an address."""
    if mending.original != text[mending.start : mending.end]:
        return False
    if _ADDRESS.match(text, max(0, at - 1)):
        return True
    clause = re.split(r"[\n。!;]", text[max(0, at - 40) : at])[-1]
    return _QUESTION.search(clause) is not None


def _mended_spans(mendings: list[Mending]) -> Iterator[Span]:
    for mending in mendings:
        yield Span(
            mending.start, mending.end, "torn-bytes", "bytes read one late; one original gives this page",
            simplified(mending.original), round(min(mending.lead, 99.0), 1),
        )  # fmt: skip


def _plain_spans(text: str, page: Page, mendings: list[Mending]) -> Iterator[Span]:
    """Marks taken out and characters simplified, outside the mended runs."""
    borders = [0, *(place for mending in mendings for place in (mending.start, mending.end)), len(text)]
    places = [
        place for start, end in zip(borders[::2], borders[1::2], strict=True) for place in _changing().finditer(text, start, end)
    ]
    runs = "\n".join(place[0] for place in places)
    unmarked = _MARKED.sub(lambda mark: mark[1] if page.marked.get(mark[1]) == mark[2] else mark[0], runs)
    for place, simple in zip(places, simplified(unmarked).split("\n"), strict=True):
        if simple != place[0]:
            yield Span(place.start(), place.end(), "mirror-mark", "converted and marked by a copying site", simple)


def _between(text: str, edits: list[Span]) -> Iterator[str]:
    position = 0
    for edit in edits:
        yield text[position : edit.start]
        position = edit.end
    yield text[position:]


@lru_cache(maxsize=1)
def _changing() -> re.Pattern[str]:
    """Runs of characters that have a simplified form or carry a mark."""
    traditional = "".join(simplified_forms())
    return re.compile(rf"(?:[\u4e00-\u9fff]\({SYLLABLE}\)|[{traditional}])+")
