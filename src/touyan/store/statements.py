"""Statements as they are kept: signed, append-only, in the order of the store.

`make` signs with the Actor's key; `record` takes an envelope that came from elsewhere and checks it. Knows nothing of what the
statements lead to: that is `core.statement.fold` and the gate.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection, insert, select

from touyan.core.canonical import Json
from touyan.core.dsse import Envelope, seal
from touyan.core.errors import Invalid
from touyan.core.party import Actor, Verb
from touyan.core.seam import Seam, from_iso, iso
from touyan.core.statement import (
    PAYLOAD_TYPE,
    Standing,
    Statement,
    StatementKind,
    check_statement,
    fold,
    read_statement,
    statement_bytes,
    statement_id,
)  # fmt: skip
from touyan.store import tables as t
from touyan.store.parties import Parties
from touyan.store.policy import Thing, require

DRIFT_MS = 5 * 60_000
"""How far the clock of a party elsewhere may be ahead."""
_VERBS: dict[StatementKind, Verb] = {"withdrawal": "withdraw", "lift": "withdraw", "erased": "withdraw"}


class Statements:
    """The statements of one store."""

    def __init__(self, parties: Parties, seam: Seam) -> None:
        self._parties = parties
        self._seam = seam

    def make(self, connection: Connection, actor: Actor, asset: str, kind: StatementKind, body: Mapping[str, Json]) -> Statement:
        """Signs and keeps a Statement. The caller has asked the policy."""
        at = self._seam.now_ms()
        statement = Statement(actor.project, asset, kind, body, actor.party, iso(at))
        while self._is_kept(connection, statement):  # said again within one millisecond: a claim of its own may undo another
            at += 1
            statement = replace(statement, at=iso(at))
        check_statement(statement)
        envelope = seal(PAYLOAD_TYPE, statement_bytes(statement), self._parties.signer(actor))
        self._keep(connection, statement, envelope)
        return statement

    def record(self, connection: Connection, envelope: Envelope) -> Statement:
        """Keeps a Statement that its party signed elsewhere.

        Raises Refused where no key of that party has, or the policy does not let it say so; Invalid on a body that no fold can
        read or a time to come. Once kept, it is kept: recording it again changes nothing.
        """
        statement = check_statement(read_statement(envelope.payload))
        self._parties.open(envelope, PAYLOAD_TYPE, statement.party, statement.at, is_new=True)
        if from_iso(statement.at) > self._seam.now_ms() + DRIFT_MS:
            raise Invalid(
                "from-the-future", f"the statement says it was made at {statement.at}", "correct the clock and sign it again"
            )
        actor = self._parties.actor(statement.party, statement.project)
        require(actor, _VERBS.get(statement.kind, "state"), Thing("statement", statement.asset, statement.project))
        if not self._is_kept(connection, statement):
            self._keep(connection, statement, envelope)
        return statement

    def _is_kept(self, connection: Connection, statement: Statement) -> bool:
        kept = (t.statement.c.project == statement.project) & (t.statement.c.id == statement_id(statement))
        return connection.execute(select(t.statement.c.seq).where(kept)).first() is not None

    def _keep(self, connection: Connection, statement: Statement, envelope: Envelope) -> None:
        row = {
            "id": statement_id(statement), "project": statement.project, "asset": statement.asset, "kind": statement.kind,
            "payload": statement_bytes(statement), "envelope": json.dumps(envelope.to_json()), "at": statement.at,
        }  # fmt: skip
        connection.execute(insert(t.statement), row)

    def of(self, connection: Connection, project: str, asset: str) -> list[Statement]:
        """All Statements about an Asset, in order."""
        query = select(t.statement.c.payload).where(t.statement.c.project == project, t.statement.c.asset == asset)
        return [read_statement(bytes(p)) for p in connection.execute(query.order_by(t.statement.c.seq)).scalars()]

    def standing(self, connection: Connection, project: str, asset: str, at: str = "9999") -> Standing:
        return fold(self.of(connection, project, asset), at)

    def withdrawn_by(self, connection: Connection, project: str, withdrawal: str) -> tuple[str, ...]:
        """The Assets against which a withdrawal stands, in order of id."""
        query = select(t.statement.c.asset).where(t.statement.c.project == project, t.statement.c.kind == "withdrawal").distinct()
        assets = sorted(connection.execute(query).scalars())
        return tuple(a for a in assets if withdrawal in self.standing(connection, project, a).withdrawals)
