"""The Merkle tree of the evidence log: RFC 6962 section 2 (RFC 9162 keeps the same tree).

Pure functions over a node lookup `node(level, index)`: level 0 holds leaf hashes, a node of level k covers 2^k leaves and
exists once all of them do. So appending touches O(log n) nodes, and old nodes never change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeAlias

Node: TypeAlias = Callable[[int, int], bytes]
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def parent_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def completed_by(size: int) -> list[tuple[int, int]]:
    """The nodes (level, index) above level 0 that become complete when the leaf number `size - 1` is added."""
    nodes: list[tuple[int, int]] = []
    level = 1
    while size % (1 << level) == 0:
        nodes.append((level, (size >> level) - 1))
        level += 1
    return nodes


def root(node: Node, size: int) -> bytes:
    """The root of the first `size` leaves."""
    return EMPTY_ROOT if size == 0 else _subtree(node, 0, size)


def _subtree(node: Node, start: int, end: int) -> bytes:
    """Hash of the leaves [start, end), where start is a multiple of the largest power of two within."""
    count = end - start
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return node(level, start >> level)
    split = start + _largest_power_below(count)
    return parent_hash(_subtree(node, start, split), _subtree(node, split, end))


def _largest_power_below(n: int) -> int:
    """The largest power of two smaller than `n`, for n of at least 2."""
    return 1 << ((n - 1).bit_length() - 1)


def inclusion_proof(node: Node, index: int, size: int) -> list[bytes]:
    """PATH(index, D[size]) of RFC 6962 section 2.1.1, from the leaf upwards."""
    return _path(node, index, 0, size)


def _path(node: Node, index: int, start: int, end: int) -> list[bytes]:
    if end - start == 1:
        return []
    split = start + _largest_power_below(end - start)
    if index < split:
        return [*_path(node, index, start, split), _subtree(node, split, end)]
    return [*_path(node, index, split, end), _subtree(node, start, split)]


def consistency_proof(node: Node, old: int, new: int) -> list[bytes]:
    """PROOF(old, D[new]) of RFC 6962 section 2.1.2. Empty where old is 0 or equals new."""
    return [] if old in (0, new) else _consistency(node, old, 0, new, True)


def _consistency(node: Node, old: int, start: int, end: int, is_whole: bool) -> list[bytes]:
    if old == end:
        return [] if is_whole else [_subtree(node, start, end)]
    split = start + _largest_power_below(end - start)
    if old <= split:
        return [*_consistency(node, old, start, split, is_whole), _subtree(node, split, end)]
    return [*_consistency(node, old, split, end, False), _subtree(node, start, split)]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes) -> bool:
    """RFC 9162 section 2.1.3.2. `leaf` is the leaf hash."""
    if not 0 <= index < size:
        return False
    position, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            result = parent_hash(sibling, result)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            result = parent_hash(result, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and result == expected_root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """RFC 9162 section 2.1.4.2."""
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof
    if not 0 < old < new or not proof:
        return False
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    first, second = path[0], path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            first, second = parent_hash(sibling, first), parent_hash(sibling, second)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            second = parent_hash(second, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root
