"""The gazetteer: names of provinces, prefectures and counties, and where a chain of them begins.

Owns the names. Knows nothing about streets. Invariant: a name counts whole, with the word for its level, so that 海淀区 is a
place and 小区 is none.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_LEVEL_ENDS = re.compile("[省市区县州盟旗]")
_LONGEST, _SHORTEST = 15, 2
# Between two levels of an address a township, a quarter or a zone may stand that no gazetteer lists.
_BETWEEN = re.compile(r"(?: |[一-龥]{1,8}(?:镇|乡|街道|社区|开发区|新区|园区|农场|苏木|路|街|道|村))?")


@cache
def places() -> frozenset[str]:
    """All names, about 3,300."""
    lines = files("touyan.corpus.personal").joinpath("places.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(name for line in lines if not line.startswith("#") for name in line.split())


def last_chain(text: str) -> int | None:
    """Where in `text` its last chain of places begins: 浙江省杭州市余杭区… at the province. None where it names no place."""
    begin: int | None = None
    for match in reversed(list(_LEVEL_ENDS.finditer(text))):
        start = _start(text, match.end())
        if start is None or (begin is not None and match.end() > begin):
            continue
        if begin is None or _BETWEEN.fullmatch(text, match.end(), begin):
            begin = start
    return begin


def _start(text: str, end: int) -> int | None:
    """Where the longest place that ends at `end` begins."""
    return next((at for at in range(max(0, end - _LONGEST), end - _SHORTEST + 1) if text[at:end] in places()), None)
