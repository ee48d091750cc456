"""Which script a character belongs to, as a table over code points.

Owns the classes of letters, their blocks (Unicode 15.1, Blocks.txt and Scripts.txt) and their weights. Knows nothing about
languages beyond what a script alone gives away. Invariant: digits, spaces and signs belong to no script.
"""

from __future__ import annotations

from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Script(IntEnum):
    """Classes of characters. STOP marks sentences and is no letter; NONE is everything that tells nothing."""

    NONE = 0
    HAN = 1
    KANA = 2
    HANGUL = 3
    LATIN = 4
    CYRILLIC = 5
    ARABIC = 6
    TIBETAN = 7
    MONGOLIAN = 8
    YI = 9
    THAI = 10
    DAI = 11
    OTHER = 12
    STOP = 13


LETTERS = tuple(script for script in Script if script not in (Script.NONE, Script.STOP))

WEIGHTS = {script: 3 if script in (Script.HAN, Script.KANA, Script.HANGUL, Script.YI) else 1 for script in LETTERS}
"""How much a letter says: a Han character or a syllable about as much as three letters of an alphabet."""

LANGUAGES = {
    Script.HAN: "zh", Script.KANA: "ja", Script.HANGUL: "ko", Script.TIBETAN: "bo", Script.MONGOLIAN: "mn", Script.YI: "ii",
    Script.THAI: "th", Script.DAI: "dai",
}  # fmt: skip
"""ISO 639 codes of the languages that a script alone gives away; `dai` for both scripts of the Dai."""

_BLOCKS = {
    Script.OTHER: (
        (0xC0, 0x2AF), (0x370, 0x1FFF), (0x2C00, 0x2DFF), (0xA000, 0xABFF), (0xFB00, 0xFDFF), (0xFE70, 0xFEFC), (0x10280, 0x1D0FF),
    ),
    Script.HAN: ((0x3007, 0x3007), (0x3105, 0x312F), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF)),
    Script.KANA: ((0x3041, 0x3096), (0x30A1, 0x30FA), (0x31F0, 0x31FF), (0xFF66, 0xFF6F), (0xFF71, 0xFF9D)),
    Script.HANGUL: ((0x1100, 0x11FF), (0x3131, 0x318E), (0xAC00, 0xD7A3)),
    Script.LATIN: (
        (0x41, 0x5A), (0x61, 0x7A), (0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x24F), (0x1E00, 0x1EFF), (0xFF21, 0xFF3A), (0xFF41, 0xFF5A),
    ),
    Script.CYRILLIC: ((0x400, 0x52F),),
    Script.ARABIC: ((0x620, 0x65F), (0x66E, 0x6D5), (0x6EE, 0x6EF), (0x6FA, 0x6FF), (0x750, 0x77F), (0xFB50, 0xFDFF), (0xFE70, 0xFEFC)),
    Script.TIBETAN: ((0xF40, 0xFBC),),
    Script.MONGOLIAN: ((0x1820, 0x18AA),),
    Script.YI: ((0xA000, 0xA48C),),
    Script.THAI: ((0xE01, 0xE4E),),
    Script.DAI: ((0x1950, 0x19DF),),
    Script.STOP: ((0x21, 0x21), (0x2C, 0x2C), (0x2E, 0x2E), (0x3A, 0x3B), (0x3F, 0x3F), (0x3002, 0x3002), (0xFF01, 0xFF01),
                  (0xFF0C, 0xFF0C), (0xFF1A, 0xFF1B), (0xFF1F, 0xFF1F)),
}  # fmt: skip
"""First and last code points; a later class takes what an earlier one also has. Bopomofo is written by Chinese: Han."""

_TABLE_POINTS = 0x32400
"""One entry for each code point up to the last ideograph, and a last one for all beyond."""


def scripts_of(points: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """The class of each code point, shape of `points`."""
    import numpy as np

    return np.take(_table(), points, mode="clip")


@cache
def _table() -> NDArray[np.uint8]:
    import numpy as np

    table = np.zeros(_TABLE_POINTS, dtype=np.uint8)
    for script, ranges in _BLOCKS.items():
        for first, last in ranges:
            table[first : last + 1] = script
    return table
