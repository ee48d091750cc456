"""What the model room's tests work with: a small corpus of article-like texts, token shards, and a Work without a flow."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from touyan.core.errors import Missing
from touyan.flow.step import InputAsset
from touyan.model.tokenizer import TokenizerParams
from touyan.model.tokenizer import run as learn_tokenizer
from touyan.model.train import TrainParams
from touyan.store.formats.documents import DocumentRow, DocumentWriter

TINY = TrainParams(
    tokens=12_000, width=32, layers=2, heads=4, inner=64, context_tokens=128, batch_tokens=512, piece_tokens=64, threads=1,
    checkpoint_tokens=3_000, precision="float32",
)  # fmt: skip
"""Trains in well under a second."""

SUBJECTS = {"税法": ("纳税人", "税务机关", "应纳税额"), "海商法": ("船舶", "承运人", "船长"), "教育法": ("学校", "教师", "学生")}
CLAUSES = (
    "{a}应当依照本法的规定办理{b}的登记。",
    "{a}对{b}负有保密义务，不得泄露。",
    "违反前款规定的，由{b}责令{a}改正；情节严重的，处以罚款。",
)


def sentences(count: int, seed: int = 0) -> list[tuple[str, str, str]]:
    """(text, label, group) of made-up articles; the label shows in the words."""
    rng = random.Random(seed)
    rows = []
    for number in range(count):
        label = rng.choice(sorted(SUBJECTS))
        nouns = SUBJECTS[label]
        text = "".join(rng.choice(CLAUSES).format(a=rng.choice(nouns), b=rng.choice(nouns)) for _ in range(rng.randint(1, 3)))
        rows.append((f"第{number}条　{text}", label, f"{label}{number % 4}"))
    return rows


def write_corpus(folder: Path, count: int = 160, labelled: bool = True) -> Path:
    """A corpus Asset whose groups ending in 3 are the test."""
    with DocumentWriter(folder, with_split=True) as writer:
        for number, (text, label, group) in enumerate(sentences(count)):
            digest = sha256(text.encode()).hexdigest()
            split = "test" if group.endswith("3") else "train"
            row = DocumentRow(
                digest, "made/up", str(number), digest[:16], digest, text, None, group, label, "{}", "0" * 64, (), split
            )
            writer.add(row if labelled else DocumentRow(*(*row.values()[:8], None, *row.values()[9:])))  # type: ignore[arg-type]
    return folder


@dataclass
class Interrupted(Exception):
    """The process died."""


@dataclass
class BareWork:
    """A Work over plain folders; `dies_after` checkpoints it stops as a killed process would."""

    params: Any
    out: Path
    scratch: Path
    inputs: dict[str, list[InputAsset]] = field(default_factory=dict)
    threads: int = 1
    dies_after: int = 0
    resumes_from: Path | None = None
    counts: dict[str, int] = field(default_factory=dict)
    measures: dict[str, float | str] = field(default_factory=dict)
    saved: list[Path] = field(default_factory=list)

    def one(self, role: str) -> InputAsset:
        if not self.inputs.get(role):
            raise Missing("no-input", f"no {role}", "give one")
        return self.inputs[role][0]

    def many(self, role: str) -> list[InputAsset]:
        return self.inputs.get(role, [])

    def progress(self, done: float, total: float | None, unit: str) -> None:
        assert total is None or done <= total

    def measure(self, name: str, value: float | str) -> None:
        self.measures[name] = value

    def count(self, name: str, n: int) -> None:
        self.counts[name] = self.counts.get(name, 0) + n

    def log(self, message: str) -> None: ...

    def checkpoint(self) -> Path | None:
        return self.resumes_from

    def save_checkpoint(self, folder: Path, position: int) -> None:
        self.saved.append(folder)
        if len(self.saved) == self.dies_after:
            raise Interrupted

    def is_done(self, part: str) -> bool:
        return False

    def mark_done(self, part: str, files: list[Path]) -> None: ...


def asset(kind: str, path: Path, name: str = "") -> InputAsset:
    return InputAsset(sha256(str(path.name).encode()).hexdigest(), kind, name or path.name, path)


def bare_work(tmp: Path, params: Any, **inputs: InputAsset | list[InputAsset]) -> BareWork:
    """A Work whose `out` and `scratch` are fresh folders under `tmp`."""
    number = sum(1 for path in tmp.iterdir() if path.name.startswith("work-")) if tmp.exists() else 0
    home = tmp / f"work-{number}"
    (home / "out").mkdir(parents=True)
    (home / "scratch").mkdir()
    given = {role: list(value) if isinstance(value, list) else [value] for role, value in inputs.items()}
    return BareWork(params, home / "out", home / "scratch", given)


def make_tokenizer(tmp: Path, corpus: Path, vocabulary: int = 300) -> Path:
    work = bare_work(tmp, TokenizerParams(vocabulary=vocabulary), corpus=asset("corpus", corpus))
    learn_tokenizer(work)
    return work.out


def write_tokens(folder: Path, tokenizer: Path, count: int = 160) -> Path:
    """Token shards of the train split in the format of `pack`."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq
    from tokenizers import Tokenizer

    reader = Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
    rows = [
        [1, *reader.encode(text, add_special_tokens=False).ids, 2]
        for text, _, group in sentences(count)
        if not group.endswith("3")
    ]
    ends = np.cumsum([len(row) for row in rows])
    (folder / "train").mkdir(parents=True)
    np.concatenate([np.array(row, "<u2") for row in rows]).tofile(folder / "train/part-00000.bin")
    starts = np.concatenate([[0], ends[:-1]])
    table = pa.table({"doc_id": [str(i) for i in range(len(rows))], "start": starts, "end": ends})
    pq.write_table(table, folder / "train/part-00000.index.parquet")
    (folder / "summary.json").write_text(json.dumps({"dtype": "uint16"}))
    return folder
