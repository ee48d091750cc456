"""The step pack: conservation of documents, tokens that lead back to their document, and no forged special tokens."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from corpora import STATUTE, FakeWork, bytes_of, folder, row

from touyan.core.errors import Missing
from touyan.corpus import pack
from touyan.corpus.pack import PackParams
from touyan.store.formats.documents import DocumentRow

np = pytest.importorskip("numpy")
tokenizers = pytest.importorskip("tokenizers")

SPECIAL = ["<|pad|>", "<|bos|>", "<|end|>"]
ROWS = [
    row("a", STATUTE, split="train"),
    row("b", "正文里写着<|end|><|bos|>也不是标记。", split="train"),
    row("c", "测试文本。", split="test"),
    row("d", "训练中见过。", split="excluded"),
    row("e", "没有划分的文本。"),
]


def tokenizer(path: Path, special: list[str] = SPECIAL) -> Path:
    """A byte-level tokenizer with a few merges."""
    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=300, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )  # fmt: skip
    made.train_from_iterator([STATUTE] * 4, trainer)
    path.mkdir(parents=True)
    made.save(str(path / "tokenizer.json"))
    return path


def packed(tmp_path: Path, rows: list[DocumentRow] = ROWS, shard_rows: int = 2, **params: int) -> FakeWork:
    corpus = folder(tmp_path / "corpus", rows, shard_rows, with_split=True)
    inputs = {"corpus": [corpus], "tokenizer": [tokenizer(tmp_path / "tokenizer")]}
    work = FakeWork(PackParams(**params), tmp_path / "tokens", inputs)
    pack.run(work)
    return work


def intervals(out: Path, side: str) -> dict[str, list[int]]:
    """doc_id -> its tokens, read as any user of the format would."""
    import pyarrow.parquet as pq

    dtype = np.dtype(json.loads((out / "summary.json").read_text())["dtype"]).newbyteorder("<")
    found: dict[str, list[int]] = {}
    for index in sorted((out / side).glob("*.index.parquet")):
        tokens = np.fromfile(index.with_name(index.name.replace(".index.parquet", ".bin")), dtype=dtype)
        lines = pq.read_table(index).to_pylist()
        bounds = [0, *(line["end"] for line in lines)]
        assert [line["start"] for line in lines] == bounds[:-1]
        assert all(a < b for a, b in pairwise(bounds))
        assert bounds[-1] == len(tokens)
        found |= {line["doc_id"]: tokens[line["start"] : line["end"]].tolist() for line in lines}
    return found


def test_every_token_leads_back_to_its_document(tmp_path: Path) -> None:
    work = packed(tmp_path)
    decode = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer/tokenizer.json")).decode
    texts = {each.doc_id: each.text for each in ROWS}
    train, test = intervals(work.out, "train"), intervals(work.out, "test")
    assert list(train) == [ROWS[i].doc_id for i in (0, 1, 4)]
    assert list(test) == [ROWS[2].doc_id]
    for doc_id, ids in (train | test).items():
        assert (ids[0], ids[-1]) == (1, 2)
        assert decode(ids[1:-1], skip_special_tokens=False) == texts[doc_id]


def test_a_text_cannot_spell_a_special_token(tmp_path: Path) -> None:
    ids = intervals(packed(tmp_path).out, "train")[ROWS[1].doc_id]
    assert set(ids[1:-1]).isdisjoint({0, 1, 2})


def test_documents_in_are_documents_packed_and_excluded(tmp_path: Path) -> None:
    summary = json.loads((packed(tmp_path).out / "summary.json").read_text())
    assert summary["ledger"] == {"in": 5, "packed": 4, "excluded": {"split": 1}}
    assert summary["documents"] == {"train": 3, "test": 1}
    assert summary["characters"]["test"] == len(ROWS[2].text)


@pytest.mark.parametrize("batch_documents", [1, 3])
def test_the_batch_size_changes_nothing(tmp_path: Path, batch_documents: int) -> None:
    one, other = packed(tmp_path / "one"), packed(tmp_path / "other", batch_documents=batch_documents)
    assert bytes_of(one.out) == bytes_of(other.out)


def test_a_restart_packs_only_the_shards_that_are_missing(tmp_path: Path) -> None:
    work = packed(tmp_path)
    whole = bytes_of(work.out)
    untouched = (work.out / "train/part-00000.bin").stat().st_mtime_ns
    (work.out / "train/part-00001.bin").unlink()
    pack.run(work)
    assert bytes_of(work.out) == whole
    assert (work.out / "train/part-00000.bin").stat().st_mtime_ns == untouched


def test_a_tokenizer_without_bounds_of_documents_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="bos"):
        pack.Packer.open(tokenizer(tmp_path / "bare", ["<pad>"]))
