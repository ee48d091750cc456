"""What survives when processes are killed: nothing is lost, nothing is done twice, nothing is left running."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from touyan.compute.agent import Agent, Capacity
from touyan.compute.drivers.local import LocalDriver
from touyan.compute.environment import ATTEMPT
from touyan.compute.folder import AttemptFolder, read_json, write_mark
from touyan.compute.local import LocalSite
from touyan.compute.processes import send, with_environment
from touyan.core.errors import Broken, Conflict
from touyan.core.job import JobSpec
from touyan.store.home import Store
from touyan.store.job_records import Attempt, Job

SpecOf = Callable[..., JobSpec]
AwaitJob = Callable[[Store, LocalSite, str], Job]
FolderOf = Callable[..., AttemptFolder]
AGENT = Path(__file__).parent / "agent_process.py"
PATIENCE_S = 60.0


class AgentProcess:
    """An agent that may be killed."""

    def __init__(self, home: Path) -> None:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self.process = subprocess.Popen([sys.executable, str(AGENT), str(home)], env=environment, start_new_session=True)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def agent_process(live_store: Store) -> Iterator[Callable[[], AgentProcess]]:
    """Starts agents on the store; none outlives the test."""
    started: list[AgentProcess] = []

    def start() -> AgentProcess:
        started.append(AgentProcess(live_store.home))
        return started[-1]

    yield start
    for agent in started:
        agent.kill()


def until(condition: Callable[[], object]) -> None:
    """Waits for a condition."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def newest(store: Store, job: str) -> Attempt | None:
    attempts = store.jobs.attempts(job)
    return attempts[-1] if attempts else None


def runs(store: Store, job: str, words: str = "") -> bool:
    """Whether the newest Attempt runs, and has said `words` where they are given."""
    attempt = newest(store, job)
    if attempt is None or attempt.state != "running":
        return False
    log = store.home / "jobs" / job / attempt.id / "log.txt"
    return not words or (log.exists() and words in log.read_text())


def left_running(attempt: str) -> list[int]:
    return with_environment(f"{ATTEMPT}={attempt}")


def wrappers(attempt: str) -> list[int]:
    """The processes of an Attempt whose parent is none of them."""
    ours = left_running(attempt)
    return [p for p in ours if int(Path(f"/proc/{p}/stat").read_text().rpartition(")")[2].split()[1]) not in ours]


def test_when_the_agent_is_killed_its_payload_goes_with_it_and_the_job_goes_on(
    live_store: Store, spec_of: SpecOf, await_job: AwaitJob, agent_process: Callable[[], AgentProcess], folder_of: FolderOf,
    read_out: Callable[..., str],
) -> None:  # fmt: skip
    job = live_store.jobs.submit(live_store.me(), spec_of(live_store, "count_up", n=6, rate=0.05), tries_limit=1)
    agent = agent_process()
    until(lambda: runs(live_store, job) and (live_store.home / f"jobs/{job}/{job}-1/checkpoints/2.done").exists())
    agent.kill()
    until(lambda: not left_running(f"{job}-1"))
    with LocalSite(live_store, threads=1) as site:
        ended = await_job(live_store, site, job)
    assert read_out(live_store, ended, "number") == "6"
    assert [a.state for a in live_store.jobs.attempts(job)] == ["lost", "succeeded"]
    assert "from 0" not in folder_of(live_store, job).log.read_text()
    assert not folder_of(live_store, job, 1).checkpoints.exists()
    [checkpoint] = live_store.assets.list("default", "checkpoint")
    with live_store.database.read() as connection:
        result = live_store.assets.get(connection, "default", str(live_store.jobs.get(job).asset))
    assert (checkpoint.manifest.inputs, checkpoint.manifest.step_key) == (result.manifest.inputs, result.manifest.step_key)


def test_finished_shards_are_not_made_again(
    live_store: Store, spec_of: SpecOf, await_job: AwaitJob, agent_process: Callable[[], AgentProcess], folder_of: FolderOf
) -> None:
    job = live_store.jobs.submit(live_store.me(), spec_of(live_store, "shards", n=6, rate=0.05))
    agent = agent_process()
    until(lambda: runs(live_store, job, "wrote part-00002"))
    agent.kill()
    until(lambda: not left_running(f"{job}-1"))
    with LocalSite(live_store, threads=1) as site:
        ended = await_job(live_store, site, job)
    again = folder_of(live_store, job).log.read_text()
    assert ended.state == "done"
    assert "wrote part-00001" not in again
    assert "wrote part-00005" in again
    with live_store.database.read() as connection:
        files = live_store.assets.get(connection, "default", str(ended.asset)).manifest.files
    assert [f.path for f in files] == [f"part-{n:05d}.txt" for n in range(6)]


def test_a_shard_whose_bytes_have_changed_is_made_again(
    live_store: Store, spec_of: SpecOf, await_job: AwaitJob, read_out: Callable[..., str]
) -> None:
    job = live_store.jobs.submit(live_store.me(), spec_of(live_store, "shards", n=2, rate=0.0))
    earlier = AttemptFolder(live_store.home / "jobs" / job / f"{job}-0")
    earlier.create()
    for number, text in ((0, "hello 0"), (1, "hello 1")):
        shard = earlier.out / f"part-{number:05d}.txt"
        shard.write_text(text)
        write_mark(earlier.out / f"part-{number:05d}.done", earlier.out, [shard])
    (earlier.out / "part-00001.txt").write_text("hellO 1")
    with LocalSite(live_store, threads=1) as site:
        ended = await_job(live_store, site, job)
    assert read_out(live_store, ended, "part-00001.txt") == "hello 1"
    log = AttemptFolder(live_store.home / "jobs" / job / f"{job}-1").log.read_text()
    assert log.split("\n")[:-1] == ["wrote part-00001"]


def test_when_the_wrapper_is_killed_nothing_of_the_payload_stays_and_the_job_goes_on(
    live_store: Store, spec_of: SpecOf, await_job: AwaitJob
) -> None:
    job = live_store.jobs.submit(live_store.me(), spec_of(live_store, "breed", text="stay"), tries_limit=1)
    with LocalSite(live_store, threads=1) as site:
        until(lambda: runs(live_store, job) and len(left_running(f"{job}-1")) == 5)
        os.kill(wrappers(f"{job}-1")[0], signal.SIGKILL)
        ended = await_job(live_store, site, job)
    assert isinstance(ended.error, Broken)
    assert ended.error.code == "vanished"
    assert left_running(f"{job}-1") == []


def test_everything_killed_at_once_leaves_nothing_running_after_recovery(
    live_store: Store, spec_of: SpecOf, agent_process: Callable[[], AgentProcess]
) -> None:
    job = live_store.jobs.submit(live_store.me(), spec_of(live_store, "breed", text="stay"))
    agent = agent_process()
    until(lambda: runs(live_store, job) and len(left_running(f"{job}-1")) == 5)
    os.kill(wrappers(f"{job}-1")[0], signal.SIGKILL)
    agent.kill()
    site = Agent(live_store, LocalDriver(), live_store.agent())
    site.recover()
    assert left_running(f"{job}-1") == []
    assert live_store.jobs.get(job).state == "waiting"


def test_a_stored_result_is_published_and_not_made_again(
    live_store: Store, spec_of: SpecOf, monkeypatch: pytest.MonkeyPatch, read_out: Callable[..., str]
) -> None:
    """The agent dies between `result.json` and the transaction."""
    job = live_store.jobs.submit(live_store.me(), spec_of(live_store, "write"))
    dead = Agent(live_store, LocalDriver(), live_store.agent())
    monkeypatch.setattr(dead, "_owner", "elsewhere/1/1")
    monkeypatch.setattr(dead, "_finish", lambda *_: None)
    claim = dead.claim()
    assert claim is not None
    dead.work(claim, Capacity(1))
    assert live_store.jobs.get(job).state == "placed"
    monkeypatch.setattr("touyan.compute.agent.is_dead", lambda owner: owner == "elsewhere/1/1")
    Agent(live_store, LocalDriver(), live_store.agent()).recover()
    ended = live_store.jobs.get(job)
    assert read_out(live_store, ended) == "hello\n0.5"
    assert [a.state for a in live_store.jobs.attempts(job)] == ["succeeded"]


def test_a_result_that_cannot_be_read_is_made_again(
    live_store: Store, spec_of: SpecOf, monkeypatch: pytest.MonkeyPatch, read_out: Callable[..., str]
) -> None:
    """A payload can write `result.json` itself, and end its agent."""
    job = live_store.jobs.submit(live_store.me(), spec_of(live_store, "write"))
    dead = Agent(live_store, LocalDriver(), live_store.agent())
    monkeypatch.setattr(dead, "_owner", "elsewhere/1/1")
    claim = dead.claim()
    assert claim is not None
    dead.folder(claim).create()
    dead.folder(claim).file("result").write_text(f'{{"token": {claim.token}, "manifest": 1}}')
    monkeypatch.setattr("touyan.compute.agent.is_dead", lambda owner: owner == "elsewhere/1/1")
    with LocalSite(live_store) as site:
        while live_store.jobs.get(job).state != "done":
            site.wait(5)
    assert read_out(live_store, live_store.jobs.get(job)) == "hello\n0.5"


def test_an_attempt_that_was_lost_meanwhile_publishes_nothing(
    live_store: Store, spec_of: SpecOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = live_store.jobs.submit(live_store.me(), spec_of(live_store, "write"))
    agent = Agent(live_store, LocalDriver(), live_store.agent())
    claim = agent.claim()
    assert claim is not None

    def lose(*_: object) -> None:
        live_store.jobs.release(live_store.agent(), claim, "taken away")
        raise Conflict("stale-token", "somebody else has it", "stop")

    monkeypatch.setattr(agent, "_finish", lose)
    agent.work(claim, Capacity(1))
    assert live_store.assets.list("default") == []
    assert live_store.jobs.get(job).state == "waiting"


@pytest.mark.slow
def test_a_payload_whose_agent_falls_silent_ends_itself(
    live_store: Store, spec_of: SpecOf, agent_process: Callable[[], AgentProcess], folder_of: FolderOf
) -> None:
    """The agent is stopped, not killed: no parent dies, only the heartbeat stops."""
    job = live_store.jobs.submit(live_store.me(), spec_of(live_store, "breed", text="stay"))
    agent = agent_process()
    until(lambda: runs(live_store, job) and len(left_running(f"{job}-1")) == 5)
    agent.process.send_signal(signal.SIGSTOP)
    until(lambda: not [p for p in left_running(f"{job}-1") if p not in wrappers(f"{job}-1")])
    assert read_json(folder_of(live_store, job).file("exit"))["cause"] == "fenced"


@pytest.mark.slow
def test_kills_at_random_moments_change_nothing_in_the_result(
    live_store: Store, spec_of: SpecOf, await_job: AwaitJob, agent_process: Callable[[], AgentProcess]
) -> None:
    chance, ids = random.Random(7), set()
    for turn in range(12):
        job = live_store.jobs.submit(live_store.me(), spec_of(live_store, "shards", n=5, rate=0.05), tries_limit=1)
        agent = agent_process()
        time.sleep(chance.uniform(0.3, 2.5))
        attempt = newest(live_store, job)
        for pid in left_running(attempt.id)[: turn % 2] if attempt else []:
            send(pid, signal.SIGKILL)
        agent.kill()
        live_store.jobs.submit(live_store.me(), spec_of(live_store, "shards", n=5, rate=0.05), tries_limit=1)
        with LocalSite(live_store, threads=1) as site:
            found = live_store.jobs.list("default", last=1)[0]
            ended = await_job(live_store, site, found.id)
        ids.add(ended.asset)
        attempts = live_store.jobs.attempts(found.id)
        assert [a.state for a in attempts].count("succeeded") == 1
        assert not any(left_running(a.id) for a in attempts)
    assert len(ids) == 1
