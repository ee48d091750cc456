"""A joined site over a real Slurm."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sample_steps
from network import Network, until

import touyan
from touyan.core.job import Accelerator, JobSpec, Need
from touyan.store.home import Store

sys.path.insert(0, str(Path(__file__).parent.parent))
from slurm_site import ACCOUNTS, open_site, what_is_missing

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(what_is_missing()), reason=what_is_missing() or "-")]
ACCOUNT, USER = next(iter(ACCOUNTS.items()))
NODE = {"nodes": 1, "cpus": 16, "memory_bytes": 16 << 30}
POOLS = [{"name": "main", "classes": [{"name": "a", "model": "a800-80g", "devices": 4, **NODE}]}]


def test_a_job_runs_on_the_devices_that_slurm_gave_it_and_is_charged_to_its_partys_account(
    live_store: Store, tmp_path: Path, spec_of: Callable[..., JobSpec], read_out: Callable[..., str]
) -> None:
    python = "/usr/bin/python3"  # a payload needs the standard library only; the tests' own may lie in a home that is closed
    if not all(p.stat().st_mode & stat.S_IXOTH for p in (Path(python), *Path(touyan.__file__).resolve().parents)):
        pytest.skip("other users cannot read this Touyan")
    with open_site("site-a") as slurm, Network(live_store, slurm.root, sample_steps.TOUYAN_STEPS) as network:
        os.chmod(slurm.root, 0o755)
        settings = {
            "conf": str(slurm.conf), "partition": "main", "gres": {"a800-80g": "gpu:a800"}, "accounts": {USER: {"account": ACCOUNT}},
        }  # fmt: skip
        me = live_store.me().party
        home = network.site("hpc", {me: USER}, python=python, pools=POOLS, driver=settings, slots=2)
        network.join(home, driver="slurm")
        need = Need(cpus=1, memory_bytes=1 << 28, limit_s=600, accelerators=(Accelerator("a800-80g", 2),))
        job = live_store.jobs.submit(live_store.me(), spec_of(live_store, "show_environment", need=need))
        until(lambda: live_store.jobs.get(job).state in ("done", "failed"), "the end of the job")
        until(lambda: not [p for p in (home / "parties").rglob("*") if p.is_file()], "wiping")
        found = live_store.jobs.get(job)
        assert found.state == "done", found.error
        asked = ("sacct", "-n", "-P", "-X", "-S", "now-1days", "-o", "account,alloctres")
        until(lambda: slurm.run(*asked).startswith(f"{ACCOUNT}|"), "slurmdbd, which hears of a job a moment later")
    environment = read_out(live_store, found, "environment")
    assert "CUDA_VISIBLE_DEVICES=" in environment
    assert {a.site for a in live_store.jobs.attempts(job)} == {"hpc"}
