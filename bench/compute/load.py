"""Load: `python bench/compute/load.py [--minutes=2] [--agents=200] [--jobs=50000] [--database=URL] [--profile=FILE]`.

A hub under uvicorn in a process of its own, as `touyan up` serves it; agents speak the protocol to it over HTTP, each at the pace it
is told. Payloads are empty: one ends a drawn time after it was started, with a result the hub has the bytes of. Jobs come at
`--jobs` an hour. Measured: CPU of the hub's process by Job, all calls and its own upkeep included; the rate at which Jobs end;
the time of a `sync`; the database.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import httpx

from touyan.core.asset import FileRef, build
from touyan.core.canonical import parse
from touyan.core.dsse import read_envelope
from touyan.core.job import JobSpec, Need, read_spec
from touyan.store.home import Store, open_store

SPEAKERS = 8
"""Threads that lend their voice to the agents."""
SLOTS = 8
WARM_S = 10.0
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
CAPACITY = {"pools": [{"name": "main", "classes": [{"name": "n", "nodes": 2, "cpus": 64, "memory_bytes": 1 << 38}]}]}
HUB = """
import cProfile, sys, threading, time
from touyan.compute.hub import app, serve, upkeep
from touyan.store.home import open_store

def profiled(call):
    def run(*given):
        profile = profiles.setdefault(threading.get_ident(), cProfile.Profile(time.thread_time))
        return profile.runcall(call, *given)
    return run

profiles = {}
if sys.argv[1]:
    inner = app.run_in_threadpool
    app.run_in_threadpool = lambda call, *given: inner(profiled(call), *given)
    upkeep.turn = profiled(upkeep.turn)
serve.serve(open_store(), serve.Address(port=0), lambda url: print(url, flush=True))
for number, profile in enumerate(profiles.values()):
    profile.dump_stats(f"{sys.argv[1]}.{number}")
"""


class Agent:
    """One site's agent, as it is heard at the hub."""

    def __init__(self, name: str, secret: str, dice: Random) -> None:
        self.name, self.dice = name, dice
        self.headers = {"authorization": f"Bearer {secret}"}
        self.boot = dice.randbytes(8).hex()
        self.due_s = 0.0
        self.held: dict[str, tuple[int, float, dict[str, Any]]] = {}
        """Token, when its payload ends, and what it made, by Attempt."""
        self.ended: dict[str, tuple[int, dict[str, Any]]] = {}
        self.wiped: list[dict[str, Any]] = []
        self.has_spoken = False

    def body(self, now_s: float) -> dict[str, Any]:
        over = [a for a, (_, ends_s, _) in self.held.items() if ends_s <= now_s]
        for attempt in over:
            token, _, result = self.held.pop(attempt)
            self.ended[attempt] = (token, result)
        return {
            "sync": 1, "boot": self.boot, "want": SLOTS - len(self.held), "pace_s": 5, "capacity": None if self.has_spoken else CAPACITY,
            "held": [{"attempt": a, "token": t, "state": "running", "progress": None} for a, (t, _, _) in self.held.items()],
            "ended": [{"attempt": a, "token": t, "result": r} for a, (t, r) in self.ended.items()],
            "usage": [{"attempt": a, "token": t, "elapsed_s": 1, "devices": 1, "model": "cpu-core", "energy_wh": None}
                      for a, (t, _) in self.ended.items()],
            "wiped": self.wiped,
        }  # fmt: skip

    def heed(self, answer: Mapping[str, Any], now_s: float) -> int:
        """Takes an answer in; how many Jobs were done by it."""
        self.has_spoken = True
        done = 0
        self.wiped = []
        for verdict in answer["ended"]:
            assert verdict.get("accepted"), verdict
            del self.ended[verdict["attempt"]]
            self.wiped.append({"attempt": verdict["attempt"], "files": 1, "bytes": 0, "sha256": EMPTY})
            done += 1
        assert all(w["word"] == "keep" for w in answer["words"]), answer["words"]
        for claim in answer["claims"]:
            spec = read_spec(read_envelope(claim["spec"]).payload)
            manifest = build(spec.output, [FileRef("out.txt", EMPTY, 0)], [], spec.key)
            result = {
                "manifest": parse(json.dumps(manifest.to_json()).encode()),
                "counts": {"n": 1},
                "telemetry": {},
                "environment": {},
            }
            self.held[claim["attempt"]] = (claim["token"], now_s + self.dice.uniform(0, 40), result)
        self.due_s = now_s + answer["pace_s"] * self.dice.uniform(0.9, 1.1)
        return done


class Load:
    """Speakers, agents and what was measured."""

    def __init__(self, url: str, agents: list[Agent]) -> None:
        self.url, self.agents = url, agents
        self.times_s: list[float] = []
        self.done = self.failed = 0
        self.end = threading.Event()
        self.troubles: list[str] = []
        self._lock = threading.Lock()

    def speak(self, number: int) -> None:
        mine = self.agents[number::SPEAKERS]
        with httpx.Client(base_url=self.url, timeout=60) as client:
            while not self.end.is_set():
                agent = min(mine, key=lambda a: a.due_s)
                if (wait_s := agent.due_s - time.monotonic()) > 0:
                    self.end.wait(min(wait_s, 0.5))
                    continue
                self._round(client, agent)

    def _round(self, client: httpx.Client, agent: Agent) -> None:
        began_s = time.monotonic()
        answer = client.post("/v1/sync", json=agent.body(began_s), headers=agent.headers)
        took_s = time.monotonic() - began_s
        if answer.status_code != 200:
            with self._lock:
                self.troubles.append(answer.text[:200])
            agent.due_s = time.monotonic() + 1
            return
        done = agent.heed(answer.json(), time.monotonic())
        with self._lock:
            self.times_s.append(took_s)
            self.done += done


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) >> 10 for line in lines if line.startswith("VmHWM"))


def prepare(store: Store, agents: int) -> list[Agent]:
    """Joined sites, and an object every result consists of."""
    store.placements.set_local(False)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "out.txt").write_bytes(b"")
        store.assets.add_folder(store.me(), "source", Path(folder), "acme/empty", provider="acme/empty")
    found = []
    for number in range(agents):
        token = store.sites.invite(store.me(), f"site{number:03d}", store.me().party, trust="general")
        _, secret = store.sites.join(token, "local", CAPACITY)
        found.append(Agent(f"site{number:03d}", secret, Random(number)))
    return found


def submit(store: Store, number: int) -> None:
    me = store.me()
    spec = JobSpec(me.project, f"read/{number}", "read", "1", {"n": number}, (), "report", "train", "python",
                   Need(cpus=1, memory_bytes=1 << 30, limit_s=600), me.party)  # fmt: skip
    store.jobs.submit(me, spec)


def feed(store: Store, an_hour: float) -> None:
    """Jobs at an even rate until this process is ended: flows that submit are not the hub either."""
    began_s, number = time.monotonic(), 0
    while True:
        while number < (time.monotonic() - began_s) * an_hour / 3600:
            submit(store, number)
            number += 1
        time.sleep(0.25)


def measure(store: Store, pid: int, load: Load, minutes: float) -> None:
    """Prints what the hub did in so many minutes, once it is warm."""
    time.sleep(WARM_S + 20)
    load.times_s.clear()
    began_s, began_cpu_s, began = time.monotonic(), cpu_s(pid), load.done
    jobs = {state: n for state, n in store.placements.states().items()}
    time.sleep(minutes * 60)
    took_s, used_s, done, times = time.monotonic() - began_s, cpu_s(pid) - began_cpu_s, load.done - began, sorted(load.times_s)
    after = store.placements.states()
    print(
        f"{done:,} Jobs ended in {took_s:.0f} s: {done * 3600 / took_s:,.0f} an hour; waiting {jobs.get('waiting', 0)} before, "
        f"{after.get('waiting', 0)} after; {after.get('failed', 0)} failed; {len(load.troubles)} calls refused {load.troubles[:1]}"
    )
    print(
        f"hub: {1000 * used_s / max(1, done):.2f} ms CPU a Job, {100 * used_s / took_s:.0f} % of a core, {peak_mb(pid)} MB; "
        f"{len(times)} calls, {1000 * used_s / max(1, len(times)):.2f} ms each"
    )
    if times:
        print(
            f"sync: p50 {1000 * statistics.median(times):.0f} ms, p99 {1000 * times[len(times) * 99 // 100]:.0f} ms, "
            f"longest {1000 * times[-1]:.0f} ms (waiting for a core included)"
        )
    if store.database.is_sqlite:
        size = sum(p.stat().st_size for p in store.home.glob("touyan.db*"))
        total = sum(after.values())
        print(f"database: {size / 2**20:.1f} MB, {size / max(1, total):,.0f} bytes a Job")


def main(arguments: list[str]) -> int:
    given = dict(each.lstrip("-").split("=", 1) for each in arguments if "=" in each)
    minutes, agents, an_hour = float(given.get("minutes", 2)), int(given.get("agents", 200)), float(given.get("jobs", 50_000))
    if "feed" in given:
        feed(open_store(), float(given["feed"]))
    with tempfile.TemporaryDirectory(dir=given.get("root")) as root:
        os.environ["TOUYAN_HOME"] = root
        if "database" in given:
            os.environ["TOUYAN_DATABASE"] = given["database"]
        store = open_store(Path(root), create=True, organisation="acme", person="ann")
        voices = prepare(store, agents)
        hub = subprocess.Popen([sys.executable, "-c", HUB, given.get("profile", "")],
                               stdout=subprocess.PIPE, text=True)  # fmt: skip
        try:
            assert hub.stdout is not None
            load = Load(hub.stdout.readline().strip(), voices)
            threads = [threading.Thread(target=load.speak, args=(n,)) for n in range(SPEAKERS)]
            feeder = subprocess.Popen([sys.executable, __file__, f"--feed={an_hour}"])
            for thread in threads:
                thread.start()
            print(
                f"{agents} agents, {an_hour:,.0f} Jobs an hour, {store.database.url.partition(':')[0]}, load {os.getloadavg()[0]:.1f}"
            )
            measure(store, hub.pid, load, minutes)
            load.end.set()
            for thread in threads:
                thread.join()
            feeder.terminate()
            feeder.wait()
        finally:
            hub.send_signal(signal.SIGINT)
            hub.wait()
            store.close()
    return int(bool(load.troubles))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
