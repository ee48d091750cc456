"""A site that works in no time: every Job gives one file with its step key, so that other keys give other Assets."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from touyan.core.asset import InputRef, build
from touyan.core.errors import TouyanError
from touyan.core.job import JobSpec, read_spec
from touyan.data.sources import gather
from touyan.flow.file import Flow, purposes_needed
from touyan.flow.record import RunRecord, StepRecord
from touyan.flow.run import Runner
from touyan.store.home import Store
from touyan.store.job_records import Outcome

LEASE_S = 15.0


@dataclass
class QuickSite:
    """Carries out what is submitted as soon as it is woken."""

    store: Store
    folder: Path
    fails: Callable[[JobSpec], TouyanError | None] = lambda spec: None
    worked: list[str] = field(default_factory=list)
    """Names of the steps that were carried out, in order."""
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def wake(self) -> None:
        agent = self.store.agent()
        while (claim := self.store.jobs.claim(agent, "local", "test", LEASE_S)) is not None:
            spec = read_spec(claim.envelope.payload)
            self.store.jobs.start(agent, claim, LEASE_S)
            if (error := self.fails(spec)) is not None:
                self.store.jobs.fail(agent, claim, error, may_retry=False)
                continue
            place = self.folder / f"out-{next(self.numbers)}"
            place.mkdir(parents=True)
            (place / "key").write_text(spec.key)
            inputs = [InputRef(i.role, i.asset) for i in spec.inputs]
            manifest = build(spec.output, self.store.assets.store_folder(place), inputs, spec.key)
            self.store.jobs.finish(agent, claim, manifest, Outcome({"things": 1}, {"speed": "2.5"}, {"python": "3"}, ""))
            self.worked.append(spec.name)

    def wait(self, timeout_s: float) -> bool:
        return True


@dataclass
class Told:
    """Remembers what a run said."""

    steps: list[tuple[str, str]] = field(default_factory=list)

    def step(self, record: StepRecord) -> None:
        self.steps.append((record.name, record.state))

    def progress(self, name: str, progress: Mapping[str, object]) -> None: ...


def run_flow(store: Store, flow: Flow, site: QuickSite, until: str = "", told: Told | None = None) -> RunRecord:
    """One run of a flow's steps, as the ring does it."""
    gathered = gather(store, store.me(), flow.file.sources, flow.folder, purposes_needed(flow))
    record = RunRecord(store, store.me(), flow, [g.to_json() for g in gathered])
    Runner(store, record, {g.name: (g.asset, g.provider) for g in gathered if g.is_cleared}, told).run(site, until)
    record.end("done")
    return record


def reasons(record: RunRecord) -> dict[str, str]:
    """Reason by step, of the steps that were no hit."""
    return {s.name: s.reason for s in record.steps.values() if s.state not in ("hit", "skipped")}
