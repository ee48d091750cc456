"""One decoding step of a Llama over a shared key-value cache.

Owns the cache, its rows (slots) and the forward pass of new tokens. Knows nothing about sampling or text. Invariant: a row is
read only up to its own length, so what an earlier sequence left in it is never seen. Rows in use are kept in front, so that
a step reads the cache in place.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from touyan.model.llama import Block, Llama, rope_tables, rotate

FIRST_LENGTH = 64
"""Cache positions a new engine holds; doubled when they are full."""


class KeyValueCache:
    """Keys and values of all layers: two tensors a layer, [rows, groups, positions, head_width]."""

    def __init__(self, model: Llama) -> None:
        self.model = model
        self.lengths: list[int] = []
        """Positions filled, by row."""
        self._rope = rope_tables(model.shape, torch.arange(model.shape.context_tokens), torch.float32)
        empty = torch.zeros(0, model.shape.groups, FIRST_LENGTH, model.shape.head_width)
        self._keys = [empty.clone() for _ in model.blocks]
        self._values = [empty.clone() for _ in model.blocks]

    def add_row(self) -> int:
        """A fresh row at the end."""
        self.lengths.append(0)
        if len(self.lengths) > self._keys[0].shape[0]:
            self._grow(rows=max(1, 2 * self._keys[0].shape[0]), positions=self._keys[0].shape[2])
        return len(self.lengths) - 1

    def remove_row(self, row: int) -> int:
        """Frees a row by moving the last one into its place; gives the row that moved."""
        last = len(self.lengths) - 1
        if row != last:
            for store in (*self._keys, *self._values):
                store[row].copy_(store[last])
            self.lengths[row] = self.lengths[last]
        self.lengths.pop()
        return last

    def prefill(self, row: int, tokens: Sequence[int]) -> Tensor:
        """Reads a whole prompt into an empty row. Gives the logits after it: [vocabulary]."""
        length = len(tokens)
        self._ensure(length)
        stream = F.embedding(torch.tensor([list(tokens)]), self.model.embedding)
        rope = (self._rope[0][:length], self._rope[1][:length])
        for layer, block in enumerate(self.model.blocks):
            assert isinstance(block, Block)
            query, key, value = self._project(block, stream, rope)
            self._keys[layer][row, :, :length], self._values[layer][row, :, :length] = key[0], value[0]
            attended = F.scaled_dot_product_attention(query, self._spread(key), self._spread(value), is_causal=True)
            stream = self._finish(block, stream, attended)
        self.lengths[row] = length
        return self._logits(stream[:, -1:])[0]

    def extend(self, rows: Sequence[int], tokens: Sequence[int]) -> Tensor:
        """Reads one more token into each of `rows`. Gives their logits: [rows, vocabulary]."""
        lengths = [self.lengths[row] for row in rows]
        longest = max(lengths) + 1
        self._ensure(longest)
        at, places = torch.tensor(list(rows)), torch.tensor(lengths)
        in_place = list(rows) == list(range(len(rows)))
        mask = None
        if min(lengths) + 1 != longest:
            mask = torch.zeros(len(rows), 1, 1, longest).masked_fill_(
                (torch.arange(longest) > places[:, None])[:, None, None], float("-inf")
            )
        rope = (self._rope[0][places][:, None], self._rope[1][places][:, None])
        stream = F.embedding(torch.tensor(list(tokens))[:, None], self.model.embedding)
        for layer, block in enumerate(self.model.blocks):
            assert isinstance(block, Block)
            query, key, value = self._project(block, stream, rope)
            self._keys[layer][at, :, places], self._values[layer][at, :, places] = key[:, :, 0], value[:, :, 0]
            keys = self._keys[layer][: len(rows), :, :longest] if in_place else self._keys[layer][at, :, :longest]
            values = self._values[layer][: len(rows), :, :longest] if in_place else self._values[layer][at, :, :longest]
            stream = self._finish(block, stream, self._attend(query, keys, values, mask))
        for row in rows:
            self.lengths[row] += 1
        return self._logits(stream)

    def _attend(self, query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
        """One query a row over its cache, the heads of a group together: [rows, heads, 1, head_width]."""
        shape = self.model.shape
        grouped = query.view(query.shape[0], shape.groups, shape.heads // shape.groups, shape.head_width)
        scores = grouped @ keys.transpose(2, 3) * shape.head_width**-0.5
        weights = torch.softmax(scores if mask is None else scores + mask, -1)
        return (weights @ values).view(query.shape)

    def _project(self, block: Block, stream: Tensor, rope: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        shape = self.model.shape
        normed = F.rms_norm(stream, (shape.width,), block.attention_norm, shape.norm_epsilon)
        heads = F.linear(normed, block.qkv).view(*stream.shape[:2], shape.heads + 2 * shape.groups, shape.head_width)
        turned = rotate(heads[:, :, : shape.heads + shape.groups], *rope)
        query, key = turned[:, :, : shape.heads], turned[:, :, shape.heads :]
        return query.transpose(1, 2), key.transpose(1, 2), heads[:, :, shape.heads + shape.groups :].transpose(1, 2)

    def _spread(self, part: Tensor) -> Tensor:
        """Keys or values once for each head of their group."""
        shape = self.model.shape
        return part if shape.groups == shape.heads else part.repeat_interleave(shape.heads // shape.groups, 1)

    def _finish(self, block: Block, stream: Tensor, attended: Tensor) -> Tensor:
        shape = self.model.shape
        stream = stream + F.linear(attended.transpose(1, 2).reshape(stream.shape), block.out)
        gate, up = F.linear(F.rms_norm(stream, (shape.width,), block.mlp_norm, shape.norm_epsilon), block.gate_up).chunk(2, -1)
        return stream + F.linear(F.silu(gate) * up, block.down)

    def _logits(self, stream: Tensor) -> Tensor:
        shape = self.model.shape
        return self.model.logits(F.rms_norm(stream[:, 0], (shape.width,), self.model.norm, shape.norm_epsilon))

    def _ensure(self, positions: int) -> None:
        held = self._keys[0].shape[2]
        if positions > held:
            self._grow(rows=self._keys[0].shape[0], positions=max(positions, 2 * held))

    def _grow(self, rows: int, positions: int) -> None:
        for stores in (self._keys, self._values):
            for layer, old in enumerate(stores):
                new = torch.zeros(rows, old.shape[1], positions, old.shape[3])
                new[: old.shape[0], :, : old.shape[2]] = old
                stores[layer] = new
