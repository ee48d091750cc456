"""How good and how fast sites are matched: `python bench/compute/matching.py [--jobs=N] [--sites=N] [--seeds=N]`.

Made-up batches: Jobs that all differ (gangs, alternatives, data in zones, waits, vouchers), sites that all differ (models, prices,
links, what is free). `short`: there is less room than is asked for, `busy`: just as much, `easy`: three times as much. CPU time of
one core, filters, reasons and scores included; the gap is that to the value of the linear relaxation.
"""

from __future__ import annotations

import random
import resource
import statistics
import sys
import time

from touyan.compute.matching.candidate import Candidate
from touyan.compute.matching.match import Matching, match
from touyan.compute.matching.policy import Policy
from touyan.compute.matching.request import Data, Request
from touyan.compute.rates.table import published
from touyan.compute.rates.throughput import Throughput
from touyan.compute.resources import Capacity, NodeClass, Offer, Pool
from touyan.core.job import Accelerator, Need

MODELS = ("a800-80g", "h800-80g", "ascend-910b", "ascend-910b4", "v100-32g", "rtx4090-24g")
ZONES = ("CN-SH", "CN-BJ", "CN-GZ", "SG")
LOADS = {"easy": 3.0, "busy": 1.0, "short": 0.6}


def site(number: int, dice: random.Random, nodes: float) -> Candidate:
    pools = []
    for model in dice.sample(MODELS, dice.randint(1, 2)):
        count = max(1, round(dice.uniform(0.5, 1.5) * nodes))
        free = dice.randint(count * 4, count * 8)
        kind = NodeClass(f"{model}x8", count, 64, 512 << 30, model, 8, count * 64, free)
        pools.append(Pool(model, (kind,), limit_s=dice.choice((0, 0, 172_800))))
    prices = {model: round(dice.uniform(2, 12), 2) for model in MODELS}
    tags = ("subsidised",) if dice.random() < 0.2 else ()
    offer = Offer(prices, 0.05, 0.1, round(dice.uniform(0.1, 0.8), 2), round(dice.uniform(1.1, 1.6), 2), tags)
    capacity = Capacity(tuple(pools), dice.choice((12_500_000, 125_000_000, 1_250_000_000)), offer)
    owner, trust = f"owner{number % 12}", dice.choice(("general", "important"))
    return Candidate(f"site{number:03d}", capacity, owner, owner, dice.choice(ZONES), trust)


def job(number: int, dice: random.Random) -> Request:
    count, gang = dice.choice(((1, 1), (1, 1), (2, 1), (4, 1), (8, 1), (8, 2), (8, 4)))
    models = dice.sample(MODELS, dice.randint(1, 3))
    need = Need("ai", gang, limit_s=86_400, accelerators=tuple(Accelerator(m, count) for m in models))
    where = frozenset({"CN"}) if dice.random() < 0.5 else None
    data = (Data(f"{number:064x}", dice.randint(1, 200) << 30, where, security=dice.choice(("public", "general", "important"))),)
    work_s = dice.lognormvariate(8, 1.5) * count * gang
    party = f"owner{dice.randrange(20)}"
    return Request(
        f"job{number}", need, party=party, organisation=party, purpose="train", family=f"family{number % 7}", work_s=work_s, data=data,
        waited_s=dice.expovariate(1 / 3600),
    )  # fmt: skip


def run(jobs: int, sites: int, load: float, seed: int) -> tuple[Matching, float]:
    dice = random.Random(seed)
    asked = [job(n, dice) for n in range(jobs)]
    devices = sum(r.need.gang * max(a.count for a in r.need.accelerators) for r in asked)
    nodes = devices * load / sites / 8 / 1.5 / 0.75  # one and a half classes a site, three quarters free
    offered = [site(n, dice, nodes) for n in range(sites)]
    throughput = Throughput(published())
    began_s = time.process_time()
    matching = match(asked, offered, Policy(queue_depth=0 if load < 1 else 1, solve_s=10), throughput)
    return matching, time.process_time() - began_s


def main(arguments: list[str]) -> None:
    given = dict(each.lstrip("-").split("=") for each in arguments if "=" in each)
    jobs, sites, seeds = (int(given.get(name, default)) for name, default in (("jobs", 200), ("sites", 30), ("seeds", 10)))
    run(20, 3, 0.6, 0)  # loads the solver
    print(f"{jobs} jobs, {sites} sites, {seeds} seeds; CPU seconds of one core\n")
    print(f"{'':8}{'median s':>10}{'most s':>10}{'median gap':>12}{'largest gap':>12}{'waiting':>9}{'options':>9}  methods")
    for name, load in LOADS.items():
        done = [run(jobs, sites, load, seed) for seed in range(seeds)]
        times, gaps = [s for _, s in done], [m.gap_share for m, _ in done]
        waiting = statistics.mean(sum(d.chosen is None for d in m.decisions) for m, _ in done)
        options = statistics.mean(sum(len(d.options) for d in m.decisions) for m, _ in done)
        methods = sorted({m.method for m, _ in done})
        print(f"{name:8}{statistics.median(times):10.3f}{max(times):10.3f}{statistics.median(gaps):12.5%}{max(gaps):12.5%}"
              f"{waiting:9.1f}{options:9.0f}  {', '.join(methods)}")  # fmt: skip
    print(f"\n{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
