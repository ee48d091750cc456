"""Joined sites: the price of the day it was handed out, for their own Attempts, as far as a site can be believed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from test_ledger_settle import a_remote_attempt, finish

from touyan.compute.ledger.acts import grant_voucher
from touyan.compute.ledger.book import everything
from touyan.compute.ledger.charge import Facts, read_facts
from touyan.compute.ledger.check import check
from touyan.compute.ledger.remote import agree, take_usage
from touyan.compute.ledger.settle import Report
from touyan.core.errors import Refused
from touyan.core.job import Accelerator, read_spec
from touyan.store.home import Store
from touyan.store.job_records import Claim
from touyan.store.site_records import Site

FOUR = Accelerator("a800", 4)


def site(**offer: object) -> Site:
    stated = json.dumps({"pools": [], "offer": offer})
    return Site("local", "default", "acme/hpc", "centre", "slurm", "open", "", "internal", (), stated, (), "", "", None, 0, 1)


def hand_out(store: Store, where: Site) -> Claim:
    claim = a_remote_attempt(store)
    spec = read_spec(claim.envelope.payload)
    for _ in range(2):  # an answer that was lost is given again
        with store.database.write() as connection:
            agree(connection, store.seam, where, claim.attempt, spec, FOUR)
    return claim


def charged(store: Store) -> list[Facts]:
    with store.database.read() as connection:
        assert check(connection).is_whole
        return [read_facts(x.facts) for x in everything(connection) if x.kind == "settle"]


def test_a_site_is_paid_the_price_at_which_it_took_the_attempt(sqlite_store: Store) -> None:
    claim = hand_out(sqlite_store, site(yuan_per_device_hour={"a800-80g": 6.5}))
    finish(sqlite_store, claim)
    dearer = site(yuan_per_device_hour={"a800-80g": 65})
    said = Report(claim.attempt, claim.token, 600, 8, "a800-80g")
    with sqlite_store.database.write() as connection:
        assert take_usage(connection, sqlite_store.seam.now_ms(), dearer, [said, said]) == {}
    (facts,) = charged(sqlite_store)
    assert (facts.fen, facts.owner, facts.site) == (round(8 * 650 / 6), "centre", "local")


def test_a_site_that_wants_a_voucher_is_given_nothing_without_one(sqlite_store: Store) -> None:
    with pytest.raises(Refused, match="no voucher"):
        hand_out(sqlite_store, site(needs_voucher=True))


def test_a_voucher_pays_and_keeps_what_was_not_used(sqlite_store: Store) -> None:
    given = grant_voucher(sqlite_store, sqlite_store.me(), "ann", "device_ms", 36_000_000, "2027-06-30", "train")
    claim = hand_out(sqlite_store, site(needs_voucher=True))
    finish(sqlite_store, claim)
    with sqlite_store.database.write() as connection:
        take_usage(
            connection, sqlite_store.seam.now_ms(), site(needs_voucher=True), [Report(claim.attempt, claim.token, 600, 8, "a800")]
        )
    (facts,) = charged(sqlite_store)
    assert (facts.voucher, facts.device_ms, facts.held) == (given.id, 8 * 600_000 + 2458, 8 * 3_600_000 + 14_746)


def test_one_bad_word_of_a_site_does_not_spoil_the_others(sqlite_store: Store) -> None:
    claim = hand_out(sqlite_store, site())
    finish(sqlite_store, claim)
    good = Report(claim.attempt, claim.token, 600, 8, "a800-80g")
    said = [replace(good, token=99), replace(good, attempt="of-another-1"), good]
    with sqlite_store.database.write() as connection:
        refused = take_usage(connection, sqlite_store.seam.now_ms(), site(), said)
        assert (
            take_usage(connection, sqlite_store.seam.now_ms(), replace(site(), name="thief"), [good])[claim.attempt].code
            == "no-attempt"
        )
    assert {attempt: error.code for attempt, error in refused.items()} == {
        claim.attempt: "stale-token",
        "of-another-1": "no-attempt",
    }
    assert len(charged(sqlite_store)) == 1
