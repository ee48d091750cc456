"""How likely a string is as Chinese: character bigrams, folded over widths, digits and letters.

Owns the table and its smoothing. Knows nothing about damage. Invariant: probabilities are those of simplified Chinese; the
table is read once per process, and only when something is in doubt.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from operator import add

STEPS_PER_NAT = 12
"""Resolution of the stored log-probabilities; one byte reaches to exp(-21)."""

_FOLD = {ord(half): full for half, full in zip(",:;!?()", "，：；！？（）", strict=True)}
_FOLD |= {code: "0" for code in (*range(0x30, 0x3A), *range(0xFF10, 0xFF1A))}
_FOLD |= {code: "a" for first in (0x41, 0x61, 0xFF21, 0xFF41) for code in range(first, first + 26)}
_FOLD |= {0x3000: " ", 0xA0: " "}
_SPACES = re.compile(r"[ \t\r]+")
UNSEEN = -14.0
_MARKS = frozenset("，。；：、！？（）《》“”\n")
_FROM_TEXT = 0.5
"""Share of the prediction that comes from the text itself, where it has shown the first character often enough."""
_TRUST = 2.0


def folded(text: str) -> str:
    """The text as the table knows it: full-width marks, 0 for every digit, a for every Latin letter, no spaces."""
    return _SPACES.sub("", text.translate(_FOLD))


@dataclass(frozen=True, slots=True)
class Bigrams:
    """Natural logarithms of P(second | first), of P(character), and of meeting a follower never seen after the first."""

    pairs: Mapping[str, float] = field(repr=False)
    singles: Mapping[str, float] = field(repr=False)
    news: Mapping[str, float] = field(repr=False)

    def after(self, first: str, second: str) -> float:
        """log P(second | first) of two folded characters."""
        known = self.pairs.get(first + second)
        return self.news.get(first, 0.0) + self.singles.get(second, UNSEEN) if known is None else known

    def mean(self, text: str) -> float:
        """Mean log-probability of a character of `text`, given the one before. Raises nothing; 0 for fewer than two."""
        plain = folded(text)
        if len(plain) < 2:
            return 0.0
        news, singles, others = self.news.get, self.singles.get, plain[1:]
        # Most of it in C: a damaged page asks for a hundred thousand pairs.
        known = zip(map(self.pairs.get, map(add, plain, others)), plain, others, strict=False)
        return sum(news(a, 0.0) + singles(b, UNSEEN) if log is None else log for log, a, b in known) / len(others)


@dataclass(frozen=True, slots=True)
class Learned:
    """The table, and what the text under the doctor's hands says elsewhere about its own words."""

    table: Bigrams
    text: str = field(repr=False)
    """As the table knows it: folded."""
    known: dict[str, float] = field(default_factory=dict, repr=False, compare=False)
    """Answers given before: a search asks the same few thousand pairs over and over."""
    counts: dict[str, Counter[str]] = field(default_factory=dict, repr=False, compare=False)
    """Followers counted before: a search asks about twenty of the text's characters, not about all of them."""

    @classmethod
    def of(cls, text: str) -> Learned:
        return cls(table(), folded(text))

    def seconds(self, first: str) -> Counter[str]:
        """What follows a character in the text, and how often."""
        found = self.counts.get(first)
        if found is None:
            *inner, last = self.text.split(first)[1:] or [""]
            found = self.counts[first] = Counter([*(piece[:1] or first for piece in inner), *last[:1]])
        return found

    def after(self, first: str, second: str) -> float:
        """log P(second | first), mixed of the table and of the text."""
        pair = first + second
        answer = self.known.get(pair)
        if answer is None:
            answer = self.known[pair] = self._after(first, second)
        return answer

    def _after(self, first: str, second: str) -> float:
        general, counts = self.table.after(first, second), self.seconds(first)
        if second not in counts:
            return general
        return math.log((1 - _FROM_TEXT) * math.exp(general) + _FROM_TEXT * counts[second] / (counts.total() + _TRUST))


@lru_cache(maxsize=1)
def table() -> Bigrams:
    """The table that ships with the package."""
    import numpy as np

    line, packed = (files(__package__) / "bigrams.bin").read_bytes().split(b"\n", 1)
    header = json.loads(line)
    body, n, m = zlib.decompress(packed), header["characters"], header["pairs"]
    alphabet = body[: 2 * n].decode("utf-16-le")
    singles = np.frombuffer(body, "u1", n, 2 * n) / -STEPS_PER_NAT
    news = np.frombuffer(body, "u1", n, 3 * n) / -STEPS_PER_NAT
    firsts = np.cumsum(np.frombuffer(body, "<u2", m, 4 * n))
    seconds = np.frombuffer(body, "<u2", m, 4 * n + 2 * m)
    logs = np.frombuffer(body, "u1", m, 4 * n + 4 * m) / -STEPS_PER_NAT
    points = np.array(list(map(ord, alphabet)), dtype=np.uint32)
    keys = np.column_stack([points[firsts], points[seconds]]).view("<U2").ravel().tolist()
    marks = {a + b: UNSEEN for a in _MARKS for b in _MARKS}  # two that never stand together are no news: they are damage
    columns = ((keys, logs), (alphabet, singles), (alphabet, news))
    pairs, *others = (dict(zip(names, values.tolist(), strict=True)) for names, values in columns)
    return Bigrams(marks | pairs, *others)
