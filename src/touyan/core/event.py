"""Events: the leaves of the evidence log, and its signed tree heads.

A leaf names type, actor, time and subjects, and commits to a body by a salted digest; the body lives outside the log and can
be erased without breaking it. Masses of small facts live in Assets: one Event per Job carries their counts and digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from touyan.core.canonical import Json, canonical, sha256_hex
from touyan.core.merkle import leaf_hash

HEAD_TYPE = "application/vnd.touyan.tree-head+json"


@dataclass(frozen=True, slots=True)
class Event:
    """A leaf. Its bytes are frozen: format version 1."""

    type: str
    """Slug such as `job.done`, `source.refused`, `permit.issued`."""
    project: str
    actor: str
    at: str
    subjects: tuple[str, ...]
    """Ids of what it is about."""
    commitment: str
    """`commit(salt, body)`."""

    def to_json(self) -> dict[str, Json]:
        return {
            "event": 1, "type": self.type, "project": self.project, "actor": self.actor, "at": self.at,
            "subjects": list(self.subjects), "commitment": self.commitment,
        }  # fmt: skip


def event_bytes(event: Event) -> bytes:
    return canonical(event.to_json())


def event_hash(event: Event) -> bytes:
    """The 32-byte leaf hash."""
    return leaf_hash(event_bytes(event))


def commit(salt_hex: str, body: Mapping[str, Json]) -> str:
    """Salted commitment to a body: sha256 of the 16 salt bytes and the canonical body."""
    return sha256_hex(bytes.fromhex(salt_hex) + canonical(body))


@dataclass(frozen=True, slots=True)
class TreeHead:
    """The log at one size. Signed as a DSSE payload of type HEAD_TYPE."""

    origin: str
    """Which log: the organisation's id and the log's random id."""
    size: int
    root: str
    at: str

    def to_json(self) -> dict[str, Json]:
        return {"tree_head": 1, "origin": self.origin, "size": self.size, "root": self.root, "at": self.at}
