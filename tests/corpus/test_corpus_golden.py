"""Golden results: when one of these changes, the step's version must be raised, and the digest here with it.

The digest is over the rows, not over the Parquet bytes, which another release of pyarrow may write otherwise.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from corpora import BANK_CARD, EMAIL, ID_CARD, MOBILE, STATUTE, FakeWork, folder, row, table

from touyan.corpus import pack, refine, split
from touyan.corpus.pack import PackParams
from touyan.corpus.refine import RefineParams
from touyan.corpus.split import SplitParams

GOLDEN = {
    ("pack", "1"): "df983d4f426222fa",
    ("refine", "2"): "740b9dee51ae97e2",
    ("split", "1"): "533809dc19b20c68",
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
    tokens = FakeWork(PackParams(), tmp_path / "tokens", {"corpus": [divided.out], "tokenizer": [_tokenizer(tmp_path)]})
    pack.run(tokens)
    found = {(step.name, step.version): _digest(work.out) for step, work in ((refine.STEP, corpus), (split.STEP, divided))}
    return found | {(pack.STEP.name, pack.STEP.version): _digest_tokens(tokens.out)}


def _tokenizer(folder: Path) -> Path:
    """Every byte a token, after the three special ones: nothing that a training could change."""
    tokenizers = pytest.importorskip("tokenizers")
    pieces = ["<|pad|>", "<|bos|>", "<|end|>", *sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())]
    made = tokenizers.Tokenizer(tokenizers.models.BPE({piece: i for i, piece in enumerate(pieces)}, []))
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.add_special_tokens(pieces[:3])
    made.save(str(folder / "tokenizer.json"))
    return folder


def _digest_tokens(tokens: Path) -> str:
    indexes = [pq.read_table(path).to_pylist() for path in sorted(tokens.rglob("*.index.parquet"))]
    facts = json.dumps([indexes, json.loads((tokens / "summary.json").read_text())], sort_keys=True).encode()
    return hashlib.sha256(facts + b"".join(path.read_bytes() for path in sorted(tokens.rglob("*.bin")))).hexdigest()[:16]


def _digest(corpus: Path) -> str:
    tables = [table(corpus, name) for name in ("documents", "spans", "verdicts")]
    summary = json.loads((corpus / "summary.json").read_text())
    return hashlib.sha256(json.dumps([tables, summary], ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:16]


def test_output_changes_only_with_the_version(results: dict[tuple[str, str], str]) -> None:
    assert results == GOLDEN
