"""The second lock on personal data: whatever comes from a document passes here before it is shown.

The refinery masks with checksums and context, so that it damages nothing. A report may damage: so any long run of digits and
anything like an address is blotted out, right or wrong. Invariant: no run of 10 or more digits, however grouped, leaves here.
"""

from __future__ import annotations

import re

BLOT = "▇▇▇"
_DIGITS = re.compile(r"\d(?:[\s\-‐-―－·._()（）]{0,2}\d){9,}[xXｘＸ]?")
_PART = r"[^\s@＠<>,;:，；：、。]{1,64}"  # bounded, so that a text without an address is scanned in linear time
_ADDRESS = re.compile(f"{_PART}[@＠]{_PART}")
MAX_CHARS = 2_000


def blotted(text: str) -> str:
    """The first 2,000 code points of `text`, without long numbers (any script's digits, any grouping) and addresses."""
    return _ADDRESS.sub(BLOT, _DIGITS.sub(BLOT, text[:MAX_CHARS]))
