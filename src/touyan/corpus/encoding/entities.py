"""References of HTML that were escaped once too often and stand in the text: &nbsp; &ldquo; &#20013;

Owns which of them are damage. Knows nothing about HTML otherwise. Invariant: only what becomes Chinese, a space or a mark of
Chinese punctuation is replaced, and only in lines that have Chinese in them; a page about HTML keeps its examples.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from touyan.core.document import Span

_REFERENCE = re.compile(
    r"&(?:amp;)*(?:#[0-9]{2,7}|#[xX][0-9A-Fa-f]{2,6}|nbsp|[lr][ds]quo|[mn]dash|hellip|middot|[ep]msp|ensp|times|amp);"
)
_HAN = re.compile("[\u4e00-\u9fff]")
_MEANT = re.compile("[\u00a0·×—–‘’“”…&\u2002\u2003\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")


def named(text: str) -> Iterator[Span]:
    """Edits for the references in `text` that are damage."""
    if "&" not in text:
        return
    for match in _REFERENCE.finditer(text):
        start, end = text.rfind("\n", 0, match.start()) + 1, text.find("\n", match.end())
        meant = match[0]
        while (plain := html.unescape(meant)) != meant:
            meant = plain
        if _MEANT.fullmatch(meant) and (_HAN.search(text, start, end if end >= 0 else len(text)) or _HAN.match(meant)):
            yield Span(match.start(), match.end(), "entity", "a reference of HTML that was escaped twice", meant)
