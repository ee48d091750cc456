"""The nodes of a gang on a Ray cluster: `python -m touyan.compute.drivers.ray_gang ATTEMPT_DIR SIZE NODE_RESOURCES`.

The entrypoint of the job. Reserves one bundle on each of SIZE different nodes, all or none, runs the launcher on every one, and
tells all to stop as soon as one fails. Knows nothing of payloads. Invariant: no node begins before all are reserved, and none goes
on when one has failed or this process is told to end.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from touyan.compute.drivers.held import tell_to_stop
from touyan.compute.folder import AttemptFolder
from touyan.compute.launch import INDEX, RENDEZVOUS

FAILED = 1


def address() -> str:
    """Where the first node listens; runs there."""
    import socket

    import ray

    with socket.socket() as probe:
        probe.bind(("", 0))
        return f"{ray.util.get_node_ip_address()}:{probe.getsockname()[1]}"


def on_node(command: list[str], variables: Mapping[str, str]) -> int:
    """Runs the launcher on a node; its environment is what Ray made for the task, with the devices it gave."""
    import subprocess

    return subprocess.run(command, env={**os.environ, **variables}, check=False).returncode


class Gang:
    """A reserved placement group and what runs in it."""

    def __init__(self, size: int, node: Mapping[str, float]) -> None:
        import ray

        self._size = size
        self._group = ray.util.placement_group([dict(node)] * size, strategy="STRICT_SPREAD")
        self._node = dict(node)
        ray.get(self._group.ready())

    def run(self, folder: AttemptFolder) -> int:
        """Runs the launcher everywhere; the exit status of the gang."""
        import ray

        rendezvous = ray.get(self._remote(address, 0, {"CPU": 0}).remote())
        command = [sys.executable, "-P", "-m", "touyan.compute.launch", str(folder.root)]
        path = {"PYTHONPATH": os.environ.get("PYTHONPATH", ""), RENDEZVOUS: rendezvous}
        running = [self._remote(on_node, n, self._node).remote(command, {**path, INDEX: str(n)}) for n in range(self._size)]
        status = 0
        while running:
            (ended,), running = ray.wait(running)
            if _status(ended):
                status = FAILED
                tell_to_stop(folder)
        return status

    def _remote(self, function: Any, index: int, amounts: Mapping[str, float]) -> Any:
        """A task in one bundle, tried once."""
        import ray
        from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

        named = dict(amounts)
        options = {
            "num_cpus": named.pop("CPU", 0),
            "num_gpus": named.pop("GPU", 0),
            "memory": int(named.pop("memory", 0)) or None,
        }
        strategy = PlacementGroupSchedulingStrategy(self._group, index)
        return ray.remote(function).options(**options, resources=named, scheduling_strategy=strategy, max_retries=0)


def _status(ended: Any) -> int:
    """The launcher's exit status; a node that was lost has failed."""
    import ray
    from ray.exceptions import RayError

    try:
        return int(ray.get(ended))
    except RayError as error:
        print(f"a node of the gang was lost: {type(error).__name__}: {error}", file=sys.stderr)
        return FAILED


def main(root: Path, size: int, node: Mapping[str, float]) -> int:
    """Waits for the nodes, runs the gang; its exit status."""
    import ray

    folder = AttemptFolder(root)

    def stop(_number: int, _frame: FrameType | None) -> None:
        """SIGTERM of Ray's stop: the nodes hear it through the heartbeat, and end before Ray's patience does."""
        tell_to_stop(folder)

    ray.init(address="auto", log_to_driver=False, configure_logging=False)
    gang = Gang(size, node)
    signal.signal(signal.SIGTERM, stop)  # until here there is nothing to tell
    return gang.run(folder)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])))
