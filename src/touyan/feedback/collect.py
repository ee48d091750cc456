"""Collects feedback as an Asset: what may be used, with its rights, and what may not, with the reason.

Feedback is user data. It enters only where its giver had accepted terms, with the evidence of that; who collects it states
the security class, since nobody else can, and until then it blocks. Knows nothing of training. Invariants: every record is
taken once or refused with a reason; the rights gate decides about the Asset like about any other.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from touyan.core.asset import InputRef, build
from touyan.core.canonical import Json
from touyan.core.party import Actor
from touyan.core.rights import Block, PersonalBasis, Purpose, Rights, SecurityClass
from touyan.feedback.line import FILE, lines
from touyan.store.answers import Said
from touyan.store.home import Store
from touyan.store.policy import Thing, decide, require

NAME = "feedback"
PURPOSES: tuple[Purpose, ...] = ("inspect", "refine", "annotate", "train", "evaluate", "serve")
ORIGINAL_PURPOSE = "improving the service that the feedback is about"


@dataclass(frozen=True, slots=True)
class Stated:
    """What the collector states about the feedback; unknown blocks."""

    security: SecurityClass = "unknown"
    personal: PersonalBasis = "pipl-consent"
    purposes: tuple[Purpose, ...] = PURPOSES


@dataclass(frozen=True, slots=True)
class Collected:
    """What became of the feedback."""

    asset: str
    """Empty where nothing could be taken."""
    taken: int
    refused: Mapping[str, int]
    """Records that stay apart, by reason; they are erased with their answers at the end of the retention."""
    blocks: tuple[Block, ...]
    """Why the Asset may not be refined yet; empty where it may."""


def collect(store: Store, actor: Actor, stated: Stated | None = None, name: str = NAME) -> Collected:
    """Turns feedback that is in no Asset yet into one of kind `feedback`. Raises Refused without the verb `learn`, Conflict."""
    require(actor, "learn", Thing("feedback", name, actor.project))
    said = store.answers.unclaimed(actor.project)
    reasons = {record.id: why_refused(record) for record in said}
    usable = [record for record in said if not reasons[record.id]]
    refused = dict(sorted(Counter(r for r in reasons.values() if r).items()))
    asset = _publish(store, actor, usable, stated or Stated(), name, refused)
    with store.database.read() as connection:
        blocks = store.gate.blocks(connection, actor.project, asset, "refine") if asset else []
    return Collected(asset, len(usable), refused, tuple(blocks))


def why_refused(record: Said) -> str:
    """Why a record may not be used; empty where it may."""
    if not record.terms:
        return "no-consent: no terms of feedback were accepted with the key"
    if record.party != record.asked_by:
        return "other-person: the answer was given to another party, whose words it holds"
    if not (record.answer.prompt or record.answer.completion):
        return "no-words: the words of the answer were not kept, because no terms were accepted when it was given"
    return ""


def _publish(store: Store, actor: Actor, usable: Sequence[Said], stated: Stated, name: str, refused: Mapping[str, int]) -> str:
    """The Asset, its rights and the claims on its records: all or nothing."""
    with tempfile.TemporaryDirectory(prefix="touyan-feedback-") as folder:
        (Path(folder) / FILE).write_bytes(lines(usable))
        files = store.assets.store_folder(Path(folder)) if usable else []
    with store.database.write() as connection:
        if refused:
            store.events.emit(connection, actor, "feedback.refused", [], {"records": dict(refused)})
        if not usable:
            return ""
        models = [InputRef("model", m) for m in sorted({r.answer.model for r in usable})]
        asset = store.assets.publish(connection, actor, build("feedback", files, models, provider=f"users/{name}"), name)
        _state_rights(store, connection, actor, asset, rights(usable, stated))
        store.answers.claim(connection, [r.id for r in usable], asset)
        body: dict[str, Json] = {"records": len(usable), "refused": sum(refused.values())}
        store.events.emit(connection, actor, "feedback.collected", [asset, *(m.asset for m in models)], body)
    return asset


def _state_rights(store: Store, connection: Connection, actor: Actor, asset: str, stated: Rights) -> None:
    """Rights are a steward's to state. Collected by anybody else, the Asset has none yet, and so it blocks."""
    if decide(actor, "state", Thing("feedback", asset, actor.project)).is_allowed:
        store.statements.make(connection, actor, asset, "rights", {"rights": stated.to_json()})


def rights(records: Sequence[Said], stated: Stated) -> Rights:
    """The rights of collected feedback: consent, with the versions of the terms as evidence.

    Free text of users is taken to contain personal information, whatever it says: the masks of the refinery come later.
    """
    terms = sorted({r.terms for r in records})
    return Rights(
        authority="user-consent", personal=stated.personal, personal_state="contains", original_purpose=ORIGINAL_PURPOSE,
        security=stated.security, purposes=stated.purposes, evidence=tuple(f"terms accepted with the key: {t}" for t in terms),
    )  # fmt: skip
