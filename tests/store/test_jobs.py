"""Jobs: who may submit and claim, what a token protects, and that every Job ends once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule, run_state_machine_as_test

from touyan.core.asset import InputRef, Manifest, build
from touyan.core.errors import Broken, Conflict, Invalid, Missing, Refused
from touyan.core.job import SPEC_TYPE, JobSpec, NamedInput, Need, read_spec
from touyan.core.party import Actor
from touyan.core.seam import FixedSeam
from touyan.core.states import ATTEMPT, JOB
from touyan.store.home import Store
from touyan.store.job_records import Claim, Outcome
from touyan.store.jobs import DRIFT_S, GRACE_S, HELD

LEASE_S = 10.0
SOURCE = "a" * 64


def a_spec(actor: Actor, text: str = "x") -> JobSpec:
    return JobSpec(
        actor.project, f"step/{text}", "step", "1", {"text": text}, (), "report", "refine", "python", Need(), actor.party
    )


def its_manifest(claim: Claim) -> Manifest:
    spec = read_spec(claim.envelope.payload)
    return build(spec.output, [], step_key=spec.key)


def a_claim(store: Store, text: str = "x", tries_limit: int = 3) -> Claim:
    store.jobs.submit(store.me(), a_spec(store.me(), text), tries_limit)
    claim = store.jobs.claim(store.agent(), "local", "owner", LEASE_S)
    assert claim is not None
    return claim


def a_running_claim(store: Store, tries_limit: int = 3) -> Claim:
    claim = a_claim(store, tries_limit=tries_limit)
    store.jobs.start(store.agent(), claim, LEASE_S)
    return claim


def states(store: Store, claim: Claim) -> tuple[str, str]:
    attempt = next(a for a in store.jobs.attempts(claim.job) if a.id == claim.attempt)
    return store.jobs.get(claim.job).state, attempt.state


def events(store: Store, claim: Claim) -> list[str]:
    store.events.sequence()
    return [e.event.type for e in store.events.find("default", subject=claim.job)]


def test_a_submitted_spec_is_signed_by_its_submitter(store: Store) -> None:
    job = store.jobs.get(store.jobs.submit(store.me(), a_spec(store.me())))
    payload = store.parties.open(job.envelope, SPEC_TYPE, store.me().party, "9999")
    assert read_spec(payload) == a_spec(store.me())
    assert job.state == "waiting"


def test_only_an_engineer_of_the_project_submits_and_only_an_agent_claims(store: Store) -> None:
    with pytest.raises(Refused):
        store.jobs.submit(store.agent(), a_spec(store.agent()))
    with pytest.raises(Refused):
        store.jobs.submit(replace(store.me(), project="other"), a_spec(store.me()))
    with pytest.raises(Refused):
        store.jobs.claim(store.me(), "local", "owner", LEASE_S)


def test_nobody_submits_in_the_name_of_another(store: Store) -> None:
    with pytest.raises(Refused, match="names acme"):
        store.jobs.submit(store.me(), replace(a_spec(store.me()), submitter="acme"))
    store.events.sequence()
    told = store.events.find("default", kind="access.refused")[-1]
    assert told.body is not None
    assert (told.event.actor, told.body["code"]) == (store.me().party, "not-the-submitter")


def test_the_same_step_key_has_one_active_job(store: Store) -> None:
    claim = a_claim(store)
    assert store.jobs.submit(store.me(), replace(a_spec(store.me()), name="another/name")) == claim.job
    assert store.jobs.claim(store.agent(), "local", "owner", LEASE_S) is None


def test_a_failed_job_starts_again_when_it_is_submitted_again(store: Store) -> None:
    claim = a_running_claim(store)
    store.jobs.fail(store.agent(), claim, Invalid("bad", "it is bad", "mend it"), may_retry=False)
    job = store.jobs.get(claim.job)
    assert (job.state, type(job.error), str(job.error)) == ("failed", Invalid, "it is bad [bad] mend it")
    assert store.jobs.submit(store.me(), a_spec(store.me())) == claim.job
    again = store.jobs.get(claim.job)
    assert (again.state, again.error, again.tries) == ("waiting", None, 0)


def test_a_job_that_is_done_is_followed_by_a_new_one(store: Store) -> None:
    claim = a_running_claim(store)
    store.jobs.finish(store.agent(), claim, its_manifest(claim), Outcome())
    assert store.jobs.submit(store.me(), a_spec(store.me())) != claim.job


def test_jobs_are_claimed_by_priority_then_in_order(store: Store) -> None:
    first, second, urgent = (
        store.jobs.submit(store.me(), a_spec(store.me(), t), priority=p) for t, p in (("a", 0), ("b", 0), ("c", 1))
    )
    claims = [store.jobs.claim(store.agent(), "local", "owner", LEASE_S) for _ in range(4)]
    assert [c and c.job for c in claims] == [urgent, first, second, None]


def test_agents_that_claim_at_once_never_share_a_job(store: Store) -> None:
    jobs = {store.jobs.submit(store.me(), a_spec(store.me(), f"{n}")) for n in range(12)}
    agent = store.agent()

    def claim_until_empty(_: int) -> list[Claim]:
        return list(iter(lambda: store.jobs.claim(agent, "local", "owner", LEASE_S), None))

    with ThreadPoolExecutor(4) as pool:
        claims = [c for found in pool.map(claim_until_empty, range(4)) for c in found]
    assert len(claims) == len({c.token for c in claims}) == len(jobs)
    assert {c.job for c in claims} == jobs


def test_a_result_is_published_recorded_and_told_in_one_transaction(store: Store) -> None:
    claim = a_running_claim(store)
    asset = store.jobs.finish(
        store.agent(), claim, its_manifest(claim), Outcome({"documents": 3}, {"wall_ms": 5}, {"python": "3.11"}, '{"done": 1.5}')
    )
    with store.database.read() as connection:
        result = store.assets.result(connection, "default", read_spec(claim.envelope.payload).key)
        made_by = [s for s in store.statements.of(connection, "default", asset) if s.kind == "made-by"]
    assert result is not None
    assert (result["asset"], result["job"]) == (asset, claim.job)
    assert json.loads(result["telemetry"]) == {"counts": {"documents": 3}, "wall_ms": 5}
    assert [(s.party, s.body["attempt"]) for s in made_by] == [(store.agent().party, claim.attempt)]
    assert made_by[0].body["environment"] == {"python": "3.11"}
    assert states(store, claim) == ("done", "succeeded")
    assert store.jobs.attempts(claim.job)[0].progress == {"done": 1.5}
    assert events(store, claim) == ["job.done"]


def test_a_result_that_cannot_be_told_is_not_published(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = a_running_claim(store)

    def full(*_: object) -> None:
        raise Broken("disk-full", "the disk is full", "free some space")

    monkeypatch.setattr(store.jobs, "_tell", full)
    with pytest.raises(Broken):
        store.jobs.finish(store.agent(), claim, its_manifest(claim), Outcome())
    assert states(store, claim) == ("placed", "running")
    assert store.assets.list("default") == []


@pytest.mark.parametrize(
    "forged",
    [{"step_key": "b" * 64}, {"kind": "model"}, {"provider": "acme/clean"}, {"inputs": (InputRef("documents", SOURCE),)}],
    ids=lambda f: next(iter(f)),
)
def test_a_manifest_that_says_other_than_the_signed_spec_is_no_result(sqlite_store: Store, forged: dict[str, Any]) -> None:
    claim = a_running_claim(sqlite_store)
    with pytest.raises(Conflict, match="is not of the report"):
        sqlite_store.jobs.finish(sqlite_store.agent(), claim, replace(its_manifest(claim), **forged), Outcome())
    assert states(sqlite_store, claim) == ("placed", "running")


def test_a_stale_token_changes_nothing(store: Store) -> None:
    claim = a_running_claim(store)
    stale = replace(claim, token=claim.token - 1)
    assert store.jobs.renew(store.agent(), stale, LEASE_S) == "lost"
    for act in (
        lambda: store.jobs.finish(store.agent(), stale, its_manifest(claim), Outcome()),
        lambda: store.jobs.fail(store.agent(), stale, Broken("x", "x", "x"), may_retry=True),
        lambda: store.jobs.release(store.agent(), stale, "x"),
    ):
        with pytest.raises(Conflict, match="somebody else"):
            act()
    assert states(store, claim) == ("placed", "running")


def test_an_attempt_that_was_lost_cannot_finish_and_its_successor_can(store: Store, seam: FixedSeam) -> None:
    first = a_running_claim(store)
    seam.move(LEASE_S + 1)
    assert store.jobs.reap(store.agent()) == [first.attempt]
    assert states(store, first) == ("placed", "unreachable")
    seam.move(GRACE_S + DRIFT_S + 1)
    store.jobs.reap(store.agent())
    assert states(store, first) == ("waiting", "lost")
    seam.move(2)
    second = store.jobs.claim(store.agent(), "local", "other", LEASE_S)
    assert second is not None
    assert second.token > first.token
    store.jobs.start(store.agent(), second, LEASE_S)
    with pytest.raises(Conflict):
        store.jobs.finish(store.agent(), first, its_manifest(first), Outcome())
    store.jobs.finish(store.agent(), second, its_manifest(second), Outcome())
    assert states(store, second) == ("done", "succeeded")


def test_a_silent_attempt_that_speaks_up_in_time_goes_on(store: Store, seam: FixedSeam) -> None:
    claim = a_running_claim(store)
    seam.move(LEASE_S + 1)
    store.jobs.reap(store.agent())
    assert store.jobs.renew(store.agent(), claim, LEASE_S, '{"done": 1}') == "keep"
    assert states(store, claim) == ("placed", "running")
    assert store.jobs.reap(store.agent()) == []


def test_a_claim_that_is_not_started_expires(store: Store, seam: FixedSeam) -> None:
    claim = a_claim(store)
    seam.move(LEASE_S + 1)
    store.jobs.reap(store.agent())
    assert states(store, claim) == ("waiting", "expired")
    with pytest.raises(Conflict, match="cannot start"):
        store.jobs.start(store.agent(), claim, LEASE_S)


def test_a_clock_that_goes_back_does_not_make_a_lease_endless(store: Store, seam: FixedSeam) -> None:
    claim = a_running_claim(store)
    seam.move(-10 * 24 * 3600)
    assert store.jobs.reap(store.agent()) == [claim.attempt]
    assert store.jobs.renew(store.agent(), claim, LEASE_S) == "keep"
    store.jobs.fail(store.agent(), claim, Broken("killed", "it was killed", "run again"), may_retry=True)
    seam.move(-10 * 24 * 3600)
    assert store.jobs.claim(store.agent(), "local", "owner", LEASE_S) is not None


def test_retries_wait_longer_each_time_and_end(store: Store, seam: FixedSeam) -> None:
    claim, waits = a_running_claim(store, tries_limit=3), []
    error = Broken("killed", "it was killed", "run again")
    for _ in range(2):
        store.jobs.fail(store.agent(), claim, error, may_retry=True)
        waits.append(store.jobs.get(claim.job).not_before_ms - seam.now_ms())
        assert store.jobs.claim(store.agent(), "local", "owner", LEASE_S) is None
        seam.move(waits[-1] / 1000)
        claim = store.jobs.claim(store.agent(), "local", "owner", LEASE_S) or claim
    assert waits == [1000, 2000]
    store.jobs.fail(store.agent(), claim, error, may_retry=True)
    assert states(store, claim) == ("failed", "failed")
    assert [a.number for a in store.jobs.attempts(claim.job)] == [1, 2, 3]
    assert events(store, claim) == ["job.failed"]


def test_an_interrupted_attempt_does_not_use_up_a_try(store: Store) -> None:
    for number in range(1, 6):
        claim = a_running_claim(store, tries_limit=1)
        assert claim.number == number
        store.jobs.release(store.agent(), claim, "the site was closed")
        assert states(store, claim) == ("waiting", "lost")


def test_a_cancelled_job_tells_its_agent_and_takes_no_result(store: Store) -> None:
    claim = a_running_claim(store)
    store.jobs.cancel(store.me(), claim.job, "withdrawn")
    assert store.jobs.renew(store.agent(), claim, LEASE_S) == "cancel"
    with pytest.raises(Conflict):
        store.jobs.finish(store.agent(), claim, its_manifest(claim), Outcome())
    assert states(store, claim) == ("cancelled", "cancelled")
    assert events(store, claim) == ["job.cancelled"]
    with pytest.raises(Conflict, match="cannot cancel"):
        store.jobs.cancel(store.me(), claim.job, "twice")


def test_an_agent_may_not_call_a_job_off(store: Store) -> None:
    claim = a_claim(store)
    with pytest.raises(Refused):
        store.jobs.cancel(store.agent(), claim.job, "tired")


def test_active_jobs_are_found_by_what_they_read(store: Store) -> None:
    spec = replace(a_spec(store.me()), inputs=(NamedInput("given", SOURCE, "read/laws"),))
    job = store.jobs.submit(store.me(), spec)
    with store.database.read() as connection:
        assert store.jobs.active_on(connection, "default", {SOURCE}) == [job]
        assert store.jobs.active_on(connection, "default", {"b" * 64}) == []
        assert store.jobs.active_on(connection, "other", {SOURCE}) == []


def test_an_unknown_job_is_missing(store: Store) -> None:
    with pytest.raises(Missing, match="no job 'nothing'"):
        store.jobs.get("nothing")


class JobMachine(RuleBasedStateMachine):
    """Submitters, agents with good and stale claims, and a clock that jumps, in any order."""

    claims: Bundle[Claim] = Bundle("claims")
    projects = 0

    def __init__(self, store: Store, seam: FixedSeam) -> None:
        super().__init__()
        JobMachine.projects += 1
        project = f"project-{JobMachine.projects}"
        self.store, self.seam = store, seam
        self.me, self.agent = replace(store.me(), project=project), replace(store.agent(), project=project)
        self.seen: dict[str, str] = {}
        self.tokens: list[int] = []

    @initialize()
    def begin(self) -> None:
        self.submit("a")

    @rule(text=st.sampled_from("ab"))
    def submit(self, text: str) -> None:
        self.store.jobs.submit(self.me, a_spec(self.me, text), tries_limit=2)

    @rule(target=claims)
    def claim(self) -> object:
        claim = self.store.jobs.claim(self.agent, "local", "owner", LEASE_S)
        if claim is None:
            return multiple()
        self.tokens.append(claim.token)
        return claim

    @rule(claim=claims, act=st.sampled_from(["start", "finish", "fail", "give-up", "release"]))
    def act(self, claim: Claim, act: str) -> None:
        jobs, error = self.store.jobs, Broken("killed", "it was killed", "run again")
        was_held = self.seen.get(claim.attempt) in HELD
        try:
            match act:
                case "start":
                    jobs.start(self.agent, claim, LEASE_S)
                case "finish":
                    jobs.finish(self.agent, claim, its_manifest(claim), Outcome())
                case "release":
                    jobs.release(self.agent, claim, "closed")
                case _:
                    jobs.fail(self.agent, claim, error, may_retry=act == "fail")
        except Conflict:
            return
        assert was_held

    @rule(claim=claims)
    def renew(self, claim: Claim) -> None:
        was_held = self.seen.get(claim.attempt) in HELD
        assert (self.store.jobs.renew(self.agent, claim, LEASE_S) == "keep") == was_held

    @rule(claim=claims)
    def cancel(self, claim: Claim) -> None:
        try:
            self.store.jobs.cancel(self.me, claim.job, "no longer wanted")
        except Conflict:
            assert self.seen[claim.job] in ("done", "failed", "cancelled")

    @rule(seconds=st.sampled_from([1, 5, 11, 30, 7200, -30, -7200]))
    def jump(self, seconds: int) -> None:
        self.seam.move(seconds)

    @rule()
    def reap(self) -> None:
        self.store.jobs.reap(self.agent)

    @invariant()
    def every_move_stands_in_its_table(self) -> None:
        for job in self.store.jobs.list(self.agent.project):
            self._see(job.id, job.state, JOB, "waiting")
            attempts = self.store.jobs.attempts(job.id)
            for attempt in attempts:
                self._see(attempt.id, attempt.state, ATTEMPT, "claimed")
            assert sum(a.state in HELD for a in attempts) == (job.state == "placed")
            assert sum(a.state == "succeeded" for a in attempts) == (job.state == "done")
            assert (job.asset is not None) == (job.state == "done")
            assert [a.token for a in attempts] == sorted({a.token for a in attempts})

    def _see(self, identifier: str, state: str, table: dict[str, dict[str, str]], first: str) -> None:
        before = self.seen.get(identifier, first)
        assert state == before or state in table[before].values()
        self.seen[identifier] = state

    def teardown(self) -> None:
        """Left to time and to an agent that always fails, every Job ends; and tokens have only grown."""
        for _ in range(30):
            self.seam.move(400)
            self.store.jobs.reap(self.agent)
            if (claim := self.store.jobs.claim(self.agent, "local", "owner", LEASE_S)) is not None:
                self.tokens.append(claim.token)
        assert all(j.state in ("done", "failed", "cancelled") for j in self.store.jobs.list(self.agent.project))
        assert self.tokens == sorted(set(self.tokens))


def test_whatever_agents_and_clocks_do_each_job_ends_once(sqlite_store: Store, seam: FixedSeam) -> None:
    checks = settings(max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(lambda: JobMachine(sqlite_store, seam), settings=checks)
