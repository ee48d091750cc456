"""The local site in the ledger: its Attempts end in the store's own transaction, and their lines are written in it.

Knows nothing of agents. Invariant: where an Attempt is counted, the state that ended it was written by the same transaction.
"""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping, select

from touyan.compute.ledger.charge import Fault, Usage
from touyan.compute.ledger.settle import settle
from touyan.core.seam import Seam, from_iso, iso
from touyan.store import tables as t
from touyan.store.jobs import Settle


def on_our_machine(seam: Seam, owner: str, cores: int, fault: Fault = "none") -> Settle:
    """Charges the time since the Attempt started, on so many cores, by the store's clock; nothing where it never started."""

    def write_lines(connection: Connection, job: RowMapping, attempt: RowMapping) -> None:
        now_ms, began = seam.now_ms(), attempt["started_at"]
        ran_ms = 0 if began is None else max(0, now_ms - from_iso(began))
        usage = Usage(attempt["id"], attempt["token"], attempt["site"], owner, ran_ms, ran_ms, cores=cores, fault=fault)
        settle(connection, iso(now_ms), job["project"], job["submitter"], usage)

    return write_lines


def count_called_off(connection: Connection, attempt: str, settle_end: Settle) -> None:
    """Charges an Attempt whose end somebody else wrote: its Job was called off while it ran."""
    row = connection.execute(select(t.attempt).where(t.attempt.c.id == attempt)).mappings().one()
    job = connection.execute(select(t.job).where(t.job.c.id == row["job"])).mappings().one()
    settle_end(connection, job, row)
