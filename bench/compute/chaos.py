"""Faults: `python bench/compute/chaos.py [--faults=1000] [--seed=1] [--sites=4] [--root=DIR]`.

Partitions, kills and clock jumps over the real hub behind its HTTP face and real agents, in virtual time; engines are models whose
payloads keep the wrapper's rule. Then no more faults, and everything has to come to its end within a stated bound. Prints what was
injected and what must never happen, counted; any figure there but 0 is an error, and the exit status says so.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random

from chaos_count import Count, count
from chaos_world import LEASE_S, LIMIT_S, SLOTS, SiteHost, World, world

from touyan.compute.driver import Exit
from touyan.compute.hub.placing import TAKEN_S
from touyan.compute.site.serve import JITTER_SHARE, LONGEST_WAIT_S
from touyan.store.jobs import DRIFT_S, GRACE_S

MEAN_BETWEEN_S = 6.0
ACTIVE_JOBS = 10
TRIES = 3
QUEUE_S, STOP_S = 20.0, 10.0
DAY_S = 86_400.0
JUMPS_S = (-43_200.0, -7200.0, -1800.0, -45.0, -5.0, 5.0, 45.0, 1800.0, 7200.0, 43_200.0)

TRY_S = TAKEN_S + (1 + JITTER_SHARE) * LONGEST_WAIT_S + QUEUE_S + LIMIT_S + STOP_S + 2 * (LEASE_S + GRACE_S + DRIFT_S) + 2**TRIES
"""One try, at most: taken by another site, its agent back from its silence, the engine's queue, its limit, its end; the lease of a
claim and of a run, each with grace and drift; the back-off."""


def bound_s(active: int, sites: int) -> float:
    """By when every Job has ended once there are no more faults: as many waves as it takes, as many tries as are left."""
    waves = -(-active // (SLOTS * sites))
    return waves * (TRIES + 1) * TRY_S  # one try more: what was given back does not count


@dataclass
class Chaos:
    """Injects faults until there were enough."""

    world: World
    dice: Random
    left: int

    def __post_init__(self) -> None:
        self.injected: Counter[str] = Counter()
        self.faults = {
            "agent killed": self.kill_agent, "hub killed": self.kill_hub, "request lost": self.lose("lost request"),
            "answer lost": self.lose("lost answer"), "delivered twice": self.lose("twice"), "delivered late": self.lose("late"),
            "slow answer": self.lose("slow"), "cut towards the hub": self.cut(True, False), "cut from the hub": self.cut(False, True),
            "cut both ways": self.cut(True, True), "a site's clock jumps": self.jump_site, "the hub's clock jumps": self.jump_hub,
            "payload killed": self.kill_payload, "node lost": self.lose_node,
        }  # fmt: skip

    @property
    def is_over(self) -> bool:
        return self.left <= 0

    def next(self) -> None:
        """One fault, and the next one later."""
        if self.is_over:
            return
        name = self.dice.choice(list(self.faults))
        if self.faults[name]():
            self.injected[name] += 1
            self.left -= 1
        self.world.time.after(self.dice.expovariate(1 / MEAN_BETWEEN_S), self.next)

    def feed(self) -> None:
        """Keeps Jobs coming, and calls some off."""
        if self.is_over or self.world.hub.is_down:
            return
        active = self.world.active()
        for _ in range(ACTIVE_JOBS - len(active)):
            self.world.submit()
        if active and self.dice.random() < 0.03:
            self.world.cancel(self.dice.choice(active))

    def _site(self) -> SiteHost:
        return self.dice.choice(self.world.sites)

    def kill_agent(self) -> bool:
        self._site().light(self.dice.randint(1, 1500), self.dice.choice((0.1, 5.0, 100.0)))
        return True

    def kill_hub(self) -> bool:
        self.world.hub.light(self.dice.randint(1, 2500), self.dice.choice((0.1, 5.0, 100.0)))
        return True

    def lose(self, mishap: str):  # type: ignore[no-untyped-def]
        def inject() -> bool:
            self._site().line.mishaps.append(mishap)
            return True

        return inject

    def cut(self, is_there: bool, is_back: bool):  # type: ignore[no-untyped-def]
        def inject() -> bool:
            line, until_s = self._site().line, self.world.time.now_s + self.dice.choice((3.0, 30.0, 70.0, 200.0))
            line.cut_there_s = until_s if is_there else line.cut_there_s
            line.cut_back_s = until_s if is_back else line.cut_back_s
            return True

        return inject

    def jump_site(self) -> bool:
        self._site().clock.jump(self.dice.choice(JUMPS_S))
        return True

    def jump_hub(self) -> bool:
        self.world.hub.clock.jump(self.dice.choice(JUMPS_S))
        return True

    def kill_payload(self) -> bool:
        return self._end_payload(Exit("signal", 9, "was ended by SIGKILL"), is_told=True)

    def lose_node(self) -> bool:
        return self._end_payload(Exit("vanished", 0, "is not known any more"), is_told=False)

    def _end_payload(self, end: Exit, is_told: bool) -> bool:
        engine = self._site().engine
        running = engine.running()
        if running:
            engine.end(self.dice.choice(running), end, is_told=is_told)
        return bool(running)


def run(root: Path, faults: int, seed: int, sites: int = 4) -> tuple[Chaos, Count]:
    """Injects, waits for the bound, and a day for what is held; counts."""
    with world(root, seed, sites) as network:
        chaos = Chaos(network, Random(seed + 1), faults)
        network.time.every(2.0, chaos.feed)
        network.time.after(MEAN_BETWEEN_S, chaos.next)
        while not chaos.is_over:
            network.time.run(network.time.now_s + 60)
        calm(network)
        calm_s, active = network.time.now_s, len(network.active())
        within_s = bound_s(max(active, 1), sites)
        while network.active() and network.time.now_s < calm_s + within_s:
            network.time.run(network.time.now_s + 10)
        took_s, without_end = network.time.now_s - calm_s, len(network.active())
        settle(network)
        return chaos, count(network, without_end, took_s, within_s)


def calm(network: World) -> None:
    """No fault that was injected is still to come."""
    network.hub.fuse.lines_left = 0
    for site in network.sites:
        site.fuse.lines_left = 0
        site.line.mishaps.clear()
        site.line.cut_there_s = site.line.cut_back_s = 0.0


def settle(network: World) -> None:
    """Weeks pass (clocks that jump half a day again and again may have come days ahead), after which nothing may be held for anybody."""
    network.time.run(network.time.now_s + 120)
    for clock in (network.hub.clock, *(s.clock for s in network.sites)):
        clock.jump(60 * DAY_S)
    network.time.run(network.time.now_s + 180)


def main(arguments: list[str]) -> int:
    given = dict(each.lstrip("-").split("=", 1) for each in arguments if "=" in each)
    faults, seed, sites = (int(given.get(name, default)) for name, default in (("faults", 1000), ("seed", 1), ("sites", 4)))
    with tempfile.TemporaryDirectory(dir=given.get("root")) as root:
        chaos, found = run(Path(root), faults, seed, sites)
    print(f"{sites} sites of {SLOTS}, seed {seed}: {chaos.injected.total()} faults\n")
    for name, times in sorted(chaos.injected.items()):
        print(f"{times:8} {name}")
    print(f"\n{found.text()}")
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"\n{time.process_time():.0f} s CPU, {used.ru_maxrss >> 10} MB")
    return int(not found.is_clean)


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets is part of what a seed gives
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"PYTHONHASHSEED": "0"})
    sys.exit(main(sys.argv[1:]))
