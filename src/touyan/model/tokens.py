"""Token shards as training reads them, and the order in which documents are visited.

Owns the reading of a `tokens` Asset, cutting and batching. Knows nothing about the model.
Invariant: the batch at a position follows from documents, sizes, seed and position alone, so a resumed run needs one number.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from touyan.core.errors import Broken
from touyan.model.shape import read_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ids = NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Piece:
    """A document, or a part of a long one: `ids[:-1]` predict `ids[1:]`."""

    ids: Ids


def read_tokens(asset: Path, split: str) -> list[Ids]:
    """All documents of a split (train, test) in order, each with its begin and end tokens. Raises Broken on damage."""
    import numpy as np
    import pyarrow.parquet as pq

    dtype = np.dtype(str(read_json(asset / "summary.json").get("dtype", "uint16"))).newbyteorder("<")
    documents: list[Ids] = []
    for path in sorted((asset / split).glob("part-*.bin")):
        ids = np.fromfile(path, dtype=dtype)
        index = pq.read_table(path.with_suffix(".index.parquet"), columns=["start", "end"])
        starts, ends = index["start"].to_pylist(), index["end"].to_pylist()
        if ends and max(ends) > len(ids):
            raise Broken(
                "short-shard", f"{path} holds {len(ids)} tokens, its index wants {max(ends)}", "re-run the step that made it"
            )
        documents += [ids[start:end] for start, end in zip(starts, ends, strict=True)]
    return documents


def cut(documents: list[Ids], piece_tokens: int) -> list[Piece]:
    """Cuts documents longer than `piece_tokens` predictions into equal parts; no token is predicted twice or left out."""
    pieces = []
    for ids in documents:
        predictions = len(ids) - 1
        parts = -(-predictions // piece_tokens)
        size = -(-predictions // max(parts, 1))
        pieces += [Piece(ids[i * size : (i + 1) * size + 1]) for i in range(parts)]
    return pieces


def epoch_batches(lengths: list[int], batch_tokens: int, seed: int, epoch: int) -> list[list[int]]:
    """Groups pieces of like length, so that little is padding and each is seen from its own beginning; then shuffles the groups.

    Gives indexes of pieces. A batch is at most `batch_tokens` with its padding, or one piece.
    """
    rng = random.Random(f"{seed}/{epoch}")
    order = list(range(len(lengths)))
    rng.shuffle(order)
    jitter = [length + 4 * rng.random() for length in lengths]
    order.sort(key=jitter.__getitem__)
    batches: list[list[int]] = []
    longest = 0
    for i in order:
        longest = max(longest, lengths[i])
        if not batches or longest * (len(batches[-1]) + 1) > batch_tokens:
            batches.append([])
            longest = lengths[i]
        batches[-1].append(i)
    rng.shuffle(batches)
    return batches


def batches_from(lengths: list[int], batch_tokens: int, seed: int, position: int) -> Iterator[list[int]]:
    """The endless stream of batches over epochs, from the batch number `position` on."""
    epoch, seen = 0, 0
    while lengths:
        batches = epoch_batches(lengths, batch_tokens, seed, epoch)
        yield from batches[max(position - seen, 0) :]
        epoch, seen = epoch + 1, seen + len(batches)
