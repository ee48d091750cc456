"""The operator `encoding`: damage of bytes is repaired where that is proved; where it is not, the document waits for a person.

Owns the gate, the order of examinations and the verdicts. Knows nothing about codecs or models. Invariant: a document that
stays carries no damage that was seen, but for a stray U+FFFD or two, which are flagged; every doubt is a span labelled 'damage'.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from touyan.core.document import Span, Verdict
from touyan.corpus.encoding import entities, mirror, mojibake, ruins
from touyan.corpus.operator import DocumentBatch, Marks
from touyan.corpus.signs import sign, signs

# What damage leaves and Chinese text hardly has: Western letters and controls, kana and Hangul, private use, U+FFFD, and the
# characters that stand for 锟斤拷, for unwritten memory, and for the first bytes of 、。，： in UTF-8 read as GBK.
_SUSPECTS = "[\x80-\xa6\xa8-\xaf\xb2-\xb6\xb8-\xd6\xd8-\xf6\xf8-\u024f\u3040-\u30ff\uac00-\ud7af\ue000-\uf8ff\uff61-\uffdf\ufffd锟銆锛烫屯]"
_SUSPECT = re.compile(_SUSPECTS)
_ALSO = ("????", "&")
_SIGN = sign(f"[?&{_SUSPECTS[1:]}")
_STRAY, _STRAY_SHARE = 3, 0.002
"""Lost characters with which a document may stay: as many as a slip leaves, not as many as a wrong codec does."""
_RUINED_SHARE = 0.05
"""Share of the text in ruins above which no person needs to look."""

_Finding = tuple[tuple[Span, ...], Verdict | None]


@dataclass(frozen=True, slots=True)
class EncodingDoctor:
    """Repairs wrong codecs and mirror pages; drops ruins; quarantines what is not proved.

    `keep_mirrors`: whether a proved mirror page stays, flagged 'suspected-mirror'. The flag never grants a right: whoever served
    the copy had none to give. Where the engine does not carry flags into rights, leave it False.
    """

    name: ClassVar[str] = "encoding"
    version: ClassVar[str] = "1"

    keep_mirrors: bool = True

    def judge(self, batch: DocumentBatch) -> Marks:
        """Edits labelled by the damage, spans 'damage' for what is not proved, and one verdict for each damaged document."""
        spans: dict[int, Sequence[Span]] = {}
        verdicts: dict[int, Verdict] = {}
        for row, (text, seen) in enumerate(zip(batch.texts, signs(batch.texts), strict=True)):
            if seen & _SIGN and (_SUSPECT.search(text) or any(also in text for also in _ALSO)):
                found, verdict = self._examined(text)
                if found:
                    spans[row] = found
                if verdict:
                    verdicts[row] = verdict
        return Marks(spans, verdicts)

    def _examined(self, text: str) -> _Finding:
        page = mirror.diagnosed(text)
        return self._mirror(text, page) if page else _codecs(text)

    def _mirror(self, text: str, page: mirror.Page) -> _Finding:
        cure = mirror.cured(text, page)
        torn = tuple(Span(start, end, "damage", "torn bytes; no original is proved") for start, end in cure.unproved)
        if doubts := (*torn, *ruins.ruined(text)):
            return (*cure.edits, *doubts), Verdict("quarantine", "mirror-unproved", cure.marked_share)
        outcome = "flag" if self.keep_mirrors else "quarantine"
        return cure.edits, Verdict(outcome, "suspected-mirror", cure.marked_share)


def _codecs(text: str) -> _Finding:
    """Wrong codecs, then ruins in what they did not explain."""
    lines = () if ruins.is_ruin(text) else tuple(_restored_lines(text))
    edits = tuple(Span(a, b, "mojibake", reason, new) for a, b, reason, new in lines)
    lossy = [(a, b) for a, b, _, new in lines if mojibake.LOST in new]
    elsewhere = [span for span in ruins.ruined(text) if not any(e.start <= span.start < e.end for e in edits)]
    doubts = [*elsewhere, *(Span(a, b, "damage", "bytes that the wrong codec had no character for are lost") for a, b in lossy)]
    plain = tuple(span for span in entities.named(text) if not any(e.start <= span.start < e.end for e in edits))
    found = tuple(sorted((*edits, *plain, *doubts), key=lambda span: (span.start, span.end)))
    return found, _verdict(text, edits, elsewhere, lossy)


def _verdict(text: str, edits: Sequence[Span], elsewhere: Sequence[Span], lossy: Sequence[tuple[int, int]]) -> Verdict | None:
    n_lost = sum(span.end - span.start for span in elsewhere)
    share = n_lost / len(text)
    if lossy:
        return Verdict("quarantine", "mojibake-unproved", sum(b - a for a, b in lossy) / len(text))
    if elsewhere and not all(text[span.start] == mojibake.LOST for span in elsewhere):
        return Verdict("drop" if share >= _RUINED_SHARE else "quarantine", "ruined", share)
    if n_lost > _STRAY and share > _STRAY_SHARE:
        return Verdict("drop" if share >= _RUINED_SHARE else "quarantine", "lost-characters", share)
    if n_lost:
        return Verdict("flag", "stray-replacement", share)
    return Verdict("flag", "mojibake-repaired", sum(e.end - e.start for e in edits) / len(text)) if edits else None


def _restored_lines(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Start, end, reason and original of each line that was read with a wrong codec, up to the first that lost bytes.

    One such line makes all others suspect: short ones may show no sign of their own. One with losses decides about the document.
    """
    lines = [(m.start(), m.end(), m[0]) for m in re.finditer(r"[^\n]+", text) if not m[0].isascii()]
    first = [line for line in lines if _SUSPECT.search(line[2])]
    if not any(mojibake.restored(line) for _, _, line in first):
        return
    for start, end, line in lines:
        found = mojibake.restored(line)
        if found:
            layers = "" if found.layers == 1 else f", {found.layers} times over"
            yield start, end, f"{found.mixture.written} read as {found.mixture.read_as}{layers}", found.text
            if not found.is_whole:
                return
