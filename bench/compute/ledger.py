"""What the ledger costs: `python bench/compute/ledger.py [ATTEMPTS]`, CPU time on SQLite.

A local Attempt's line within a transaction that is there anyway; hold and charge with a voucher in one of their own; the check
of everything; a statement of all of it. Prints JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from touyan.compute.ledger.charge import FREE, Terms, Usage
from touyan.compute.ledger.check import check
from touyan.compute.ledger.settle import settle
from touyan.compute.ledger.sheets import csv_bytes
from touyan.compute.ledger.statement import month_of, statement
from touyan.compute.ledger.vouchers import Ask, Voucher, grant, hold
from touyan.core.seam import FixedSeam, iso
from touyan.store.database import Database

T = TypeVar("T")
HOUR_MS = 3_600_000
PRICED = Terms(6_500_000, 50_000)


def main(attempts: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'ledger.db'}")
        database.migrate()
        print(json.dumps(measure(database, FixedSeam(), attempts), indent=1))
        database.close()


def measure(database: Database, seam: FixedSeam, attempts: int) -> dict[str, object]:
    at = iso(seam.now_ms())
    with database.write() as connection:
        grant(connection, Voucher("v", "p", "ann", "acme", "", "device_ms", 2**52, 0, at, "2999-01-01T00:00:00.000Z"))

    def local(n: int) -> None:
        used = Usage(f"local-{n}", n, "local", "acme", 20_000, HOUR_MS, cores=2)
        settle(connection, at, "p", "ann", used, FREE)

    def priced(n: int) -> None:
        used = Usage(f"hpc-{n}", n, "hpc", "acme", HOUR_MS // 2, HOUR_MS, "a800-80g", 8, 64)
        with database.write() as connection:
            hold(connection, seam, Ask(used.attempt, "p", "ann", "train", 3600, "a800-80g", 8, 64), PRICED)
            settle(connection, at, "p", "ann", used, PRICED)

    with database.write() as connection:  # the transaction that ends an Attempt is there anyway
        local_ms = cpu_ms(local, attempts)
    each = {"local": local_ms, "hold_and_settle": cpu_ms(priced, attempts)}
    with database.read() as connection:
        audit, check_s = timed(lambda: check(connection))
        made, statement_s = timed(lambda: csv_bytes(statement(connection, "p", "ann", month_of(seam.now_ms()))))
    assert audit.is_whole
    return {
        "attempts": 2 * attempts, "cpu_ms_each": each, "check_cpu_s": check_s, "statement_csv_cpu_s": statement_s, "csv_bytes": len(made),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
    }  # fmt: skip


def cpu_ms(do: Callable[[int], None], times: int) -> float:
    began = time.process_time()
    for n in range(times):
        do(n)
    return round((time.process_time() - began) / times * 1000, 3)


def timed(do: Callable[[], T]) -> tuple[T, float]:
    began = time.process_time()
    return do(), round(time.process_time() - began, 2)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
