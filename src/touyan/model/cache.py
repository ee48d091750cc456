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

from touyan.model.llama import Block, Llama, rope_tables
from touyan.model.shape import LlamaShape

FIRST_LENGTH = 64
"""Cache positions a new engine holds; doubled when they are full."""


class KeyValueCache:
    """Keys and values of all layers: one tensor a layer, [2, rows, groups, positions, head_width]."""

    def __init__(self, model: Llama) -> None:
        self.model = model
        self.lengths: list[int] = []
        """Positions filled, by row."""
        self._cos, self._sin = _tables(model.shape)
        empty = torch.zeros(2, 0, model.shape.groups, FIRST_LENGTH, model.shape.head_width)
        self._stores = [empty.clone() for _ in model.blocks]

    def add_row(self) -> int:
        """A fresh row at the end."""
        self.lengths.append(0)
        if len(self.lengths) > self._stores[0].shape[1]:
            self._grow(rows=max(1, 2 * self._stores[0].shape[1]), positions=self._stores[0].shape[3])
        return len(self.lengths) - 1

    def remove_row(self, row: int) -> int:
        """Frees a row by moving the last one into its place; gives the row that moved."""
        last = len(self.lengths) - 1
        if row != last:
            for store in self._stores:
                store[:, row].copy_(store[:, last])
            self.lengths[row] = self.lengths[last]
        self.lengths.pop()
        return last

    def prefill(self, row: int, tokens: Sequence[int]) -> Tensor:
        """Reads a whole prompt into an empty row. Gives the logits after it: [1, vocabulary]."""
        length = len(tokens)
        self._ensure(length)
        stream = F.embedding(torch.tensor([list(tokens)]), self.model.embedding)
        for layer, block in enumerate(self.model.blocks):
            assert isinstance(block, Block)
            query, stored = self._project(block, stream, self._cos[:length], self._sin[:length])
            self._stores[layer][:, row, :, :length] = stored[0]
            key, value = stored.unbind(1)
            attended = F.scaled_dot_product_attention(query, self._spread(key), self._spread(value), is_causal=True)
            stream = self._finish(block, stream, attended)
        self.lengths[row] = length
        return self._logits(stream[:, -1:])

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
        cos, sin = self._cos[places][:, None], self._sin[places][:, None]
        stream = F.embedding(torch.tensor(list(tokens))[:, None], self.model.embedding)
        for layer, block in enumerate(self.model.blocks):
            assert isinstance(block, Block)
            query, stored = self._project(block, stream, cos, sin)
            store = self._stores[layer]
            store[:, at, :, places] = stored[:, :, :, 0]
            held = store[:, : len(rows), :, :longest] if in_place else store[:, at, :, :longest]
            stream = self._finish(block, stream, self._attend(query, held, mask))
        for row in rows:
            self.lengths[row] += 1
        return self._logits(stream)

    def _attend(self, query: Tensor, held: Tensor, mask: Tensor | None) -> Tensor:
        """One query a row over its cache, the heads of a group together: [rows, heads, 1, head_width]."""
        shape = self.model.shape
        grouped = query.view(query.shape[0], shape.groups, shape.heads // shape.groups, shape.head_width)
        scores = grouped @ held[0].transpose(2, 3) * shape.head_width**-0.5
        weights = torch.softmax(scores if mask is None else scores + mask, -1)
        return (weights @ held[1]).view(query.shape)

    def _project(self, block: Block, stream: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor]:
        """Queries, and what the cache keeps: [rows, heads, length, head_width] and [rows, 2, groups, length, head_width]."""
        shape = self.model.shape
        normed = _norm(stream, block.attention_norm, shape.norm_epsilon)
        heads = F.linear(normed, block.qkv).view(*stream.shape[:2], shape.heads + 2 * shape.groups, shape.head_width)
        turned = torch.addcmul(heads * cos, heads.roll(shape.head_width // 2, -1), sin).transpose(1, 2)
        return turned[:, : shape.heads], turned[:, shape.heads :].unflatten(1, (2, shape.groups))

    def _spread(self, part: Tensor) -> Tensor:
        """Keys or values once for each head of their group."""
        shape = self.model.shape
        return part if shape.groups == shape.heads else part.repeat_interleave(shape.heads // shape.groups, 1)

    def _finish(self, block: Block, stream: Tensor, attended: Tensor) -> Tensor:
        shape = self.model.shape
        stream = stream + F.linear(attended.transpose(1, 2).reshape(stream.shape), block.out)
        gate, up = F.linear(_norm(stream, block.mlp_norm, shape.norm_epsilon), block.gate_up).chunk(2, -1)
        return stream + F.linear(F.silu(gate) * up, block.down)

    def _logits(self, stream: Tensor) -> Tensor:
        return self.model.logits(_norm(stream[:, 0], self.model.norm, self.model.shape.norm_epsilon))

    def _ensure(self, positions: int) -> None:
        _, rows, _, held, _ = self._stores[0].shape
        if positions > held:
            self._grow(rows, max(positions, 2 * held))

    def _grow(self, rows: int, positions: int) -> None:
        for layer, old in enumerate(self._stores):
            new = torch.zeros(2, rows, old.shape[2], positions, old.shape[4])
            new[:, : old.shape[1], :, : old.shape[3]] = old
            self._stores[layer] = new


def _tables(shape: LlamaShape) -> tuple[Tensor, Tensor]:
    """Rotary factors for all heads of a projection at once, [context, heads, head_width]: values are turned by nothing.

    x cos + roll(x, half) sin is the rotation of `llama.rotate` in three operations instead of eight.
    """
    cos, sin = rope_tables(shape, torch.arange(shape.context_tokens), torch.float32)
    turned = shape.heads + shape.groups
    whole_cos = torch.ones(shape.context_tokens, turned + shape.groups, shape.head_width)
    whole_sin = torch.zeros_like(whole_cos)
    whole_cos[:, :turned] = torch.cat((cos, cos), -1)
    whole_sin[:, :turned] = torch.cat((-sin, sin), -1)
    return whole_cos, whole_sin


def _norm(x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    """RMSNorm of a few rows: torch's own is made of twice as many operations, and here each costs more than its arithmetic."""
    width = x.shape[-1]
    inverse = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_().mul_(1 / width).add_(epsilon).rsqrt_()
    return x * inverse * weight
