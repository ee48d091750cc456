"""What the names found in a document tell about the rest of it.

Owns the choice among overlapping readings and the repetition of names through their document. Knows nothing about how a name is
recognised. Invariant: the names of a document are disjoint and in order.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

SURE = 0.9
"""So likely must a name be that it is looked for in the rest of its document."""
_MOST_KNOWN = 256  # names searched for in one document; a list of more people gives each of them a context of its own
_SHORTEST = 3  # 高明 may stand in 提高明显; three characters in a row that are once a name hardly ever are anything else


@dataclass(frozen=True, slots=True)
class Reading:
    """A stretch that may be a name."""

    start: int
    end: int
    chance: float


def names_of(text: str, readings: Sequence[Reading], least: float) -> list[tuple[int, int]]:
    """The stretches of `text` that are taken for names, from readings at or above and below `least`."""
    readings = [r for r in readings if r.end <= len(text)]  # windows see blanks beyond the end
    kept = _disjoint(r for r in readings if r.chance >= least)
    spoken = {text[r.start : r.end] for r in kept}
    known = {text[r.start : r.end] for r in kept if r.chance >= SURE and r.end - r.start >= _SHORTEST}
    again = [r for r in readings if r.chance < least and text[r.start : r.end] in spoken]
    if len(known) <= _MOST_KNOWN:
        repeated = [Reading(at, at + len(name), 0.0) for name in sorted(known) for at in _places(text, name)]
        reach = {r.start: r.end for r in sorted(repeated, key=_end)}
        kept = [r for r in kept if r.end >= reach.get(r.start, 0)]  # 欧阳修 gives way to 欧阳修远, who is sure elsewhere
        again += repeated
    return sorted((r.start, r.end) for r in _disjoint([*kept, *again]))


def _disjoint(readings: Iterable[Reading]) -> list[Reading]:
    """Of readings that overlap the likelier stays; of equally likely ones the longer, then the first."""
    kept: list[Reading] = []
    for reading in sorted(readings, key=lambda r: (-r.chance, r.start - r.end, r.start)):
        place = bisect_left(kept, reading.start, key=_start)
        before_is_free = place == 0 or kept[place - 1].end <= reading.start
        if before_is_free and (place == len(kept) or reading.end <= kept[place].start):
            kept.insert(place, reading)
    return kept


def _start(reading: Reading) -> int:
    return reading.start


def _end(reading: Reading) -> int:
    return reading.end


def _places(text: str, name: str) -> Iterator[int]:
    at = text.find(name)
    while at >= 0:
        yield at
        at = text.find(name, at + len(name))
