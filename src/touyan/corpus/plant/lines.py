"""Lines of a page: which were planted, which of them are gone, and which lines of the body went with them.

Owns the comparison of texts line by line. Knows nothing about how lines are classified. Invariant: width of punctuation and
white space make no difference, and a body line that was edited but not cut is not lost.
"""

from __future__ import annotations

from collections import Counter

from touyan.corpus.plant.likeness import folded

WHOLE_CHARS = 8
"""A planted line of so many characters is also found inside another line; a shorter one may be a word of the body."""
GRAM_CHARS, KEPT_SHARE = 3, 0.4
"""Of a body line's 3-grams: a line with a name and a number masked in it keeps half of them, one that was cut nearly none."""


def lines_of(text: str) -> list[str]:
    """The folded lines that are not empty."""
    return [line for line in map(folded, text.split("\n")) if line]


def planted_lines(text: str, clean: str) -> tuple[list[str], list[str]]:
    """The lines that `text` has beyond `clean`, and those of `clean`, as multisets."""
    body = Counter(lines_of(clean))
    extra = Counter(lines_of(text)) - body
    return list(extra.elements()), list(body.elements())


def count_removed(planted: list[str], result: str) -> int:
    """How many of the planted lines are not in `result`."""
    lines, whole = set(lines_of(result)), folded(result)
    return sum(line not in lines and not (len(line) >= WHOLE_CHARS and line in whole) for line in planted)


def count_lost(body: list[str], result: str) -> int:
    """How many of the body's lines are not in `result`, not even two fifths of them."""
    lines, whole = set(lines_of(result)), folded(result)
    return sum(not _stands(line, whole) for line in body if line not in lines)


def _stands(line: str, whole: str) -> bool:
    grams = {line[at : at + GRAM_CHARS] for at in range(max(1, len(line) - GRAM_CHARS + 1))}
    return sum(gram in whole for gram in grams) > KEPT_SHARE * len(grams)


def altered_lines(text: str, target: str) -> list[str]:
    """The lines of `target`, spaces aside, that `text` does not have: those that a repair has to bring back."""
    return list((_exact(target) - _exact(text)).elements())


def count_restored(wanted: list[str], result: str) -> int:
    """How many of the wanted lines `result` has, to the character."""
    have = _exact(result)
    return sum((Counter(wanted) & have).values())


def _exact(text: str) -> Counter[str]:
    return Counter(line for line in ("".join(line.split()) for line in text.split("\n")) if line)
