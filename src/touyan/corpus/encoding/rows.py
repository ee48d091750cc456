"""The language model asked about many second characters at once: one row for each first character.

Owns the columns, which are the characters of GBK as the model knows them. Knows nothing about pages. Invariant: a row says to the
last bit what `Learned.after` says of each pair.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from touyan.corpus.encoding.bigrams import UNSEEN, Learned, folded, table
from touyan.corpus.encoding.characters import gbk, simplified_forms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of what was learned from one text, each made when it is first asked for: 150 kB, 40 µs."""

    learned: Learned
    made: dict[str, NDArray[np.float64]] = field(default_factory=dict, repr=False, compare=False)

    def after(self, first: str) -> NDArray[np.float64]:
        """log P(second | first) by `columns`, shape (columns + 1,); the last one is no character, and impossible."""
        row = self.made.get(first)
        if row is None:
            row = self.made[first] = _general(first)
            for second in self.learned.seconds(first).keys() & columns().keys():
                row[columns()[second]] = self.learned.after(first, second)
        return row


@lru_cache(maxsize=1 << 15)
def plain(character: str) -> str:
    """A character as the model knows it: simplified, its width folded."""
    return folded(simplified_forms().get(character, character)) or " "


@cache
def columns() -> Mapping[str, int]:
    """The column of each character."""
    return {character: column for column, character in enumerate(dict.fromkeys(map(plain, gbk().values())))}


@cache
def columns_by_code() -> NDArray[np.int32]:
    """The column of what each two-byte code stands for, shape (65536,); the last one where it stands for nothing."""
    import numpy as np

    found = np.full(1 << 16, len(columns()), dtype=np.int32)
    found[list(gbk())] = [columns()[plain(character)] for character in gbk().values()]
    return found


def _general(first: str) -> NDArray[np.float64]:
    """The row of the table alone."""
    row = table().news.get(first, 0.0) + _singles()
    if first in _followers():
        seconds, logs = _followers()[first]
        row[seconds] = logs
    row[-1] = -math.inf
    return row


@cache
def _singles() -> NDArray[np.float64]:
    import numpy as np

    return np.array([*(table().singles.get(character, UNSEEN) for character in columns()), UNSEEN])


@cache
def _followers() -> Mapping[str, tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """By first character: the columns that the table has a pair for, and its logs."""
    import numpy as np

    pairs = table().pairs
    firsts, seconds = np.frombuffer("".join(pairs).encode("utf-32-le"), dtype="<u4").reshape(-1, 2).T
    places = np.full(sys.maxunicode + 1, len(columns()))
    places[list(map(ord, columns()))] = range(len(columns()))
    order = np.argsort(firsts, kind="stable")
    names, starts = np.unique(firsts[order], return_index=True)
    logs = np.fromiter(pairs.values(), np.float64, len(pairs))[order]
    parts = (np.split(each, starts[1:]) for each in (places[seconds[order]], logs))
    return dict(zip(map(chr, names.tolist()), zip(*parts, strict=True), strict=True))
