"""Joined sites in the ledger: what is agreed when an Attempt is handed out, and what a site says afterwards that it used.

The hub calls both within its own transactions. Knows nothing of the wire. Invariant: a site is paid for its own Attempts alone, at
the price that stood when they were handed out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache

from sqlalchemy import Connection

from touyan.compute.ledger.charge import FREE, terms_of
from touyan.compute.ledger.settle import Report, settle_report
from touyan.compute.ledger.vouchers import Ask, Hold, agreed, hold
from touyan.compute.rates.table import published
from touyan.compute.resources import Offer, read_capacity
from touyan.core.errors import TouyanError
from touyan.core.job import Accelerator, JobSpec
from touyan.core.seam import Seam
from touyan.store.site_records import Site


def agree(connection: Connection, seam: Seam, site: Site, attempt: str, spec: JobSpec, chosen: Accelerator | None) -> Hold | None:
    """Fixes the price of an Attempt that a site is given, and holds limit x devices of a voucher where one fits; again for the same
    Attempt changes nothing. One read where the owner's offer is free. Raises Refused where the owner wants a voucher and none fits."""
    need = spec.need
    model = published().exact(chosen.model) if chosen else ""
    devices = chosen.count * need.gang if chosen else 0
    asked = Ask(attempt, spec.project, spec.submitter, spec.purpose, need.limit_s, model, devices, max(1, need.cpus) * need.gang)
    return hold(connection, seam, asked, terms_of(_offer(site.capacity_json), model))


def take_usage(connection: Connection, now_ms: int, site: Site, said: Iterable[Report]) -> dict[str, TouyanError]:
    """Charges what a site says that its Attempts used; by Attempt, why one was not. What is not taken now may be said again."""
    refused: dict[str, TouyanError] = {}
    offer = _offer(site.capacity_json)
    for report in said:
        offered = terms_of(offer, published().exact(report.model))
        terms = FREE if offered.is_free else agreed(connection, report.attempt)  # what it says now may not be what was agreed
        try:
            with connection.begin_nested():
                settle_report(connection, now_ms, report, site.name, site.owner, terms)
        except TouyanError as error:
            refused[report.attempt] = error
    return refused


@lru_cache(256)
def _offer(capacity_json: str) -> Offer:
    """Sites say the same for weeks."""
    return read_capacity(json.loads(capacity_json)).offer if capacity_json else Offer()
