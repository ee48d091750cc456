"""`touyan up` and `touyan join` as real processes: a job of a flow runs on a joined site, also when its agent is killed on the way."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import sample_steps
from network import Network, until

from touyan.core.job import JobSpec
from touyan.store.home import Store

pytestmark = pytest.mark.slow

FLOW = """
touyan: 1
name: mine
sources:
  papers:
    path: documents/
    provider: my-organisation
    rights: {authority: own-production, personal: none, personal_state: none, security: general, purposes: [refine, train, evaluate]}
steps:
  refine: {recipe: office}
"""


def left_of_parties(home: Path) -> list[Path]:
    return [p for p in (home / "parties").rglob("*") if p.is_file()]


def test_a_flow_runs_on_the_site_that_joined(live_store: Store, tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "a.txt").write_text("The site lends its machines to the network. " * 20)
    (tmp_path / "flow.yaml").write_text(FLOW)
    with Network(live_store, tmp_path) as network:
        home = network.site("lab")
        network.join(home)
        run = network.start("run", "flow.yaml", "--json", out=subprocess.PIPE)
        said, _ = run.communicate(timeout=60)
        assert run.returncode == 0, said
        until(lambda: not left_of_parties(home) and not list((home / "wiped").iterdir()), "receipts")
    jobs = live_store.jobs.list("default")
    assert {j.name: j.state for j in jobs} == {"read/papers": "done", "refine": "done"}
    assert {a.site for j in jobs for a in live_store.jobs.attempts(j.id)} == {"lab"}
    assert (home / "secret.json").stat().st_mode & 0o777 == 0o600


def test_a_killed_agent_comes_back_and_its_job_goes_on_from_the_checkpoint(
    live_store: Store, tmp_path: Path, spec_of: Callable[..., JobSpec]
) -> None:
    with Network(live_store, tmp_path, sample_steps.TOUYAN_STEPS) as network:
        home = network.site("lab")
        agent = network.join(home)
        job = live_store.jobs.submit(live_store.me(), spec_of(live_store, "count_up", n=30, rate=0.4))
        until(lambda: any(a.progress.get("done", 0) for a in live_store.jobs.attempts(job)), "progress at the hub")  # type: ignore[operator]
        agent.send_signal(signal.SIGKILL)
        agent.wait()
        network.join(home)
        until(lambda: live_store.jobs.get(job).state == "done", "the end of the job")
        until(lambda: not left_of_parties(home), "wiping")
    first, second = live_store.jobs.attempts(job)
    assert (first.state, second.state) == ("lost", "succeeded")
    with live_store.database.read() as connection:
        asset = live_store.assets.get(connection, "default", str(live_store.jobs.get(job).asset))
    assert [f.path for f in asset.manifest.files] == ["number"]


def test_cron_does_a_round_and_ends(live_store: Store, tmp_path: Path, spec_of: Callable[..., JobSpec]) -> None:
    with Network(live_store, tmp_path, sample_steps.TOUYAN_STEPS) as network:
        home = network.site("lab")
        job = live_store.jobs.submit(live_store.me(), spec_of(live_store, "write", text="by cron"))
        for _ in range(20):
            once = network.join(home, "--once", "--json")
            assert once.wait(60) == 0
            if live_store.jobs.get(job).state == "done":
                break
        assert live_store.jobs.get(job).state == "done"


def test_a_second_agent_of_one_folder_is_told_so(live_store: Store, tmp_path: Path) -> None:
    with Network(live_store, tmp_path) as network:
        home = network.site("lab")
        network.join(home)
        until(lambda: (home / "secret.json").exists(), "joining")
        second = network.start("join", network.hub, "--home", str(home), "--json", out=subprocess.PIPE)
        said, _ = second.communicate(timeout=60)
    assert json.loads(said)["error"]["code"] == "agent-runs"
    assert second.returncode == 5
