"""The first process of a payload on a node that an engine chose: `python -m touyan.compute.launch ATTEMPT_DIR`.

Claims the start of the Attempt on this node, then becomes the wrapper, with the environment of `launch.json` and the devices that
the engine really allocated. Knows nothing of engines beyond the variables they set. Invariant: `started` is created once, by
whoever comes first: a launcher, or the driver that wants no start any more. So an engine that starts a payload twice, or late,
starts nothing.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, cast

from touyan.compute.environment import NODE, RAY_ADDRESS
from touyan.compute.folder import AttemptFolder, read_json

Keep: TypeAlias = Literal["devices", "container"]
"""What the payload keeps of the environment in which an engine starts us. devices: what says which devices it may use, and where
the Ray cluster is. container: all of it, because image and pod are the owner's word; but for the address of the cluster."""
DEVICES = (
    "CUDA_VISIBLE_DEVICES", "ASCEND_RT_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "MLU_VISIBLE_DEVICES",
    "XPU_VISIBLE_DEVICES", "MUSA_VISIBLE_DEVICES",
)  # fmt: skip
"""NVIDIA and most that follow CUDA · Ascend · AMD and Hygon · AMD · Cambricon · Kunlunxin · Moore Threads."""
INDEX = "JOB_COMPLETION_INDEX"
"""Number of a node in a gang, as Kubernetes tells an Indexed Job (batch/v1); our Ray gang tells it the same way."""
RENDEZVOUS = "TOUYAN_RENDEZVOUS"
"""Host name of the gang's first node; with `:PORT` where payloads share nodes, and so their names."""
PORT = 29_500
"""torchrun's own default for the rendezvous."""
CLUSTER = "KUBERNETES_"
"""Prefix of the variables that name the API of the cluster to every container."""
CLAIMED = 75
"""Exit status of a launcher that came second: EX_TEMPFAIL of <sysexits.h>."""
WRAPPER = "touyan.compute.wrapper"
TORCHRUN = "torch.distributed.run"


@dataclass(frozen=True, slots=True)
class Launch:
    """What a node is told. It is the content of `launch.json`, which only its owner may read: it may hold the pseudonym key."""

    module: str
    environment: Mapping[str, str]
    keep: Keep = "devices"
    gang: int = 1
    processes: int = 1
    """Processes on each node of a gang: one for each of its devices."""
    launch: int = field(default=1, kw_only=True)


def write_launch(folder: AttemptFolder, launch: Launch) -> None:
    """Writes `launch.json` for its owner's eyes, whole or not at all."""
    draft = folder.root / f".launch.{os.getpid()}"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(launch), file, ensure_ascii=False, sort_keys=True)
    draft.rename(folder.file("launch"))


def read_launch(folder: AttemptFolder) -> Launch:
    return Launch(**cast("dict[str, object]", read_json(folder.file("launch"))))  # type: ignore[arg-type]


def claim_start(folder: AttemptFolder, who: str, suffix: str = "") -> bool:
    """Whether the caller is the first to decide whether this Attempt starts (O_EXCL, which NFS keeps since version 3)."""
    try:
        handle = os.open(folder.root / f"started{suffix}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w") as file:
        file.write(who)
    return True


def payload_variables(launch: Launch, engine: Mapping[str, str], suffix: str) -> dict[str, str]:
    """The payload's environment: what `launch.json` says, with what is kept of the engine's. Devices are the engine's word alone."""
    kept = {name: engine[name] for name in (*DEVICES, RAY_ADDRESS) if name in engine}
    if launch.keep == "container":
        kept = {name: value for name, value in engine.items() if name not in launch.environment and not name.startswith(CLUSTER)}
    return {**launch.environment, **kept, NODE: suffix}


def command_line(launch: Launch, root: Path, index: int, rendezvous: str) -> list[str]:
    """The wrapper's command line; a gang's payload is started by torchrun on every node."""
    wrapper = [sys.executable, "-P", "-m", WRAPPER, str(root)]
    if launch.gang == 1:
        return [*wrapper, launch.module, "0"]
    host, _, port = rendezvous.partition(":")
    given = {
        "nnodes": launch.gang, "nproc-per-node": launch.processes, "node-rank": index,
        "master-addr": host, "master-port": port or PORT,
    }  # fmt: skip
    return [*wrapper, TORCHRUN, "0", *(f"--{name}={value}" for name, value in given.items()), "-m", launch.module, str(root)]


def main(root: Path) -> None:
    """Becomes the wrapper, or ends with CLAIMED."""
    folder, index = AttemptFolder(root), int(os.environ.get(INDEX, "0"))
    suffix = f"-{index}" if index else ""
    if not claim_start(folder, f"{os.uname().nodename}/{os.getpid()}", suffix):
        print(f"{root.name} was started before, or is not wanted any more", file=sys.stderr)
        sys.exit(CLAIMED)
    launch = read_launch(folder)
    environment = payload_variables(launch, os.environ, suffix)
    words = command_line(launch, root, index, os.environ.get(RENDEZVOUS, "127.0.0.1"))
    os.execve(sys.executable, words, environment)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
