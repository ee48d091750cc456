"""A run that is killed at any moment, and the same command again: the same Assets, and only the interrupted Attempt repeated."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.ring.tiny import STEPS, write_flow

from touyan.store import tables as t
from touyan.store.home import open_store

KILLS = 12
TEXT_STEPS = STEPS + "  tokenizer: {vocabulary: 300}\n  pack: {}\n  ngram: {}\n"


def start(home: Path, flow: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "TOUYAN_HOME": str(home)}
    command = [sys.executable, "-m", "touyan.cli.main", "run", str(flow), "--json"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)


def finish(process: subprocess.Popen[bytes]) -> dict[str, str]:
    out, error = process.communicate(timeout=300)
    assert process.returncode == 0, error.decode()[-2000:] + out.decode()[-1000:]
    return json.loads(out)["assets"]


@pytest.mark.slow
def test_a_run_killed_at_random_moments_gives_the_same_assets_and_repeats_only_what_was_interrupted(tmp_path: Path) -> None:
    flow = write_flow(tmp_path, steps=TEXT_STEPS, decisions="")
    began = time.monotonic()
    undisturbed = finish(start(tmp_path / "calm", flow))
    whole_s = time.monotonic() - began
    draw, kills = random.Random(11), 0
    for _ in range(KILLS):
        process = start(tmp_path / "killed", flow)
        try:
            process.wait(timeout=draw.uniform(0.05, 0.9) * whole_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            kills += 1
        process.communicate()
    assert finish(start(tmp_path / "killed", flow)) == undisturbed
    assert kills > 0
    _check_store(tmp_path / "killed", kills)


def _check_store(home: Path, kills: int) -> None:
    """One result a step, one success a job, no more interrupted attempts than kills, and a log without gaps."""
    store = open_store(home)
    with store.database.read() as connection:
        attempts = connection.execute(t.attempt.select()).mappings().all()
        jobs = connection.execute(t.job.select()).mappings().all()
        published = connection.execute(t.asset.select()).mappings().all()
    succeeded = [a["job"] for a in attempts if a["state"] == "succeeded"]
    assert sorted(succeeded) == sorted(j["id"] for j in jobs)
    assert {j["state"] for j in jobs} == {"done"}
    assert len([a for a in attempts if a["state"] != "succeeded"]) <= kills
    assert len({a["id"] for a in published}) == len(published)
    size = store.events.sequence()
    assert len(store.events.find("default", last=size)) == size
    store.close()


def test_nothing_of_a_killed_run_stays_alive(tmp_path: Path) -> None:
    flow = write_flow(tmp_path, steps=TEXT_STEPS, decisions="")
    home = tmp_path / "home"
    process = start(home, flow)
    until = time.monotonic() + 60
    while not list(home.glob("jobs/*/*/spec.json")) and time.monotonic() < until:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    while _alive(home) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _alive(home)


def _alive(home: Path) -> list[str]:
    """Command lines that name a job folder of this home."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(home / "jobs") in line:
            found.append(line)
    return found
