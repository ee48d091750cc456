"""May this model answer now, and this caller? Permit, rights, withdrawals and the server's own role, asked again all the time.

Owns a short memory: an answer is believed until an Event or a Statement is added to the store, and for one second at most,
since permits and rights also end by the clock alone. Knows nothing of engines. Invariant: no answer is believed past a change
of the log.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from touyan.core.canonical import short
from touyan.core.errors import Refused
from touyan.core.party import Actor
from touyan.core.permit import Use
from touyan.store.home import Store
from touyan.store.permits import IssuedPermit
from touyan.store.policy import Thing, require

Mark = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Cleared:
    """A model that may be served, and under what."""

    model: str
    permit: str
    kind: str
    expires_at: str
    is_demo: bool
    conditions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Remembered:
    mark: Mark
    until_s: float
    answer: Cleared | Refused


class Clearance:
    """Asks for one service: a use, a server Actor, a store."""

    def __init__(self, store: Store, actor: Actor, use: Use, allow_demo: bool, recheck_s: float) -> None:
        self._store = store
        self._actor = actor
        self._use = use
        self._allow_demo = allow_demo
        self._recheck_s = min(recheck_s, 1.0)
        self._remembered: dict[tuple[str, str], _Remembered] = {}

    def of(self, model: str, tester: str = "") -> Cleared:
        """The clearance of `model` for the party `tester`. Raises Refused with the reason."""
        mark, now_s = self._store.services.mark(), self._store.seam.monotonic_s()
        known = self._remembered.get((model, tester))
        if known is None or known.mark != mark or now_s >= known.until_s:
            if len(self._remembered) > 1000:  # callers come and go; what is forgotten is only asked again
                self._remembered.clear()
            known = _Remembered(mark, now_s + self._recheck_s, self._ask(model, tester))
            self._remembered[model, tester] = known
        if isinstance(known.answer, Refused):
            raise Refused(known.answer.code, known.answer.message, known.answer.hint)
        return known.answer

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
