"""The monthly statement of a Party: what it used, what its machines gave, what its vouchers hold.

Owns what stands in a statement. Knows nothing of sheets. Invariant: it follows from the ledger, the Party, the month and the
offset alone; the same ones give the same statement, whenever and wherever it is made.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta, timezone
from typing import Any, Literal, TypeAlias, cast

from sqlalchemy import Connection, and_, func, or_, select

from touyan.compute.ledger.book import Transaction, transactions
from touyan.compute.ledger.transfer import Kind, Unit, held, issued_by, lent_by, voucher
from touyan.compute.ledger.vouchers import Voucher
from touyan.core.canonical import parse
from touyan.core.errors import Invalid
from touyan.core.seam import from_iso, iso
from touyan.store import tables as t

Role: TypeAlias = Literal["used", "lent"]
DEFAULT_OFFSET = "+08:00"
"""Months begin at midnight in China, where fen are counted."""
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")


@dataclass(frozen=True, slots=True)
class Item:
    """What one Attempt cost, or was taken back of it."""

    at: str
    """Local time of the statement, to the second."""
    kind: Kind
    role: Role
    project: str
    attempt: str
    site: str
    other: str
    """Whose machines they were, or who used ours."""
    model: str
    devices: int
    cores: int
    elapsed_ms: int
    device_ms: int
    prepaid_ms: int
    """Of that, paid by a voucher."""
    fen: int
    prepaid_fen: int
    wh: int
    energy: str
    """measured, sheet or unknown."""
    note: str
    key: str


@dataclass(frozen=True, slots=True)
class Total:
    """The sum over the items of one role."""

    role: Role
    items: int
    elapsed_ms: int
    device_ms: int
    prepaid_ms: int
    fen: int
    prepaid_fen: int
    wh: int


@dataclass(frozen=True, slots=True)
class VoucherMonth:
    """What became of a voucher in the month; opening + granted - used - expired = free + held."""

    id: str
    purpose: str
    unit: Unit
    expires_at: str
    opening: int
    granted: int
    used: int
    expired: int
    free: int
    held: int


@dataclass(frozen=True, slots=True)
class Balance:
    """What a Party used and lent in a month, paid in advance or not."""

    party: str
    used_device_ms: int
    used_fen: int
    used_wh: int
    lent_device_ms: int
    lent_fen: int
    lent_wh: int


_AMOUNTS = tuple(f.name for f in fields(Balance) if f.name != "party")


@dataclass(frozen=True, slots=True)
class Statement:
    """All of it."""

    project: str
    party: str
    month: str
    """`2026-11`."""
    offset: str
    """Of its clock from UTC, such as `+08:00`."""
    items: tuple[Item, ...]
    totals: tuple[Total, ...]
    vouchers: tuple[VoucherMonth, ...]


def statement(connection: Connection, project: str, party: str, month: str, offset: str = DEFAULT_OFFSET) -> Statement:
    """Of one Party in one project. Raises Invalid on a month or an offset that is none."""
    zone = zone_of(offset)
    from_at, until_at = bounds(month, zone)
    c, lender = t.ledger.c, lent_by(party)
    is_mine = or_(c.party == party, c.credit == lender)
    mine = select(t.ledger).where(is_mine, c.project == project, c.at >= from_at, c.at < until_at)
    items = sorted(
        (item for found in transactions(connection, mine) for item in _items(found, party, zone)),
        key=lambda i: (i.at, i.key, i.role),
    )
    totals = tuple(_total(role, [i for i in items if i.role == role]) for role in ("used", "lent"))
    return Statement(
        project, party, month, offset, tuple(items), totals, tuple(_vouchers(connection, project, party, from_at, until_at))
    )


def overview(connection: Connection, project: str, month: str, offset: str = DEFAULT_OFFSET) -> list[Balance]:
    """What each Party of a project used and lent in a month, by name."""
    from_at, until_at = bounds(month, zone_of(offset))
    c = t.ledger.c
    is_use = [c.project == project, c.at >= from_at, c.at < until_at, c.credit.like("lend:%")]
    query = select(c.party, c.credit, c.unit, func.sum(c.amount)).where(*is_use).group_by(c.party, c.credit, c.unit)
    found: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_AMOUNTS, 0))
    for party, credit, unit, amount in connection.execute(query):
        found[party][f"used_{unit}"] += int(amount)
        found[credit.removeprefix(lent_by(""))][f"lent_{unit}"] += int(amount)
    return [Balance(party, **found[party]) for party in sorted(found)]


def bounds(month: str, zone: timezone) -> tuple[str, str]:
    """The first moment of a month and of the next one, as the ledger writes times."""
    try:
        first = datetime.strptime(month, "%Y-%m").replace(tzinfo=zone)
    except ValueError as error:
        raise Invalid("bad-month", f"{month!r} is no month", "write it as 2026-11") from error
    after = (first + timedelta(days=31)).replace(day=1)
    return tuple(iso(round(moment.timestamp() * 1000)) for moment in (first, after))  # type: ignore[return-value]


def month_of(now_ms: int, offset: str = DEFAULT_OFFSET) -> str:
    """The month that a moment falls into."""
    return datetime.fromtimestamp(now_ms / 1000, zone_of(offset)).strftime("%Y-%m")


def zone_of(offset: str) -> timezone:
    """Raises Invalid on what is no offset from UTC, such as `+08:00`."""
    found = _OFFSET.fullmatch(offset)
    if found is None or (minutes := int(found[2]) * 60 + int(found[3])) >= 24 * 60:
        raise Invalid("bad-offset", f"{offset!r} is no offset from UTC", "write it as +08:00")
    return timezone(timedelta(minutes=minutes if found[1] == "+" else -minutes))


def _items(found: Transaction, party: str, zone: timezone) -> Iterator[Item]:
    """One for what the Party used, one for what it lent; both where it used its own machines."""
    if found.kind not in ("settle", "refund", "reverse"):
        return
    facts = cast("Mapping[str, Any]", parse(found.facts)) if found.facts else {}
    lent = [line for line in found.lines if line.credit.startswith(lent_by(""))]
    owner = lent[0].credit.removeprefix(lent_by("")) if lent else str(facts.get("owner", ""))

    def amount(unit: Unit, giver: str = "") -> int:
        return sum(line.amount for line in lent if line.unit == unit and line.debit.startswith(giver))

    at = datetime.fromtimestamp(from_iso(found.at) / 1000, zone).strftime("%Y-%m-%d %H:%M:%S")
    attempt = str(facts.get("attempt") or str(facts.get("reverses", "")).partition("/")[0])
    prepaid = held("")
    for role, other in [("used", owner)] * (found.party == party) + [("lent", found.party)] * (owner == party):
        yield Item(
            at, found.kind, cast(Role, role), found.project, attempt, str(facts.get("site", "")), other, str(facts.get("model", "")),
            int(facts.get("devices", 0)), int(facts.get("cores", 0)), int(facts.get("elapsed_ms", 0)), amount("device_ms"),
            amount("device_ms", prepaid), amount("fen"), amount("fen", prepaid), amount("wh"), str(facts.get("energy", "")),
            _note(facts), found.key,
        )  # fmt: skip


def _note(facts: Mapping[str, Any]) -> str:
    """What a reader would ask about."""
    if facts.get("reverses"):
        return f"{facts['reverses']} was taken back: {facts.get('reason', '')}"
    if facts.get("fault") == "site":
        return "not charged: the site failed"
    if facts.get("devices") and not facts.get("rate_ppm"):
        return "the rate table does not list the model: its device time counts 0"
    if facts.get("elapsed_ms", 0) > facts.get("limit_ms", 0):
        return "charged up to the limit of its job"
    return f"voucher {facts['voucher']}" if facts.get("voucher") else ""


def _total(role: str, items: Iterable[Item]) -> Total:
    listed = list(items)
    summed = [f.name for f in fields(Total) if f.name not in ("role", "items")]
    return Total(cast(Role, role), len(listed), *(sum(getattr(item, name) for item in listed) for name in summed))


def _vouchers(connection: Connection, project: str, party: str, from_at: str, until_at: str) -> Iterator[VoucherMonth]:
    """The vouchers of the Party that had something in the month, the first to expire first."""
    c = t.ledger.c
    is_before = (c.at < from_at).label("before")
    touched = and_(
        c.party == party, c.at < until_at, or_(c.debit.like("voucher:%"), c.debit.like("held:%"), c.credit.like("voucher:%"))
    )
    query = select(c.debit, c.credit, is_before, func.sum(c.amount)).where(touched).group_by(c.debit, c.credit, is_before)
    moved = {(debit, credit, bool(before)): int(amount) for debit, credit, before, amount in connection.execute(query)}
    v = t.voucher.c
    rows = select(t.voucher).where(v.project == project, v.holder == party, v.granted_at < until_at)
    for row in connection.execute(rows.order_by(v.expires_at, v.id)).mappings():
        month = _voucher_month(Voucher(**cast("dict[str, Any]", dict(row))), moved)
        if month.opening or month.granted:
            yield month


def _voucher_month(given: Voucher, moved: Mapping[tuple[str, str, bool], int]) -> VoucherMonth:
    free, bound, issue = voucher(given.id), held(given.id), issued_by(given.issuer)

    def balance(account: str, before: bool) -> int:
        sides = ((1, 1), (-1, 0))
        return sum(sign * n for k, n in moved.items() if k[2] is before for sign, at in sides if k[at] == account)

    def passed(giver: str, taker: str) -> int:
        return moved.get((giver, taker, False), 0)

    used = sum(n for (debit, credit, before), n in moved.items() if debit == bound and credit != free and not before)
    opening = balance(free, True) + balance(bound, True)
    return VoucherMonth(
        given.id, given.purpose, given.unit, given.expires_at[:10], opening, passed(issue, free), used, passed(free, issue),
        balance(free, True) + balance(free, False), balance(bound, True) + balance(bound, False),
    )  # fmt: skip
