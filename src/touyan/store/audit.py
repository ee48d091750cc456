"""The whole log read again: every leaf hashed, every node and every signed head compared with what is stored.

Needs nothing but the tables and the public key of the log; so a restored copy is checked by what it holds, not by what it says of
itself. Invariant: it either ends with the size and root that the leaves give, or raises.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from sqlalchemy import Connection, select

from touyan.core import merkle
from touyan.core.canonical import Json, parse
from touyan.core.dsse import Verifier, read_envelope, unseal
from touyan.core.errors import Broken, TouyanError
from touyan.core.event import HEAD_TYPE, commit
from touyan.store import tables as t
from touyan.store.events import read_event

ROWS = 1000


def audit_log(connection: Connection, key: Verifier) -> tuple[int, str]:
    """(size, root as hex) of the log. Raises Broken, naming the first leaf, node or head that does not fit.

    Reads each leaf once, in memory of O(log n) hashes. A body that was erased is no fault; one that was changed is.
    """
    heads = {size: envelope for size, envelope in connection.execute(select(t.tree_head.c.size, t.tree_head.c.envelope))}
    nodes = {
        (level, index): bytes(value)
        for level, index, value in connection.execute(select(t.node.c.level, t.node.c.position, t.node.c.hash))
    }
    size = 0
    for position, leaf in _leaves(connection):
        if position != size:
            raise _broken(f"event {size} is missing")
        size += 1
        _check_nodes(nodes, position, leaf)
        if size in heads:
            _check_head(heads.pop(size), size, merkle.root(lambda level, index: nodes[level, index], size), key)
    if 0 in heads:
        _check_head(heads.pop(0), 0, merkle.EMPTY_ROOT, key)
    if heads:
        raise _broken(f"a head was signed over {min(heads)} events, the log has {size}")
    return size, merkle.root(lambda level, index: nodes[level, index], size).hex()


def _leaves(connection: Connection) -> Iterator[tuple[int, bytes]]:
    e = t.event.c
    query = select(e.position, e.leaf, e.salt, e.body).order_by(e.position)
    for position, leaf, salt, body in connection.execution_options(yield_per=ROWS).execute(query):
        if body is not None and commit(salt, cast(Mapping[str, Json], parse(body))) != read_event(bytes(leaf)).commitment:
            raise _broken(f"the body of event {position} was changed")
        yield position, bytes(leaf)


def _check_nodes(nodes: Mapping[tuple[int, int], bytes], position: int, leaf: bytes) -> None:
    """The nodes that this leaf completes, against the hashes below them; those below were checked before."""
    if nodes.get((0, position)) != merkle.leaf_hash(leaf):
        raise _broken(f"event {position} was changed")
    for level, index in merkle.completed_by(position + 1):
        left, right = nodes[level - 1, 2 * index], nodes[level - 1, 2 * index + 1]
        if nodes.get((level, index)) != merkle.parent_hash(left, right):
            raise _broken(f"the node {index} of level {level} was changed")


def _check_head(envelope: str, size: int, root: bytes, key: Verifier) -> None:
    try:
        payload = unseal(read_envelope(parse(envelope)), HEAD_TYPE, {key.key_id: key})
    except TouyanError as error:
        raise _broken(f"the head over {size} events is not signed by the log: {error.message}") from error
    head = cast(Mapping[str, Json], parse(payload))
    if (head["size"], head["root"]) != (size, root.hex()):
        raise _broken(f"the head over {size} events names another root")


def _broken(what: str) -> Broken:
    return Broken("log-damaged", f"the evidence log does not hold together: {what}", "restore an older backup, and report it")
