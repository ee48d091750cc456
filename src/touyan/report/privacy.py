"""The second lock on personal data: whatever comes from a document passes here before it is shown.

The refinery masks with checksums and context, so that it damages nothing. A report may damage: so any long run of digits and
anything like an address is blotted out, right or wrong. Invariant: no run of 9 or more digits, however grouped, leaves here.
"""

from __future__ import annotations

import re

BLOT = "▇▇▇"
_DIGITS = re.compile(r"\d(?:[\s\-‐-―－·._()（）]{0,2}\d){8,}[xXｘＸ]?")
_ADDRESS = re.compile(r"[^\s@＠<>,;:，；：、。]+[@＠][^\s@＠<>,;:，；：、。]+")


def blotted(text: str) -> str:
    """`text` without long numbers (in any script's digits, with separators) and without addresses."""
    return _ADDRESS.sub(BLOT, _DIGITS.sub(BLOT, text))
