"""The local site in the ledger: its Attempts end in the store's own transaction, and their lines are written in it.

Knows nothing of agents. Invariant: where an Attempt is counted, the state that ended it was written by the same transaction.
"""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping

from touyan.compute.ledger.charge import Fault, Usage
from touyan.compute.ledger.settle import settle
from touyan.core.seam import Seam, from_iso, iso
from touyan.store.jobs import Settle


def on_our_machine(seam: Seam, owner: str, cores: int, fault: Fault = "none") -> Settle:
    """Charges the time since the Attempt started, on so many cores, by the store's clock; nothing where it never started."""

    def write_lines(connection: Connection, job: RowMapping, attempt: RowMapping) -> None:
        now_ms, began = seam.now_ms(), attempt["started_at"]
        ran_ms = 0 if began is None else max(0, now_ms - from_iso(began))
        usage = Usage(attempt["id"], attempt["token"], attempt["site"], owner, ran_ms, ran_ms, cores=cores, fault=fault)
        settle(connection, iso(now_ms), job["project"], job["submitter"], usage)

    return write_lines
