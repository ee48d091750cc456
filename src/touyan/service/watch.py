"""The watch of a running service: it looks at the clearance all the time, so that running answers end when it ends.

Owns the background task, and the purge of old answers once a day. Invariant: a look that fails is logged and counted, and the
next one is made all the same.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from touyan.core.errors import Refused
from touyan.service.running import Running

log = logging.getLogger("touyan.service")
DAY_S = 24 * 3600


@asynccontextmanager
async def watching(running: Running) -> AsyncGenerator[None]:
    """Opens what is served, watches it, and closes it at the end."""
    await asyncio.to_thread(look, running)
    await asyncio.to_thread(purge, running)
    task = asyncio.create_task(_watch(running))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):  # our own cancelling, one line above
            await task
        await asyncio.to_thread(running.close)


async def _watch(running: Running) -> None:
    purged_s = running.store.seam.monotonic_s()
    while True:
        await asyncio.sleep(min(running.settings.recheck_s, 1.0))
        await asyncio.to_thread(look, running)
        if running.store.seam.monotonic_s() - purged_s >= DAY_S:
            purged_s = running.store.seam.monotonic_s()
            await asyncio.to_thread(purge, running)


def look(running: Running) -> None:
    """One look at what may be served. That nothing may be is an answer like another, and the address has told the log."""
    try:
        running.address.now()
    except Refused as refusal:
        log.info("%s", refusal)
    except Exception:
        log.exception("the watch could not look at the clearance")
        running.ledger.count("touyan_failed_looks_total")


def purge(running: Running) -> None:
    """Erases answers beyond the retention."""
    try:
        running.store.answers.purge(running.actor, running.settings.retention_days)
    except Exception:
        log.exception("old answers could not be purged")
        running.ledger.count("touyan_failed_purges_total")
