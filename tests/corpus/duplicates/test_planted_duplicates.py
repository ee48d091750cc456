"""The planted corpus of official texts: no planted pair stays whole, and what leaves is as like as it is said to be.

Skipped, with a message, where the data are absent.
"""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from copies import divided, doc_id, said
from shared_data import SHARED

from touyan.corpus.duplicates.near import NearDuplicates
from touyan.corpus.duplicates.sketch import jaccard, shingles
from touyan.corpus.normal import normal_forms

PLANTED = SHARED / "refinery_corpus.jsonl.zst"
DOCUMENTS = 4000


@pytest.fixture(scope="module")
def planted() -> list[dict[str, Any]]:
    """Every planted copy with the document that it was made from, and others up to a few thousand."""
    if not PLANTED.exists():
        pytest.skip(f"needs {PLANTED.name} in ../shared/data, or in the folder TOUYAN_SHARED_DATA")
    import pyarrow as pa

    with pa.CompressedInputStream(pa.OSFile(str(PLANTED)), "zstd") as file:
        every = [json.loads(line) for line in io.TextIOWrapper(file, encoding="utf-8")]
    copies = {row["of"] for row in every if {"near_dup", "exact_dup"} & set(row["plant"])}
    wanted = [row for row in every if row["id"] in copies or {"near_dup", "exact_dup"} & set(row["plant"])]
    return [*wanted, *(row for row in every if not row["plant"] and row["id"] not in copies)][:DOCUMENTS]


def test_of_every_planted_pair_one_leaves_and_nothing_leaves_without_its_like(planted: list[dict[str, Any]]) -> None:
    texts = [row["text"] for row in planted]
    verdicts, _ = said(NearDuplicates(), divided(texts, [1000, 2500]), 512)
    number = {row["id"]: n for n, row in enumerate(planted)}
    pairs = [(n, number[row["of"]]) for n, row in enumerate(planted) if row["plant"]]
    assert len(pairs) == 754
    assert [pair for pair in pairs if not set(pair) & set(verdicts)] == []
    numbers = {doc_id(n): n for n in range(len(texts))}
    for n, verdict in verdicts.items():
        kept = numbers[(verdict.evidence or "").removeprefix("doc:")]
        assert kept not in verdicts
        assert jaccard(*(shingles(normal_forms([texts[m]]).units) for m in (n, kept))) == verdict.score >= 0.7
