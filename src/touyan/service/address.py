"""The address of a service: which model of its list stands behind it at this moment.

Takes the first target of the binding that is cleared now, opens it through the gate, and lets it go the moment it is cleared no
longer: running requests end with the reason, and the next target takes over; at last `humans-only`. Knows nothing of HTTP.
Invariants: a model answers only while it is cleared; every change is an Event before the first answer under it.
"""

from __future__ import annotations

import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from touyan.core.errors import Refused, TouyanError
from touyan.core.party import Actor
from touyan.flow.backend import Engine, open_model
from touyan.service.batch import Batch
from touyan.service.clearance import Clearance, Cleared
from touyan.service.memory import Memory
from touyan.service.prompt import ChatTemplate, read_template
from touyan.service.settings import Settings
from touyan.store.home import Store
from touyan.store.services import BOUND, FELL_BACK, HUMANS_ONLY, STOPPED


class OpenModel(Protocol):
    """Opens a model folder: `flow.backend.open_model`."""

    def __call__(self, path: Path, *, threads: int = 0, base: Path | None = None) -> Engine: ...


@dataclass(frozen=True, slots=True)
class Opened:
    """A model that stands ready."""

    cleared: Cleared
    engine: Engine
    batch: Batch
    template: ChatTemplate | None

    @property
    def model(self) -> str:
        return self.cleared.model


@dataclass(frozen=True, slots=True)
class _Choice:
    """The outcome of one look down the list."""

    index: int
    target: str
    cleared: Cleared | None
    reasons: tuple[str, ...]
    """Why the targets before it are not served."""


class Address:
    """What one service serves. Its methods block; an event loop calls them on a thread."""

    def __init__(
        self, store: Store, actor: Actor, name: str, clearance: Clearance, memory: Memory, settings: Settings,
        opener: OpenModel = open_model,
    ) -> None:  # fmt: skip
        self.name = name
        self._store = store
        self._actor = actor
        self._clearance = clearance
        self._memory = memory
        self._settings = settings
        self._open_model = opener
        self._lock = threading.Lock()
        self._opened: Opened | None = None
        self._choice: _Choice | None = None
        self._unusable: dict[str, str] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._is_closed = False

    def now(self) -> Opened:
        """The model that answers now, after a look at its clearance. Raises Refused `humans-only` with the reasons."""
        with self._lock:
            if self._is_closed:
                raise _stopping()
            choice = self._choose()
            if self._choice is None or choice.target != self._choice.target:
                choice = self._move(choice)
            self._choice = choice
            if self._opened is None or choice.cleared is None:
                raise _humans_only(self.name, choice.reasons)
            if not self._opened.batch.is_alive:
                raise Refused("not-serving", "the engine of this service has stopped", "restart the service and look at its log")
            self._opened = Opened(choice.cleared, self._opened.engine, self._opened.batch, self._opened.template)
            return self._opened

    def for_caller(self, party: str) -> Opened:
        """The model, where its permit covers this caller too. Raises Refused."""
        opened = self.now()
        return Opened(self._clearance.of(opened.model, party), opened.engine, opened.batch, opened.template)

    def close(self) -> None:
        """Ends what runs, and says so in the log."""
        with self._lock:
            was, self._choice, self._is_closed = self._choice, None, True
            self._let_go(_stopping())
            if was is not None:
                self._store.services.tell(self._actor, self.name, STOPPED, HUMANS_ONLY, {"was": was.target})

    @property
    def serving(self) -> Opened | None:
        """The model as of the last look, without a new one."""
        return self._opened

    def _choose(self) -> _Choice:
        """The first target that is cleared and not known to be unusable."""
        services, reasons = self._store.services, list[str]()
        targets = self._memory.recall("targets", lambda: services.get(self._actor.project, self.name).targets)
        for index, target in enumerate(targets[:-1]):
            if target in self._unusable:
                reasons.append(self._unusable[target])
                continue
            try:
                return _Choice(index, target, self._clearance.for_anybody(target), tuple(reasons))
            except Refused as refusal:
                reasons.append(refusal.message)
        return _Choice(len(targets) - 1, HUMANS_ONLY, None, tuple(reasons))

    def _move(self, choice: _Choice) -> _Choice:
        """Lets the old target go, opens the new one, and tells the log; goes further down where it cannot be opened."""
        reason = "; ".join(choice.reasons) or "the list of the service was changed"
        self._let_go(
            Refused("not-serving", f"this model is no longer served: {reason}", "ask again: the service has fallen back")
        )
        while choice.cleared is not None:
            try:
                self._opened = self._open(choice.cleared)
                break
            except TouyanError as error:
                self._unusable[choice.target] = f"{choice.target[:12]} cannot be opened: {error.message}"
                choice = self._choose()
        self._tell(choice)
        return choice

    def _tell(self, choice: _Choice) -> None:
        was = self._choice
        fell = choice.target == HUMANS_ONLY or choice.index > 0 if was is None else choice.index > was.index
        body = {
            "was": was.target if was else "",
            "permit": choice.cleared.permit if choice.cleared else "",
            "reasons": list(choice.reasons),
        }
        self._store.services.tell(self._actor, self.name, FELL_BACK if fell else BOUND, choice.target, body)

    def _let_go(self, reason: Refused) -> None:
        if self._opened is not None:
            self._opened.batch.close(reason)
            self._opened = None
        if self._folder is not None:  # a model that was withdrawn must not live on as a copy
            self._folder.cleanup()
            self._folder = None

    def _open(self, cleared: Cleared) -> Opened:
        folder = self._fetch(cleared.model)
        base = self._base(cleared.model)
        engine = self._open_model(folder, threads=self._settings.threads, base=self._fetch(base) if base else None)
        return Opened(cleared, engine, Batch(engine, self._settings.batch, self._settings.waiting), read_template(folder))

    def _fetch(self, model: str) -> Path:
        """Verified files of a model, opened for serving by the gate."""
        opened = self._store.gate.open(model, self._actor, "serve")
        self._folder = self._folder or tempfile.TemporaryDirectory(prefix="touyan-serve-")
        return opened.copy_to(Path(self._folder.name) / model)

    def _base(self, model: str) -> str:
        with self._store.database.read() as connection:
            inputs = self._store.assets.inputs(connection, model)
        return next((i.asset for i in inputs if i.role == "base"), "")


def _stopping() -> Refused:
    return Refused("service-stopped", "the service is stopping", "ask again when it is back")


def _humans_only(name: str, reasons: tuple[str, ...]) -> Refused:
    why = f": {'; '.join(reasons)}" if reasons else ""
    return Refused(
        "humans-only", f"the service {name!r} serves no model now, people only{why}", "ask the people behind this service"
    )
