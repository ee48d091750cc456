"""Wall clocks that jump: leases last as long as they were to last, and a jump is made up for once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from touyan.core.job import JobSpec, Need
from touyan.core.seam import FixedSeam
from touyan.store.home import Store
from touyan.store.job_records import Claim

LEASE_S, GRACE_S = 60.0, 16.0


def running(store: Store) -> Claim:
    me = store.me()
    spec = JobSpec(me.project, "read/x", "read", "1", {}, (), "report", "refine", "python", Need(), me.party)
    store.jobs.submit(me, spec)
    claim = store.jobs.claim(store.agent(), "local", "agent", LEASE_S)
    assert claim is not None
    store.jobs.start(store.agent(), claim, LEASE_S)
    return claim


def state(store: Store, claim: Claim) -> str:
    return store.jobs.attempts(claim.job)[-1].state


@pytest.mark.parametrize("jump_s", [-43_200, -1800, -45, 45, 1800, 43_200])
def test_a_lease_lasts_as_long_as_it_was_to_last_whatever_the_wall_clock_does(store: Store, seam: FixedSeam, jump_s: int) -> None:
    claim = running(store)
    seam.at_ms += jump_s * 1000
    for _ in range(int(LEASE_S)):
        assert store.jobs.reap(store.agent()) == []
        seam.move(1)
    seam.move(1)
    assert store.jobs.reap(store.agent()) == [claim.attempt]
    assert state(store, claim) == "unreachable"
    seam.move(GRACE_S)
    store.jobs.reap(store.agent())
    assert state(store, claim) == "lost"


def test_a_jump_while_no_process_looked_is_made_up_for_by_the_next_one_once(
    make_store: Callable[..., Store], seam: FixedSeam
) -> None:
    claim = running(make_store(seam=seam))
    seam.at_ms += 7_200_000
    after, beside = make_store(seam=seam), make_store(seam=seam)
    for store in (after, beside):
        assert store.jobs.reap(store.agent()) == []
    seam.move(LEASE_S + 1)
    assert beside.jobs.reap(beside.agent()) == [claim.attempt]


def test_a_lease_that_is_renewed_after_a_jump_is_not_made_longer_by_it(store: Store, seam: FixedSeam) -> None:
    claim = running(store)
    seam.at_ms += 7_200_000
    assert store.jobs.renew(store.agent(), claim, LEASE_S) == "keep"
    seam.move(LEASE_S + 1)
    assert store.jobs.reap(store.agent()) == [claim.attempt]
