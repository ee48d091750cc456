"""Repeated passages: paragraphs and long stretches of text that stand in an earlier document too; marked or cut.

Owns the policy and the ends of a cut. Knows nothing about how passages are found. Invariant: a passage that is marked or cut
stands, but for width, case and white space, in the document that is named, and the first document that has it keeps it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from touyan.core.document import Span, Verdict
from touyan.core.errors import Invalid
from touyan.corpus.duplicates.anchors import KEY_UNITS, anchor_keys, anchors
from touyan.corpus.duplicates.meeting import require_memory
from touyan.corpus.duplicates.repeats import Repeat, repeats
from touyan.corpus.duplicates.surveyed import Surveyed
from touyan.corpus.duplicates.turns import Turns, turns_of
from touyan.corpus.normal import normal_forms
from touyan.corpus.operator import DocumentBatch, Marks, Survey

if TYPE_CHECKING:
    from touyan.corpus.normal import NormalForms

LABEL, REASON, CONTAINED = "repeated-passage", "in an earlier document", "contained"
MIN_CHARS = KEY_UNITS + 16
"""Below it nearly every place would be an anchor."""

_BREAK = re.compile(r"((?:[。！？!?…；;]|\.(?=\s))[”’」』）)\]】]*|\n|(?<=[^\x00-\x7f])(?=[ \u3000]))\s*")
"""Ends of sentences and lines, and gaps after Chinese characters, which part the entries of a menu or a footer."""
_LOOK_BACK = 8
"""Characters in which a mark, closing quotes and an indent have room."""


@dataclass(frozen=True, slots=True)
class Passages:
    """Marks or cuts what stood in earlier documents, and drops documents of which too little would be new."""

    name: ClassVar[str] = "passages"
    version: ClassVar[str] = "1"

    policy: Literal["mark", "cut"] = "mark"
    """mark: a statute that two laws quote stays in both. cut: later copies leave, from one end of a sentence to another."""
    min_chars: int = 100
    """Length from which a passage counts, without white space."""
    min_documents: int = 2
    """How many documents must have it."""
    contained_share: float = 0.0
    """A document is dropped of which this share stands in earlier ones; 0 drops none."""
    memory_mb: int = field(default=128, repr=False)
    """For the index of anchors; more memory saves passes over the disk and changes nothing else."""
    spans: Mapping[int, Sequence[Span]] = field(default_factory=dict, repr=False)
    """Of one shard, by place, once it is settled."""
    verdicts: Mapping[int, Verdict] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.policy not in ("mark", "cut"):
            raise Invalid("no-such-choice", f"policy cannot be {self.policy!r}", "one of mark, cut")
        if self.min_chars < MIN_CHARS:
            raise Invalid("too-short", f"min_chars is {self.min_chars}", f"passages have {MIN_CHARS} characters or more")
        require_memory(self.memory_mb)

    def survey(self, batch: DocumentBatch) -> Survey:
        """`place`, `doc_id`, `size` and `units` as for near-duplicates; `turns`, `turn_at`, `turn_by` of the way back to the text;
        `anchors` (n,), how many each document has, and of all anchors `anchor_at` uint32 and `anchor_key` uint64."""
        import numpy as np

        forms = normal_forms(batch.texts)
        return {
            "place": np.asarray(batch.columns["place"], dtype=np.int64),
            "doc_id": np.frombuffer(bytes.fromhex("".join(batch.doc_ids)), dtype=np.uint8).reshape(-1, 32),
            "size": forms.sizes,
            "units": forms.units,
            **turns_of(forms),
            **_anchored(forms, self.min_chars),
        }

    def settle(self, surveys: Sequence[Survey]) -> Sequence[Passages]:
        """For each shard, its passages that stand in earlier documents of any shard."""
        corpus = Surveyed(list(surveys))
        spans: list[dict[int, Sequence[Span]]] = [{} for _ in corpus.shards]
        verdicts: list[dict[int, Verdict]] = [{} for _ in corpus.shards]
        for row, found in repeats(corpus, self.min_chars, self.min_documents, self.memory_mb << 20):
            number, inner = corpus.at(row)
            place = int(corpus.shards[number]["place"][inner])
            share = sum(each.end - each.start for each in found) / len(corpus.units(row))
            if 0 < self.contained_share <= share:
                longest = max(found, key=lambda each: each.end - each.start)
                verdicts[number][place] = Verdict("drop", CONTAINED, share, f"doc:{corpus.doc_id(longest.source_row)}")
            else:
                spans[number][place] = [_span(corpus, row, each) for each in found]
        return [replace(self, spans=own, verdicts=said) for own, said in zip(spans, verdicts, strict=True)]

    def judge(self, batch: DocumentBatch) -> Marks:
        """The marks of a settled shard; under `cut`, spans that would leave half sentences are shortened or stay remarks."""
        spans: dict[int, Sequence[Span]] = {}
        verdicts: dict[int, Verdict] = {}
        for row, place in enumerate(batch.columns["place"]):
            if place in self.verdicts:
                verdicts[row] = self.verdicts[place]
            elif place in self.spans:
                text = batch.texts[row]
                spans[row] = [self._cut(text, span) if self.policy == "cut" else span for span in self.spans[place]]
        return Marks(spans, verdicts)

    def _cut(self, text: str, span: Span) -> Span:
        """The whole sentences of a passage as an edit, where they are long enough to count; else the passage as it is."""
        start, end = whole_sentences(text, span.start, span.end)
        return span._replace(start=start, end=end, replacement="") if end - start >= self.min_chars else span


def whole_sentences(text: str, start: int, end: int) -> tuple[int, int]:
    """The longest interval within [start, end) that begins and ends where sentences, lines or the text do; may be empty."""
    before = _BREAK.finditer(text, max(0, start - _LOOK_BACK))
    begins = 0 if start == 0 else next((max(start, match.end(1)) for match in before if match.end() >= start), end)
    if begins >= end or end == len(text):
        return min(begins, end), end
    inside = _BREAK.finditer(text, begins, end + 1)
    ends = [min(match.end(1), end) for match in inside if match.end(1) <= end or match[1] == "\n"]
    return begins, ends[-1] if ends else begins


def _anchored(forms: NormalForms, min_units: int) -> Survey:
    import numpy as np

    places = anchors(forms, min_units)
    owners = np.searchsorted(forms.bounds, places, side="right") - 1
    return {
        "anchors": np.bincount(owners, minlength=len(forms.sizes)),
        "anchor_at": (places - forms.bounds[owners]).astype(np.uint32),
        "anchor_key": anchor_keys(forms, places),
    }


def _span(corpus: Surveyed, row: int, found: Repeat) -> Span:
    start, end = _turns(corpus, row).in_text(found.start, found.end)
    source = _turns(corpus, found.source_row)
    first, last = source.in_text(found.source_start, found.source_start + found.end - found.start)
    return Span(start, end, LABEL, REASON, evidence=f"doc:{corpus.doc_id(found.source_row)}#char={first},{last}")


def _turns(corpus: Surveyed, row: int) -> Turns:
    return Turns(corpus.of_row("turn_at", "turns", row), corpus.of_row("turn_by", "turns", row))
