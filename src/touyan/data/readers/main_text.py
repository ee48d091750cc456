"""The lines of a page that say something, told from those that lead elsewhere, by where the links are.

Knows nothing about HTML: it sees text in which lines, cells and links are marked. Invariant: a page keeps its text where the
rules would leave nearly nothing of it, since a list of links may be what the page is for.

Rules on words are the refinery's; this is what only the markup can tell, and what a text without markup has lost.
"""

from __future__ import annotations

import re

LINE, CELL, LINK, LINK_END, FRAME, FRAME_END = "\x1e", "\x1f", "\x1c", "\x1d", "\x02", "\x03"
"""Separators of ASCII, which no page contains."""
FRAME_SHARE = 0.3
"""What is named like a frame is one up to this share of the page: some sites name their whole body `nav-wrap`."""
FRAME_DEPTH = 8
RUN = 3
"""Lines that are links alone go where so many follow each other; two may be the attachments of a notice."""
LINKS_IN_LINE = 4
MIN_MAIN_SHARE = 0.1
_LINK = re.compile("\x1c([^\x1c\x1d]*)\x1d")
_FILLER = re.compile(r"[\s|>»›·・/\\\-—,，、:：.。\[\]【】()（）\x1c-\x1f]+")
_MARK = re.compile("[\x1c\x1d\x02\x03]")
_FRAME = re.compile("\x02([^\x02\x03]*)\x03")


def main_text(marked: str) -> tuple[str, int, int]:
    """(text, percent of the page's characters that are links, percent that the text is), from the marked text of a page."""
    everything = _plain(marked.split(LINE))
    main = _plain(_without_link_runs(_without_frame(marked).split(LINE)))
    text = main if len(main) >= MIN_MAIN_SHARE * len(everything) else everything
    linked = sum(len(link.strip()) for link in _LINK.findall(marked))
    characters = max(len(everything), 1)
    return text, min(100, 100 * linked // characters), 100 * len(text) // characters


def _without_frame(marked: str) -> str:
    """Without the parts named as frame that are small, innermost first."""
    limit = FRAME_SHARE * len(marked)
    for _ in range(FRAME_DEPTH):
        marked, number = _FRAME.subn(lambda part: LINE if len(part[1]) <= limit else part[1], marked)
        if not number:
            break
    return marked


def _plain(lines: list[str]) -> str:
    cells = ("\t".join(" ".join(cell.split()) for cell in _MARK.sub("", line).split(CELL)).strip() for line in lines)
    return "\n".join(line for line in cells if line)


def _without_link_runs(lines: list[str]) -> list[str]:
    lines = [line for line in lines if line.strip()]
    links = [_links_alone(line) for line in lines]
    kept: list[str] = []
    start = 0
    while start < len(lines):
        end = start
        while end < len(lines) and links[end]:
            end += 1
        if end - start < RUN and sum(links[start:end]) < LINKS_IN_LINE:
            kept += lines[start : end + 1]
        else:
            kept += lines[end : end + 1]
        start = end + 1
    return kept


def _links_alone(line: str) -> int:
    """How many links the line holds where it holds nothing else; 0 where it says something itself."""
    rest, links = _LINK.subn("", line)
    return links if links and not _FILLER.sub("", rest) else 0
