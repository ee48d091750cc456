"""Everything one running service holds, put together once.

Knows how the parts are wired; owns no decision. Invariant: `start` and `close` are the only places where a service begins and
ends.
"""

from __future__ import annotations

from dataclasses import dataclass

from touyan.core.dsse import Signer
from touyan.core.party import Actor
from touyan.core.permit import Use
from touyan.flow.backend import open_model
from touyan.service.address import Address, OpenModel
from touyan.service.clearance import Clearance
from touyan.service.door import Door
from touyan.service.label import check_producer
from touyan.service.ledger import Ledger
from touyan.service.memory import Memory
from touyan.service.settings import Settings
from touyan.store.home import Store


@dataclass(frozen=True, slots=True)
class Running:
    """One service in this process."""

    store: Store
    actor: Actor
    """The server: its key signs the labels."""
    name: str
    is_demo: bool
    settings: Settings
    producer: str
    address: Address
    door: Door
    ledger: Ledger
    signer: Signer

    def close(self) -> None:
        """Ends what runs, writes down what is left to write."""
        self.address.close()
        self.ledger.close()


def start(store: Store, actor: Actor, name: str, *, is_demo: bool, settings: Settings, opener: OpenModel = open_model) -> Running:
    """Puts a service together; no model is opened yet. Raises Missing where nothing is bound to `name`, Invalid on settings."""
    store.services.get(actor.project, name)
    use = Use(settings.audience, settings.domain, settings.site)
    memory = Memory(store, settings.recheck_s)
    clearance = Clearance(store, actor, use, is_demo, memory)
    organisation = store.parties.get(store.parties.get(actor.party).organisation)
    producer = check_producer(settings.producer or organisation.name)
    return Running(
        store=store, actor=actor, name=name, is_demo=is_demo, settings=settings, producer=producer,
        address=Address(store, actor, name, clearance, memory, settings, opener),
        door=Door(store, actor.project, name, settings.limits, memory),
        ledger=Ledger(store), signer=store.parties.signer(actor),
    )  # fmt: skip
