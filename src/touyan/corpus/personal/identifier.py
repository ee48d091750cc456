"""What an identifier of a person is: its kinds, which of two overlapping readings wins, and which of them are nobody's.

Owns the words. Knows nothing about how any of them is recognised. Invariant: a kind is a slug, the label of its spans, and
stands in `PRIORITY` exactly once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "email", "id-card", "uscc", "vin", "bank-card", "mobile", "hotline", "landline", "ip", "mac", "plate", "passport", "travel-permit",
    "wechat", "qq", "social-card", "birth-date", "address", "office-address", "person",
]  # fmt: skip

PRIORITY: dict[str, int] = {
    kind: rank
    for rank, kind in enumerate((
        # An address that holds a number is masked whole; then the strongest check wins, then the more telling context.
        "email", "id-card", "uscc", "vin", "mac", "address", "office-address", "birth-date", "social-card", "passport", "travel-permit",
        "qq", "wechat", "bank-card", "mobile", "hotline", "landline", "plate", "ip", "person",
    ))
}  # fmt: skip

NOBODYS: frozenset[str] = frozenset({"uscc", "hotline", "office-address"})
"""Kinds that belong to an organisation: seen, so that they are not taken for another kind, and kept unless a policy asks."""

_SEPARATORS = "\u3000\u00a0．－＿\u2010-\u2015\u2212"
# Only what can be part of an identifier: ，：（） are in every Chinese text, and must not cost a translation.
_FULL_WIDTH = re.compile(rf"[０-９Ａ-Ｚａ-ｚ＠＃]|[0-9A-Za-z][{_SEPARATORS}]")
_FOLD = {
    **{point: point - 0xFEE0 for point in range(0xFF01, 0xFF5F)},
    **dict.fromkeys((0x3000, 0x00A0), 0x20),
    **dict.fromkeys((*range(0x2010, 0x2016), 0x2212), 0x2D),
}


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier found in a text: the interval it takes and its spelling, as `core.document.one_spelling` gives it."""

    start: int
    end: int
    kind: Kind
    canonical: str


def folded(text: str) -> str:
    """`text` with full-width letters, digits and separators in ASCII: as many code points, each in its place."""
    return text.translate(_FOLD) if _FULL_WIDTH.search(text) else text
