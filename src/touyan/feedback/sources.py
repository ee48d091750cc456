"""Feedback Assets as the sources they are in the next turn of the ring.

Knows which there are and what rights were stated for them. Invariant: feedback without stated rights, or that was withdrawn, is
named with its reasons and not used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from touyan.core.canonical import Json, short
from touyan.core.party import Actor
from touyan.core.rights import Block, Purpose, Rights
from touyan.feedback.collect import NAME
from touyan.store.home import Store

PROVIDER = "users"
ALL = 1 << 31


@dataclass(frozen=True, slots=True)
class FeedbackSource:
    """One feedback Asset as a source."""

    name: str
    asset: str
    size_bytes: int
    rights: Rights
    blocks: tuple[Block, ...]

    @property
    def provider(self) -> str:
        return f"{PROVIDER}/{NAME}"

    def to_json(self) -> dict[str, Json]:
        """The form in the record of a run."""
        blocks: list[Json] = [{"who": b.who, "part": b.part, "reason": b.reason} for b in self.blocks]
        return {
            "name": self.name, "provider": self.provider, "path": "feedback", "reader": "jsonl", "asset": self.asset,
            "size_bytes": self.size_bytes, "is_cleared": not self.blocks, "blocks": blocks, "rights": self.rights.to_json(),
        }  # fmt: skip


def feedback_sources(store: Store, actor: Actor, purposes: Sequence[Purpose]) -> list[FeedbackSource]:
    """All feedback of the project, oldest first, with what blocks it for the given purposes."""
    found = store.assets.list(actor.project, "feedback", ALL)
    return [_source(store, actor, a.id, a.manifest.size_bytes, purposes) for a in reversed(found)]


def _source(store: Store, actor: Actor, asset: str, size_bytes: int, purposes: Sequence[Purpose]) -> FeedbackSource:
    single = [w.id for w in store.withdrawals.active(actor.project, f"{PROVIDER}/{NAME}") if w.selector != "source"]
    with store.database.read() as connection:
        rights = store.statements.standing(connection, actor.project, asset).rights or Rights()
        blocks = [b for p in purposes for b in store.gate.blocks(connection, actor.project, asset, p, single)]
    return FeedbackSource(f"feedback-{short(asset)}", asset, size_bytes, rights, tuple(dict.fromkeys(blocks)))
