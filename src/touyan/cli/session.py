"""What every verb needs: an open store and an Actor, and the options that choose them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from touyan.cli.words import _

if TYPE_CHECKING:
    from touyan.core.party import Actor
    from touyan.store.home import Store

AsOption: TypeAlias = Annotated[
    str, typer.Option("--as", metavar="PARTY", help=_("Act as this party; its key must be in the keyring."))
]
ProjectOption: TypeAlias = Annotated[str, typer.Option("--project", help=_("Project to act in."))]
HomeOption: TypeAlias = Annotated[
    Path | None, typer.Option("--home", help=_("Folder of the store; default: TOUYAN_HOME, or .touyan here or above."))
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help=_("Print the answer as JSON."))]


@dataclass(frozen=True, slots=True)
class Session:
    """An open store with the Actor who uses it."""

    store: Store
    actor: Actor

    def require_inspect(self, kind: str, identifier: str = "*") -> None:
        """Raises Refused where the actor may not look at things of that kind: lists and records pass no gate of their own."""
        from touyan.store.policy import Thing, require

        require(self.actor, "inspect", Thing(kind, identifier, self.actor.project))

    def resolve(self, prefix: str) -> str:
        """The whole id of an asset from its first digits or its name."""
        with self.store.database.read() as connection:
            return self.store.assets.resolve(connection, self.actor.project, prefix)


@contextmanager
def session(home: Path | None = None, party: str = "", project: str = "", create: bool = False) -> Iterator[Session]:
    """Opens the store and signs in; puts waiting events into the log at the end."""
    from touyan.store.home import open_store

    store = open_store(home, create=create)
    try:
        yield Session(store, store.me(party, project))
    finally:
        store.events.sequence()
        store.close()
