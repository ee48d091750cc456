"""Writing into the ledger and reading from it.

A transaction is all rows of one key; its first row carries the facts. Owns the rows. Knows nothing of what a transaction means.
Invariant: a key is written once, whoever tries how often; a row never changes, which the database enforces.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import cast

from sqlalchemy import Connection, RowMapping, Select, bindparam, select, text, update

from touyan.compute.ledger.transfer import Kind, Transfer, Unit, held, voucher
from touyan.core.canonical import Json, canonical
from touyan.core.errors import Conflict, Missing
from touyan.store import tables as t

_REST = text(
    "insert into ledger (key, line, kind, project, party, debit, credit, unit, amount, at, facts) values "
    "(:key, :line, :kind, :project, :party, :debit, :credit, :unit, :amount, :at, :facts)"
)
_FIRST = text(f"{_REST.text} on conflict do nothing")
_ADD = update(t.voucher).where(t.voucher.c.id == bindparam("of")).values(free=t.voucher.c.free + bindparam("n"))
ROWS = 2000
"""Read from the database at a time."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """What is written under one key."""

    key: str
    kind: Kind
    project: str
    party: str
    """Whose use, or whose voucher."""
    at: str
    facts: str
    """Canonical JSON; the lines follow from it."""
    lines: tuple[Transfer, ...]


def write(
    connection: Connection,
    kind: Kind,
    key: str,
    project: str,
    party: str,
    at: str,
    facts: Mapping[str, Json],
    lines: Sequence[Transfer],
) -> bool:
    """Writes a transaction; False where its key is there already, and then nothing is written. The first line decides: the others
    follow it in a second statement, for one with fewer lines may stand under the same key."""
    common = {"key": key, "kind": kind, "project": project, "party": party, "at": at, "facts": ""}
    rows = [
        common | {"line": number, "debit": line.debit, "credit": line.credit, "unit": line.unit, "amount": line.amount}
        for number, line in enumerate(lines)
    ]
    first = rows[0] | {"facts": canonical(facts).decode()}
    is_new = connection.execute(_FIRST, first).rowcount == 1
    if is_new and len(rows) > 1:
        connection.execute(_REST, rows[1:])
    return is_new


def transactions(connection: Connection, query: Select[tuple[object, ...]]) -> Iterator[Transaction]:
    """The whole transactions among the rows of a query over `ledger`, in the order of their keys."""
    by_bytes = t.ledger.c.key if connection.dialect.name == "sqlite" else t.ledger.c.key.collate("C")  # as SQLite sorts anyway
    ordered = query.order_by(by_bytes, t.ledger.c.line).execution_options(yield_per=ROWS)
    for key, rows in groupby(connection.execute(ordered).mappings(), key=lambda row: str(row["key"])):
        yield _transaction(key, list(rows))


def everything(connection: Connection) -> Iterator[Transaction]:
    """The whole ledger, in the order of its keys."""
    return transactions(connection, select(t.ledger))


def find(connection: Connection, key: str) -> Transaction:
    """Raises Missing."""
    for found in transactions(connection, select(t.ledger).where(t.ledger.c.key == key)):
        return found
    raise Missing("no-entry", f"the ledger has nothing under {key!r}", "see: touyan ledger --json")


def reverse(connection: Connection, at: str, project: str, key: str, reason: str) -> None:
    """Takes a settled Attempt back by entries in red; what a voucher paid is free again. The Attempt may then be charged anew
    under the next revision. Raises Missing, and Conflict where it was taken back before or is nothing that can be."""
    first = find(connection, key)
    if first.project != project:
        raise Missing(
            "no-entry", f"the ledger of {project} has nothing under {key!r}", "act in the project it belongs to: --project"
        )
    if first.kind not in ("settle", "refund"):
        raise Conflict("not-reversible", f"{key} is a {first.kind}", "only what an Attempt cost can be taken back")
    red = reversal(first.lines)
    facts = {"reverses": key, "reason": reason}
    if not write(connection, "reverse", f"reverse/{key}", first.project, first.party, at, facts, red):
        raise Conflict("reversed-before", f"{key} was taken back already", "see: touyan ledger --json")
    for line in red:
        if line.credit.startswith(voucher("")):
            add_free(connection, line.credit.removeprefix(voucher("")), line.amount)


def reversal(lines: Sequence[Transfer]) -> list[Transfer]:
    """What takes these lines back: each in red, save what went back to a voucher; what a voucher paid goes back to it too."""
    back = [line for line in lines if not line.credit.startswith(voucher(""))]
    paid = [line for line in back if line.debit.startswith(held(""))]
    returned = [Transfer(line.debit, voucher(line.debit.removeprefix(held(""))), line.unit, line.amount) for line in paid]
    return [line.red for line in back] + returned or [replace(lines[0], amount=0)]


def add_free(connection: Connection, identifier: str, amount: int) -> None:
    """What is free of a voucher, kept beside the ledger so that a hold is one update; `check` holds the two together."""
    connection.execute(_ADD, {"of": identifier, "n": amount})


def _transaction(key: str, rows: list[RowMapping]) -> Transaction:
    first = rows[0]
    lines = tuple(Transfer(r["debit"], r["credit"], cast(Unit, r["unit"]), r["amount"]) for r in rows)
    return Transaction(key, cast(Kind, first["kind"]), first["project"], first["party"], first["at"], first["facts"], lines)
