"""The engine that serves decoders: continuous batching over a key-value cache, and scoring.

Owns which sequences hold which rows of the cache. Knows nothing about files but the folder it opens, nothing about HTTP.
Invariant: a sequence that has ended or was ended holds no row; new ones may join at any step.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from collections.abc import Sequence as Many
from pathlib import Path
from typing import cast

import torch
from torch.nn import functional as F

from touyan.core.errors import Missing
from touyan.flow.backend import Sampling, Sequence, Task, Tokenizer
from touyan.model.cache import KeyValueCache
from touyan.model.llama import Llama
from touyan.model.sampling import Generation, begin, choose

SCORE_TOKENS = 8192
"""Tokens of one scoring batch with padding: bounds its memory at about a quarter of a GiB for a vocabulary of 8,192."""


class TextCodec:
    """Text to token ids and back, by the `tokenizer.json` of a model."""

    def __init__(self, folder: Path, bos: int) -> None:
        from tokenizers import Tokenizer as Reader

        self._reader = Reader.from_file(str(folder / "tokenizer.json"))
        self._reader.no_truncation()
        self._reader.no_padding()
        self._reader.encode_special_tokens = True  # a text can never spell a special token
        self._bos = bos

    def encode(self, text: str) -> list[int]:
        return [self._bos, *self._reader.encode(text, add_special_tokens=False).ids]

    def encode_all(self, texts: Many[str]) -> list[list[int]]:
        encodings = self._reader.encode_batch_fast(list(texts), add_special_tokens=False)
        return [[self._bos, *encoding.ids] for encoding in encodings]

    def decode(self, ids: Many[int]) -> str:
        return self._reader.decode(list(ids), skip_special_tokens=True)


class LlamaEngine:
    """Generates and scores with a decoder, in float32 unless told otherwise."""

    tasks: frozenset[Task] = frozenset({"generate"})

    def __init__(self, model: Llama, codec: TextCodec, model_id: str) -> None:
        self.model = model.eval().requires_grad_(False)
        self.model_id = model_id
        self.context_tokens = model.shape.context_tokens
        self.codec = codec
        self._cache = KeyValueCache(model)
        self._rows: list[Generation] = []

    @property
    def tokenizer(self) -> Tokenizer:
        return self.codec

    def start(self, prompt_ids: Many[int], sampling: Sampling, max_tokens: int) -> Sequence:
        return begin(list(prompt_ids), sampling, max_tokens, self.context_tokens)

    @torch.inference_mode()
    def step(self, sequences: Many[Sequence]) -> list[int | None]:
        running = [cast(Generation, sequence) for sequence in sequences if sequence.finish is None]
        old = sorted((one for one in running if one.slot >= 0), key=lambda one: one.slot)
        new = [one for one in running if one.slot < 0]
        parts = [self._cache.extend([one.slot for one in old], [one.tokens[-1] for one in old])] if old else []
        parts += [self._prefill(one) for one in new]
        chosen = self._choose([*old, *new], torch.cat(parts)) if parts else {}
        for one in running:
            if one.finish is not None:
                self.end(one)
        return [chosen.get(id(sequence)) for sequence in sequences]

    @torch.inference_mode()
    def end(self, sequence: Sequence) -> None:
        """Gives the sequence's row back."""
        one = cast(Generation, sequence)
        if one.slot < 0:
            return
        moved = self._rows[self._cache.remove_row(one.slot)]
        self._rows[one.slot], moved.slot = moved, one.slot
        self._rows.pop()
        one.slot = -1

    @torch.inference_mode()
    def score(self, texts: Many[str]) -> list[float]:
        ids = [[*row, self.model.shape.end] for row in self.codec.encode_all(texts)]
        bits = [0.0] * len(ids)
        for batch in batches([len(row) for row in ids], min(SCORE_TOKENS, 8 * self.context_tokens)):
            for i, value in zip(batch, self._batch_bits([ids[i] for i in batch]), strict=True):
                bits[i] = value
        return bits

    def compute_in_bfloat16(self) -> None:
        """From now on products take bfloat16 and sum in float32, as in training; losses stay float32. For measuring, not serving.

        Twice as fast on processors with AMX, and 0.00001 bits a character from float32 on the laws.
        """
        self.model.bfloat16()

    def classify(self, texts: Many[str]) -> list[dict[str, float]]:
        raise Missing("no-task", f"{self.model_id} generates text and does not classify", "ask a model with the task 'classify'")

    def _prefill(self, one: Generation) -> torch.Tensor:
        """[1, vocabulary]"""
        one.slot = self._cache.add_row()
        self._rows.append(one)
        return self._cache.prefill(one.slot, one.prompt)

    def _choose(self, running: list[Generation], logits: torch.Tensor) -> dict[int, int | None]:
        """What each gets, by its identity. The greedy are chosen together."""
        best, end = logits.argmax(-1).tolist(), self.model.shape.end
        chosen: dict[int, int | None] = {}
        for one, top, row in zip(running, best, logits, strict=True):
            is_greedy = one.sampling.temperature == 0
            chosen[id(one)] = one.accept(top if is_greedy else choose(row.numpy(), one.sampling, one.random), end)
        return chosen

    def _batch_bits(self, rows: list[list[int]]) -> list[float]:
        """Documents longer than the context are read in windows that overlap by half, each token predicted once."""
        if len(rows[0]) - 1 > self.context_tokens:
            return [
                sum(self._window_bits(row, start, skip) for start, skip in _windows(len(row), self.context_tokens))
                for row in rows
            ]
        longest = max(map(len, rows))
        padded = torch.tensor([row + [self.model.shape.pad] * (longest - len(row)) for row in rows])
        losses = self._losses(padded)
        return [float(losses[i, : len(row) - 1].sum()) / math.log(2) for i, row in enumerate(rows)]

    def _window_bits(self, row: list[int], start: int, skip: int) -> float:
        window = torch.tensor([row[start : start + self.context_tokens + 1]])
        return float(self._losses(window)[0, skip:].sum()) / math.log(2)

    def _losses(self, tokens: torch.Tensor) -> torch.Tensor:
        """Nats of each token after those before it: [rows, length - 1]."""
        hidden = self.model(tokens[:, :-1])
        logits = self.model.logits(hidden).flatten(0, 1).float()
        losses = F.cross_entropy(logits, tokens[:, 1:].flatten(), reduction="none")
        return losses.view(hidden.shape[:2]).double()


def batches(lengths: list[int], most_tokens: int) -> Iterator[list[int]]:
    """Indexes grouped by like length, shortest first."""
    batch: list[int] = []
    for i in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and lengths[i] * (len(batch) + 1) > most_tokens:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def _windows(length: int, context: int) -> Iterator[tuple[int, int]]:
    """Where each window begins, and how many of its predictions the one before has made."""
    yield 0, 0
    done = context
    while done < length - 1:
        start = done - context // 2
        yield start, context // 2
        done = start + context
