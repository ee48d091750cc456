"""Exclusions: documents that have been withdrawn leave before anything else can depend on them.

Owns the `*.jsonl` files of an Asset of kind exclusions and their three selectors. Knows nothing about who withdrew, or why.
Invariant: it runs before
duplicates are settled, so that a withdrawn document never stands in for another owner's copy; and it quotes nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from touyan.core.document import Verdict
from touyan.core.errors import Invalid, Missing
from touyan.corpus.operator import DocumentBatch, Marks
from touyan.corpus.personal.mask import FIELDS, KEY_VARIABLE, Mask
from touyan.corpus.personal.policy import IDENTIFIERS

SELECTORS = ("document", "source", "subject")


@dataclass(frozen=True, slots=True)
class Exclusions:
    """Drops withdrawn documents: by doc_id, by source `provider/name`, or by the pseudonym of a subject.

    A subject is looked for in the column `subjects` and, through its identifiers, in the text and the fields beside it.
    """

    name: ClassVar[str] = "exclusions"
    version: ClassVar[str] = "1"

    documents: frozenset[str] = field(default=frozenset(), repr=False)
    sources: frozenset[str] = field(default=frozenset(), repr=False)
    subjects: frozenset[str] = field(default=frozenset(), repr=False)
    mask: Mask = field(default=Mask(kinds=IDENTIFIERS), repr=False)

    @classmethod
    def read(cls, folder: Path, mask: Mask) -> Exclusions:
        """The exclusions of an Asset: every line `{"selector", "value"}` of its `*.jsonl` files.

        Raises Invalid with the line that is wrong, and Missing where subjects are withdrawn and the key to find them is absent.
        """
        chosen: dict[str, set[str]] = {selector: set() for selector in SELECTORS}
        for path in sorted(folder.glob("*.jsonl")):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                selector, value = _selector(line, f"{path.name} line {number}")
                chosen[selector].add(value)
        if chosen["subject"] and mask.key is None:
            hint = f"set the environment variable {KEY_VARIABLE} to the key of this project"
            raise Missing("no-pseudonym-key", "a subject was withdrawn, but the key that finds its identifiers is absent", hint)
        documents, sources, subjects = (frozenset(chosen[selector]) for selector in SELECTORS)
        return cls(documents, sources, subjects, mask)

    def judge(self, batch: DocumentBatch) -> Marks:
        """Verdicts 'withdrawn-document', 'withdrawn-source' and 'withdrawn-subject'."""
        found = ((row, self._reason(batch, row)) for row in range(len(batch)))
        return Marks(verdicts={row: Verdict("drop", reason, may_quote=False) for row, reason in found if reason is not None})

    def _reason(self, batch: DocumentBatch, row: int) -> str | None:
        if batch.doc_ids[row] in self.documents:
            return "withdrawn-document"
        if batch.columns["source"][row] in self.sources:
            return "withdrawn-source"
        return "withdrawn-subject" if self.subjects and self._names(batch, row) else None

    def _names(self, batch: DocumentBatch, row: int) -> bool:
        texts = (batch.columns[name][row] or "" for name in ("text", *FIELDS))
        found = {subject for text in texts for subject in self.mask.subjects(text)}
        return not self.subjects.isdisjoint(found.union(batch.columns["subjects"][row]))


def _selector(line: str, place: str) -> tuple[str, str]:
    try:
        entry = json.loads(line)
        selector, value = entry["selector"], entry["value"]
    except (ValueError, KeyError, TypeError) as error:
        raise Invalid("bad-exclusion", f"{place} is not a selector with a value", "write it with `touyan withdraw`") from error
    if selector not in SELECTORS or not isinstance(value, str):
        raise Invalid("bad-exclusion", f"{place}: no selector {selector!r}", f"use one of {', '.join(SELECTORS)}")
    return selector, value
