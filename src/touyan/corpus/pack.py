"""The step `pack`: a corpus and a tokenizer in, token shards that know which document each token came from.

Owns the token files and their index. Knows nothing about models. Invariant: conservation: every document of the corpus is
packed into exactly one interval of one part, or counted among the excluded; a text can never spell a special token.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from touyan.core.errors import Broken, Missing, missing_extra
from touyan.flow.step import InputSpec, StepSpec, Work

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

BEGIN, END = "<|bos|>", "<|end|>"
SIDES = ("train", "test")
WIDE_VOCABULARY = 1 << 16


@dataclass(frozen=True, slots=True)
class PackParams:
    """What `pack` may be told."""

    batch_documents: int = 1024
    """Documents that are tokenized at once; it changes memory, not the result."""


@dataclass(frozen=True, slots=True)
class Packer:
    """A tokenizer made ready: special tokens found, spelling them in text disabled, nothing cut or padded."""

    tokenizer: Tokenizer
    begin: int
    end: int
    dtype: str

    @classmethod
    def open(cls, path: Path) -> Packer:
        """Loads `tokenizer.json`. Raises Missing where it lacks a special token that marks the bounds of a document."""
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise missing_extra("tokenizers", "train") from error
        tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        tokenizer.encode_special_tokens = True
        begin, end = (_special(tokenizer, name) for name in (BEGIN, END))
        return cls(tokenizer, begin, end, "uint32" if tokenizer.get_vocab_size() >= WIDE_VOCABULARY else "uint16")

    def encode(self, texts: Sequence[str]) -> list[NDArray[np.uint16 | np.uint32]]:
        """Token ids of each text between the two marks, little-endian."""
        import numpy as np

        kind = np.dtype(self.dtype).newbyteorder("<")
        encodings = self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [np.array([self.begin, *encoding.ids, self.end], dtype=kind) for encoding in encodings]


def _special(tokenizer: Tokenizer, name: str) -> int:
    token = tokenizer.token_to_id(name)
    if token is None:
        raise Missing("no-special-token", f"the tokenizer has no token {name}", "use one that the step `tokenizer` made")
    return int(token)


def run(work: Work[PackParams]) -> None:
    """Packs shard N of the corpus into part N of each side; a corpus without a split is all training."""
    from touyan.store.formats.corpus import part_name
    from touyan.store.formats.documents import document_shards

    os.environ.setdefault("RAYON_NUM_THREADS", str(max(1, work.threads)))  # read once, when the tokenizer first works
    packer = Packer.open(work.one("tokenizer").path)
    shards = document_shards(work.one("corpus").path)
    for number, shard in enumerate(shards):
        if not work.is_done(part_name(number)):
            work.mark_done(part_name(number), _pack_shard(packer, shard, work.out, number, work.params.batch_documents))
        work.progress(number + 1, len(shards), "shards")
    _summarise(work, packer, shards)


def _pack_shard(packer: Packer, shard: Path, out: Path, number: int, rows: int) -> list[Path]:
    from touyan.store.formats.corpus import PartWriter, part_name, token_index_schema

    files: list[Path] = []
    for side in SIDES:
        tokens, index = (out / side / f"{part_name(number)}.{ending}" for ending in ("bin", "index.parquet"))
        tokens.parent.mkdir(parents=True, exist_ok=True)
        position = 0
        with tokens.open("wb") as file, PartWriter(index, token_index_schema()) as index_part:
            for doc_ids, texts in _documents(shard, side, rows):
                packed = packer.encode(texts)
                bounds = [*accumulate(map(len, packed), initial=position)]
                file.writelines(ids.tobytes() for ids in packed)
                index_part.extend({"doc_id": doc_ids, "start": bounds[:-1], "end": bounds[1:]})
                position = bounds[-1]
        files += [tokens, index]
    return files


def _documents(shard: Path, side: str, rows: int) -> Iterator[tuple[list[str], list[str]]]:
    """Ids and texts of one side of a shard, in batches."""
    from touyan.store.formats.documents import corpus_schema
    from touyan.store.formats.shards import read_batches

    for batch in read_batches(shard, corpus_schema(), ["doc_id", "text", "split"], rows):
        columns = batch.to_pydict()
        chosen = [i for i, split in enumerate(columns["split"]) if (split or "train") == side]
        if chosen:
            yield [columns["doc_id"][i] for i in chosen], [columns["text"][i] for i in chosen]


def _summarise(work: Work[PackParams], packer: Packer, shards: Sequence[Path]) -> None:
    """Writes the ledger: what came in, what was packed, what was left out and why. Raises Broken where it does not add up."""
    from touyan.corpus.summary import write_summary

    ledger: dict[str, Counter[str]] = {side: Counter(documents=0, characters=0) for side in (*SIDES, "excluded")}
    for shard in shards:
        _count_in(ledger, shard)
    parts = {side: [_read_index(work.out, side, number) for number in range(len(shards))] for side in SIDES}
    for side, numbers in parts.items():
        packed = sum(documents for documents, _ in numbers)
        if packed != ledger[side]["documents"]:
            message = f"{ledger[side]['documents']} {side} documents came in and {packed} were packed"
            raise Broken("documents-lost", message, "report this, with the log of the Job")
        ledger[side]["tokens"] = sum(tokens for _, tokens in numbers)
    total, excluded = sum(n["documents"] for n in ledger.values()), ledger["excluded"]["documents"]
    body: dict[str, Any] = {"ledger": {"in": total, "packed": total - excluded, "excluded": {"split": excluded}}}
    body |= {"dtype": packer.dtype, "vocabulary": packer.tokenizer.get_vocab_size(), "bos": packer.begin, "end": packer.end}
    body |= {unit: {side: ledger[side][unit] for side in SIDES} for unit in ("documents", "tokens", "characters")}
    write_summary(work.out, body)
    for side in SIDES:
        work.count(f"tokens.{side}", ledger[side]["tokens"])


def _count_in(ledger: dict[str, Counter[str]], shard: Path) -> None:
    from touyan.store.formats.documents import read_document_batches

    for batch in read_document_batches(shard, with_split=True, columns=("text", "split")):
        for split, text in zip(batch["split"].to_pylist(), batch["text"].to_pylist(), strict=True):
            ledger[split or "train"].update(documents=1, characters=len(text))


def _read_index(out: Path, side: str, number: int) -> tuple[int, int]:
    """Documents and tokens of one part, by its index."""
    import pyarrow.parquet as pq

    from touyan.store.formats.corpus import part_name

    ends = pq.read_table(out / side / f"{part_name(number)}.index.parquet", columns=["end"])["end"]
    return len(ends), ends[-1].as_py() if len(ends) else 0


STEP = StepSpec(
    name="pack",
    version="1",
    output="tokens",
    inputs={
        "corpus": InputSpec("corpus", label="the corpus, divided or not"),
        "tokenizer": InputSpec("tokenizer", label="the tokenizer that the model will use"),
    },
    params=PackParams,
    purpose="train",
    run=run,
    summary="Tokenizes the corpus into shards that know which document each token came from.",
    extras=("train",),
)
