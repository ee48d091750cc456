"""Masking: identifiers of persons are replaced by their kind, or by a tag of the person that only a key can make.

Owns what stands in the text instead, and the pseudonyms. Knows nothing about how an identifier is recognised. Invariant:
outside the identifiers no character changes, and no identifier, nor anything that it could be guessed from without the key,
is in what an operator returns.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from touyan.core.document import Span, Verdict, apply, pseudonym, settle
from touyan.core.errors import Missing
from touyan.corpus.operator import DocumentBatch, Marks
from touyan.corpus.personal.identifier import PRIORITY, Identifier
from touyan.corpus.personal.policy import KINDS, REASONS, REPLACEMENTS, kinds_of, policy_of
from touyan.corpus.personal.subjects import SINGULAR, subjects

KEY_VARIABLE = "TOUYAN_PSEUDONYM_KEY"
"""Environment variable with the secret of the pseudonyms. It is no parameter: parameters are published."""

FIELDS = ("natural_key", "title", "group", "meta")
"""Columns beside the text that come from people, and so may hold identifiers. Their spans lie on the views `field:<column>`."""
TAG_DIGITS = 6  # 16.8 million tags: two of 1,000 persons share one once in 34 corpora; shorter than any number that is recognised


def pseudonym_key() -> bytes | None:
    """The secret from the environment, or None: then identifiers are masked but get no pseudonym."""
    return os.environ.get(KEY_VARIABLE, "").encode() or None


@dataclass(frozen=True, slots=True)
class Mask:
    """Does with the identifiers of the `kinds` listed what the policy says. The subject of a span is the person's pseudonym."""

    name: ClassVar[str] = "mask"
    version: ClassVar[str] = "2"

    kinds: tuple[str, ...] = KINDS
    policy: tuple[str, ...] = ()
    """What is done with a kind, as 'kind=action': see `touyan.corpus.personal.policy`."""
    han_digits: bool = False
    """Whether mobile numbers spelled in Han digits are looked for, at 3 ms of CPU a megabyte."""
    key: bytes | None = field(default=None, repr=False)
    """The secret; it has no part in the signature."""

    def __post_init__(self) -> None:
        kinds_of(self.kinds)
        if "pseudonym" in policy_of(self.policy).values() and self.key is None:
            hint = f"set the environment variable {KEY_VARIABLE} to the key of this project, or write mask"
            raise Missing("no-pseudonym-key", "the policy of the mask asks for pseudonyms, which need a key", hint)

    def judge(self, batch: DocumentBatch) -> Marks:
        """Edits and remarks over the identifiers of each text; verdicts 'holds-KIND' where the policy drops the document."""
        actions = policy_of(self.policy)
        spans, verdicts = {}, {}
        for row, found in enumerate(self._found(batch.texts)):
            if found:
                spans[row] = self._spans(batch.texts[row], found)
            dropping = sorted({each.kind for each in found if actions[each.kind] == "drop"})
            if dropping:
                verdicts[row] = Verdict("drop", f"holds-{dropping[0]}", may_quote=False)
        return Marks(spans, verdicts)

    def spans(self, text: str) -> tuple[Span, ...]:
        """The marks of one text, in order. An identifier inside another gets no edit, but its subject is still named."""
        return self._spans(text, self._found([text])[0])

    def masked(self, text: str) -> str:
        """`text` with its identifiers replaced, for excerpts and titles."""
        return apply(text, tuple(s for s in self.spans(text) if s.replacement is not None))

    def subjects(self, text: str) -> set[str]:
        """Pseudonyms of the persons whose identifiers are in `text`; empty without a key."""
        return {span.subject for span in self.spans(text) if span.subject is not None}

    def _found(self, texts: Sequence[str]) -> list[list[Identifier]]:
        # The patterns take 30 ms of CPU to compile, which a planner that only looks at the operator should not pay.
        from touyan.corpus.personal.find import find_all, settled

        kinds = kinds_of(self.kinds)
        found = find_all(texts, kinds, han_digits=self.han_digits)
        if "person" not in kinds:
            return found
        from touyan.corpus.personal.names import find_names

        return [settled((*some, *names)) for some, names in zip(found, find_names(texts), strict=True)]

    def _spans(self, text: str, found: Sequence[Identifier]) -> tuple[Span, ...]:
        actions = policy_of(self.policy)
        people = subjects(text, found) if self.key else [None] * len(found)
        marks = [self._span(each, who, actions[each.kind]) for each, who in zip(found, people, strict=True)]
        edits = settle((mark for mark in marks if mark.replacement is not None), PRIORITY)
        shown = set(map(id, edits))
        return tuple(mark if id(mark) in shown else _remark(mark) for mark in marks)

    def _span(self, found: Identifier, who: str | None, action: str) -> Span:
        """The subject is the pseudonym of the identifier itself, so that whoever withdraws by it finds it; of a name, its person's."""
        means = found.canonical if found.kind in SINGULAR else who if found.kind == "person" else None
        subject = pseudonym(self.key, means) if self.key and means else None
        replacement = None if action == "keep" else REPLACEMENTS[found.kind]
        if action == "pseudonym" and self.key and replacement:
            replacement = f"{replacement[:-1]}·{pseudonym(self.key, who or found.canonical)[:TAG_DIGITS]}]"
        return Span(found.start, found.end, found.kind, REASONS[found.kind], replacement, subject=subject)


def _remark(mark: Span) -> Span:
    return Span(mark.start, mark.end, mark.label, mark.reason, subject=mark.subject)
