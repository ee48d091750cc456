"""Reading JSON that others wrote, without trust: every accessor gives a value of the type asked for, or the empty one.

A report must come out whatever a damaged or newer folder holds. Knows nothing about what the fields mean.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Loose: TypeAlias = object
"""Anything that `json.loads` may give."""


def mapping(value: Loose) -> Mapping[str, Loose]:
    return {str(k): v for k, v in value.items()} if isinstance(value, Mapping) else {}


def items(value: Loose) -> Sequence[Loose]:
    return value if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) else ()


def rows(value: Loose) -> list[Mapping[str, Loose]]:
    """The objects of a list; whatever else is in it is passed over."""
    return [mapping(v) for v in items(value) if isinstance(v, Mapping)]


def text(value: Loose) -> str:
    """A scalar in words; null, lists and objects are empty."""
    if value is None or isinstance(value, (Mapping, list, tuple)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def texts(value: Loose) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(text(v) for v in items(value))


def number(value: Loose) -> float | None:
    """A finite number, also from a decimal string; else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def integer(value: Loose) -> int:
    found = number(value)
    return 0 if found is None else int(found)


def integers(value: Loose) -> dict[str, int]:
    """The numbers of an object by name, the largest first."""
    found = {k: integer(v) for k, v in mapping(value).items() if number(v) is not None}
    return dict(sorted(found.items(), key=lambda kv: (-kv[1], kv[0])))


def scalars(value: Loose) -> dict[str, str]:
    """The scalars of an object as texts."""
    return {k: text(v) for k, v in mapping(value).items() if text(v)}
