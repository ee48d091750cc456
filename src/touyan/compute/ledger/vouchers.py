"""Vouchers (算力券): prepaid grants of device time or money, for a purpose, to a holder, until a day.

Owns granting, holding and giving back. What an Attempt used is taken from its hold by `settle`. Invariant: the free and the held
part of a voucher are never negative, and what was granted is free, held, used or expired; nothing else.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, cast

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, or_, select, update

from touyan.compute.ledger.book import add_free, write
from touyan.compute.ledger.charge import FREE, Terms, Usage, facts_of, movement
from touyan.compute.ledger.transfer import Unit
from touyan.compute.rates.table import RateTable, published
from touyan.core.canonical import MAX_INTEGER, Json, canonical
from touyan.core.errors import Invalid, Refused
from touyan.core.rights import Purpose
from touyan.core.seam import Seam, iso
from touyan.store import tables as t

_V, _H = t.voucher.c, t.voucher_hold.c
_FITS = (_V.project == bindparam("by_project"), _V.holder == bindparam("by"), _V.expires_at > bindparam("now"))
_VALID = select(t.voucher).where(*_FITS, or_(_V.purpose == "", _V.purpose == bindparam("for"))).order_by(_V.expires_at, _V.id)
_TAKE = update(t.voucher).where(_V.id == bindparam("of"), _V.free >= bindparam("n")).values(free=_V.free - bindparam("n"))
_OPEN = select(t.voucher_hold).where(_H.attempt == bindparam("of"))
_KEEP = insert(t.voucher_hold)
_CLOSE = delete(t.voucher_hold).where(_H.attempt == bindparam("of")).returning(t.voucher_hold)
"""Built once: of what a hold costs, making these anew each time was half."""


@dataclass(frozen=True, slots=True)
class Voucher:
    """A grant as it stands."""

    id: str
    project: str
    holder: str
    issuer: str
    purpose: str
    """A purpose of the rights algebra, such as `train`; empty: any."""
    unit: Unit
    """`device_ms` or `fen`."""
    amount: int
    free: int
    granted_at: str
    expires_at: str


@dataclass(frozen=True, slots=True)
class Ask:
    """What an Attempt that is placed may use at most."""

    attempt: str
    project: str
    party: str
    purpose: Purpose
    limit_s: int
    model: str = ""
    devices: int = 0
    cores: int = 0


@dataclass(frozen=True, slots=True)
class Hold:
    """What was agreed for one Attempt until it ends: the price, and how much of which voucher is kept for it."""

    attempt: str
    id: str
    voucher: str
    """Empty: none pays; the Party owes what it uses."""
    unit: Unit
    amount: int
    terms: Terms


def grant(connection: Connection, given: Voucher) -> None:
    """Writes a new voucher. Raises Invalid where it grants nothing, too much or for no time."""
    if given.unit not in ("device_ms", "fen") or not 0 < given.amount <= MAX_INTEGER:
        raise Invalid("bad-voucher", f"{given.amount} {given.unit} cannot be granted", "grant device-hours or yuan, more than 0")
    if given.expires_at <= given.granted_at:
        raise Invalid("bad-voucher", f"it would have expired on {given.expires_at}", "name a day to come")
    connection.execute(insert(t.voucher), asdict(given) | {"free": given.amount})
    facts: dict[str, Json] = {"voucher": given.id, "issuer": given.issuer, "unit": given.unit, "amount": given.amount}
    key = f"grant/{given.id}"
    write(connection, "grant", key, given.project, given.holder, given.granted_at, facts, [movement("grant", facts)])


def vouchers(connection: Connection, project: str, holder: str = "") -> list[Voucher]:
    """The vouchers of a project, or of one holder in it; the first to expire first."""
    c = t.voucher.c
    query = select(t.voucher).where(c.project == project).order_by(c.expires_at, c.id)
    rows = connection.execute(query.where(c.holder == holder) if holder else query).mappings()
    return [_voucher(row) for row in rows]


def fitting(
    connection: Connection, at: str, ask: Ask, terms: Terms, rates: RateTable | None = None
) -> tuple[Voucher, int] | None:
    """The voucher of the Party that would pay, and how much of it would be held; of several the first to expire. None where none
    is valid for the purpose and has enough left. A filter of the matcher asks; `hold` takes."""
    asked = {"by_project": ask.project, "by": ask.party, "now": at, "for": ask.purpose}
    for row in connection.execute(_VALID, asked).mappings():
        found = _voucher(row)
        if 0 < (amount := _most(found.unit, ask, terms, rates or published())) <= found.free:
            return found, amount
    return None


def _most(unit: Unit, ask: Ask, terms: Terms, rates: RateTable) -> int:
    """What the Attempt can cost within its limit; 0 where the voucher cannot pay: no price, or a device without a rate."""
    limit_ms = ask.limit_s * 1000
    usage = Usage(ask.attempt, 0, "", "", limit_ms, limit_ms, ask.model, ask.devices, ask.cores)
    facts = facts_of(ask.party, usage, terms, rates)
    is_listed = facts.rate_ppm > 0 or not ask.devices
    return facts.fen if unit == "fen" else facts.device_ms if is_listed else 0


def hold(connection: Connection, seam: Seam, ask: Ask, terms: Terms, rates: RateTable | None = None) -> Hold | None:
    """Agrees on the price of an Attempt that is placed, and holds limit x devices of a voucher of its Party where one fits; again
    for the same Attempt gives the same hold. None where the terms are FREE. Raises Refused where a voucher is needed and none fits."""
    if terms.is_free:
        return None
    if (row := connection.execute(_OPEN, {"of": ask.attempt}).mappings().first()) is not None:
        return _held(row)
    at = iso(seam.now_ms())
    while (found := fitting(connection, at, ask, terms, rates)) is not None:
        chosen, amount = found
        if connection.execute(_TAKE, {"of": chosen.id, "n": amount}).rowcount == 1:  # else another was first: look again
            return _keep(connection, at, ask, Hold(ask.attempt, seam.token(8), chosen.id, chosen.unit, amount, terms))
    if terms.needs_voucher:
        words = f"{ask.party} holds no voucher that is valid for {ask.purpose} and has enough left"
        raise Refused("no-voucher", words, "ask for one, or for less time or fewer devices: touyan voucher list")
    return _keep(connection, at, ask, Hold(ask.attempt, seam.token(8), "", "fen", 0, terms))


def agreed(connection: Connection, attempt: str) -> Terms:
    """The price of an Attempt as `hold` agreed on it; FREE where it never did, or where the hold was given back."""
    row = connection.execute(_OPEN, {"of": attempt}).mappings().first()
    return FREE if row is None else _held(row).terms


def _keep(connection: Connection, at: str, ask: Ask, kept: Hold) -> Hold:
    terms = canonical(asdict(kept.terms)).decode()
    row = {
        "attempt": kept.attempt, "id": kept.id, "voucher": kept.voucher or None, "unit": kept.unit, "amount": kept.amount,
        "terms": terms, "at": at,
    }  # fmt: skip
    connection.execute(_KEEP, row)
    if kept.voucher:
        facts = _facts(kept)
        write(connection, "hold", f"hold/{kept.id}", ask.project, ask.party, at, facts, [movement("hold", facts)])
    return kept


def take(connection: Connection, attempt: str) -> Hold | None:
    """Closes the hold of an Attempt and hands it to the caller, who writes what becomes of it; to one caller only."""
    row = connection.execute(_CLOSE, {"of": attempt}).mappings().first()
    return None if row is None else _held(row)


def release(connection: Connection, at: str, attempt: str) -> bool:
    """Gives a hold back whole: the Job was placed elsewhere or called off, or the site failed. False where nothing is held."""
    taken = take(connection, attempt)
    if taken is not None:
        give_back(connection, at, taken)
    return taken is not None


def give_back(connection: Connection, at: str, taken: Hold) -> None:
    """Writes that what was taken is free again."""
    if not taken.voucher:
        return
    row = connection.execute(select(t.voucher.c.project, t.voucher.c.holder).where(t.voucher.c.id == taken.voucher)).one()
    facts = _facts(taken)
    write(connection, "release", f"release/{taken.id}", row.project, row.holder, at, facts, [movement("release", facts)])
    add_free(connection, taken.voucher, taken.amount)


def expire(connection: Connection, at: str) -> int:
    """Returns what is free of vouchers whose day has passed to who issued them; how many there were."""
    c = t.voucher.c
    ended = connection.execute(select(t.voucher).where(c.expires_at <= at, c.free > 0).with_for_update()).mappings().all()
    return sum(_expire(connection, at, _voucher(row)) for row in ended)


def _expire(connection: Connection, at: str, old: Voucher) -> bool:
    facts: dict[str, Json] = {"voucher": old.id, "issuer": old.issuer, "unit": old.unit, "amount": old.free}
    key = f"expire/{old.id}/{at}"
    is_new = write(connection, "expire", key, old.project, old.holder, at, facts, [movement("expire", facts)])
    if is_new:
        add_free(connection, old.id, -old.free)
    return is_new


def _facts(kept: Hold) -> dict[str, Json]:
    return {"hold": kept.id, "attempt": kept.attempt, "voucher": kept.voucher, "unit": kept.unit, "amount": kept.amount}


def _held(row: RowMapping) -> Hold:
    terms = Terms(**cast("dict[str, Any]", json.loads(row["terms"])))
    return Hold(row["attempt"], row["id"], row["voucher"] or "", cast(Unit, row["unit"]), row["amount"], terms)


def _voucher(row: RowMapping) -> Voucher:
    return Voucher(**cast("dict[str, Any]", dict(row)))
