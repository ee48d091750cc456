"""One line of feedback: the format of `feedback.jsonl`, version 1.

Pure functions. Knows nothing of the store. Invariant: the same records give the same bytes in the same order. A line names its
giver in `subject` alone, which a reader turns into a pseudonym, so that `touyan withdraw --subject` reaches what is made of it.
"""

from __future__ import annotations

from collections.abc import Iterable

from touyan.core.canonical import Json, canonical
from touyan.store.answers import Said

FILE = "feedback.jsonl"
VERSION = 1


def lines(records: Iterable[Said]) -> bytes:
    """All records, by response and id."""
    ordered = sorted(records, key=lambda r: (r.answer.id, r.id))
    return b"".join(canonical(to_json(record)) + b"\n" for record in ordered)


def to_json(record: Said) -> dict[str, Json]:
    """The fields of one line."""
    answer = record.answer
    return {
        "feedback": VERSION, "id": record.id, "response_id": answer.id, "at": record.at, "model": answer.model,
        "permit": answer.permit, "prompt": answer.prompt, "completion": answer.completion, "correction": record.correction,
        "rating": record.rating, "comment": record.comment, "terms": record.terms, "subject": record.party,
        "text": text_of(record),
    }  # fmt: skip


def text_of(record: Said) -> str:
    """What a reader takes as the document: the prompt with the text that a person stands behind.

    That is the correction, or else a completion that was rated up. An answer that was only rated down teaches nothing by its
    words: its text is empty, and a reader lists it with that reason.
    """
    stands = record.correction or (record.answer.completion if record.rating == "up" else "")
    return record.answer.prompt + stands if stands else ""
