"""Interpolated modified Kneser-Ney smoothing over integer sequences, vectorised.

Owns the counting, the discounts and the probabilities; symbols are integers and their meaning is elsewhere. The n-grams form
a trie: a node of level n is an n-gram, its children stand together, in order. Invariant: for every context the probabilities
of all symbols but `begin` sum to 1. Source: Chen and Goodman 1998, section 3; adjusted counts as in Heafield et al. 2013.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Level:
    """All n-grams of one length."""

    symbols: NDArray[np.integer[Any]]
    """Last symbol of each n-gram, grouped by its context and ascending within."""
    first_child: NDArray[np.int32]
    """For each context (node of the level above), where its n-grams begin; one more entry closes the last."""
    direct: Floats
    """max(count - discount, 0) / total of the context: what the n-gram gets of its own level."""
    backoff: Floats
    """As a context: the share it leaves to shorter contexts; 1 where nothing follows it."""

    def keys(self, symbols: int) -> Ints:
        """context * symbols + symbol of every n-gram, ascending."""
        contexts = np.repeat(np.arange(len(self.first_child) - 1, dtype=np.int64), np.diff(self.first_child))
        return contexts * symbols + self.symbols


@dataclass(frozen=True, slots=True)
class _Counted:
    """One level while it is counted."""

    keys: Ints
    """context * symbols + symbol of each distinct n-gram, ascending."""
    counts: Ints
    first_seen: Ints
    """Where each first begins in the stream."""
    nodes: Ints
    """For each place of the stream: the node of the n-gram that begins there, -1 where it would leave its sequence."""


def build(stream: Ints, ends: Ints, symbols: int, order: int, begin: int) -> tuple[list[Level], float]:
    """Counts and smooths. stream: all sequences one after another; ends[i]: end of the sequence that holds place i.

    Gives the levels 1 to `order`, and the share that single symbols leave to the uniform distribution.
    """
    counted = _count(stream, ends, symbols, order)
    adjusted = _adjust(counted, stream, begin)
    levels: list[Level] = []
    shares: list[NDArray[np.float64]] = []
    contexts = 1
    for level, counts in zip(counted, adjusted, strict=True):
        discount = _discounts(counts)[np.minimum(counts, 3)]
        parents = level.keys // symbols
        total = np.bincount(parents, counts, minlength=contexts)
        left = np.bincount(parents, discount, minlength=contexts)
        shares.append(np.divide(left, total, out=np.ones(contexts), where=total > 0))
        direct = (counts - discount) / np.maximum(total[parents], 1)
        first = np.searchsorted(parents, np.arange(contexts + 1)).astype(np.int32)
        last_symbols = (level.keys % symbols).astype(np.uint16 if symbols <= 1 << 16 else np.uint32)
        levels.append(Level(last_symbols, first, direct.astype(np.float32), np.ones(len(counts), np.float32)))
        contexts = len(counts)
    for level, share in zip(levels, shares[1:], strict=False):
        level.backoff[:] = share
    return levels, float(shares[0][0])


def _count(stream: Ints, ends: Ints, symbols: int, order: int) -> list[_Counted]:
    places = np.arange(len(stream))
    nodes = np.zeros(len(stream), np.int64)
    levels: list[_Counted] = []
    for length in range(1, order + 1):
        valid = (nodes >= 0) & (places + length <= ends)
        starts = places[valid]
        keys = nodes[valid] * symbols + stream[starts + length - 1]
        distinct, first, inverse, counts = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
        nodes = np.full(len(stream), -1, np.int64)
        nodes[valid] = inverse
        levels.append(_Counted(distinct, counts, starts[first], nodes))
    return levels


def _adjust(counted: list[_Counted], stream: Ints, begin: int) -> list[Ints]:
    """Below the top: in how many different contexts an n-gram was seen; raw counts where nothing can stand before it."""
    adjusted: list[Ints] = []
    for level, above in itertools.pairwise(counted):
        suffix = level.nodes[above.first_seen + 1]
        kinds = np.bincount(suffix, minlength=len(level.keys))
        adjusted.append(np.where(stream[level.first_seen] == begin, level.counts, kinds))
    adjusted.append(counted[-1].counts)
    adjusted[0] = np.where(stream[counted[0].first_seen] == begin, 0, adjusted[0])
    return adjusted


def _discounts(counts: Ints) -> NDArray[np.float64]:
    """Discounts of counts 0, 1, 2 and 3 or more (Chen and Goodman 1998, eq. 26)."""
    n1, n2, n3, n4 = (float(np.count_nonzero(counts == k)) for k in (1, 2, 3, 4))
    if min(n1, n2, n3) == 0:
        return np.array([0.0, 0.5, 0.75, 0.75])  # too few to estimate from; any constant below the counts is proper
    y = n1 / (n1 + 2 * n2)
    raw = [0.0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
    return np.clip(raw, [0.0, 0.1, 0.1, 0.1], [0.0, 1.0, 2.0, 3.0])  # never nothing: what is unseen must keep a share


class KneserNey:
    """The smoothed model: probabilities of symbols in sequences, and of the next symbol."""

    def __init__(self, levels: list[Level], uniform_share: float, symbols: int, begin: int) -> None:
        self._levels = levels
        self._uniform = uniform_share / (symbols - 1)  # every symbol but `begin`
        self._symbols = symbols
        self._begin = begin
        self._keys = [level.keys(symbols) for level in levels]

    @property
    def order(self) -> int:
        return len(self._levels)

    def probabilities(self, stream: Ints, begins: Ints) -> NDArray[np.float64]:
        """Probability of each symbol of `stream` after those before it. begins[i]: where the sequence of place i begins."""
        places = np.arange(len(stream))
        result = np.full(len(stream), self._uniform)
        nodes = np.zeros(len(stream), np.int64)  # of the context that begins at each place
        for n, level in enumerate(self._levels):
            found = self._find(n, nodes, stream[np.minimum(places + n, len(stream) - 1)])
            starts = places - n
            inside = places[starts >= begins]
            context, node = nodes[starts[inside]], found[starts[inside]]
            if n > 0:
                known = self._levels[n - 1].backoff[context]
                result[inside] *= np.where(context >= 0, known, 1.0)
            result[inside] += np.where(node >= 0, level.direct[node], 0.0)
            nodes = found
        return result

    def next_probabilities(self, context: Ints) -> NDArray[np.float64]:
        """Distribution over the next symbol, [symbols], after the last symbols of one sequence."""
        result = np.full(self._symbols, self._uniform)
        result[self._begin] = 0.0
        for n, level in enumerate(self._levels[: len(context) + 1]):
            node = self._walk(context[len(context) - n :])
            if node < 0:
                break
            result *= self._levels[n - 1].backoff[node] if n > 0 else 1.0
            children = slice(level.first_child[node], level.first_child[node + 1])
            result[level.symbols[children]] += level.direct[children]
        return result

    def _walk(self, gram: Ints) -> int:
        nodes = np.zeros(1, np.int64)
        for n, symbol in enumerate(gram):
            nodes = self._find(n, nodes, np.array([symbol]))
        return int(nodes[0])

    def _find(self, n: int, contexts: Ints, symbols: Ints) -> Ints:
        """Nodes of level n + 1 for these contexts and symbols, -1 where there is none."""
        keys = self._keys[n]
        wanted = contexts * self._symbols + symbols
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where((contexts >= 0) & (keys[at] == wanted), at, -1)
