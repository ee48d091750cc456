"""Answers of a service and what users said about them, kept for a stated time.

The words of a request and its answer are kept only where the key's holder accepted terms of feedback (PIPL art. 6: no more than
the purpose needs); else the row says which model answered under which permit, and nothing more. Knows nothing of how feedback
becomes data. Invariant: after `purge` no word older than the retention is left here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from touyan.core.canonical import Json, canonical, parse
from touyan.core.errors import Conflict, Missing, Refused
from touyan.core.party import Actor
from touyan.core.seam import Seam, iso
from touyan.store import tables as t
from touyan.store.api_keys import ApiKey
from touyan.store.database import Database
from touyan.store.events import EventLog

DAY_MS = 24 * 3600 * 1000
FEEDBACK_LIMIT = 20
"""Feedback records per response."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One response of a service."""

    id: str
    service: str
    model: str
    permit: str
    prompt: str
    completion: str
    """As the model wrote it, without the label."""


@dataclass(frozen=True, slots=True)
class Said:
    """One feedback record, with the answer it is about."""

    id: str
    answer: Answer
    rating: str
    correction: str
    comment: str
    party: str
    """Who said it: the holder of the key."""
    asked_by: str
    """Who had asked for the answer."""
    terms: str
    """Version of the terms under which it was given; empty: no consent."""
    at: str


class Answers:
    """Responses and feedback of one store."""

    def __init__(self, database: Database, events: EventLog, seam: Seam) -> None:
        self._database = database
        self._events = events
        self._seam = seam

    def keep(self, key: ApiKey, answers: Sequence[Answer]) -> None:
        """Keeps answers to one key; their words only under accepted terms."""
        about: dict[str, str] = {"project": key.project, "api_key": key.id, "at": iso(self._seam.now_ms())}
        if not key.terms:
            about |= {"prompt": "", "completion": ""}
        rows = [{n: getattr(a, n) for n in Answer.__dataclass_fields__} | about for a in answers]
        if rows:
            with self._database.write() as connection:
                connection.execute(insert(t.response), rows)

    def say(self, key: ApiKey, response: str, fields: Mapping[str, str]) -> str:
        """Keeps feedback (rating, correction, comment) on a response of the key's project; returns its id. Raises Missing."""
        body: Mapping[str, Json] = {"rating": "", "correction": "", "comment": "", **fields, "terms": key.terms}
        row = {
            "id": f"fb-{self._seam.token(12)}", "project": key.project, "response": response, "api_key": key.id,
            "body": canonical(body).decode(), "at": iso(self._seam.now_ms()), "asset": None,
        }  # fmt: skip
        with self._database.write() as connection:
            self._require_response(connection, key.project, response)
            connection.execute(insert(t.feedback), row)
        return str(row["id"])

    def _require_response(self, connection: Connection, project: str, response: str) -> None:
        known = select(t.response.c.id).where(t.response.c.project == project, t.response.c.id == response)
        if connection.execute(known).first() is None:
            raise Missing(
                "no-response",
                f"no response {response[:60]!r} is kept for this key's project",
                "send the id of an answer you got; they are kept for a limited time",
            )
        given = select(func.count()).where(t.feedback.c.project == project, t.feedback.c.response == response)
        if (connection.execute(given).scalar() or 0) >= FEEDBACK_LIMIT:
            raise Refused(
                "feedback-limit",
                f"this response has {FEEDBACK_LIMIT} feedback records already",
                "send feedback on another response",
            )

    def unclaimed(self, project: str) -> list[Said]:
        """Feedback that is in no Asset yet, by response and id."""
        f, giver, asker = t.feedback.c, t.api_key.alias(), t.api_key.alias()
        more = (f.id.label("said"), f.body, f.at.label("said_at"), giver.c.party.label("giver"), asker.c.party.label("asker"))
        joined = t.feedback.join(t.response, t.response.c.id == f.response)
        joined = joined.join(giver, giver.c.id == f.api_key).join(asker, asker.c.id == t.response.c.api_key)
        query = (
            select(t.response, *more)
            .select_from(joined)
            .where(f.project == project, f.asset.is_(None))
            .order_by(f.response, f.id)
        )
        with self._database.read() as connection:
            return [_said(r) for r in connection.execute(query).mappings()]

    def claim(self, connection: Connection, feedback: Collection[str], asset: str) -> None:
        """Marks feedback as part of an Asset, within the caller's transaction. Raises Conflict where somebody was first."""
        where = t.feedback.c.id.in_(feedback) & t.feedback.c.asset.is_(None)
        taken = connection.execute(update(t.feedback).where(where).values(asset=asset)).rowcount
        if taken != len(feedback):
            raise Conflict("feedback-claimed", "another collection took some of this feedback", "collect again")

    def purge(self, actor: Actor, retention_days: int) -> dict[str, int]:
        """Erases answers, and feedback on them, older than the retention. What became an Asset stays under its own rights."""
        before = iso(self._seam.now_ms() - retention_days * DAY_MS)
        old = select(t.response.c.id).where(t.response.c.project == actor.project, t.response.c.at < before)
        with self._database.write() as connection:
            feedback = connection.execute(delete(t.feedback).where(t.feedback.c.response.in_(old))).rowcount
            responses = connection.execute(
                delete(t.response).where(t.response.c.project == actor.project, t.response.c.at < before)
            ).rowcount
            counts = {"responses": responses, "feedback": feedback}
            if responses or feedback:
                self._events.emit(connection, actor, "responses.purged", [], counts | {"retention_days": retention_days})
        return counts


def _said(row: RowMapping) -> Said:
    body = cast(Mapping[str, str], parse(row["body"]))
    answer = Answer(**{n: row[n] for n in Answer.__dataclass_fields__})
    words = (body["rating"], body["correction"], body["comment"])
    return Said(row["said"], answer, *words, row["giver"], row["asker"], body["terms"], row["said_at"])
