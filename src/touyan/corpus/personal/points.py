"""Texts of a batch as one array of code points, with what each of them can be to an identifier.

Owns the joining of texts, the classes of characters and the way back from a place to its text. Knows nothing about identifiers.
Invariant: texts stand apart by line feeds, and no question about a neighbour ever leaves the array.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places: TypeAlias = NDArray[np.int64]

Window: TypeAlias = tuple[int, int]
PLATE_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使"
WORDS = (
    "微信", "薇信", "威信", "扣扣", "QQ", "qq", "Qq", "ＱＱ", "WeChat", "Wechat", "wechat", "weixin", "wx", "vx", "VX", "WX",
)  # fmt: skip
BRACKETED_AT = tuple(bracket + at for bracket in "([（【" for at in ("at", "AT", "@"))
# 第三号, 五组 and 二楼 are in every regulation: of house numbers in Han digits only these ends are followed.
HAN_HOUSE_ENDS = "栋幢弄单组"
DIGIT, HASH, PROVINCE, HOUSE, SIGN, DOT, PAIR, WORD = (1 << bit for bit in range(8))
_MEMBERS = {
    DIGIT: "0123456789０１２３４５６７８９", HASH: "#＃", PROVINCE: PLATE_PROVINCES, HOUSE: HAN_HOUSE_ENDS, SIGN: "@＠", DOT: ".．",
    PAIR: ":-", WORD: "".join(word[0] for word in (*WORDS, *BRACKETED_AT)),
}  # fmt: skip
_EDGE = "\n" * 20  # more than any question looks to the side


@dataclass(frozen=True, slots=True)
class Points:
    """A few texts, joined."""

    codes: NDArray[np.uint16]
    """Code points, shape (n,); what lies beyond the first plane counts as U+FFFF."""
    classes: NDArray[np.uint8]
    """The classes of each, shape (n,)."""
    places: Places
    """Where a character has a class at all."""
    offsets: Places
    """Where each text begins, and where the next would."""

    @classmethod
    def of(cls, texts: Sequence[str]) -> Points:
        """The points of some texts: two bytes a character, and one for its classes."""
        import numpy as np

        codes = _codes(_EDGE + "\n".join(texts) + _EDGE)
        classes = np.take(_classes(), codes)
        offsets = np.cumsum([len(_EDGE), *(len(text) + 1 for text in texts)])
        return cls(codes, classes, np.flatnonzero(classes != 0), offsets)

    def all(self, kind: int) -> Places:
        """The places of one class."""
        return self.places[(self.classes[self.places] & kind) != 0]

    def has(self, places: Places, kind: int) -> NDArray[np.bool_]:
        """Whether a character of the class stands at each place, whatever the shape."""
        held: NDArray[np.bool_] = (self.classes[places] & kind) != 0
        return held

    def among(self, places: Places, characters: str) -> NDArray[np.bool_]:
        """Whether one of the characters stands at each place."""
        return members(characters)[self.codes[places]]

    def is_letter(self, places: Places) -> NDArray[np.bool_]:
        """Whether a Latin letter stands at each place, of either case and width."""
        return members(_LETTERS)[self.codes[places]]

    def is_letter_or_digit(self, places: Places) -> NDArray[np.bool_]:
        return members(_LETTERS + _MEMBERS[DIGIT])[self.codes[places]]

    def words(self, starts: Places, words: Iterable[str]) -> Iterator[Places]:
        """Of `starts`, where each word stands."""
        for word in words:
            here = starts
            for offset, letter in enumerate(word):
                here = here[self.codes[here + offset] == ord(letter)]
            yield here

    def windows(self, starts: Places, ends: Places, before: int, after: int) -> Iterator[tuple[int, Window]]:
        """Text and interval in it around each [start, end] and its neighbourhood; those of one text that touch are one."""
        import numpy as np

        if not len(starts):
            return
        rows = np.searchsorted(self.offsets, starts, side="right") - 1
        lows = np.maximum(starts - before, self.offsets[rows])
        highs = np.minimum(ends + 1 + after, self.offsets[rows + 1] - 1)
        begins = np.flatnonzero(np.concatenate([[True], lows[1:] > highs[:-1]]))
        last = np.concatenate([begins[1:], [len(lows)]]) - 1
        rows, base = rows[begins], self.offsets[rows[begins]]
        yield from zip(
            rows.tolist(), zip((lows[begins] - base).tolist(), (highs[last] - base).tolist(), strict=True), strict=True
        )


_LETTERS = "".join(chr(base + i) for base in (0x41, 0x61, 0xFF21, 0xFF41) for i in range(26))


@cache
def members(characters: str) -> NDArray[np.bool_]:
    """Whether a code point is one of the characters, shape (65536,)."""
    import numpy as np

    table = np.zeros(0x10000, dtype=np.bool_)
    table[[ord(character) for character in characters]] = True
    return table


@cache
def _classes() -> NDArray[np.uint8]:
    """The classes of every code point, shape (65536,)."""
    import numpy as np

    table = np.zeros(0x10000, dtype=np.uint8)
    for kind, characters in _MEMBERS.items():
        table[members(characters)] |= kind
    return table


def _codes(joined: str) -> NDArray[np.uint16]:
    import numpy as np

    raw = joined.encode("utf-16-le", "surrogatepass")
    if len(raw) == 2 * len(joined):
        return np.frombuffer(raw, dtype="<u2")
    wide = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    return np.minimum(wide, 0xFFFF).astype(np.uint16)
