"""Where an identifier may stand: a few vector passes over the code points of a batch, so that clean text costs nearly nothing.

Owns the traces that identifiers leave: crowded digits, dots between digits, signs, words that ask for a number. Knows nothing
about how an identifier is read. Invariant: every identifier lies whole in a window of its trace, and a window depends on its
own text alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places: TypeAlias = NDArray[np.int64]

Trace = Literal["digits", "birth", "sign", "dots", "pairs", "plate", "word", "house"]
Window: TypeAlias = tuple[int, int]
PLATE_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使"
_WIDEST_GAP = 4
_FIRST_HAN, _LAST_HAN, _WIDE_SPACE = 0x2E80, 0x9FFF, 0x3000
_BESIDE_A_BIRTH = [*range(-18, 0), *range(2, 14)]  # 出生日期：1990年 and 1990年12月31日出生
_SEVENTEEN = list(range(17))
_FOUR_BEFORE = [1, 2, 3, 4]
_HOUSE_ENDS = "号栋幢弄室单座户组楼房院区"
_HAN_HOUSE_ENDS = "栋幢弄单"  # 第三号, 五组 and 二楼 are in every regulation; a house number all in Han digits is rare
_HAN_DIGITS = "零一二三四五六七八九十百"
# What else is asked for by a word has six digits or more, and is seen by those.
_WORDS = (
    "微信", "薇信", "威信", "扣扣", "QQ", "qq", "Qq", "ＱＱ", "WeChat", "Wechat", "wechat", "weixin", "wx", "vx", "VX", "WX",
)  # fmt: skip
_BRACKETED_AT = tuple(bracket + at for bracket in "([（【" for at in ("at", "AT", "@"))
_EDGE = "\n" * 20  # more than any test looks to the side
_DIGIT, _HASH, _PROVINCE, _HOUSE, _SIGN, _DOT, _PAIR, _WORD = (1 << bit for bit in range(8))
_CHUNK_CHARS = 1 << 18  # what fits the caches of one core, with its classes beside it
_CROWD = 7  # the shortest number that counts on its own: a local telephone
_REACH: Mapping[Trace, tuple[int, int]] = {  # characters before and after: the context of a number, the local part of an address
    "digits": (40, 28), "birth": (24, 20), "sign": (72, 72), "dots": (24, 24), "pairs": (24, 24), "plate": (12, 14), "word": (24, 48),
    "house": (64, 48),
}  # fmt: skip


def windows(texts: Sequence[str]) -> Mapping[Trace, Mapping[int, Sequence[Window]]]:
    """Of each trace, by row, the intervals of the text where it may be found: in order, disjoint.

    Needs two bytes of memory per character of a chunk, whatever the size of the batch.
    """
    found: dict[Trace, dict[int, list[Window]]] = defaultdict(lambda: defaultdict(list))
    for first, chunk in _chunks(texts):
        for trace, places in _traces(chunk):
            for row, window in _placed(places, chunk, *_REACH[trace]):
                found[trace][first + row].append(window)
    return {trace: {row: _merged(each) for row, each in rows.items()} for trace, rows in found.items()}


def _merged(windows: list[Window]) -> list[Window]:
    """Windows of several passes over one text, in order, those that touch made one."""
    merged: list[Window] = []
    for low, high in sorted(windows):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged


def _chunks(texts: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    first = size = 0
    for row, text in enumerate(texts):
        size += len(text)
        if size >= _CHUNK_CHARS:
            yield first, texts[first : row + 1]
            first, size = row + 1, 0
    if first < len(texts):
        yield first, texts[first:]


def _traces(chunk: Sequence[str]) -> Iterator[tuple[Trace, tuple[Places, Places]]]:
    """Each trace and where in the joined chunk it begins and ends, both ends shaped (n,)."""
    import numpy as np

    points = _points(chunk)
    classes = np.take(_classes(), points)
    places = np.flatnonzero(classes != 0)
    kinds = classes[places]

    def of(kind: int) -> Places:
        return places[(kinds & kind) != 0]

    digits = of(_DIGIT)
    yield "digits", _long_runs(points, digits)
    yield "digits", _long_words(points, digits)
    years = digits[points[digits + 1] == ord("年")]
    years = years[(points[years[:, None] + _BESIDE_A_BIRTH] == ord("生")).any(axis=1)]
    yield "birth", (years, years)
    dots = of(_DOT)
    dots = dots[(classes[dots - 1] & classes[dots + 1] & _DIGIT) != 0]
    yield "dots", _crowds(dots, 3, 9)
    yield "pairs", _crowds(of(_PAIR), 4, 22)
    begun = of(_WORD)
    begun = begun[_second_letters()[points[begun + 1]]]
    hashes = of(_HASH)
    hashes = hashes[_is_letter_or_digit(points[hashes - 1]) & _is_letter_or_digit(points[hashes + 1])]
    signs = np.concatenate([of(_SIGN), hashes, *_words(points, begun, _BRACKETED_AT)])
    yield "sign", (signs, signs)
    provinces = of(_PROVINCE)
    is_mission = (points[provinces] == ord("使")) & ((classes[provinces + 1] & _DIGIT) != 0)
    provinces = provinces[_is_letter(points[provinces + 1]) | is_mission]
    yield "plate", (provinces, provinces)
    ends = _house_ends()
    hyphens = of(_PAIR)
    hyphens = hyphens[points[hyphens] == ord("-")]
    is_inner = (classes[hyphens - 1] & classes[hyphens + 1] & _DIGIT) != 0
    is_year = (classes[hyphens[:, None] - _FOUR_BEFORE] & _DIGIT).all(axis=1)
    rooms = _crowds(hyphens[is_inner & ~is_year], 2, 5)[1]
    houses = np.concatenate([digits[ends[points[digits + 1]]] + 1, *_han_houses(points, of(_HOUSE)), rooms])
    yield "house", (houses, houses)
    words = np.concatenate(list(_words(points, begun, _WORDS)))
    yield "word", (words, words)


def _long_runs(points: NDArray[np.uint16], digits: Places) -> tuple[Places, Places]:
    """Where `_CROWD` digits follow each other with at most three separators between any two: no Han, as in 2019年12月31日."""
    import numpy as np

    gaps = np.diff(digits)
    after = points[digits[:-1] + 1]
    is_apart = (after < _FIRST_HAN) | (after > _LAST_HAN) | (after == _WIDE_SPACE)
    runs = np.concatenate([[0], np.cumsum((gaps > 1) & ~((gaps <= _WIDEST_GAP) & is_apart))])
    first = np.flatnonzero(runs[: -_CROWD + 1] == runs[_CROWD - 1 :]) if len(digits) >= _CROWD else np.zeros(0, dtype=np.int64)
    return digits[first], digits[first + _CROWD - 1]


def _long_words(points: NDArray[np.uint16], digits: Places) -> tuple[Places, Places]:
    """Where 17 letters and digits end with a digit and stand together: vehicles have few digits."""
    ends = digits[~_is_letter_or_digit(points[digits + 1])]
    ends = ends[_is_letter_or_digit(points[ends[:, None] - _SEVENTEEN]).all(axis=1)]
    return ends - _SEVENTEEN[-1], ends


def _words(points: NDArray[np.uint16], starts: Places, words: Iterable[str]) -> Iterator[Places]:
    """The `starts` at which one of the words stands."""
    for word in words:
        here = starts[points[starts] == ord(word[0])]
        for offset, letter in enumerate(word[1:], 1):
            here = here[points[here + offset] == ord(letter)]
        yield here


def _han_houses(points: NDArray[np.uint16], ends: Places) -> Iterator[Places]:
    """The `ends` before which a Han digit stands."""
    yield from (ends[points[ends - 1] == ord(digit)] for digit in _HAN_DIGITS)


def _points(chunk: Sequence[str]) -> NDArray[np.uint16]:
    """The code points of a chunk, each text between line feeds; what lies beyond the first plane counts as U+FFFF."""
    import numpy as np

    joined = _EDGE + "\n".join(chunk) + _EDGE
    raw = joined.encode("utf-16-le", "surrogatepass")
    if len(raw) == 2 * len(joined):
        return np.frombuffer(raw, dtype="<u2")
    wide = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    return np.minimum(wide, 0xFFFF).astype(np.uint16)


@cache
def _classes() -> NDArray[np.uint8]:
    """The classes of every code point, shape (65536,)."""
    import numpy as np

    classes = np.zeros(0x10000, dtype=np.uint8)
    characters = {
        _DIGIT: "0123456789０１２３４５６７８９", _HASH: "#＃", _PROVINCE: PLATE_PROVINCES, _HOUSE: _HAN_HOUSE_ENDS, _SIGN: "@＠",
        _DOT: ".．", _PAIR: ":-", _WORD: "".join(word[0] for word in (*_WORDS, *_BRACKETED_AT)),
    }  # fmt: skip
    for kind, members in characters.items():
        classes[[ord(character) for character in set(members)]] |= kind
    return classes


@cache
def _house_ends() -> NDArray[np.bool_]:
    """Whether a code point may follow the digits of a house, shape (65536,)."""
    return _among(_HOUSE_ENDS)


@cache
def _second_letters() -> NDArray[np.bool_]:
    """Whether a code point is the second letter of one of the words, shape (65536,)."""
    return _among(word[1] for word in (*_WORDS, *_BRACKETED_AT))


def _among(characters: Iterable[str]) -> NDArray[np.bool_]:
    import numpy as np

    members = np.zeros(0x10000, dtype=np.bool_)
    members[[ord(character) for character in characters]] = True
    return members


def _is_letter_or_digit(points: NDArray[np.uint16]) -> NDArray[np.bool_]:
    return ((_classes()[points] & _DIGIT) != 0) | _is_letter(points)


def _is_letter(points: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Whether each is a Latin letter, of either case and width."""
    import numpy as np

    ascii_points = np.where(points >= 0xFF01, points - np.uint16(0xFEE0), points) | np.uint16(0x20)
    letters: NDArray[np.bool_] = (ascii_points >= ord("a")) & (ascii_points <= ord("z"))
    return letters


def _crowds(places: Places, n: int, within: int) -> tuple[Places, Places]:
    """Where `n` neighbours in `places` lie within so many characters."""
    first, last = places[: max(0, len(places) - n + 1)], places[n - 1 :]
    near = last - first < within
    return first[near], last[near]


def _placed(found: tuple[Places, Places], chunk: Sequence[str], before: int, after: int) -> Iterator[tuple[int, Window]]:
    """The row and the window of each place, as it lies in its own text; windows of one row that touch are one."""
    import numpy as np

    if not len(found[0]):
        return
    starts, ends = (np.sort(places) for places in found)
    offsets = np.cumsum([len(_EDGE), *(len(text) + 1 for text in chunk)])
    rows = np.searchsorted(offsets, starts, side="right") - 1
    lows = np.maximum(starts - before, offsets[rows])
    highs = np.minimum(ends + 1 + after, offsets[rows + 1] - 1)
    begins = np.flatnonzero(np.concatenate([[True], lows[1:] > highs[:-1]]))
    last = np.concatenate([begins[1:], [len(lows)]]) - 1
    rows, base = rows[begins], offsets[rows[begins]]
    yield from zip(rows.tolist(), zip((lows[begins] - base).tolist(), (highs[last] - base).tolist(), strict=True), strict=True)
