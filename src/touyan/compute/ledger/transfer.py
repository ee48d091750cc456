"""What the ledger is made of: an amount of one unit that goes from one account to another.

Owns the units and the names of accounts. Knows nothing of databases. Invariant: a transfer takes from one account what it gives
to another, so any set of transfers sums to zero in every unit; an unbalanced ledger cannot be written down.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Unit: TypeAlias = Literal["device_ms", "fen", "wh"]
"""device_ms: milliseconds of one device of the rate table's reference model · fen: 0.01 yuan · wh: watt-hours. Integers all."""
Kind: TypeAlias = Literal["grant", "hold", "release", "settle", "refund", "expire", "reverse"]
UNITS: tuple[Unit, ...] = ("device_ms", "fen", "wh")


@dataclass(frozen=True, slots=True)
class Transfer:
    """One line of a transaction."""

    debit: str
    """The account that gives."""
    credit: str
    """The account that takes."""
    unit: Unit
    amount: int
    """0 says that something happened and cost nothing; negative it is only in a reversal."""

    @property
    def red(self) -> Transfer:
        """The entry in red ink that takes this one back: same accounts, amount negated, so that turnover stays what it was."""
        return Transfer(self.debit, self.credit, self.unit, -self.amount)


def used_by(party: str) -> str:
    """What a Party used and has not paid in advance: its balance falls."""
    return f"use:{party}"


def lent_by(party: str) -> str:
    """What the machines of a Party gave: its balance grows."""
    return f"lend:{party}"


def issued_by(party: str) -> str:
    """What a Party promised by granting vouchers: its balance is minus all that is not back."""
    return f"issue:{party}"


def voucher(identifier: str) -> str:
    """What is free of a voucher."""
    return f"voucher:{identifier}"


def held(identifier: str) -> str:
    """What is held of a voucher for Attempts that have not ended."""
    return f"held:{identifier}"


def balances(transfers: Iterable[Transfer]) -> dict[Unit, dict[str, int]]:
    """What each account took less what it gave, by unit."""
    sums: dict[Unit, dict[str, int]] = {unit: defaultdict(int) for unit in UNITS}
    for line in transfers:
        sums[line.unit][line.debit] -= line.amount
        sums[line.unit][line.credit] += line.amount
    return {unit: dict(accounts) for unit, accounts in sums.items()}


def totals(balance: Mapping[Unit, Mapping[str, int]]) -> dict[Unit, int]:
    """The sum over all accounts; 0 in every unit, or the ledger is damaged."""
    return {unit: sum(accounts.values()) for unit, accounts in balance.items()}
