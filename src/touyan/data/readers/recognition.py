"""Text of pictures (RapidOCR, its models inside the wheel): lines as they stand, those that a margin broke joined again.

Knows nothing about files. Invariant: one thread, no network, and no picture larger than MAX_PIXELS is decoded. Figures differ in the
last digits between processors, so the same scan may be read with a character of difference elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from touyan.data.cpu_limit import renew
from touyan.data.reader import Damaged

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 60_000_000
"""A page of A3 at 400 dpi has 31 million."""
MIN_SCORE = 0.6
"""Below it a line is more often a seal, a stain or a picture than text."""
HINT = "install text recognition: pip install 'touyan[ocr]'"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a picture, in its pixels."""

    text: str
    left: float
    right: float
    top: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top


def is_installed() -> bool:
    """Whether pictures can be read here."""
    from importlib.util import find_spec

    return all(find_spec(name) for name in ("rapidocr_onnxruntime", "pypdfium2", "PIL"))


def recognised(picture: Image) -> str:
    """The text of a picture; empty where there is none. Raises Damaged where it is too large or nothing is installed."""
    import numpy as np

    if picture.width * picture.height > MAX_PIXELS:
        raise Damaged("too-large", f"{picture.width} by {picture.height} pixels, the limit is {MAX_PIXELS}")
    darkest, lightest = picture.convert("L").getextrema()
    if darkest == lightest:
        return ""  # a blank page needs no model
    engine = _engine()
    renew()
    pixels = np.asarray(picture.convert("RGB"))[:, :, ::-1]  # the models saw blue, green, red
    found, _ = engine(np.ascontiguousarray(pixels))
    return paragraphs([_line(corners, text) for corners, text, score in found or () if float(score) >= MIN_SCORE])


def paragraphs(lines: Sequence[Line]) -> str:
    """Lines from top to bottom; what stands on one height in one line; what ran against the right margin goes on in the next."""
    rows: list[Line] = []
    for line in sorted(lines, key=lambda line: (line.top + line.bottom) / 2):
        if rows and (line.top + line.bottom) / 2 < rows[-1].bottom - rows[-1].height / 4:
            rows[-1] = _beside(*sorted((rows[-1], line), key=lambda part: part.left))
        else:
            rows.append(line)
    if not rows:
        return ""
    left, right = min(row.left for row in rows), max(row.right for row in rows)
    text = rows[0].text
    for before, row in pairwise(rows):
        # A first line is indented by two characters; a last one ends before the margin. Cells go on in their own column.
        is_full = before.right > right - 1.5 * before.height and "\t" not in before.text
        goes_on = is_full and row.left < left + row.height
        text += row.text if goes_on else "\n" + row.text
    return text


def _beside(left: Line, right: Line) -> Line:
    text = f"{left.text}\t{right.text}"
    return Line(text, left.left, max(left.right, right.right), min(left.top, right.top), max(left.bottom, right.bottom))


def _line(corners: Sequence[Sequence[float]], text: str) -> Line:
    across, down = [x for x, _ in corners], [y for _, y in corners]
    return Line(text, min(across), max(across), min(down), max(down))


@cache
def _engine() -> Any:
    try:
        from rapidocr_onnxruntime import RapidOCR
    except ImportError as error:
        raise Damaged("no-ocr", HINT) from error
    return RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)
