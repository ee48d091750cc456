"""What a hub costs: `python bench/compute/hub.py [--agents=200] [--jobs-h=50000] [--seconds=120]`.

A real `touyan up` on SQLite; agents that speak to it over HTTP as the protocol has it, at the pace it asks for, and end each Job two
rounds after they got it, with one file of 1 KiB to fetch and one to send. Counted: the CPU time of the hub's process, with
placement, evidence log and ledger, over the Jobs that were done. The last line is what one query costs here, to compare machines.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from touyan.core.asset import FileRef, InputRef, build
from touyan.core.canonical import sha256_hex
from touyan.core.dsse import read_envelope
from touyan.core.job import JobSpec, NamedInput, Need, read_spec
from touyan.core.rights import PURPOSES, Rights
from touyan.store import tables as t
from touyan.store.home import Store, open_store

OPEN = Rights(authority="public-domain-official", article="Copyright Law of the PRC, art. 5(1)", personal="none", personal_state="none",
              security="public", purposes=PURPOSES, evidence=("https://flk.npc.gov.cn",))  # fmt: skip
CAPACITY = {"pools": [{"name": "main", "classes": [{"name": "node", "nodes": 4, "cpus": 64, "memory_bytes": 256 << 30}]}]}
INPUT = b"w" * 1024
SLOTS = 4


async def agent(client: httpx.AsyncClient, secret: str, number: int, until_s: float, done: list[str]) -> None:
    """One site: what it got it says to run, what it said to run it ends."""
    auth, got, running, ended = {"authorization": f"Bearer {secret}"}, [], [], []  # type: ignore[var-annotated]
    await asyncio.sleep(number % 97 / 10)
    while time.monotonic() < until_s:
        said = {
            "sync": 1, "boot": f"{number:016x}", "want": max(0, SLOTS - len(got) - len(running) - len(ended)), "pace_s": 5,
            "held": [{"attempt": c["attempt"], "token": c["token"], "state": "running"} for c in got],
            "ended": [result(c) for c in ended],
        }  # fmt: skip
        answer = (await client.post("/v1/sync", json=said, headers=auth)).raise_for_status().json()
        is_sending = await send(client, auth, ended, answer["ended"], done)
        running, got = got, []
        for claim in answer["claims"]:
            headers = auth | {"touyan-capability": claim["capability"]}
            (await client.get(f"/v1/objects/{sha256_hex(INPUT)}", headers=headers)).raise_for_status()
            got.append(claim)
        if not is_sending:
            await asyncio.sleep(answer["pace_s"])
        ended += running
        running = []


async def send(client: httpx.AsyncClient, auth: dict[str, str], ended: list[Any], answers: list[Any], done: list[str]) -> bool:
    """Sends what the hub lacks; whether there was anything."""
    by_id, is_sending = {c["attempt"]: c for c in ended}, False
    for one in answers:
        for file in one.get("missing", ()):
            data, is_sending = made(by_id[one["attempt"]]), True
            headers = auth | {"touyan-capability": one["capability"], "content-range": f"bytes 0-{len(data) - 1}/{len(data)}"}
            (await client.put(f"/v1/objects/{file['sha256']}", content=data, headers=headers)).raise_for_status()
        if one.get("accepted"):
            ended.remove(by_id[one["attempt"]])
            done.append(one["attempt"])
    return is_sending


def made(claim: Any) -> bytes:
    return str(claim["attempt"]).encode().ljust(1024)


def result(claim: Any) -> dict[str, Any]:
    spec = read_spec(read_envelope(claim["spec"]).payload)
    refs = [FileRef("out.txt", sha256_hex(made(claim)), 1024)]
    manifest = build(spec.output, refs, [InputRef(i.role, i.asset) for i in spec.inputs], spec.key)
    return {"attempt": claim["attempt"], "token": claim["token"], "result": {"manifest": manifest.to_json(), "counts": {"n": 1}}}


def submit(store: Store, source: str, count: int) -> None:
    me = store.me()
    for n in range(count):
        given = (NamedInput("given", source, "source"),)
        spec = JobSpec(me.project, f"step/{n}", "step", "1", {"n": n}, given, "report", "train", "python", Need(cpus=4), me.party)
        store.jobs.submit(me, spec)


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def run(url: str, secrets: list[str], pid: int, seconds: float) -> tuple[int, float]:
    done: list[str] = []
    before = cpu_s(pid)
    until_s = time.monotonic() + seconds
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        await asyncio.gather(*(agent(client, secret, n, until_s, done) for n, secret in enumerate(secrets)))
    return len(done), cpu_s(pid) - before


def main(agents: int = 200, jobs_h: int = 50_000, seconds: float = 120) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        store = open_store(home, create=True)
        (Path(folder) / "source").mkdir()
        (Path(folder) / "source" / "a.txt").write_bytes(INPUT)
        source = store.assets.add_folder(store.me(), "source", Path(folder) / "source", "acme/notes", provider="acme/notes")
        with store.database.write() as connection:
            store.statements.make(connection, store.me(), source, "rights", {"rights": OPEN.to_json()})
        secrets = []
        for n in range(agents):
            token = store.sites.invite(store.me(), f"site{n}", store.me().party)
            secrets.append(store.sites.join(token, "local", CAPACITY)[1])
        submit(store, source, round(jobs_h / 3600 * seconds))
        store.events.sequence()
        command = [sys.executable, "-m", "touyan.cli.main", "up", "--port", "0", "--no-local", "--json", "--home", str(home)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as hub:
            assert hub.stdout is not None
            text = ""
            while not text.rstrip().endswith("}"):
                text += hub.stdout.readline()
            count, spent_s = asyncio.run(run(json.loads(text)["hub"], secrets, hub.pid, seconds))
            hub.terminate()
        print(f"{agents} agents, {count} jobs in {seconds:g} s ({count / seconds * 3600:.0f} an hour), hub CPU {spent_s:.1f} s: "
              f"{spent_s / max(1, count) * 1000:.1f} ms a job, {spent_s / seconds:.0%} of a core")  # fmt: skip
        print(f"one query by SQLAlchemy here: {query_us(store):.0f} us")
        store.close()


def query_us(store: Store) -> float:
    began = time.process_time()
    with store.database.read() as connection:
        for _ in range(1000):
            connection.execute(select(t.site).where(t.site.c.name == "x")).first()
    return (time.process_time() - began) * 1000


if __name__ == "__main__":
    given = dict(a.removeprefix("--").split("=") for a in sys.argv[1:])
    main(int(given.get("agents", 200)), int(given.get("jobs-h", 50_000)), float(given.get("seconds", 120)))
