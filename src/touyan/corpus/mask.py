"""Masking: identifiers of persons are replaced by their kind, and the person by a keyed pseudonym.

Owns the labels that stand in the text and the pseudonyms. Knows nothing about how an identifier is recognised. Invariant:
outside the identifiers no character changes, and no identifier, nor anything that it could be guessed from without the key,
is in what an operator returns.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import ClassVar

from touyan.core.document import Span, apply, pseudonym, settle
from touyan.corpus.identifiers import PRIORITY, Identifier, find
from touyan.corpus.operator import DocumentBatch, Marks

KEY_VARIABLE = "TOUYAN_PSEUDONYM_KEY"
"""Environment variable with the secret of the pseudonyms. It is no parameter: parameters are published."""

FIELDS = ("natural_key", "title", "group", "meta")
"""Columns beside the text that come from people, and so may hold identifiers. Their spans lie on the views `field:<column>`."""
REPLACEMENTS = {"email": "[邮箱]", "id-card": "[身份证号]", "bank-card": "[银行卡号]", "mobile": "[手机号]"}
_REASONS = {
    "email": "the form of an e-mail address",
    "id-card": "18 characters whose province, date of birth and check character agree (GB 11643)",
    "bank-card": "16 to 19 digits with an issuer's prefix that pass the Luhn check (ISO/IEC 7812-1)",
    "mobile": "11 digits in the form of a mobile number",
}


def pseudonym_key() -> bytes | None:
    """The secret from the environment, or None: then identifiers are masked but get no pseudonym."""
    return os.environ.get(KEY_VARIABLE, "").encode() or None


@dataclass(frozen=True, slots=True)
class Mask:
    """Replaces identifiers of the `kinds` listed. Every mask is a span; its subject is the pseudonym of the person."""

    name: ClassVar[str] = "mask"
    version: ClassVar[str] = "1"

    kinds: tuple[str, ...] = tuple(PRIORITY)
    key: bytes | None = field(default=None, repr=False)
    """The secret; it has no part in the signature."""

    def judge(self, batch: DocumentBatch) -> Marks:
        """Edits over the identifiers of each text, and a remark where an address holds a number of its own."""
        found = ((row, self.spans(text)) for row, text in enumerate(batch.texts))
        return Marks(spans={row: spans for row, spans in found if spans})

    def spans(self, text: str) -> tuple[Span, ...]:
        """The masks of one text, in order. An identifier inside another gets no edit, but its subject is still named."""
        found = [self._span(identifier) for identifier in find(text) if identifier.kind in self.kinds]
        edits = settle(found, PRIORITY)
        inner = (Span(s.start, s.end, s.label, s.reason, subject=s.subject) for s in found if s not in edits)
        return tuple(sorted((*edits, *inner), key=lambda s: (s.start, s.end)))

    def masked(self, text: str) -> str:
        """`text` with its identifiers replaced, for excerpts and titles."""
        return apply(text, tuple(s for s in self.spans(text) if s.replacement is not None))

    def subjects(self, text: str) -> set[str]:
        """Pseudonyms of the persons whose identifiers are in `text`; empty without a key."""
        return {span.subject for span in self.spans(text) if span.subject is not None}

    def _span(self, found: Identifier) -> Span:
        subject = pseudonym(self.key, found.canonical) if self.key else None
        return Span(found.start, found.end, found.kind, _REASONS[found.kind], REPLACEMENTS[found.kind], subject=subject)
