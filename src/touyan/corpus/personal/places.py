"""The gazetteer: names of provinces, prefectures and counties, and where a chain of them begins.

Owns the names. Knows nothing about streets. Invariant: a name counts whole, with the word for its level, so that 海淀区 is a
place and 小区 is none.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_LEVEL_ENDS = re.compile("[省市区县州盟旗]")
_LEVEL = re.compile("(?:[壮回]族|维吾尔)?(?:自治区|特别行政区)|省|市")
_COMPASS = frozenset({"东区", "西区", "南区", "北区", "中区", "城区", "郊区", "矿区"})
"""Districts whose names are as often parts of an estate: they begin no chain."""
_LONGEST, _SHORTEST = 15, 2
# Between two levels of an address a township, a quarter or a zone may stand that no gazetteer lists.
_BETWEEN = re.compile(r"(?: |[一-龥]{1,8}(?:镇|乡|街道|社区|开发区|新区|园区|农场|苏木|路|街|道|村))?")


@cache
def places() -> frozenset[str]:
    """All names, about 3,200."""
    lines = files("touyan.corpus.personal").joinpath("places.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(name for line in lines if not line.startswith("#") for name in line.split()) - _COMPASS


@cache
def short_names() -> frozenset[str]:
    """Provinces and prefectures without the word for their level: 内蒙古, 新疆, 苏州. They count only before a whole name."""
    stems = (_LEVEL.sub("", name) for name in places() if _LEVEL.search(name))
    return frozenset(stem for stem in stems if len(stem) > 1)


def last_chain(text: str) -> int | None:
    """Where in `text` its last chain of places begins: 浙江省杭州市余杭区… at the province. None where it names no place."""
    begin: int | None = None
    for match in reversed(list(_LEVEL_ENDS.finditer(text))):
        start = _start(text, match.end())
        if start is None or (begin is not None and match.end() > begin):
            continue
        if begin is None or _BETWEEN.fullmatch(text, match.end(), begin):
            begin = start
    return None if begin is None else _with_short_name(text, begin)


def _with_short_name(text: str, begin: int) -> int:
    return next((begin - n for n in (4, 3, 2) if n <= begin and text[begin - n : begin] in short_names()), begin)


def _start(text: str, end: int) -> int | None:
    """Where the longest place that ends at `end` begins."""
    return next((at for at in range(max(0, end - _LONGEST), end - _SHORTEST + 1) if text[at:end] in places()), None)
