"""What ended Attempts teach: how long a family of Jobs runs, and how fast each accelerator is for it.

Reads the ledger from where it was last read, so that a long history costs nothing. Knows nothing of what waits. Invariant: only
what has ended and was charged is learnt; a hub that restarts learns it again from the newest lines.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, select

from touyan.compute.matching.request import UNKNOWN_S
from touyan.compute.rates.table import RateTable, published
from touyan.compute.rates.throughput import Throughput
from touyan.compute.scheduling.predict import ENOUGH, TAIL, Recent
from touyan.store import tables as t

AT_ONCE = 2000
"""Lines of the ledger read in one round; also how far back a hub that starts looks."""


class History:
    """All that was learnt in this process."""

    def __init__(self, table: RateTable | None = None) -> None:
        self.throughput = Throughput(table or published())
        self._work: dict[str, Recent] = {}
        self._read = -1

    def work_s(self, family: str) -> float:
        """Expected work of a Job: device-seconds of the reference model, or seconds without accelerators; its high quantile, as in
        `scheduling.predict`."""
        recent = self._work.get(family)
        return recent.quantile(TAIL) if recent is not None and len(recent) >= ENOUGH else UNKNOWN_S

    def read(self, connection: Connection) -> None:
        """Learns what was charged since the last call."""
        line, a, j = t.ledger.c, t.attempt.c, t.job.c
        if self._read < 0:
            newest = connection.execute(select(func.coalesce(func.max(line.seq), 0))).scalar_one()
            self._read = max(0, newest - AT_ONCE)
        query = (
            select(line.seq, line.facts).where(line.seq > self._read, line.line == 0, line.kind == "settle").order_by(line.seq)
        )
        rows = connection.execute(query.limit(AT_ONCE)).all()
        charged = {facts["attempt"]: facts for row in rows if (facts := json.loads(row.facts))["fault"] == "none"}
        steps = select(a.id, a.state, a.progress, j.step).join(t.job, j.id == a.job).where(a.id.in_(charged))
        for row in connection.execute(steps) if charged else ():
            if row.state == "succeeded":
                self.learn(row.step, charged[row.id], json.loads(row.progress or "{}"))
        self._read = rows[-1].seq if rows else self._read

    def learn(self, family: str, facts: Mapping[str, Any], progress: Mapping[str, Any]) -> None:
        """From the facts of one charge, and the step's last word on how much it did."""
        ran_s, devices, model = facts["elapsed_ms"] / 1000, facts["devices"], facts["model"]
        done = progress.get("done")
        if devices and isinstance(done, int | float):
            self.throughput.measured(family, model, done, devices, ran_s)
        work_s = ran_s * devices * self.throughput.speed(family, model) if devices else ran_s
        if work_s > 0:
            self._work.setdefault(family, Recent()).add(work_s)
