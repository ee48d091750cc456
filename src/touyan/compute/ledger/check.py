"""Whether the ledger is whole: every line follows from the facts beside it, every unit sums to zero, nobody was charged twice.

Owns the audit, which changes nothing. Invariant: a replay from the facts alone gives the journal byte for byte, or the first
differences are named.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from sqlalchemy import Connection, func, select

from touyan.compute.ledger.book import Transaction, everything, find, reversal
from touyan.compute.ledger.charge import lines, movement, read_facts
from touyan.compute.ledger.transfer import UNITS, Transfer, Unit, held, totals, voucher
from touyan.core.canonical import Json, canonical, parse
from touyan.core.errors import TouyanError
from touyan.store import tables as t

MOST_TOLD = 20
"""Problems that are named; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What a check found."""

    transactions: int
    lines: int
    sums: Mapping[Unit, int]
    """Over all accounts: 0 in every unit."""
    journal_sha256: str
    replay_sha256: str
    problems: tuple[str, ...]
    """In words, at most MOST_TOLD of them."""

    @property
    def is_whole(self) -> bool:
        return not self.problems and self.journal_sha256 == self.replay_sha256 and not any(self.sums.values())


def journal(transaction: Transaction) -> bytes:
    """One transaction as a line of the journal: canonical JSON and a line end."""
    value = asdict(transaction) | {"lines": [list(asdict(line).values()) for line in transaction.lines]}
    return canonical(cast("dict[str, Json]", value)) + b"\n"


def replay(connection: Connection, transaction: Transaction) -> Transaction:
    """The same with the lines that its facts give. Raises TouyanError, KeyError or TypeError where they give none."""
    return replace(transaction, lines=tuple(_lines(connection, transaction)))


def _lines(connection: Connection, transaction: Transaction) -> Sequence[Transfer]:
    match transaction.kind:
        case "settle" | "refund":
            return lines(read_facts(transaction.facts))
        case "reverse":
            return reversal(find(connection, str(_facts(transaction)["reverses"])).lines)
        case kind:
            return [movement(kind, _facts(transaction))]


def check(connection: Connection) -> Audit:
    """Reads the whole ledger once, in constant memory but for the balances."""
    found, replayed = hashlib.sha256(), hashlib.sha256()
    balance: dict[Unit, dict[str, int]] = {unit: defaultdict(int) for unit in UNITS}
    problems: list[str] = []
    n_transactions = n_lines = 0
    charged = _Charged(connection)
    for transaction in everything(connection):
        n_transactions, n_lines = n_transactions + 1, n_lines + len(transaction.lines)
        again, written = _replayed(connection, transaction, problems), journal(transaction)
        found.update(written)
        replayed.update(written if again.lines == transaction.lines else journal(again))
        for line in transaction.lines:
            balance[line.unit][line.debit] -= line.amount
            balance[line.unit][line.credit] += line.amount
        problems += charged.twice(transaction)
    problems += _vouchers(connection, balance)
    return Audit(n_transactions, n_lines, totals(balance), found.hexdigest(), replayed.hexdigest(), tuple(problems[:MOST_TOLD]))


def _replayed(connection: Connection, transaction: Transaction, problems: list[str]) -> Transaction:
    try:
        again = replay(connection, transaction)
    except (TouyanError, KeyError, TypeError, ValueError) as error:
        problems.append(f"{transaction.key}: its facts give no lines: {error}")
        return replace(transaction, lines=())
    if again.lines != transaction.lines:
        problems.append(f"{transaction.key}: its lines are not what its facts give")
    return again


class _Charged:
    """Finds Attempts that were charged twice and not taken back: their keys stand side by side."""

    def __init__(self, connection: Connection) -> None:
        reversals = select(t.ledger.c.key).where(t.ledger.c.kind == "reverse", t.ledger.c.line == 0)
        self._taken_back = {key.removeprefix("reverse/") for key in connection.execute(reversals).scalars()}
        self._last = ""

    def twice(self, transaction: Transaction) -> Iterator[str]:
        if transaction.kind not in ("settle", "refund") or transaction.key in self._taken_back:
            return
        attempt = transaction.key.partition("/")[0]
        if attempt == self._last:
            yield f"{transaction.key}: {attempt} was charged before"
        self._last = attempt


def _vouchers(connection: Connection, balance: Mapping[Unit, Mapping[str, int]]) -> Iterator[str]:
    """What stands beside the ledger has to say the same as the ledger."""
    h = t.voucher_hold.c
    kept = {name: int(n) for name, n in connection.execute(select(h.voucher, func.sum(h.amount)).group_by(h.voucher))}
    for row in connection.execute(select(t.voucher).order_by(t.voucher.c.id)).mappings():
        accounts = balance[cast(Unit, row["unit"])]
        free, bound = accounts.get(voucher(row["id"]), 0), accounts.get(held(row["id"]), 0)
        if (free, bound) != (row["free"], kept.get(row["id"], 0)) or free < 0 or bound < 0:
            beside = f"{row['free']} and {kept.get(row['id'], 0)}"
            yield f"voucher {row['id']}: the ledger has {free} free and {bound} held, beside it stand {beside}"


def _facts(transaction: Transaction) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", parse(transaction.facts))
