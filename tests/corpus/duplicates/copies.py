"""What the tests of duplicates share: made-up prose, shards of it, and what settled operators say of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from corpora import row

from touyan.core.document import Span, Verdict
from touyan.corpus.operator import DocumentBatch, Survey, Surveyor
from touyan.corpus.passage import opened

HAN = "".join(map(chr, range(0x4E00, 0x4E00 + 600)))
COLUMNS = ("doc_id", "source", "natural_key", "text", "title", "group", "meta", "subjects")


def prose(seed: int, length: int) -> str:
    """Made-up text, in sentences of 20 characters, that shares no 5-gram with that of another seed."""
    draw = random.Random(seed)
    return "".join("。" if at % 20 == 19 else draw.choice(HAN) for at in range(length))


def reworded(text: str, seed: int, changes: int) -> str:
    """The text with so many characters replaced."""
    characters = list(text)
    for at in random.Random(seed).sample(range(len(text)), changes):
        characters[at] = "改"
    return "".join(characters)


def shard(texts: Sequence[str], first: int = 0, titles: Sequence[str | None] = ()) -> DocumentBatch:
    """One shard; documents are numbered from `first` on, so that those of several shards differ."""
    named = [*titles, *[None] * (len(texts) - len(titles))]
    rows = [row(f"no-{first + i}", text, title=title) for i, (text, title) in enumerate(zip(texts, named, strict=True))]
    return opened({name: [getattr(each, name) for each in rows] for name in COLUMNS}, 0)


def divided(texts: Sequence[str], ends: Sequence[int], titles: Sequence[str | None] = ()) -> list[DocumentBatch]:
    """The documents in shards that end at `ends` and at the last."""
    edges = [0, *sorted(ends), len(texts)]
    return [shard(texts[a:b], a, titles[a:b]) for a, b in pairwise(edges)]


def surveyed(surveyor: Surveyor, batch: DocumentBatch, batch_rows: int) -> Survey:
    """The survey of a shard that came in batches of `batch_rows`."""
    starts = range(0, max(1, len(batch)), batch_rows)
    notes = [surveyor.survey(batch.take(range(at, min(at + batch_rows, len(batch))))) for at in starts]
    return {name: np.concatenate([note[name] for note in notes]) for name in notes[0]}


def said(
    surveyor: Surveyor, shards: Sequence[DocumentBatch], batch_rows: int = 1000
) -> tuple[dict[int, Verdict], dict[int, list[Span]]]:
    """Verdicts and spans by the number of the document, counted through all shards."""
    settled = surveyor.settle([surveyed(surveyor, each, batch_rows) for each in shards])
    verdicts: dict[int, Verdict] = {}
    spans: dict[int, list[Span]] = {}
    first = 0
    for own, batch in zip(settled, shards, strict=True):
        marks = own.judge(batch)
        verdicts |= {first + at: verdict for at, verdict in marks.verdicts.items()}
        spans |= {first + at: list(found) for at, found in marks.spans.items()}
        first += len(batch)
    return verdicts, spans


def doc_id(number: int) -> str:
    """The id of a document of `divided`, by its number."""
    return row(f"no-{number}", "").doc_id
