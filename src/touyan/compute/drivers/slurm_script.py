"""The batch job of an Attempt: what is asked of Slurm for an Order, and the script that runs on the nodes.

Owns the translation. Knows nothing of how it is submitted. Invariant: nothing secret is in a job: its script and environment may
be archived by the site (AccountingStoreFlags in slurm.conf(5)); the payload's environment lies in `launch.json`, for its owner.
"""

from __future__ import annotations

import math
import shlex

from touyan.compute.driver import Order
from touyan.compute.drivers.slurm_client import Ask
from touyan.compute.drivers.slurm_terms import SlurmTerms
from touyan.compute.folder import AttemptFolder
from touyan.compute.rates.table import published

NODE_MODULE = "touyan.compute.drivers.slurm_node"
MARGIN_MIB = 256
"""For wrapper, launcher and srun beside the payload: our own limit is to be met before Slurm's, because it says why."""
MARGIN_MIN = 2
"""The same for time; Slurm counts in minutes, and looks every half of one."""


def ask_of(order: Order, terms: SlurmTerms, python: str) -> Ask:
    """What is asked of Slurm. Raises Refused where the owner's terms do not allow it."""
    folder, association = AttemptFolder(order.root), terms.association(order.account)
    limit_min = math.ceil(order.limits.limit_s / 60) + MARGIN_MIN
    chosen = order.accelerator
    return Ask(
        name=order.attempt, comment=f"touyan {order.token}", script=script_of(order, python), folder=order.root, log=folder.log,
        user=terms.user(order.account), account=association.account, qos=association.qos,
        partition=association.partition or terms.partition, constraint=terms.constraint, nodes=order.gang, cpus=order.cpus,
        memory_mib=math.ceil(order.limits.memory_bytes / (1 << 20)) + MARGIN_MIB,
        gres=terms.gres_of(chosen.model, chosen.count) if chosen and chosen.count else "",
        limit_min=min(limit_min, terms.longest_min or limit_min),
    )  # fmt: skip


def script_of(order: Order, python: str) -> str:
    """The batch script: it becomes the launcher, on every node of a gang."""
    devices = order.accelerator.count if order.accelerator else 0
    words = [
        python,
        "-P",
        "-m",
        NODE_MODULE,
        str(order.root),
        family_of(order.accelerator.model) if devices else "",
        str(devices),
    ]
    if order.gang > 1:  # since 22.05 srun does not take over the job's CPUs per task
        cpus = [f"--cpus-per-task={order.cpus}"] if order.cpus else []
        words = ["srun", "--ntasks-per-node=1", "--kill-on-bad-exit=1", "--export=ALL", *cpus, *words]
    path = order.environment.get("PYTHONPATH", "")
    return f"#!/bin/sh\nexport PYTHONPATH={shlex.quote(path)}\nexec {shlex.join(words)}\n"


def family_of(model: str) -> str:
    """Whose runtime a model needs; CUDA's for one that the rate table does not know."""
    sheet = published().find(model)
    return sheet.family if sheet else "cuda"
