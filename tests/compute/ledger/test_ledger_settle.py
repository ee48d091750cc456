"""The end of an Attempt in the ledger: once, within what was seen, and never changed afterwards."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DatabaseError

from touyan.compute.ledger.acts import grant_voucher, take_back
from touyan.compute.ledger.book import everything, find
from touyan.compute.ledger.charge import FREE, Terms, Usage, read_facts
from touyan.compute.ledger.check import check
from touyan.compute.ledger.settle import LATE_MS, Report, close_unsaid, settle, settle_report
from touyan.compute.ledger.vouchers import Ask, hold, vouchers
from touyan.core.asset import build
from touyan.core.errors import Broken, Conflict, Invalid, Missing, TouyanError
from touyan.core.job import Accelerator, JobSpec, Need, read_spec
from touyan.core.seam import FixedSeam, iso
from touyan.store.home import Store
from touyan.store.job_records import Claim, Outcome

HOUR_MS = 3_600_000
TERMS = Terms(6_500_000)
NEED = Need("ai", 2, 8, 1 << 30, 3600, (Accelerator("a800-80g", 4),))


def usage(attempt: str = "a-1", **changes: object) -> Usage:
    return replace(Usage(attempt, 7, "hpc", "acme", HOUR_MS // 2, HOUR_MS, "a800-80g", 4), **changes)  # type: ignore[arg-type]


def end(store: Store, used: Usage, terms: Terms = FREE) -> bool:
    with store.database.write() as connection:
        return settle(connection, iso(store.seam.now_ms()), "default", store.me().party, used, terms)


def lines(store: Store) -> int:
    with store.database.read() as connection:
        audit = check(connection)
    assert audit.is_whole, audit.problems
    return audit.lines


def hours_left(store: Store) -> float:
    with store.database.read() as connection:
        return sum(v.free for v in vouchers(connection, "default")) / HOUR_MS


def a_voucher_that_is_held(store: Store) -> None:
    grant_voucher(store, store.me(), store.me().party, "device_ms", 10 * HOUR_MS, "2027-06-30")
    with store.database.write() as connection:
        hold(connection, store.seam, Ask("a-1", "default", store.me().party, "train", 3600, "a800-80g", 4), TERMS)


@contextmanager
def statements(store: Store) -> Generator[list[str]]:
    """What is said to the database meanwhile."""
    said: list[str] = []

    def listen(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(store.database.engine, "before_cursor_execute", listen)
    yield said
    event.remove(store.database.engine, "before_cursor_execute", listen)


def test_where_nothing_costs_the_end_of_an_attempt_is_one_more_statement(sqlite_store: Store) -> None:
    with sqlite_store.database.write() as connection, statements(sqlite_store) as said:
        settle(connection, iso(0), "default", "ann", usage(model="", devices=0, cores=2, elapsed_ms=20_000))
    assert len(said) == 1
    assert said[0].startswith("insert into ledger")


def test_an_attempt_is_charged_once_however_often_it_is_said(sqlite_store: Store) -> None:
    assert [end(sqlite_store, usage()) for _ in range(3)] == [True, False, False]
    assert lines(sqlite_store) == 2


def test_a_second_charge_with_more_lines_than_the_first_adds_none(sqlite_store: Store) -> None:
    assert end(sqlite_store, usage(elapsed_ms=0))
    assert not end(sqlite_store, usage())
    assert lines(sqlite_store) == 1


def test_two_who_charge_at_once_charge_once(store: Store) -> None:
    a_voucher_that_is_held(store)
    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(lambda _: end(store, usage(), TERMS), range(4))) == [False, False, False, True]
    assert hours_left(store) == 8
    assert lines(store) == 5


def test_the_voucher_pays_what_was_used_and_gets_the_rest_back(sqlite_store: Store) -> None:
    a_voucher_that_is_held(sqlite_store)
    assert hours_left(sqlite_store) == 6
    end(sqlite_store, usage(), TERMS)
    assert hours_left(sqlite_store) == 8


def test_where_the_site_failed_the_whole_hold_comes_back(sqlite_store: Store) -> None:
    a_voucher_that_is_held(sqlite_store)
    end(sqlite_store, usage(fault="site"), TERMS)
    assert hours_left(sqlite_store) == 10
    with sqlite_store.database.read() as connection:
        assert find(connection, "a-1/7").kind == "refund"


def test_the_price_is_that_of_the_placement_whatever_the_site_asks_later(sqlite_store: Store) -> None:
    with sqlite_store.database.write() as connection:
        hold(connection, sqlite_store.seam, Ask("a-1", "default", sqlite_store.me().party, "train", 3600, "a800-80g", 4), TERMS)
    end(sqlite_store, usage(), Terms(99_000_000))
    with sqlite_store.database.read() as connection:
        assert read_facts(find(connection, "a-1/7").facts).fen == 1300


def test_a_write_that_is_cut_off_charges_nothing_and_the_next_one_does(sqlite_store: Store) -> None:
    a_voucher_that_is_held(sqlite_store)

    def cut_off() -> None:
        with sqlite_store.database.write() as connection:
            settle(connection, iso(0), "default", sqlite_store.me().party, usage(), TERMS)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        cut_off()
    assert hours_left(sqlite_store) == 6
    assert end(sqlite_store, usage(), TERMS)


def test_a_charge_that_was_taken_back_may_be_made_anew(store: Store) -> None:
    a_voucher_that_is_held(store)
    end(store, usage(), TERMS)
    take_back(store, store.me(), "a-1/7", "counted by the wrong clock")
    assert hours_left(store) == 10
    with pytest.raises(Conflict, match="already"):
        take_back(store, store.me(), "a-1/7", "again")
    assert not end(store, usage(), TERMS)
    assert end(store, usage(elapsed_ms=60_000, revision=1), TERMS)
    lines(store)


def test_only_what_an_attempt_cost_can_be_taken_back(sqlite_store: Store) -> None:
    given = grant_voucher(sqlite_store, sqlite_store.me(), sqlite_store.me().party, "fen", 100, "2027-06-30")
    with pytest.raises(Conflict, match="grant"):
        take_back(sqlite_store, sqlite_store.me(), f"grant/{given.id}", "no")


@pytest.mark.parametrize("change", ["update ledger set amount = 0", "delete from ledger"])
def test_the_database_itself_refuses_to_change_a_row(store: Store, change: str) -> None:
    end(store, usage())
    with pytest.raises(DatabaseError, match="never change"), store.database.write() as connection:
        connection.execute(text(change))
    assert lines(store) == 2


def test_a_check_names_what_does_not_follow_from_its_facts(sqlite_store: Store) -> None:
    end(sqlite_store, usage())
    with sqlite_store.database.write() as connection:
        connection.execute(text("drop trigger ledger_no_update"))
        connection.execute(text("update ledger set amount = amount + 1 where unit = 'device_ms'"))
    with sqlite_store.database.read() as connection:
        audit = check(connection)
    assert not audit.is_whole
    assert audit.problems == ("a-1/7: its lines are not what its facts give",)
    assert audit.journal_sha256 != audit.replay_sha256


def test_a_check_names_an_attempt_that_was_charged_twice_and_a_voucher_that_does_not_fit(sqlite_store: Store) -> None:
    a_voucher_that_is_held(sqlite_store)
    end(sqlite_store, usage(token=8))
    end(sqlite_store, usage(token=9))
    with sqlite_store.database.write() as connection:
        connection.execute(text("update voucher set free = free + 1"))
    with sqlite_store.database.read() as connection:
        told = check(connection).problems
    assert "a-1/9: a-1 was charged before" in told
    assert any("beside it stand" in words for words in told)


def a_remote_attempt(store: Store, ran_s: float = 600) -> Claim:
    """An Attempt of two nodes with four devices each that ran for ten minutes and succeeded."""
    me = store.me()
    spec = JobSpec("default", "train", "train", "1", {}, (), "model", "train", "cuda", NEED, me.party)
    store.jobs.submit(me, spec)
    claim = store.jobs.claim(store.agent(), "local", "owner", 60)
    assert claim is not None
    store.jobs.start(store.agent(), claim, 60)
    assert isinstance(store.seam, FixedSeam)
    store.seam.move(ran_s)
    return claim


def finish(store: Store, claim: Claim) -> None:
    spec = read_spec(claim.envelope.payload)
    store.jobs.finish(store.agent(), claim, build(spec.output, [], step_key=spec.key), Outcome())


def report(store: Store, said: Report) -> Usage | bool:
    with store.database.write() as connection:
        return settle_report(connection, store.seam.now_ms(), said, "local", "centre")


def test_a_site_is_paid_for_what_was_seen_and_asked_not_for_what_it_says(sqlite_store: Store) -> None:
    claim = a_remote_attempt(sqlite_store)
    finish(sqlite_store, claim)
    assert report(sqlite_store, Report(claim.attempt, claim.token, 10**8, 10**6, "a800", 12.4))
    with sqlite_store.database.read() as connection:
        (found,) = everything(connection)
    facts = read_facts(found.facts)
    assert (facts.elapsed_ms, facts.devices, facts.cores, facts.model) == (601_000, 8, 16, "a800-80g")
    assert (facts.owner, facts.energy, facts.energy_wh) == ("centre", "measured", 12)


def test_a_model_that_was_not_asked_for_is_not_paid(sqlite_store: Store) -> None:
    claim = a_remote_attempt(sqlite_store)
    finish(sqlite_store, claim)
    report(sqlite_store, Report(claim.attempt, claim.token, 600, 8, "b200-192g"))
    with sqlite_store.database.read() as connection:
        assert read_facts(next(everything(connection)).facts).devices == 0


def test_a_report_of_another_token_of_nothing_or_before_the_end_is_refused(sqlite_store: Store) -> None:
    claim = a_remote_attempt(sqlite_store)
    said = Report(claim.attempt, claim.token, 600, 8, "a800-80g")
    with pytest.raises(Conflict, match="not ended"):
        report(sqlite_store, said)
    finish(sqlite_store, claim)
    with pytest.raises(Conflict, match="another token"):
        report(sqlite_store, replace(said, token=claim.token + 1))
    with pytest.raises(Missing):
        report(sqlite_store, replace(said, attempt="nothing-1"))


@pytest.mark.parametrize(("error", "is_charged"), [(Invalid("bad-input", "the step says no", ""), True),
                                                   (Broken("vanished", "lost its node", ""), False)])  # fmt: skip
def test_what_the_payload_did_is_charged_and_what_the_site_broke_is_not(
    sqlite_store: Store, error: TouyanError, is_charged: bool
) -> None:
    claim = a_remote_attempt(sqlite_store)
    sqlite_store.jobs.fail(sqlite_store.agent(), claim, error, may_retry=False)
    report(sqlite_store, Report(claim.attempt, claim.token, 600, 8, "a800-80g"))
    with sqlite_store.database.read() as connection:
        assert (read_facts(next(everything(connection)).facts).device_ms > 0) is is_charged


def test_a_job_that_was_called_off_pays_for_its_time(sqlite_store: Store) -> None:
    claim = a_remote_attempt(sqlite_store)
    sqlite_store.jobs.cancel(sqlite_store.me(), claim.job, "not needed")
    report(sqlite_store, Report(claim.attempt, claim.token, 600, 16, "cpu-core"))
    with sqlite_store.database.read() as connection:
        facts = read_facts(next(everything(connection)).facts)
    assert (facts.fault, facts.model, facts.devices, facts.cores) == ("party", "", 0, 16)


def held_for(store: Store, attempt: str) -> None:
    grant_voucher(store, store.me(), store.me().party, "device_ms", 10 * HOUR_MS, "2027-06-30")
    with store.database.write() as connection:
        hold(connection, store.seam, Ask(attempt, "default", store.me().party, "train", 3600, "a800-80g", 8), TERMS)


def close(store: Store) -> int:
    with store.database.write() as connection:
        return close_unsaid(connection, store.seam.now_ms())


def test_the_hold_of_a_lost_attempt_is_freed_at_once_and_of_a_silent_site_after_a_day(store: Store, seam: FixedSeam) -> None:
    claim = a_remote_attempt(store)
    held_for(store, claim.attempt)
    assert close(store) == 0
    finish(store, claim)
    assert close(store) == 0
    seam.move(LATE_MS / 1000 + 1)
    assert close(store) == 1
    assert hours_left(store) == 10
    lines(store)


def test_the_hold_of_an_attempt_that_never_was_is_freed_when_its_job_ends(sqlite_store: Store) -> None:
    job = a_remote_attempt(sqlite_store).job
    held_for(sqlite_store, f"{job}-2")
    assert close(sqlite_store) == 0
    sqlite_store.jobs.cancel(sqlite_store.me(), job, "not needed")
    assert close(sqlite_store) == 1
    assert hours_left(sqlite_store) == 10
