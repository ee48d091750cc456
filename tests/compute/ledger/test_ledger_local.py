"""The local site writes its line in the transaction that ends the Attempt."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from touyan.compute.ledger.book import everything
from touyan.compute.ledger.charge import Facts, read_facts
from touyan.compute.ledger.check import check
from touyan.compute.ledger.local import count_called_off, on_our_machine
from touyan.core.errors import Conflict
from touyan.core.seam import FixedSeam
from touyan.store.home import Store
from touyan.store.job_records import Job

from test_ledger_settle import a_remote_attempt, finish  # isort: skip


def facts(store: Store) -> list[tuple[str, Facts]]:
    with store.database.read() as connection:
        assert check(connection).is_whole
        return [(x.kind, read_facts(x.facts)) for x in everything(connection)]


def test_a_job_that_ran_here_is_in_the_ledger(live_store: Store, run_job: Callable[..., Job]) -> None:
    job = run_job(live_store, "write", text="x")
    attempt = live_store.jobs.attempts(job.id)[0]
    ((kind, found),) = facts(live_store)
    assert (kind, found.attempt, found.token, found.cores, found.site) == ("settle", attempt.id, attempt.token, 1, "local")
    assert (found.party, found.owner) == (live_store.me().party, live_store.me().party.rpartition("/")[0])
    assert found.elapsed_ms > 0


def test_what_fails_by_itself_is_charged(live_store: Store, run_job: Callable[..., Job]) -> None:
    run_job(live_store, "refuse")
    assert [(kind, found.fault) for kind, found in facts(live_store)] == [("settle", "party")]


def test_a_job_that_was_called_off_is_charged_for_the_time_it_ran(sqlite_store: Store, seam: FixedSeam) -> None:
    claim = a_remote_attempt(sqlite_store)
    sqlite_store.jobs.cancel(sqlite_store.me(), claim.job, "not needed")
    with sqlite_store.database.write() as connection:
        count_called_off(connection, claim.attempt, on_our_machine(seam, "acme", 2, "party"))
    ((kind, found),) = facts(sqlite_store)
    assert (kind, found.fault, found.elapsed_ms, found.cores) == ("settle", "party", 600_000, 2)


def test_a_finish_that_comes_too_late_writes_no_line(sqlite_store: Store) -> None:
    claim = a_remote_attempt(sqlite_store)
    finish(sqlite_store, claim)
    settle = on_our_machine(FixedSeam(), "acme", 1)
    with pytest.raises(Conflict):
        sqlite_store.jobs.fail(sqlite_store.agent(), claim, Conflict("late", "too late", ""), False, settle)
    assert facts(sqlite_store) == []
