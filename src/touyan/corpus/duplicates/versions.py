"""Which documents call themselves versions of one another: the same title with another date or edition.

Owns the reading of titles. Knows nothing about texts. Invariant: a date counts as that of a version only in brackets, at the end
of the title or beside a word of edition; 2019年5月1日天气预报 and the forecast of the day after are no versions.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import TYPE_CHECKING

from touyan.corpus.operator import DocumentBatch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MIN_STEM_CHARS = 4
"""Shorter titles, such as 通知 or 办法, are those of many documents."""

_DAY = r"(?<!\d)(?:(?:19|20)\d\d(?:年|[-./])\d{1,2}(?:(?:月|[-./])\d{1,2}日?|月)?|(?:19|20)\d{6}|(?:19|20)\d\d年?)(?!\d)"
_EDITION = r"(?:第[一二三四五六七八九十\d]+次)?(?:修订|修正|修改|增订|校订|修改决定|更新)(?:稿|版|本|案)?|版|第[一二三四五六七八九十\d]+版"
_VERSION = re.compile(
    rf"[(\[【〔「](?:{_DAY}|[\d.vV]+)?(?:{_EDITION}|公布|通过|施行|发布|起施行)?[)\]】〕」]"
    rf"|(?:{_DAY})(?:{_EDITION})"
    rf"|[-_ ·—]*(?:{_DAY})$"
    rf"|[-_ ·—]*(?:{_EDITION})$"
    r"|[-_ ]*[vV]\d+(?:\.\d+)*$"
)
_YEAR = re.compile(r"[12１２][09０９]\d\d")
_NUMBERS = re.compile(r"\d+")


def version_key(title: str) -> tuple[str, int]:
    """What a title calls the work, and which version: the title without its date or edition, and that date as yyyymmdd.

    Parts of a date that are not given are 0, and so is a date that is not given at all. The stem is empty where it would be
    too short to name one work.
    """
    plain = unicodedata.normalize("NFKC", title).strip()
    found = [match[0] for match in _VERSION.finditer(plain)]
    stem = "".join(filter(str.isalnum, _VERSION.sub("", plain))).casefold()
    return (stem if len(stem) >= MIN_STEM_CHARS else "", max(map(_date, found), default=0))


def _date(mark: str) -> int:
    numbers = [int(number) for number in _NUMBERS.findall(mark)]
    if numbers and numbers[0] > 9999:
        return numbers[0]
    year, month, day = (*numbers, 0, 0, 0)[:3]
    return year * 10000 + min(month, 12) * 100 + min(day, 31)


def version_keys(batch: DocumentBatch) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Hashes of the stems, 0 where there is none or no version is named, and the dates; both of shape (documents,)."""
    import numpy as np

    titles = (title or key for title, key in zip(batch.columns["title"], batch.columns["natural_key"], strict=True))
    keys = [version_key(_name(title)) if _YEAR.search(title) else ("", 0) for title in titles]
    stems = [_hashed(stem) if stem and date else 0 for stem, date in keys]
    return np.array(stems, dtype=np.uint64), np.array([date for _, date in keys], dtype=np.int64)


def _name(title: str) -> str:
    """The title itself, or of the path of a file its name."""
    return title.rsplit("/", 1)[-1].rsplit(".", 1)[0] if "/" in title or "." in title else title


def _hashed(stem: str) -> int:
    return int.from_bytes(hashlib.blake2b(stem.encode(), digest_size=8).digest(), "little")
