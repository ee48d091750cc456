"""The first process on a node that Slurm gave: `python -m touyan.compute.drivers.slurm_node ATTEMPT_DIR FAMILY DEVICES`.

Says in the launcher's words what Slurm says in its own: which node of the gang this is, where the first one is, and which devices
were really allocated. Knows nothing of payloads. Invariant: a payload sees the devices that Slurm gave it, under the name that
its accelerator's runtime reads, and no others; where Slurm gave other than was asked, it does not start.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, MutableMapping
from dataclasses import asdict
from pathlib import Path

from touyan.compute import launch
from touyan.compute.driver import Exit
from touyan.compute.folder import AttemptFolder, write_json

RUNTIMES = {
    "ascend": "ASCEND_RT_VISIBLE_DEVICES", "dcu": "HIP_VISIBLE_DEVICES", "mlu": "MLU_VISIBLE_DEVICES", "musa": "MUSA_VISIBLE_DEVICES",
    "xpu": "XPU_VISIBLE_DEVICES",
}  # fmt: skip
"""By family of the rate table; all others read CUDA's."""
CUDA = "CUDA_VISIBLE_DEVICES"
PORTS = range(20_000, 30_000)
"""Below the ephemeral ports of Linux (32768). Jobs share nodes here, so that a gang's port follows from its job's id."""


def allocated(variables: Mapping[str, str]) -> list[str]:
    """Numbers of the devices of this node. A step's own come first: SLURM_JOB_GPUS is of the batch script's node. Slurm sets
    CUDA_VISIBLE_DEVICES for every GRES called gpu, whatever its make (gres.conf(5))."""
    given = variables.get("SLURM_STEP_GPUS") or variables.get("SLURM_JOB_GPUS") or variables.get(CUDA, "")
    return [number for number in given.split(",") if number]


def device_variables(family: str, variables: Mapping[str, str]) -> dict[str, str]:
    """What says to the runtime of a family which devices are its own. Within a device cgroup Slurm counts NVIDIA's from 0, so that
    its CUDA_VISIBLE_DEVICES stands; without a family nothing is to be seen."""
    if not family:
        return {CUDA: ""}
    name, numbers = RUNTIMES.get(family, CUDA), ",".join(allocated(variables))
    return {name: variables.get(CUDA) or numbers if name == CUDA else numbers}


def gang_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """Which node of the gang this is, and where its first node listens: srun runs on that one."""
    port = PORTS[int(variables.get("SLURM_JOB_ID", "0")) % len(PORTS)]
    first = variables.get("SLURM_LAUNCH_NODE_IPADDR", "127.0.0.1")
    return {launch.INDEX: variables.get("SLURM_NODEID", "0"), launch.RENDEZVOUS: f"{first}:{port}"}


def main(root: Path, family: str, devices: int, variables: MutableMapping[str, str]) -> None:
    """Becomes the launcher; writes `exit.json` and ends where the devices are not those that were asked for."""
    found = allocated(variables) if devices else []
    if len(found) != devices:
        said = Exit(
            "vanished", 0, f"got {len(found)} of {devices} {family} devices from Slurm: see gres.conf of {os.uname().nodename}"
        )
        write_json(AttemptFolder(root).file("exit"), asdict(said))
        return
    given = device_variables(family, variables) | gang_variables(variables)
    for name in launch.DEVICES:
        variables.pop(name, None)
    variables.update(given)
    launch.main(root)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), os.environ)
