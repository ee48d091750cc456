"""Drawing in SVG with fluid widths: x runs in per cent of the picture, y in pixels, and type keeps its size on any screen.

Owns the primitives, scales and ticks. Knows nothing of what is drawn. Invariant: no style attribute and no script; colours come
from classes, so that light, dark and print are the style sheet's matter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from touyan.report.markup import Child, Markup, Words, el


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps [low, high] to [start, end]."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        if self.high == self.low:
            return (self.start + self.end) / 2
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def percent(self, value: float) -> str:
        return f"{self.at(value):.3f}%"


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers that cover [low, high], in steps of 1, 2 or 5 times a power of ten."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return [low]
    raw = (high - low) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def line(x1: str, y1: float, x2: str, y2: float, class_: str) -> Markup:
    return el("line", x1=x1, y1=f"{y1:g}", x2=x2, y2=f"{y2:g}", class_=class_)


def dot(x: str, y: float, radius: float, class_: str) -> Markup:
    return el("circle", cx=x, cy=f"{y:g}", r=f"{radius:g}", class_=class_)


def bar(x: str, y: float, width: str, height: float, class_: str) -> Markup:
    return el("rect", x=x, y=f"{y:g}", width=width, height=f"{height:g}", class_=class_)


def label(x: str, y: float, text: str | Words, class_: str = "") -> Markup:
    """A text, in both languages where it has two."""
    if isinstance(text, str):
        return el("text", text, x=x, y=f"{y:g}", class_=class_ or None)
    both = (("zh", text.zh), ("en", text.en))
    return Markup("".join(el("text", t, x=x, y=f"{y:g}", class_=class_ or None, lang=lang).html for lang, t in both))


def curve(points: Sequence[tuple[float, float]], class_: str) -> Markup:
    """A path through (x, y), both in 0 to 100, stretched over the whole picture without stretching its stroke."""
    path = "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in points)
    return el("path", d=path, class_=class_, vector_effect="non-scaling-stroke")


def stretched(x: str, y: float, width: str, height: float, *children: Child) -> Markup:
    """A part of the picture with its own coordinates, 0 to 100 both ways, that fills the place it is given."""
    return el(
        "svg", children, x=x, y=f"{y:g}", width=width, height=f"{height:g}", viewBox="0 0 100 100", preserveAspectRatio="none"
    )


def picture(height: float, title: Words, *children: Child, class_: str = "", width: int | None = None) -> Markup:
    """A whole picture; `title` is read out to those who cannot see it. With `width` it keeps its natural size in pixels."""
    name = el("title", f"{title.zh} / {title.en}")
    box = f"0 0 {width} {height:g}" if width else None
    return el(
        "svg", name, children, class_=class_ or None, role="img", width=str(width or "100%"), height=f"{height:g}", viewBox=box
    )


def shortened(text: str, width: int) -> str:
    """`text` cut so that it takes at most `width` half-width cells; Han characters take two (UAX 11)."""
    cells = 0
    for i, character in enumerate(text):
        cells += 2 if ord(character) > 0x2E7F else 1
        if cells > width:
            return text[: max(i - 1, 1)] + "…"
    return text
