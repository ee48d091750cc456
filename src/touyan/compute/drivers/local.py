"""The local driver: a payload is a process under a wrapper, in a session of its own.

Owns the wrapper processes this agent has started. Knows nothing of Jobs. Invariant: what `wait` has told to have ended holds no
process any more: the wrapper ends its descendants, and what a killed wrapper left is found by its group and by its environment.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast, get_args

from touyan.compute.driver import Cause, Exit, Order
from touyan.compute.drivers.settings import read_settings
from touyan.compute.environment import ATTEMPT
from touyan.compute.folder import AttemptFolder, read_json, write_json
from touyan.compute.processes import send, send_group, with_environment
from touyan.compute.site.accounts import acting_as, user_of
from touyan.core.errors import Broken

WRAPPER = "touyan.compute.wrapper"
STOP_S = 5.0
"""A wrapper that does not stop within this time is ended by force."""
SWEEP_S = 30.0
"""A killed process that is still there after this time hangs in the kernel, on a device or a network disk."""


class LocalDriver:
    """Runs payloads as processes of this host."""

    def __init__(self, python: str = "") -> None:
        self._python = python or sys.executable
        self._running: dict[str, tuple[subprocess.Popen[bytes], AttemptFolder]] = {}

    def start(self, order: Order) -> None:
        """Starts the wrapper. The calling thread must live as long as the payload: the kernel ends it with its parent thread."""
        folder, user = AttemptFolder(order.root), user_of(order.account)
        command = [self._python, "-P", "-m", WRAPPER, str(order.root), order.module, str(os.getpid())]
        own: dict[str, Any] = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": ()}
        try:
            with acting_as(order.account):  # a process of that account may have put links there
                write_json(folder.file("limits"), asdict(order.limits))
                log = folder.log.open("ab")
            with log:
                process = subprocess.Popen(
                    command, env=dict(order.environment), cwd=order.root, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    start_new_session=True, **own,
                )  # fmt: skip
        except OSError as error:
            raise Broken(
                "resources", f"no process could be started: {error.strerror}", "free memory or processes; then run again"
            ) from error
        self._running[order.attempt] = (process, folder)

    def adopt(self, order: Order) -> bool:
        """Never: a payload ends with the agent that started it."""
        return order.attempt in self._running

    def wait(self, attempt: str, timeout_s: float) -> Exit | None:
        """How the payload ended, or None where it still runs after `timeout_s`."""
        process, folder = self._running[attempt]
        if not _has_ended(process.pid, timeout_s):
            return None
        send_group(process.pid, signal.SIGKILL)  # before the wrapper is collected: until then the number is still its own
        process.wait()
        del self._running[attempt]
        end = read_exit(folder)
        if end is None:
            self.sweep(attempt)
            if process.returncode == -signal.SIGTERM:  # it had no time yet to say what it does with the signal
                return Exit("stopped", 0, "was told to stop before it began")
            return Exit("vanished", process.returncode, "was ended together with the process that watched it")
        return end

    def stop(self, attempt: str) -> None:
        """Ends a payload and everything it started; quiet where it does not run."""
        if attempt not in self._running:
            return
        process, _ = self._running[attempt]
        send(process.pid, signal.SIGTERM)
        if not _has_ended(process.pid, STOP_S):
            send_group(process.pid, signal.SIGKILL)

    def sweep(self, attempt: str) -> None:
        """Ends what another agent has left running for this Attempt, until none of it is found any more."""
        until_s = time.monotonic() + SWEEP_S
        while left := with_environment(f"{ATTEMPT}={attempt}"):
            for pid in left:
                send(pid, signal.SIGKILL)
            if time.monotonic() > until_s:
                raise Broken(
                    "cannot-kill", f"the processes {left} of {attempt} do not end", "see what they wait for: ps -o stat,wchan"
                )
            time.sleep(0.005)


def _has_ended(pid: int, timeout_s: float) -> bool:
    """Whether a child has ended, without collecting it; waits without polling."""
    handle = os.pidfd_open(pid)
    try:
        poller = select.poll()
        poller.register(handle, select.POLLIN)
        return bool(poller.poll(timeout_s * 1000))
    finally:
        os.close(handle)


def read_exit(folder: AttemptFolder, name: str = "exit") -> Exit | None:
    """The content of `exit.json`, or None where its wrapper did not come to write it, or where a payload put something else there."""
    try:
        value = read_json(folder.file(name))
    except (Broken, OSError):
        return None
    cause, status, reason, peak_bytes = (value.get(n) for n in ("cause", "status", "reason", "peak_bytes"))
    if cause not in get_args(Cause) or not isinstance(reason, str) or type(status) is not int or type(peak_bytes) is not int:
        return None
    return Exit(cast(Cause, cause), status, reason, peak_bytes)


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """The local driver has none."""


def open_driver(settings: Mapping[str, object], python: str = "") -> LocalDriver:
    """The driver for a site. `python`: the interpreter of payloads; it must find Touyan. Raises Invalid."""
    read_settings(LocalSettings, settings)
    return LocalDriver(python)
