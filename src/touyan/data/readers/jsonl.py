"""JSON Lines: one object a line, one document an object; plain, or compressed by gzip or Zstandard and then read as a stream.

Integers of any length stay exact and fractions keep the digits they were written with, since floats would merge long keys.
Nested values become compact JSON. A damaged or oversized line is listed by its number and the next one is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from touyan.core.canonical import sha256_hex
from touyan.data.lines import LineRange, bounded_lines, is_plain, line_encoding, line_ranges
from touyan.data.reader import Options, Record, Unreadable, no_text_column

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
_PLAIN = frozenset({str, type(None)})
"""Types that are cells as they are."""


class JsonLinesReader:
    """`.jsonl`, `.ndjson`; each also with `.gz` or `.zst` behind it."""

    extensions = tuple(name + packing for name in (".jsonl", ".ndjson") for packing in ("", ".gz", ".zst"))
    isolated = False

    def read(self, path: Path, options: Options) -> Iterator[Record | Unreadable]:
        encoding = line_encoding(path, options.max_document_bytes)
        yield from _records(enumerate(bounded_lines(path, options.max_document_bytes), 1), encoding, options)

    def divide(self, path: Path, options: Options, part_bytes: int) -> Iterator[LineRange]:
        if is_plain(path):
            yield from line_ranges(path, part_bytes, line_encoding(path, options.max_document_bytes))

    def read_part(self, path: Path, part: LineRange, options: Options) -> Iterator[Record | Unreadable]:
        lines = bounded_lines(path, options.max_document_bytes, part)
        yield from _records(enumerate(lines, part.first_line), part.encoding, options)


def _records(lines: Iterable[tuple[int, bytes | None]], encoding: str, options: Options) -> Iterator[Record | Unreadable]:
    """The records of numbered lines; blank ones are none."""
    for number, line in lines:
        place = str(number)
        if line is None:
            yield Unreadable(place, f"too-large: a line of more than {options.max_document_bytes} bytes")
        elif not line.isspace():
            yield _record(place, line.removesuffix(b"\n").removesuffix(b"\r"), encoding, options)


def _record(place: str, line: bytes, encoding: str, options: Options) -> Record | Unreadable:
    cells = _fast_cells(line) if encoding == "utf-8" else None
    is_unicode = cells is not None  # orjson refuses halves of surrogate pairs
    if cells is None:
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
    return Record(place, cells[options.text_column] or "", sha256_hex(line), cells, is_unicode)


def _fast_cells(line: bytes) -> Mapping[str, str | None] | None:
    """What the exact parser would give, in a third of its time; None where orjson refuses, or could have lost a digit."""
    import orjson

    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None  # not always an error: the exact parser takes a byte order mark, and says better what is wrong
    if not isinstance(value, dict):
        return None
    if _PLAIN.issuperset(map(type, value.values())):
        return value
    if any(_has_float(item) for item in value.values() if type(item) not in _PLAIN):
        return None
    return {
        key: item if type(item) in _PLAIN else orjson.dumps(item, option=orjson.OPT_SORT_KEYS).decode()
        for key, item in value.items()
    }


def _has_float(value: object) -> bool:
    """Whether a number is in it that orjson read as a double: a fraction, or an integer beyond 64 bits."""
    if isinstance(value, dict):
        return any(map(_has_float, value.values()))
    return any(map(_has_float, value)) if isinstance(value, list) else isinstance(value, float)


def _cell(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return _compact(value)


READER = JsonLinesReader()
