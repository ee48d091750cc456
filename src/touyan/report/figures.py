"""Numbers, sizes, durations and times as a reader expects them.

Knows nothing but its arguments. Invariant: a figure is rounded to what it can bear and never loses its unit.
"""

from __future__ import annotations

from touyan.report.markup import Words


def count(n: int) -> str:
    """`26,196`."""
    return f"{n:,}"


def short_count(n: float) -> str:
    """`1.3 M`, for axes and narrow places."""
    for size, mark in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(n) >= size:
            return f"{n / size:.3g}{mark}"
    return f"{n:g}"


def share(part: float, whole: float) -> str:
    """`1.25 %`; a part that is there never shows as zero."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    if 0 < percent < 0.01:
        return "< 0.01 %"
    return f"{percent:.2f} %" if 0 < percent < 10 else f"{percent:.1f} %"


def size(n_bytes: int) -> str:
    """`12.3 MB`, decimal units."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= factor:
            return f"{n_bytes / factor:.3g} {unit}"
    return f"{n_bytes} B"


def duration(ms: int) -> str:
    """`3 min 12 s`, `4.1 s`, `12 ms`."""
    if ms < 1000:
        return f"{ms} ms"
    if ms < 60_000:
        return f"{ms / 1000:.1f} s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds:02d} s"


def moment(at: str) -> str:
    """`2026-11-21 22:30 UTC` from an ISO time."""
    return f"{at[:10]} {at[11:16]} UTC" if len(at) >= 16 and at[10] == "T" else at


def day(at: str) -> str:
    return at[:10]


def measured(value: float) -> str:
    """As many digits as intervals of a few thousand items bear: `41.25`, `3.684`, `0.0014`."""
    if abs(value) >= 10:
        return f"{value:.4g}"
    return f"{value:.3f}" if abs(value) >= 0.01 else f"{value:.2g}"


def interval(low: float, high: float) -> str:
    return f"{measured(low)} – {measured(high)}"


def level(value: float) -> Words:
    percent = f"{100 * value:.3g}"
    return Words(f"{percent} % 区间", f"{percent} % interval")
