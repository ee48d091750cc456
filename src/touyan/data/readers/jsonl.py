"""JSON Lines: one object a line, one document an object.

Integers of any length stay exact and fractions keep the digits they were written with, since floats would merge long keys.
Nested values become compact JSON. A damaged or oversized line is listed by its number and the next one is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from touyan.core.canonical import sha256_hex
from touyan.data.lines import bounded_lines, line_encoding
from touyan.data.reader import Options, Record, Unreadable, no_text_column


class JsonLinesReader:
    """`.jsonl`, `.ndjson`."""

    extensions = (".jsonl", ".ndjson")
    isolated = False

    def read(self, path: Path, options: Options) -> Iterator[Record | Unreadable]:
        encoding = line_encoding(path, options.max_document_bytes)
        for number, line in enumerate(bounded_lines(path, options.max_document_bytes), 1):
            place = str(number)
            if line is None:
                yield Unreadable(place, f"too-large: a line of more than {options.max_document_bytes} bytes")
            elif line.strip():
                yield _record(place, line.removesuffix(b"\n").removesuffix(b"\r"), encoding, options)


def _record(place: str, line: bytes, encoding: str, options: Options) -> Record | Unreadable:
    try:
        value = json.loads(line.decode(encoding).removeprefix("\ufeff"), parse_float=str, parse_constant=str)
    except UnicodeDecodeError as error:
        return Unreadable(place, f"encoding: not valid {encoding} at byte {error.start}")
    except (ValueError, RecursionError) as error:
        return Unreadable(place, f"json: {error}"[:200])
    if not isinstance(value, dict):
        return Unreadable(place, f"json: a {type(value).__name__} where an object is needed")
    cells = {key: _cell(item) for key, item in value.items()}
    if options.text_column not in cells:
        return Unreadable(place, no_text_column(options, cells).reason)
    return Record(place, cells[options.text_column] or "", sha256_hex(line), cells)


def _cell(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


READER = JsonLinesReader()
