"""The seam between an agent and whatever really runs a payload: a local process, Slurm, Ray, Kubernetes.

Owns the words an agent uses: an `Order` goes in, an `Exit` comes out. Knows nothing of Jobs, rights and keys. Invariant: when
`wait` has given an Exit, nothing of the payload runs any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from touyan.core.job import Accelerator

Cause: TypeAlias = Literal["exit", "signal", "memory", "time", "fenced", "stopped", "vanished"]
"""exit: by itself · signal: ended by one · memory, time: its limit · fenced: its agent fell silent · stopped: it was told to ·
vanished: whoever watched it was ended too."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a payload may use. It is the content of `limits.json`."""

    lease_s: float
    """Without a heartbeat for this long the payload is ended."""
    limit_s: float
    memory_bytes: int
    """Of all its processes together."""
    log_bytes: int = 16 << 20
    """What is written beyond this is dropped, and the log says so."""
    cpus: tuple[int, ...] = ()
    """Numbers of the CPUs it may run on; empty: all."""


@dataclass(frozen=True, slots=True)
class Order:
    """One payload to be run."""

    attempt: str
    root: Path
    """The folder of the Attempt."""
    module: str
    """Python module that is run with the folder as its argument."""
    limits: Limits
    environment: Mapping[str, str]
    token: int = 0
    """Fencing token of the Attempt; an engine keeps it beside the payload."""
    account: str = ""
    """Whom the site runs this Party's payloads as: a local account, Slurm association or namespace; empty: the agent's own."""
    gang: int = 1
    """Nodes that start together."""
    accelerator: Accelerator | None = None
    """The alternative that was chosen; None: none needed. Its count is of each node of the gang."""
    cpus: int = 0
    """CPUs on each node, for an engine that hands them out; 0: its default."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How a payload ended. It is the content of `exit.json`."""

    cause: Cause
    status: int
    """Exit status, or the number of the signal."""
    reason: str
    """In words, such as `exceeded its memory limit of 4.0 GiB`."""
    peak_bytes: int = 0
    elapsed_s: float | None = None
    """What the engine itself counts, and would charge; None: it keeps no count, and the times of the Attempt's files tell."""


class Driver(Protocol):
    """Runs payloads. An Attempt's id is the handle."""

    def start(self, order: Order) -> None:
        """Starts a payload, once: a second call for the same Attempt starts nothing. Raises Broken where the engine does not take it."""
        ...

    def adopt(self, order: Order) -> bool:
        """Takes up a payload that an agent before this one started; False where the engine knows of none."""
        ...

    def wait(self, attempt: str, timeout_s: float) -> Exit | None:
        """How the payload ended, or None where it still runs after `timeout_s`."""
        ...

    def stop(self, attempt: str) -> None:
        """Ends a payload and everything it started; `wait` tells when that is done."""
        ...

    def sweep(self, attempt: str) -> None:
        """Ends what an agent that is no more has left running for this Attempt."""
        ...
