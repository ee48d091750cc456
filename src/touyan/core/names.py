"""The nearest valid name, for errors that end with what to do."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(given: str, valid: Iterable[str]) -> str:
    """`did you mean 'refine'?` where one name is near, else the list of valid names."""
    from difflib import get_close_matches  # only an error needs it

    names = sorted(valid)
    close = get_close_matches(given, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"valid: {', '.join(names)}" if names else "there is nothing to choose from yet"
