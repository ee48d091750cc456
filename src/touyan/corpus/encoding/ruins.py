"""What nothing brings back: characters that a wrong codec has already replaced, and memory that was never text.

Owns the patterns of such ruins. Knows nothing about repair. Invariant: a pattern never matches what somebody may have meant;
one character is no ruin, a run of them is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from touyan.core.document import Span

_RUINS = (
    ("kun-jin-kao", "GBK read as UTF-8 and saved, which leaves 锟斤拷", r"锟?斤?(?:拷?锟斤拷)+锟?斤?|锟斤|拷锟"),
    ("uninitialised", "memory that was never written, read as GBK", r"烫{6,}|屯{6,}"),
    ("lost", "characters replaced by U+FFFD", r"\ufffd+"),
    ("question-marks", "characters that a codec without Chinese turned into question marks", r"\?{4,}(?:[ ,.0-9]*\?{2,})*"),
)
_PATTERN = re.compile("|".join(f"(?P<r{i}>{pattern})" for i, (_, _, pattern) in enumerate(_RUINS)))
_SIGNS = ("锟", "\ufffd", "????", "烫烫", "屯屯")


def is_ruin(text: str) -> bool:
    """Whether nothing but 锟斤拷 is to be expected: a twentieth of the text is."""
    return 60 * text.count("锟斤拷") >= len(text) > 0


def ruined(text: str) -> Iterator[Span]:
    """The intervals of `text` that are ruins, labelled 'damage' and scored by nothing; sound text is only searched for signs."""
    if not any(sign in text for sign in _SIGNS):
        return
    for match in _PATTERN.finditer(text):
        _, reason, _ = _RUINS[int((match.lastgroup or "r0")[1:])]
        yield Span(match.start(), match.end(), "damage", reason)
