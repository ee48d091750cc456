"""One payload that an agent answers for, while an engine has it: its folder, and what is remembered between two looks.

Owns what is written for the node and read back from it. Knows nothing of engines. Invariant: the folder is the account's own, and
is touched in its name only, because a payload may have put links there.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from touyan.compute.driver import Exit, Order
from touyan.compute.drivers.local import read_exit
from touyan.compute.folder import AttemptFolder, write_json
from touyan.compute.launch import Keep, Launch, claim_start, write_launch
from touyan.compute.site.accounts import acting_as

WHO = "agent"
"""In `started`: no launcher may begin it any more."""
Trouble: TypeAlias = Literal["unheard", "missing", "fenced"]
"""The engine does not answer · it does not know the payload · the payload is told to stop because nobody knows what became of it."""
WORD = re.compile(r"exit(-[0-9]+)?\.json")
"""What the wrapper on each node of a gang writes."""


@dataclass(slots=True)
class Held:
    """A payload this agent answers for."""

    order: Order
    folder: AttemptFolder
    place: str
    is_taken: bool
    """Whether the engine has said so; else it is submitted again."""
    is_stopping: bool = False
    """Whether we have told it to stop: in memory too, since a look at a running payload should touch no shared file."""
    is_cancelled: bool = False
    since_s: dict[Trouble, float] = field(default_factory=dict["Trouble", float])
    """Since when it is in which trouble, by our clock."""

    def write(self, keep: Keep, further: Mapping[str, str]) -> None:
        """What the node will read."""
        with acting_as(self.order.account):
            prepare(self.order, self.folder, keep, further)

    def has_started(self) -> bool:
        """Whether a launcher has begun the payload, or may not begin it any more."""
        with acting_as(self.order.account):
            return (self.folder.root / "started").exists()

    def forbid_start(self) -> bool:
        """Whether no launcher has begun the payload; then none will."""
        with acting_as(self.order.account):
            return claim_start(self.folder, WHO)

    def is_told_to_stop(self) -> bool:
        """Whether the heartbeat holds a word."""
        with acting_as(self.order.account):
            return self.folder.heartbeat.exists() and self.folder.heartbeat.stat().st_size > 0

    def tell_to_stop(self) -> None:
        """Quiet where the payload has put something else in the heartbeat's place: its wrapper hears no more, and ends at the lease."""
        with acting_as(self.order.account), suppress(OSError):
            tell_to_stop(self.folder)

    def word(self, nodes: int) -> Exit | None:
        """What the wrappers wrote at their end: of a gang, what the first to fail did, because it took the others along. None until
        `nodes` of them have written. The folder is listed first: that makes an NFS client forget what was not there."""
        with acting_as(self.order.account):
            names = [name for name in os.listdir(self.folder.root) if WORD.fullmatch(name)]
            written = sorted(names, key=lambda name: (self.folder.root / name).stat().st_mtime_ns)
            words = [word for name in written if (word := read_exit(self.folder, name.removesuffix(".json")))]
        if len(words) < max(nodes, 1):
            return None
        failed = (w for w in words if w.status or w.cause not in ("exit", "stopped"))
        return next(failed, words[0])

    def lasts_s(self, trouble: Trouble, now_s: float) -> float:
        """For how long it is in that trouble. A file remembers when it began: where an agent is a line of cron, none lives as long
        as a grace."""
        if trouble not in self.since_s:
            self.since_s[trouble] = now_s
            with acting_as(self.order.account):
                self._mark(trouble).touch()
        return now_s - self.since_s[trouble]

    def is_over(self, trouble: Trouble) -> None:
        """It is in that trouble no more; touches no file where it was not."""
        if self.since_s.pop(trouble, None) is not None:
            with acting_as(self.order.account):
                self._mark(trouble).unlink(missing_ok=True)

    def recall(self, now_s: float) -> None:
        """What an agent before this one has left word of."""
        with acting_as(self.order.account):
            for trouble in get_args(Trouble):
                if (mark := self._mark(trouble)).exists():
                    self.since_s[trouble] = now_s - max(0.0, time.time() - mark.stat().st_mtime)
        self.is_stopping = "fenced" not in self.since_s and self.is_told_to_stop()

    def _mark(self, trouble: Trouble) -> Path:
        return self.folder.root / f".{trouble}"

    def conclude(self, end: Exit) -> None:
        """Writes how it ended, so that an agent after this one tells the same."""
        with acting_as(self.order.account), suppress(OSError):  # a payload may have put a folder there
            write_json(self.folder.file("exit"), asdict(end))


def prepare(order: Order, folder: AttemptFolder, keep: Keep, further: Mapping[str, str]) -> None:
    """Writes what the node will read."""
    write_json(folder.file("limits"), asdict(order.limits))
    own = ("PATH", "PYTHONPATH") if keep == "container" else ()  # an image brings its own interpreter
    environment = {name: value for name, value in {**order.environment, **further}.items() if name not in own}
    processes = order.accelerator.count if order.accelerator else 1
    write_launch(folder, Launch(order.module, environment, keep, order.gang, processes))


def tell_to_stop(folder: AttemptFolder) -> None:
    """Puts a word into the heartbeat, which every wrapper of the Attempt reads. To open a pipe without a reader is an OSError."""
    handle = os.open(folder.heartbeat, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK, 0o644)
    with os.fdopen(handle, "w") as file:
        file.write("stop\n")
