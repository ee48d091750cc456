"""What people do to the ledger: grant a voucher, take a charge back. Each is decided by policy and told by an Event.

Knows who may and what is told. Invariant: an act and its Event are one transaction.
"""

from __future__ import annotations

from touyan.compute.ledger.book import reverse
from touyan.compute.ledger.transfer import Unit
from touyan.compute.ledger.vouchers import Voucher, grant
from touyan.core.canonical import Json
from touyan.core.errors import Invalid
from touyan.core.party import Actor
from touyan.core.rights import as_purpose
from touyan.core.seam import from_iso, iso
from touyan.store.home import Store
from touyan.store.policy import Thing, require


def grant_voucher(
    store: Store, actor: Actor, holder: str, unit: Unit, amount: int, expires_on: str, purpose: str = ""
) -> Voucher:
    """A prepaid grant to a Party of this store. `expires_on`: a day (its first moment in UTC) or a time. Raises Refused where the
    actor issues no permits here, Missing for an unknown holder, Invalid."""
    identifier = store.seam.token(8)
    require(actor, "permit", Thing("voucher", identifier, actor.project))
    known = store.parties.get(holder).id
    try:
        expires_at = iso(from_iso(expires_on))
    except ValueError as error:
        raise Invalid("bad-day", f"{expires_on!r} is no day", "write it as 2027-06-30") from error
    checked = as_purpose(purpose) if purpose else ""
    at = iso(store.seam.now_ms())
    given = Voucher(identifier, actor.project, known, actor.party, checked, unit, amount, amount, at, expires_at)
    body: dict[str, Json] = {"unit": unit, "amount": amount, "holder": known, "purpose": checked, "expires_at": expires_at}
    with store.database.write() as connection:
        grant(connection, given)
        store.events.emit(connection, actor, "voucher.granted", [identifier, known], body)
    return given


def take_back(store: Store, actor: Actor, key: str, reason: str) -> None:
    """Reverses what an Attempt was charged, in red. Raises Refused, Missing, Conflict, and Invalid without a reason."""
    require(actor, "permit", Thing("ledger", key, actor.project))
    if not reason:
        raise Invalid("no-reason", "a reversal needs a reason", "say why: --reason 'counted by the wrong clock'")
    with store.database.write() as connection:
        reverse(connection, iso(store.seam.now_ms()), actor.project, key, reason)
        store.events.emit(connection, actor, "ledger.reversed", [key.partition("/")[0]], {"key": key, "reason": reason})
