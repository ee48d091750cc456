"""The evidence log: an outbox filled inside each transaction, one sequencer, stored tree nodes, signed heads.

`emit` writes to the outbox in the transaction of the change it tells of: both happen or neither does. `sequence` gives the
waiting events their positions in batches, under a lock. Invariant: leaves and complete nodes never change, positions have no gaps.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, text, update

from touyan.core import merkle
from touyan.core.canonical import Json, canonical, parse
from touyan.core.dsse import Envelope, Signer, read_envelope, seal
from touyan.core.errors import Missing
from touyan.core.event import HEAD_TYPE, Event, TreeHead, commit, event_bytes
from touyan.core.party import Actor
from touyan.core.seam import Seam, iso
from touyan.store import tables as t
from touyan.store.database import Database, setting

BATCH = 1000
SEQUENCER_LOCK = 0x746F7579


@dataclass(frozen=True, slots=True)
class Logged:
    """An Event as it stands in the log, with its body where that was not erased."""

    position: int
    event: Event
    body: Mapping[str, Json] | None


@dataclass(frozen=True, slots=True)
class Proof:
    """That one leaf is in the log of one signed head."""

    position: int
    leaf: bytes
    path: tuple[bytes, ...]
    head: Envelope


class EventLog:
    """The log of one store."""

    def __init__(self, database: Database, seam: Seam) -> None:
        self._database = database
        self._seam = seam

    def emit(self, connection: Connection, actor: Actor, kind: str, subjects: Sequence[str], body: Mapping[str, Json]) -> None:
        """Puts an Event into the outbox, within the caller's transaction. No secrets, no personal data in `body`."""
        at, salt = iso(self._seam.now_ms()), self._seam.token(16)
        leaf = event_bytes(Event(kind, actor.project, actor.party, at, tuple(subjects), commit(salt, body)))
        row = {"leaf": leaf, "project": actor.project, "type": kind, "at": at, "salt": salt, "body": canonical(body).decode()}
        connection.execute(insert(t.outbox), row)

    def sequence(self) -> int:
        """Moves all waiting events into the log; returns its size. Safe to call from anywhere, as often as you like."""
        while self._sequence_batch() == BATCH:
            pass
        return self.size()

    def _sequence_batch(self) -> int:
        with self._database.read() as connection:
            if not connection.execute(select(t.outbox.c.seq).limit(1)).first():
                return 0
        with self._database.write() as connection:
            self._hold(connection)
            rows = connection.execute(select(t.outbox).order_by(t.outbox.c.seq).limit(BATCH)).mappings().all()
            if rows:
                _append(connection, _size(connection), rows)
            connection.execute(delete(t.outbox).where(t.outbox.c.seq.in_([r["seq"] for r in rows])))
        return len(rows)

    def _hold(self, connection: Connection) -> None:
        """One sequencer at a time, until the transaction ends."""
        if not self._database.is_sqlite:  # SQLite has one writer at a time anyway
            connection.execute(text("select pg_advisory_xact_lock(:n)"), {"n": SEQUENCER_LOCK})

    def size(self) -> int:
        with self._database.read() as connection:
            return _size(connection)

    def head(self, signer: Signer) -> Envelope:
        """The signed head of the log as it is now."""
        self.sequence()
        with self._database.write() as connection:
            self._hold(connection)
            size = _size(connection)
            known = connection.execute(select(t.tree_head.c.envelope).where(t.tree_head.c.size == size)).scalar()
            if known:
                return read_envelope(parse(known))
            at = iso(self._seam.now_ms())
            head = TreeHead(setting(connection, "origin") or "", size, _root(connection, size).hex(), at)
            envelope = seal(HEAD_TYPE, canonical(head.to_json()), signer)
            connection.execute(insert(t.tree_head), {"size": size, "envelope": json.dumps(envelope.to_json()), "at": at})
        return envelope

    def prove(self, position: int, signer: Signer) -> Proof:
        """An inclusion proof against the present head. Raises Missing."""
        envelope = self.head(signer)
        with self._database.read() as connection:
            leaf = connection.execute(select(t.event.c.leaf).where(t.event.c.position == position)).scalar()
            size = cast(int, cast(Mapping[str, Json], parse(envelope.payload))["size"])
            if leaf is None or position >= size:
                raise Missing("no-event", f"the log of {size} events has no event {position}", "see: touyan log")
            path = merkle.inclusion_proof(_lookup(connection), position, size)
        return Proof(position, leaf, tuple(path), envelope)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the log of `old` leaves is a prefix of that of `new`. Raises Missing beyond the log."""
        with self._database.read() as connection:
            if not 0 <= old <= new <= _size(connection):
                raise Missing("no-head", f"the log has no sizes {old} and {new}", "see: touyan log")
            return merkle.consistency_proof(_lookup(connection), old, new)

    def root(self, size: int) -> bytes:
        with self._database.read() as connection:
            return _root(connection, size)

    def find(self, project: str, subject: str = "", kind: str = "", last: int = 100) -> list[Logged]:
        """The newest events of a project first-to-last, by subject (a whole id) or type where given."""
        query = select(t.event).where(t.event.c.project == project).order_by(t.event.c.position.desc()).limit(last)
        if kind:
            query = query.where(t.event.c.type == kind)
        if subject:
            query = query.join(t.event_subject, t.event_subject.c.position == t.event.c.position).where(
                t.event_subject.c.subject == subject
            )
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return [Logged(r["position"], read_event(r["leaf"]), _body(r["body"])) for r in reversed(rows)]

    def erase_body(self, connection: Connection, position: int) -> None:
        """Erases what an Event said; the leaf, and so every proof, stays."""
        connection.execute(update(t.event).where(t.event.c.position == position).values(salt=None, body=None))


def read_event(leaf: bytes) -> Event:
    value = cast("Mapping[str, str]", parse(leaf))
    subjects = tuple(cast("list[str]", value["subjects"]))
    return Event(value["type"], value["project"], value["actor"], value["at"], subjects, value["commitment"])


def _body(text_: str | None) -> Mapping[str, Json] | None:
    return None if text_ is None else cast(Mapping[str, Json], parse(text_))


def _size(connection: Connection) -> int:
    newest = connection.execute(select(func.max(t.event.c.position))).scalar()
    return 0 if newest is None else newest + 1


def _append(connection: Connection, first: int, rows: Sequence[RowMapping]) -> None:
    """Appends leaves from position `first` on, with the nodes they complete: three statements, however many leaves."""
    events: list[dict[str, Any]] = []
    subjects: list[dict[str, str | int]] = []
    nodes: dict[tuple[int, int], bytes] = {}
    kept = _lookup(connection)

    def node(level: int, index: int) -> bytes:
        return nodes[level, index] if (level, index) in nodes else kept(level, index)

    for position, row in enumerate(rows, start=first):
        events.append({name: row[name] for name in ("leaf", "project", "type", "at", "salt", "body")} | {"position": position})
        subjects += [{"subject": s, "position": position} for s in sorted(set(read_event(row["leaf"]).subjects))]
        nodes[0, position] = merkle.leaf_hash(row["leaf"])
        for level, index in merkle.completed_by(position + 1):
            nodes[level, index] = merkle.parent_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))
    connection.execute(insert(t.event), events)
    if subjects:
        connection.execute(insert(t.event_subject), subjects)
    connection.execute(insert(t.node), [{"level": at[0], "position": at[1], "hash": value} for at, value in nodes.items()])


def _lookup(connection: Connection) -> merkle.Node:
    def node(level: int, position: int) -> bytes:
        query = select(t.node.c.hash).where(t.node.c.level == level, t.node.c.position == position)
        return bytes(connection.execute(query).scalar_one())

    return node


def _root(connection: Connection, size: int) -> bytes:
    return merkle.root(_lookup(connection), size)
