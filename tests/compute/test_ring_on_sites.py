"""The ring on a network: the refinery on a Ray site, training on a Slurm site, an agent killed on the way; the flow is unchanged."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from touyan.store.home import Store

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "site"), str(HERE.parent / "docs")]
from network import Network, until  # noqa: E402
from newcomer import SMALL, write_documents  # noqa: E402
from ray_site import ACCELERATORS, ray_site  # noqa: E402
from slurm_site import ACCOUNTS, open_site, what_is_missing  # noqa: E402

from touyan.cli.init import FLOW  # noqa: E402

NO_RAY = find_spec("ray") is None or find_spec("ray.dashboard") is None or find_spec("aiohttp") is None
PYTHON = "/usr/bin/python3"
"""Payloads at the Slurm site run as a user of their own, to whom the interpreter of the tests may be closed."""


def can_train_as_another_user() -> bool:
    """Whether that interpreter loads what training needs, for a user who is not root."""
    environment, user = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}, next(iter(ACCOUNTS.values()))
    command = [PYTHON, "-c", "import torch, touyan"]
    try:
        return subprocess.run(command, env=environment, cwd="/", user=user, group=user, extra_groups=[]).returncode == 0
    except (FileNotFoundError, PermissionError):
        return False


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(what_is_missing()), reason=what_is_missing() or "-"),
    pytest.mark.skipif(NO_RAY, reason="needs a Ray with its dashboard: pip install 'ray[default]'"),
]


@pytest.fixture
def root() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="rs", dir="/tmp"))  # Ray's sockets need short names
    folder.chmod(0o755)
    (folder / "ray").mkdir()
    yield folder
    shutil.rmtree(folder)


def small_flow(folder: Path) -> None:
    text = FLOW
    for large, small in SMALL.items():
        text = text.replace(large, small)
    (folder / "flow.yaml").write_text(text)
    write_documents(folder / "documents")


def test_the_ring_runs_on_two_sites_and_an_agent_is_killed_on_the_way(live_store: Store, root: Path) -> None:
    if not can_train_as_another_user():
        pytest.skip("other users cannot read this Touyan and its torch")
    small_flow(root)
    me = live_store.me().party
    with ray_site(root / "ray") as address, open_site("site-a") as slurm, Network(live_store, root) as network:
        account, user = next(iter(ACCOUNTS.items()))
        settings = {
            "conf": str(slurm.conf), "partition": "main", "longest_min": 1440, "gres": {"a800-80g": "gpu:a800"},
            "accounts": {user: {"account": account}},
        }  # fmt: skip
        hpc = network.site("hpc", {me: user}, kinds=["ai"], python=PYTHON, driver=settings, pools=pools("a800-80g"), slots=2)
        big = network.site(
            "big", {me: "ann"}, kinds=["general"], driver={"clusters": {"ann": address}, "resources": ACCELERATORS}, slots=2
        )
        agent = network.join(hpc, driver="slurm")
        network.join(big, driver="ray")
        until(lambda: {s.name for s in live_store.sites.list() if s.state == "open"} == {"hpc", "big"}, "both sites")
        run = network.start("run", "flow.yaml", "--json", out=subprocess.PIPE)
        until(lambda: running(live_store, "train") or run.poll() is not None, "training at the Slurm site")
        agent.send_signal(signal.SIGKILL)
        agent.wait()
        network.join(hpc, driver="slurm")
        said, _ = run.communicate(timeout=600)
        assert run.returncode == 0, said + (root / "log.txt").read_text()[-4000:]
        done = network.start("why", running(live_store, "train", "done"), out=subprocess.PIPE)
        why, _ = done.communicate(timeout=60)
    sites = {j.name: live_store.jobs.attempts(j.id)[-1].site for j in live_store.jobs.list("default")}
    assert (sites["refine"], sites["train"]) == ("big", "hpc")
    assert "hpc" in why
    assert "big" in why
    assert json.loads(said)["review"]


def pools(model: str) -> list[dict[str, object]]:
    node = {"name": "a", "nodes": 1, "cpus": 16, "memory_bytes": 16 << 30, "model": model, "devices": 4}
    return [{"name": "main", "classes": [node]}]


def running(store: Store, name: str, state: str = "running") -> str:
    """The id of the Job `name` once its newest Attempt runs, or the Job has ended; empty before."""
    for job in store.jobs.list("default"):
        attempts = store.jobs.attempts(job.id)
        if job.name == name and attempts and (job.state == state or attempts[-1].state == state):
            return job.id
    return ""
