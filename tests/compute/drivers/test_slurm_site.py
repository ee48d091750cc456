"""The Slurm driver on a real Slurm: two nodes, accounting on, two accounts with a user of their own."""

from __future__ import annotations

import json
import os
import stat
import sys
import time
from collections.abc import Iterator
from grp import getgrgid
from pathlib import Path
from pwd import getpwnam

import pytest
from contract import DriverContract, World, left_of, log_of
from slurm_site import ACCOUNTS, SlurmSite, await_true, open_site, what_is_missing

import touyan
from touyan.compute.driver import Limits, Order
from touyan.compute.drivers.engine import Unreachable
from touyan.compute.drivers.held import prepare
from touyan.compute.drivers.settings import read_settings
from touyan.compute.drivers.slurm import SlurmEngine, Usage, open_driver
from touyan.compute.drivers.slurm_commands import SlurmCommands
from touyan.compute.drivers.slurm_script import ask_of
from touyan.compute.drivers.slurm_terms import SlurmTerms
from touyan.compute.folder import AttemptFolder, read_json
from touyan.compute.site.accounts import give
from touyan.core.errors import Refused
from touyan.core.job import Accelerator

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(what_is_missing()), reason=what_is_missing() or "-")]
GRES = {"a800-80g": "gpu:a800", "ascend-910b": "gpu:ascend910b"}


@pytest.fixture(scope="module")
def site() -> Iterator[SlurmSite]:
    """Up for all tests of this file; a full start takes about ten seconds."""
    with open_site("site-a") as up:
        yield up


def terms_of(site: SlurmSite, **given: object) -> dict[str, object]:
    return {"conf": str(site.conf), "gres": GRES, "partition": "main", **given}


class TestSlurmCommands(DriverContract):
    @pytest.fixture
    def world(self, site: SlurmSite, tmp_path: Path) -> World:
        return World(tmp_path, lambda: open_driver(terms_of(site)))


class TestSlurmRest(DriverContract):
    @pytest.fixture
    def world(self, site: SlurmSite, tmp_path: Path) -> World:
        return World(tmp_path, lambda: open_driver(terms_of(site, url=site.url)))


@pytest.fixture
def home(site: SlurmSite, request: pytest.FixtureRequest) -> Path:
    """A folder that other users may enter."""
    folder = site.root / "home" / request.node.name
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def world(site: SlurmSite, tmp_path: Path) -> World:
    return World(tmp_path, lambda: open_driver(terms_of(site)))


def environment_of(order: Order, rank: str = "") -> dict[str, str]:
    return json.loads((order.root / "out" / f"environment{rank}").read_text())


@pytest.mark.parametrize(
    ("model", "node", "own", "other"),
    [
        ("a800-80g", "n1", "CUDA_VISIBLE_DEVICES", "ASCEND_RT_VISIBLE_DEVICES"),
        ("ascend-910b", "n2", "ASCEND_RT_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES"),
    ],
)
def test_a_payload_sees_the_devices_that_were_allocated_under_the_name_its_runtime_reads(
    site: SlurmSite, world: World, model: str, node: str, own: str, other: str
) -> None:
    site.run("sbatch", f"--gres={GRES[model]}:1", "--mem=100M", "--wrap", "sleep 30", "--job-name=holder")  # takes device 0
    await_true(lambda: "holder" in site.run("squeue", "-h", "-t", "R", "-o", "%j"), "the first device is held")
    order, end = world.run("show", accelerator=Accelerator(model, 2), cpus=3)
    site.run("scancel", "--name=holder")
    found = environment_of(order)
    assert (end.cause, end.status) == ("exit", 0)
    assert found[own] == "1,2"
    assert other not in found
    usage = usages(site, [order.attempt])[order.attempt]
    assert (usage.devices, usage.gres, usage.cpus, usage.nodes) == (2, GRES[model], 3, 1)


def test_a_payload_that_asked_for_no_device_sees_none(world: World) -> None:
    order, _ = world.run("show")
    assert environment_of(order)["CUDA_VISIBLE_DEVICES"] == ""


def test_a_gang_starts_under_torchrun_on_every_node(world: World) -> None:
    pytest.importorskip("torch")
    order, end = world.run("gather", Limits(60, 120, 4 << 30), gang=2, cpus=2)
    assert (end.cause, end.status) == ("exit", 0), log_of(order)
    assert (order.root / "out" / "total").read_text() == "3 of 2"
    assert read_json(order.root / "exit-1.json")["cause"] == "exit"


def test_a_gang_of_which_one_node_fails_ends_whole(world: World) -> None:
    order = world.order("sleep", Limits(60, 120, 4 << 30), gang=2)
    world.driver.start(order)
    world.await_file(order, "came")
    await_true(lambda: len((order.root / "out" / "came").read_text().split()) == 2, "both nodes")
    os.kill(int((order.root / "out" / "came").read_text().split()[0]), 9)
    end = world.end_of(order)
    assert (end.cause, end.status) != ("exit", 0)
    assert left_of(order) == []


@pytest.mark.parametrize("way", ["commands", "rest"])
def test_each_party_runs_and_is_charged_as_its_own_account(site: SlurmSite, home: Path, way: str) -> None:
    if not (python := python_for_others()):
        pytest.skip("other users cannot read Python or Touyan here")
    accounts = {user: {"account": name} for name, user in ACCOUNTS.items()}
    url = {"url": site.url} if way == "rest" else {}
    world = World(home, lambda: open_driver(terms_of(site, accounts=accounts, **url), python))
    for name, user in ACCOUNTS.items():
        order = world.order("show", account=user)
        give(order.root, user)
        world.driver.start(order)
        end = world.end_of(order)
        assert (end.cause, end.status) == ("exit", 0), log_of(order)
        wrote = (order.root / "out" / "environment").stat()
        assert (wrote.st_uid, wrote.st_gid) == (getpwnam(user).pw_uid, getpwnam(user).pw_gid)
        charged = f"{name}|{user}|{getgrgid(getpwnam(user).pw_gid).gr_name}"
        asked = ("sacct", "-X", "-n", "-P", "-S", "now-1days", f"--name={order.attempt}", "-o", "Account,User,Group")
        await_true(
            lambda asked=asked, charged=charged: site.run(*asked).strip() == charged, charged
        )  # slurmdbd hears of it later
        assert (order.root / "launch.json").stat().st_mode & 0o077 == 0
    with pytest.raises(Refused, match="maps no account"):
        world.driver.start(world.order("show", account="nobody"))


def test_an_account_that_slurm_does_not_know_is_refused_in_its_words(site: SlurmSite, home: Path) -> None:
    world = World(home, lambda: open_driver(terms_of(site, accounts={"games": {"account": "lab-z"}})))
    order = world.order("say", account="games")
    give(order.root, "games")
    with pytest.raises(Refused, match="Invalid account"):
        world.driver.start(order)


def test_a_job_that_can_never_start_ends_with_the_reason(site: SlurmSite, world: World) -> None:
    order, end = world.run("say", Limits(60, 40 * 86_400, 512 << 20))  # the partition's limit is a day
    assert end.reason.startswith("would never start at this site: Partition")  # which of them depends on the version
    await_true(lambda: order.attempt not in site.run("squeue", "-h", "-o", "%j"), "it left the queue")


def test_a_job_that_is_cancelled_at_the_site_is_tried_again(site: SlurmSite, world: World) -> None:
    order = world.order("sleep")
    world.driver.start(order)
    world.await_file(order, "came")
    site.run("scancel", f"--name={order.attempt}")
    assert world.end_of(order).cause in ("stopped", "signal", "vanished")  # each of them lets the Job be placed again
    assert left_of(order) == []


def test_a_controller_that_is_away_ends_nothing(site: SlurmSite, world: World) -> None:
    order = world.order("nap")
    world.driver.start(order)
    world.await_file(order, "came")
    site.halt("slurmctld")
    assert world.driver.wait(order.attempt, 2) is None
    trouble = world.driver.trouble  # type: ignore[attr-defined]
    late = world.order("say")
    world.driver.start(late)  # nobody knows whether Slurm has it
    assert world.driver.wait(late.attempt, 1) is None
    site.start("slurmctld")
    site.await_nodes()
    assert isinstance(trouble, Unreachable)
    assert world.end_of(order).cause == "exit"
    assert world.end_of(late).cause == "exit"
    assert len((late.root / "out" / "came").read_text().split()) == 1


def test_two_jobs_of_one_attempt_start_it_once(site: SlurmSite, world: World) -> None:
    """A submission whose answer was lost, and a second one: the first job to start claims the Attempt, the other waits and leaves."""
    order = world.order("nap")
    prepare(order, AttemptFolder(order.root), "devices", {})
    terms = read_settings(SlurmTerms, terms_of(site))
    for _ in range(2):
        SlurmCommands(terms.conf).submit(ask_of(order, terms, sys.executable))
    assert world.driver.adopt(order)
    assert world.end_of(order).cause == "exit"
    assert len((order.root / "out" / "came").read_text().split()) == 1


def test_a_job_that_starts_after_its_agent_fell_silent_runs_nothing(site: SlurmSite, world: World) -> None:
    order = world.order("say", Limits(5, 60, 512 << 20))
    heard_s = time.time() - 60
    os.utime(order.root / "heartbeat", (heard_s, heard_s))
    world.driver.start(order)
    assert world.end_of(order).cause == "fenced"
    assert not (order.root / "out" / "came").exists()


def test_a_job_that_slurm_has_forgotten_is_found_in_its_accounts(site: SlurmSite, world: World) -> None:
    order = world.order("sleep")
    world.driver.start(order)
    world.await_file(order, "came")
    site.run("scancel", f"--name={order.attempt}")
    await_true(
        lambda: "CANCELLED" in site.run("sacct", "-X", "-n", f"--name={order.attempt}", "-o", "State"), "the accounts have it"
    )
    site.forget_jobs()
    (order.root / "exit.json").unlink(missing_ok=True)
    world.restart()
    assert world.driver.adopt(order)
    assert world.end_of(order).reason == "was cancelled at the site"


def test_time_is_what_slurm_charged(site: SlurmSite, world: World) -> None:
    order, end = world.run("nap", accelerator=Accelerator("a800-80g", 1))
    asked = ("sacct", "-X", "-n", "-P", "-S", "now-1days", f"--name={order.attempt}", "-o", "State,ElapsedRaw")
    await_true(lambda: site.run(*asked).startswith("COMPLETED"), "the accounts have its end")
    usage = usages(site, [order.attempt, "nobody-1"])
    assert set(usage) == {order.attempt}
    assert site.run(*asked).strip() == f"COMPLETED|{usage[order.attempt].elapsed_s}"
    assert usage[order.attempt].elapsed_s == end.elapsed_s
    assert usage[order.attempt].elapsed_s >= 3
    assert usage[order.attempt].gres == "gpu:a800"


def test_two_sites_at_once_keep_to_themselves(site: SlurmSite, world: World, tmp_path: Path) -> None:
    with open_site("site-b") as other:
        worlds = {"site-a": world, "site-b": World(tmp_path / "b", lambda: open_driver(terms_of(other)))}
        orders = {name: one.order("nap") for name, one in worlds.items()}
        for name, one in worlds.items():
            one.driver.start(orders[name])
        ends = {name: one.end_of(orders[name]) for name, one in worlds.items()}
        known = {
            name: one.run("squeue", "--all", "--states=all", "-h", "-o", "%j")
            for name, one in (("site-a", site), ("site-b", other))
        }
    assert {end.cause for end in ends.values()} == {"exit"}
    assert orders["site-b"].attempt in known["site-b"]
    assert orders["site-b"].attempt not in known["site-a"]
    assert orders["site-a"].attempt not in known["site-b"]


def usages(site: SlurmSite, attempts: list[str]) -> dict[str, Usage]:
    """slurmctld hands ended jobs to slurmdbd a moment later."""
    terms = read_settings(SlurmTerms, terms_of(site))
    engine = SlurmEngine(SlurmCommands(terms.conf), terms, sys.executable)
    await_true(lambda: attempts[0] in engine.usage(attempts), "the accounts have it")
    return engine.usage(attempts)


def python_for_others() -> str:
    """An interpreter that other users may run, and whose Touyan they may read; empty where there is none. A payload needs the
    standard library only, so that the system's interpreter will do for one that lies in root's home."""
    code = [Path(touyan.__file__), Path(__file__)]
    found = (p for p in (sys.executable, "/usr/bin/python3") if all(map(is_open_to_others, (Path(p), *code))))
    return next(found, "")


def is_open_to_others(path: Path) -> bool:
    return path.exists() and all(p.stat().st_mode & stat.S_IXOTH for p in path.resolve().parents)
