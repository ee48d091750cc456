"""Fixtures for Attempts that really run: a store on the system's clock, the sample steps, and one call that runs a Job."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from touyan.compute.folder import AttemptFolder
from touyan.compute.local import LocalSite
from touyan.core.job import JobSpec, NamedInput, Need
from touyan.core.seam import SystemSeam
from touyan.flow.params import to_canonical
from touyan.store.home import Store
from touyan.store.job_records import Job

sys.path.insert(0, str(Path(__file__).parent))
import sample_steps

PATIENCE_S = 60.0


@pytest.fixture
def live_store(make_store: Callable[..., Store], monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store on the system's clock, whose agent knows the sample steps."""
    monkeypatch.setenv("TOUYAN_STEPS", sample_steps.TOUYAN_STEPS)
    return make_store(seam=SystemSeam())


@pytest.fixture
def spec_of() -> Callable[..., JobSpec]:
    """`spec_of(store, "write", need=Need(), inputs=(asset,), text="x")` is the spec of a sample step."""

    def make(store: Store, step: str, need: Need | None = None, inputs: tuple[str, ...] = (), **params: object) -> JobSpec:
        chosen, me = sample_steps.STEPS[step], store.me()
        given = tuple(NamedInput("given", asset, f"source/{n}") for n, asset in enumerate(inputs))
        canonical = to_canonical(sample_steps.Params(**params))  # type: ignore[arg-type]
        return JobSpec("default", step, step, "1", canonical, given, "report", chosen.purpose, "python", need or Need(), me.party)

    return make


@pytest.fixture
def await_job() -> Callable[[Store, LocalSite, str], Job]:
    """Waits until a Job has ended."""

    def wait(store: Store, site: LocalSite, job: str) -> Job:
        site.wake()
        while (found := store.jobs.get(job)).state in ("waiting", "placed"):
            site.wait(PATIENCE_S)
        return found

    return wait


@pytest.fixture
def run_job(spec_of: Callable[..., JobSpec], await_job: Callable[[Store, LocalSite, str], Job]) -> Callable[..., Job]:
    """`run_job(store, "write", tries_limit=1, text="x")` runs a sample step on a local site of its own."""

    def run(store: Store, step: str, tries_limit: int = 1, **given: object) -> Job:
        job = store.jobs.submit(store.me(), spec_of(store, step, **given), tries_limit)
        with LocalSite(store, threads=1) as site:
            return await_job(store, site, job)

    return run


@pytest.fixture
def folder_of() -> Callable[..., AttemptFolder]:
    """The folder of the newest Attempt of a Job, or of the one with that number."""

    def find(store: Store, job: str, number: int = 0) -> AttemptFolder:
        attempts = store.jobs.attempts(job)
        return AttemptFolder(store.home / "jobs" / job / attempts[number - 1].id)

    return find


@pytest.fixture
def read_out(tmp_path: Path) -> Callable[..., str]:
    """The text of one file of a Job's Asset, as the gate hands it out."""

    def read(store: Store, job: Job, name: str = "out.txt") -> str:
        assert job.asset is not None, job.error
        target = tmp_path / "opened" / job.id
        return (store.gate.open(job.asset, store.me(), "inspect").copy_to(target) / name).read_text()

    return read
