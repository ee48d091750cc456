"""A plot of two figures against each other, as SVG that any browser shows and any report embeds.

Knows nothing of what it draws. Invariant: the same points give the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT, MARGIN = 720, 440, 56
COLOURS = ("#1b6ca8", "#c8452d", "#2f8f4e", "#8a4fa3", "#b8860b", "#444444")
TICKS = (1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class Series:
    """Points (x, y, what it is) in their order; joined by a line where there are several."""

    name: str
    points: Sequence[tuple[float, float, str]]


@dataclass(frozen=True, slots=True)
class Axis:
    """From zero to above the greatest value."""

    label: str
    end: float
    step: float

    @classmethod
    def over(cls, label: str, values: Sequence[float]) -> Axis:
        greatest = max(values, default=1.0) or 1.0
        power = 10.0 ** math.floor(math.log10(greatest / 5))
        step = next((power * t for t in TICKS if power * t * 7 >= greatest), power * 10)
        return cls(label, step * math.ceil(greatest * 1.05 / step), step)

    def ticks(self) -> list[float]:
        return [n * self.step for n in range(round(self.end / self.step) + 1)]


def plot(series: Sequence[Series], x_label: str, y_label: str) -> str:
    """The SVG; a point shows what it is when it is pointed at."""
    points = [point for one in series for point in one.points]
    x, y = Axis.over(x_label, [p[0] for p in points]), Axis.over(y_label, [p[1] for p in points])
    body = [*_axes(x, y)]
    for number, one in enumerate(series):
        body += _drawn(one, COLOURS[number % len(COLOURS)], number, x, y)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">'
    return "\n".join([head, f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>', *body, "</svg>", ""])


def _axes(x: Axis, y: Axis) -> Iterator[str]:
    for value in x.ticks():
        left = _left(value, x)
        yield f'<path d="M{left:.1f} {MARGIN / 2}V{HEIGHT - MARGIN}" stroke="#ddd"/>'
        yield f'<text x="{left:.1f}" y="{HEIGHT - MARGIN + 16}" text-anchor="middle">{value:g}</text>'
    for value in y.ticks():
        top = _top(value, y)
        yield f'<path d="M{MARGIN} {top:.1f}H{WIDTH - MARGIN / 2}" stroke="#ddd"/>'
        yield f'<text x="{MARGIN - 6}" y="{top + 4:.1f}" text-anchor="end">{value:g}</text>'
    yield f'<text x="{WIDTH / 2}" y="{HEIGHT - 14}" text-anchor="middle">{escape(x.label)}</text>'
    yield f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">{escape(y.label)}</text>'


def _drawn(one: Series, colour: str, number: int, x: Axis, y: Axis) -> Iterator[str]:
    places = [(_left(px, x), _top(py, y), words) for px, py, words in one.points]
    if len(places) > 1:
        line = " ".join(f"{left:.1f},{top:.1f}" for left, top, _ in places)
        yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
    for left, top, words in places:
        yield f'<circle cx="{left:.1f}" cy="{top:.1f}" r="4" fill="{colour}"><title>{escape(words)}</title></circle>'
    at = MARGIN / 2 + 16 * (number + 1)
    yield f'<text x="{WIDTH - MARGIN / 2 - 4}" y="{at}" text-anchor="end" fill="{colour}">{escape(one.name)}</text>'


def _left(value: float, axis: Axis) -> float:
    return MARGIN + value / axis.end * (WIDTH - 1.5 * MARGIN)


def _top(value: float, axis: Axis) -> float:
    return HEIGHT - MARGIN - value / axis.end * (HEIGHT - 1.5 * MARGIN)
