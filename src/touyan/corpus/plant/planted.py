"""One document of a planted corpus: a text, and what was done to it on purpose.

Owns the record, its JSON Lines form and the files that hold it, plain, gzip or zstd. Knows nothing about defects or scores.
Invariant: `plant` is empty for a document that nothing was done to; then `text` is the clean text.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from touyan.core.errors import Invalid, Missing

FILE = "planted.jsonl.zst"
"""The name of a planted corpus that was given a folder to stand in."""
LINE_FILES = ("*.jsonl", "*.jsonl.gz", "*.jsonl.zst")

Truth = Mapping[str, Any]
"""What a plant must be recognised by: for personal data kind -> value or values, for copies the clause, and so on."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A document and its label."""

    id: str
    text: str
    src: str = ""
    """Where the clean text came from."""
    part: int = 0
    plant: tuple[str, ...] = ()
    """Kinds of defect; see `touyan.corpus.plant.kinds`."""
    of: str | None = None
    """The document that this one was made from."""
    clean: str | None = None
    """What a perfect repair of `text` gives; None where that is the text of `of`, or where nothing can be repaired."""
    truth: Truth = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The record; fields that say nothing are left out."""
        optional = {"of": self.of, "clean": self.clean, "truth": dict(self.truth) or None}
        first: dict[str, Any] = {"id": self.id, "src": self.src, "part": self.part, "plant": list(self.plant), "text": self.text}
        return first | {name: value for name, value in optional.items() if value is not None}


def write_planted(path: Path, documents: Iterable[Planted]) -> int:
    """Writes a planted corpus to `path` (.jsonl, .jsonl.gz or .jsonl.zst); the number of documents."""
    import orjson

    written = 0
    with opened(path, "wb") as file:
        for document in documents:
            file.write(orjson.dumps(document.to_json(), option=orjson.OPT_APPEND_NEWLINE))
            written += 1
    return written


def read_planted(path: Path) -> Iterator[Planted]:
    """The documents of a planted corpus, in order: `path` is its file, or a folder with its files.

    Raises Missing where there is no file and Invalid where a line is no such record.
    """
    files = sorted(each for pattern in LINE_FILES for each in path.glob(pattern)) if path.is_dir() else [path]
    if not files:
        raise Missing("no-file", f"{path} holds no planted corpus", "make one: touyan corpus plant --laws OUT")
    for file in files:
        yield from _records(file)


def _records(path: Path) -> Iterator[Planted]:
    for number, row in json_lines(path):
        if "id" not in row or not isinstance(row.get("text"), str):
            raise Invalid("not-planted", f"{path}, line {number}: no `id` or no `text`", "give a file that `corpus plant` wrote")
        yield Planted(
            str(row["id"]), row["text"], str(row.get("src", "")), int(row.get("part", 0)), tuple(row.get("plant") or ()),
            row.get("of"), row.get("clean"), row.get("truth") or {},
        )  # fmt: skip


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, object) of every line that is not empty. Raises Missing and Invalid."""
    import orjson

    with opened(path, "rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise Invalid(
                    "not-json", f"{path}, line {number}: {error}", "give a JSON Lines file: one object a line"
                ) from None
            if not isinstance(row, dict):
                raise Invalid("not-json", f"{path}, line {number}: not an object", "give a JSON Lines file: one object a line")
            yield number, row


@contextmanager
def opened(path: Path, mode: str) -> Iterator[IO[bytes]]:
    """The file as a stream of plain bytes, whatever its ending says it is packed with."""
    if mode == "rb" and not path.is_file():
        raise Missing("no-file", f"there is no file {path}", "check the path")
    if path.suffix not in (".gz", ".zst"):
        with path.open(mode) as file:
            yield file  # type: ignore[misc]
        return
    import pyarrow as pa

    codec = {".gz": "gzip", ".zst": "zstd"}[path.suffix]
    if mode == "rb":
        with pa.CompressedInputStream(pa.OSFile(str(path), "rb"), codec) as packed:
            yield io.BufferedReader(packed)  # type: ignore[arg-type]
        return
    with pa.CompressedOutputStream(pa.OSFile(str(path), "wb"), codec) as packed, io.BufferedWriter(packed) as file:
        yield file
