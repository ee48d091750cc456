"""Where an identifier may stand: a few vector passes over the code points of a batch, so that clean text costs nearly nothing.

Owns the traces that identifiers leave: crowded digits, dots between digits, signs, words that ask for a number. Knows nothing
about how an identifier is read. Invariant: every identifier lies whole in a window of its trace, and a window depends on its
own text alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from touyan.corpus.personal.points import (
    BRACKETED_AT,
    DIGIT,
    DOT,
    HASH,
    HOUSE,
    PAIR,
    PROVINCE,
    SIGN,
    WORD,
    WORDS,
    Points,
    Window,
)

if TYPE_CHECKING:
    from touyan.corpus.personal.points import Places

Trace = Literal["run", "vehicle", "birth", "dots", "pairs", "sign", "plate", "house", "word"]
_CHUNK_CHARS = 1 << 18  # what fits the caches of one core, with its classes beside it
_CROWD = 7  # the shortest number that counts on its own: a local telephone
_WIDEST_GAP = 4
_HAN = range(0x2E80, 0xA000)
_WIDE_SPACE = 0x3000
_VEHICLE = range(17)
_BESIDE_A_BIRTH = [*range(-18, 0), *range(2, 14)]  # 出生日期：1990年 and 1990年12月31日出生
_HAN_DIGITS = "零一二三四五六七八九十百"
_HOUSE_ENDS, _NUMBER_END, _VILLAGES = "栋幢弄室单座户组楼房院区门舍#", "号", "村庄屯社队区"
_ESTATE_ENDS = "园苑区里庭邸府城村寓院"
_BEFORE_A_NUMBER = (
    " 桥头塘坝坡岭坪冲沟岗路街道巷弄里村庄屯组队区园苑城府邸庭湾院楼栋幢厦寓场段口侧坊寨同镇乡附门舍委甲乙丙丁-—之东西南北中"
)
_MOST_DIGITS = 5


def windows(texts: Sequence[str]) -> Mapping[Trace, Mapping[int, Sequence[Window]]]:
    """Of each trace, by row, the intervals of the text where it may be found: in order, disjoint.

    Needs three bytes of memory per character of a chunk, whatever the size of the batch.
    """
    found: dict[Trace, dict[int, list[Window]]] = defaultdict(lambda: defaultdict(list))
    for first, chunk in _chunks(texts):
        points = Points.of(chunk)
        digits = points.all(DIGIT)
        for trace, (traced, before, after) in _TRACES.items():
            for row, window in points.windows(*traced(points, digits), before, after):
                found[trace][first + row].append(window)
    return found


def _chunks(texts: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    first = size = 0
    for row, text in enumerate(texts):
        size += len(text)
        if size >= _CHUNK_CHARS:
            yield first, texts[first : row + 1]
            first, size = row + 1, 0
    if first < len(texts):
        yield first, texts[first:]


def _runs(points: Points, digits: Places) -> tuple[Places, Places]:
    """`_CROWD` digits with at most three separators between any two, and no Han: 2019年12月31日 is none."""
    import numpy as np

    if len(digits) < _CROWD:
        return digits[:0], digits[:0]
    gaps, after = np.diff(digits), points.codes[digits[:-1] + 1]
    is_apart = (after < _HAN.start) | (after >= _HAN.stop) | (after == _WIDE_SPACE)
    runs = np.concatenate([[0], np.cumsum((gaps > 1) & ~((gaps <= _WIDEST_GAP) & is_apart))])
    first = np.flatnonzero(runs[: -_CROWD + 1] == runs[_CROWD - 1 :])
    return digits[first], digits[first + _CROWD - 1]


def _vehicles(points: Points, digits: Places) -> tuple[Places, Places]:
    """17 letters and digits together, the last a digit: vehicles have few digits."""
    ends = digits[~points.is_letter_or_digit(digits + 1)]
    for back in reversed(_VEHICLE):
        ends = ends[points.is_letter_or_digit(ends - back)]
    ends = ends[~points.is_letter_or_digit(ends - len(_VEHICLE))]
    return ends - _VEHICLE[-1], ends


def _births(points: Points, digits: Places) -> tuple[Places, Places]:
    import numpy as np

    years = digits[points.among(digits + 1, "年")]
    years = years[points.among(years[:, None] + np.array(_BESIDE_A_BIRTH), "生").any(axis=1)]
    return years, years


def _dots(points: Points, digits: Places) -> tuple[Places, Places]:
    dots = points.all(DOT)
    return _crowds(dots[points.has(dots - 1, DIGIT) & points.has(dots + 1, DIGIT)], 3, 9)


def _pairs(points: Points, digits: Places) -> tuple[Places, Places]:
    return _crowds(points.all(PAIR), 4, 22)


def _signs(points: Points, digits: Places) -> tuple[Places, Places]:
    import numpy as np

    hashes = points.all(HASH)
    hashes = hashes[points.is_letter_or_digit(hashes - 1) & points.is_letter_or_digit(hashes + 1)]
    signs = np.sort(np.concatenate([points.all(SIGN), hashes, *points.words(_begun(points), BRACKETED_AT)]))
    return signs, signs


def _plates(points: Points, digits: Places) -> tuple[Places, Places]:
    provinces = points.all(PROVINCE)
    is_mission = points.among(provinces, "使") & points.has(provinces + 1, DIGIT)
    provinces = provinces[points.is_letter(provinces + 1) | is_mission]
    return provinces, provinces


def _houses(points: Points, digits: Places) -> tuple[Places, Places]:
    """5号楼, 栋 after a digit in either script, 路12号, 12-3-502; not 第5号, 12月5日 and 2020-01-01."""
    import numpy as np

    han = points.all(HOUSE)
    han = han[points.among(han - 1, _HAN_DIGITS)]
    han = han[~points.among(han, "组") | points.among(han - 2, _VILLAGES)]
    houses = [digits[points.among(digits + 1, _HOUSE_ENDS)], han, *_numbered(points, digits)]
    hyphens = points.all(PAIR)
    hyphens = hyphens[points.among(hyphens, "-") & points.has(hyphens - 1, DIGIT) & points.has(hyphens + 1, DIGIT)]
    is_year = points.has(hyphens[:, None] - np.arange(1, 5), DIGIT).all(axis=1)
    houses += [_crowds(hyphens[~is_year], 2, 5)[1], *_after(points, hyphens - 1, _ESTATE_ENDS)]
    found = np.sort(np.concatenate(houses))
    return found, found


def _numbered(points: Points, digits: Places) -> Iterator[Places]:
    """The last digits of 号 after a street, or before a building."""
    last = digits[points.among(digits + 1, _NUMBER_END)]
    yield last[points.among(last + 2, "楼院")]
    yield from _after(points, last, _BEFORE_A_NUMBER)


def _after(points: Points, last: Places, characters: str) -> Iterator[Places]:
    """Of the `last` digits of numbers, those whose number stands right after one of the characters or a letter."""
    for n in range(1, _MOST_DIGITS + 1):
        yield last[points.among(last - n, characters) | points.is_letter(last - n)]
        last = last[points.has(last - n, DIGIT)]


def _asked(points: Points, digits: Places) -> tuple[Places, Places]:
    import numpy as np

    words = np.sort(np.concatenate(list(points.words(_begun(points), WORDS))))
    return words, words


def _begun(points: Points) -> Places:
    """Where the first two letters of a word stand, near enough."""
    starts = points.all(WORD)
    return starts[points.among(starts + 1, "".join(sorted({word[1] for word in (*WORDS, *BRACKETED_AT)})))]


def _crowds(places: Places, n: int, within: int) -> tuple[Places, Places]:
    """Where `n` neighbours in `places` lie within so many characters."""
    first, last = places[: max(0, len(places) - n + 1)], places[n - 1 :]
    near = last - first < within
    return first[near], last[near]


_TRACES: Mapping[Trace, tuple[Callable[[Points, Places], tuple[Places, Places]], int, int]] = {
    # How it is found, and how many characters before and after it belong to it or tell what it is: the context of a number, the
    # local part of an e-mail address (64, RFC 5321), the head of a postal one.
    "run": (_runs, 40, 28),
    "vehicle": (_vehicles, 1, 1),
    "birth": (_births, 24, 20),
    "dots": (_dots, 24, 24),
    "pairs": (_pairs, 24, 24),
    "sign": (_signs, 72, 72),
    "plate": (_plates, 12, 14),
    "house": (_houses, 64, 48),
    "word": (_asked, 24, 48),
}
