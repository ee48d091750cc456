"""Golden results: when one of these changes, the step's version must be raised, and the digest here with it.

The digest is over the rows, not over the Parquet bytes, which another release of pyarrow may write otherwise.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from corpora import BANK_CARD, EMAIL, ID_CARD, MOBILE, STATUTE, FakeWork, folder, row, table

from touyan.corpus import refine, split
from touyan.corpus.refine import RefineParams
from touyan.corpus.split import SplitParams

GOLDEN = {
    ("refine", "1"): "fe698235a38db076",
    ("split", "1"): "45be7c9d66009841",
}


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], str]:
    monkeypatch.setenv("TOUYAN_PSEUDONYM_KEY", "golden")
    rows = [row(str(i), f"\ufeff第{i}条\u3000{STATUTE}\r\n", group=f"g{i // 3}", label="甲乙"[i % 2]) for i in range(12)]
    rows += [row("pii", f"电话{MOBILE}，邮箱{EMAIL}，证号{ID_CARD}，卡{BANK_CARD}。{STATUTE}")]
    rows += [row("dup", rows[0].text), row("short", "短")]
    rows += [row("english", "English text that is of no use here, and goes on for more than fifty characters.")]
    corpus = FakeWork(RefineParams(), tmp_path / "corpus", {"documents": [folder(tmp_path / "documents", rows, 4)]})
    refine.run(corpus)
    divided = FakeWork(SplitParams(test_share=0.3), tmp_path / "split", {"corpus": [corpus.out]})
    split.run(divided)
    return {(step.name, step.version): _digest(work.out) for step, work in ((refine.STEP, corpus), (split.STEP, divided))}


def _digest(corpus: Path) -> str:
    tables = [table(corpus, name) for name in ("documents", "spans", "verdicts")]
    summary = json.loads((corpus / "summary.json").read_text())
    return hashlib.sha256(json.dumps([tables, summary], ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:16]


def test_output_changes_only_with_the_version(results: dict[tuple[str, str], str]) -> None:
    assert results == GOLDEN
