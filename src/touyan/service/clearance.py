"""May this model answer now, and this caller? Permit, rights, withdrawals and the server's own role, asked again all the time.

Knows what must hold, nothing of engines; how long an answer is believed is the memory's. Invariant: everything that could end a
permission is asked for each time: nothing about it was decided when the service started.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from touyan.core.canonical import short
from touyan.core.errors import Refused
from touyan.core.party import Actor
from touyan.core.permit import Use
from touyan.service.memory import Memory
from touyan.store.home import Store
from touyan.store.permits import IssuedPermit
from touyan.store.policy import Thing, require


@dataclass(frozen=True, slots=True)
class Cleared:
    """A model that may be served, and under what."""

    model: str
    permit: str
    kind: str
    expires_at: str
    is_demo: bool
    conditions: tuple[str, ...]


class Clearance:
    """Asks for one service: a use, a server Actor, a store."""

    def __init__(self, store: Store, actor: Actor, use: Use, allow_demo: bool, memory: Memory) -> None:
        self._store = store
        self._actor = actor
        self._use = use
        self._allow_demo = allow_demo
        self._memory = memory

    def of(self, model: str, tester: str = "") -> Cleared:
        """The clearance of `model` for the party `tester`. Raises Refused with the reason."""
        answer = self._memory.recall(("clearance", model, tester), lambda: self._ask(model, tester))
        if isinstance(answer, Refused):
            raise Refused(answer.code, answer.message, answer.hint)
        return answer

    def for_anybody(self, model: str) -> Cleared:
        """The clearance of `model` for at least one caller: under a trial permit, a named tester. Raises Refused."""
        try:
            return self.of(model)
        except Refused:
            for tester in self._testers(model):
                try:
                    return self.of(model, tester)
                except Refused:
                    continue  # the refusal without a tester is the one worth telling
            raise

    def _ask(self, model: str, tester: str) -> Cleared | Refused:
        try:
            self._require_rights(model)
            use = replace(self._use, tester=tester)
            issued = self._store.permits.valid_for(model, use, self._actor.project, allow_demo=self._allow_demo)
        except Refused as refusal:
            return refusal
        return _cleared(model, issued)

    def _require_rights(self, model: str) -> None:
        actor = self._store.parties.actor(self._actor.party, self._actor.project)  # the roles it has now
        require(actor, "serve", Thing("model", model, actor.project))
        with self._store.database.read() as connection:
            blocks = self._store.gate.blocks(connection, actor.project, model, "serve")
        if blocks:
            reasons = "; ".join(f"{b.who}: {b.reason}" for b in blocks[:5])
            raise Refused(
                f"rights-{blocks[0].part}",
                f"the model {short(model)} may not be served: {reasons}",
                f"see: touyan why {short(model)}",
            )

    def _testers(self, model: str) -> list[str]:
        trials = [
            i.permit.scope.testers for i in self._store.permits.list(self._actor.project, model) if i.permit.kind == "trial"
        ]
        return sorted({tester for testers in trials for tester in testers})


def _cleared(model: str, issued: IssuedPermit) -> Cleared:
    permit = issued.permit
    return Cleared(model, permit.number, permit.kind, permit.expires_at, permit.demo, permit.conditions)
