"""The doctor on real and planted pages, where they are at hand: nothing sound is touched, nothing wrong is kept."""

from __future__ import annotations

import csv
import io
import json
import lzma
import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from corpora import batch

from touyan.core.document import apply, edits_of
from touyan.corpus.encoding.doctor import EncodingDoctor

DATA = Path(os.environ.get("TOUYAN_SHARED_DATA", Path(__file__).parents[4] / "shared/data"))
pytestmark = pytest.mark.slow


def planted() -> Iterator[dict[str, Any]]:
    zstandard = pytest.importorskip("zstandard")
    path = DATA / "refinery_corpus.jsonl.zst"
    if not path.exists():
        pytest.skip(f"needs {path.name} in ../shared/data, or in the folder TOUYAN_SHARED_DATA")
    with path.open("rb") as raw:
        yield from map(json.loads, io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(raw), encoding="utf-8"))


def same_width(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


def test_sound_statutes_are_left_alone() -> None:
    texts = [document["text"] for document in planted() if not document["plant"]][:4000]
    marks = EncodingDoctor().judge(batch(*texts))
    assert not marks.spans
    assert not marks.verdicts


def test_dirty_but_sound_pages_are_left_alone() -> None:
    path = DATA / "cn-ai-policy" / "all_policies_unified.csv.xz"
    if not path.exists():
        pytest.skip(f"needs {path.name} in ../shared/data, or in the folder TOUYAN_SHARED_DATA")
    csv.field_size_limit(10**8)
    with lzma.open(path, "rt", encoding="utf-8-sig") as lines:
        texts = [row["full_text"] for row in csv.DictReader(lines)]
    marks = EncodingDoctor().judge(batch(*texts))
    assert not any(verdict.reason.startswith(("mirror", "mojibake", "suspected")) for verdict in marks.verdicts.values())


def test_mirror_pages_are_found_and_no_wrong_repair_is_kept() -> None:
    pages = [document for document in planted() if "seo_mirror" in document["plant"]]
    marks = EncodingDoctor().judge(batch(*(page["text"] for page in pages)))
    assert all(marks.verdicts[row].reason in ("suspected-mirror", "mirror-unproved") for row in range(len(pages)))
    kept = [row for row in range(len(pages)) if marks.verdicts[row].outcome == "flag"]
    assert len(kept) >= 0.75 * len(pages)
    for row in kept:
        assert same_width(apply(pages[row]["text"], edits_of(marks.spans[row]))) == same_width(pages[row]["clean"])
