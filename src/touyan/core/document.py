"""Document and Span: what a document is, what may be said about it, and how edits of its text behave.

Owns the identity of a document, Span and Verdict, and the algebra of edits: settling overlaps, applying, composing, and
carrying intervals between a view and the one before it. Knows nothing about operators, files or languages.

Invariant: text is never changed in place. An edit is a Span with a replacement on a named view; the edits of one view are
sorted and disjoint, and they define the next view. All offsets are code points, all intervals half-open.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Literal, NamedTuple

from touyan.core.canonical import canonical
from touyan.core.errors import Broken, Invalid

PSEUDONYM_DIGITS = 32
_quoted = json.JSONEncoder(ensure_ascii=False).encode
_NUMBER = re.compile(r"[+\d\s\-‐-―−]+[Xx]?\s*")
_PLACE = itemgetter(0, 1)  # start and end of a Span
_DOTTED = re.compile(r"[+\d\s\-‐-―−.·_()]+")  # separators that only a mobile number is known to be written with
_MOBILE = re.compile(r"(?:0{0,2}86|0)?(1[3-9]\d{9})")

RAW = "raw"
"""The view that a reader delivers: decoded text, nothing else done to it."""
RELEASE = "release"
"""The last view of a document, the one that a corpus materialises."""

Outcome = Literal["drop", "quarantine", "flag"]
"""drop: leaves the corpus. quarantine: leaves it until a person has looked. flag: stays, and the remark stays with it."""

LEAVES: frozenset[Outcome] = frozenset({"drop", "quarantine"})


def document_id(source: str, natural_key: str, version: str) -> str:
    """Identity of a document: sha256 hex of canonical JSON (RFC 8785) of source (`provider/name`), natural key and version.

    Two readings of the same source give the same id, whatever the reader did to the text.
    """
    try:  # what `canonical` gives, written out: there is one for every document of a corpus
        members = f'{{"natural_key":{_quoted(natural_key)},"source":{_quoted(source)},"version":{_quoted(version)}}}'.encode()
    except UnicodeEncodeError:
        members = canonical({"natural_key": natural_key, "source": source, "version": version})
    return hashlib.sha256(members).hexdigest()


def pseudonym(key: bytes, identifier: str) -> str:
    """Keyed pseudonym of a person's identifier: the first 32 hex digits of HMAC-SHA-256 (RFC 2104).

    Without the key it can neither be computed nor tested against a guess, which a plain digest of a telephone number could be.
    The caller brings the identifier into `one_spelling` first.
    """
    return hmac.new(key, identifier.encode(), hashlib.sha256).hexdigest()[:PSEUDONYM_DIGITS]


def one_spelling(identifier: str) -> str:
    """Numbers without separators, mobile numbers also without +86 or 0 before them, addresses in lower case, nothing full-width.

    Whoever reads a column, finds an identifier in a text or withdraws a person spells it so, and thus means the same one.
    """
    plain = unicodedata.normalize("NFKC", identifier)
    digits = "".join(character for character in plain.upper() if character.isalnum())
    mobile = _MOBILE.fullmatch(digits)
    if mobile and _DOTTED.fullmatch(plain):
        return mobile[1]
    return digits if _NUMBER.fullmatch(plain) else "".join(plain.split()).lower()


class Span(NamedTuple):
    """A remark about the interval [start, end) of one document in one view; with a replacement it is an edit.

    Which document, view and operator it belongs to is said by the table that holds it (docs/formats/spans.md). A tuple, since
    there are five thousand of them in a megabyte of web pages, and a frozen dataclass takes three times as long to make.
    """

    start: int
    end: int
    label: str
    """What the interval is: 'mobile', 'control', 'boilerplate', 'damage'. A slug."""
    reason: str
    """Why the operator thinks so. Never quotes the text."""
    replacement: str | None = None
    """What the next view has here; None leaves the text as it is."""
    score: float | None = None
    subject: str | None = None
    """Pseudonym of the person that the interval identifies."""
    evidence: str | None = None
    """Where the proof is: `doc:<doc_id>`, with `#char=start,end` (RFC 5147) for a passage, or `sha256:<hex>#page=n`."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one operator decided about one whole document."""

    outcome: Outcome
    reason: str
    """A slug that the funnel counts: 'too-short', 'exact-duplicate'."""
    score: float | None = None
    evidence: str | None = None
    """As in Span; a duplicate names the document that was kept."""
    may_quote: bool = True
    """Whether an excerpt may stand beside it. False for what was withdrawn: it should not be spread any further."""


def settle(spans: Iterable[Span], priority: Mapping[str, int] | None = None) -> tuple[Span, ...]:
    """The disjoint subset of `spans` that wins, in order of position.

    The rules, in this order: lower `priority` of the label (unlisted labels come last), greater length, earlier start, label,
    replacement. A span that overlaps a winner is left out whole; intervals that only touch do not overlap.
    The result does not depend on the order in which the spans were found.
    """
    rank = priority or {}

    def precedence(span: Span) -> tuple[int, int, int, str, str]:
        return (rank.get(span.label, len(rank)), span.start - span.end, span.start, span.label, span.replacement or "")

    winners: list[Span] = []
    for span in sorted(spans, key=precedence):
        place = bisect_right(winners, span.start, key=_start)
        before_is_free = place == 0 or winners[place - 1].end <= span.start
        if before_is_free and (place == len(winners) or span.end <= winners[place].start):
            winners.insert(place, span)
    return tuple(winners)


def edits_of(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The spans that change the text, in order of position. Raises Invalid where two of them overlap."""
    edits = tuple(sorted([span for span in spans if span.replacement is not None], key=_PLACE))
    end = 0
    for edit in edits:
        if edit.start < end or edit.end < edit.start:
            raise Invalid(
                "edits-overlap",
                f"the edit {edit.label!r} at {edit.start}:{edit.end} overlaps the one that ends at {end}",
                "settle the spans of one operator before it returns them",
            )
        end = edit.end
    return edits


def apply(text: str, edits: Sequence[Span]) -> str:
    """The next view: `text` with each edit's interval replaced. `edits` are sorted and disjoint.

    Everything outside the intervals is copied as it is. Raises Invalid where an edit reaches past the end.
    """
    if edits and edits[-1].end > len(text):
        raise Invalid(
            "edit-outside-text",
            f"an edit ends at {edits[-1].end} in a text of {len(text)} code points",
            "give the edits together with the view that they were made on",
        )
    pieces: list[str] = []
    position = 0
    for edit in edits:
        pieces += (text[position : edit.start], edit.replacement or "")
        position = edit.end
    pieces.append(text[position:])
    return "".join(pieces)


@dataclass(frozen=True, slots=True)
class EditMap:
    """Carries intervals across a list of edits: `forward` from the view before to the view after, `back` the other way.

    A code point outside every edit is carried exactly. One inside an edit stands for the whole edit, because nobody knows
    which character of a replacement came from which character before. An interval is carried to the smallest one that
    holds all its code points; an empty interval to what the other view has in that gap.
    """

    before_starts: tuple[int, ...]
    before_ends: tuple[int, ...]
    after_starts: tuple[int, ...]
    after_ends: tuple[int, ...]

    @classmethod
    def of(cls, edits: Sequence[Span]) -> EditMap:
        """The map of sorted, disjoint edits."""
        starts: list[int] = []
        ends: list[int] = []
        shift = 0
        for edit in edits:
            starts.append(edit.start + shift)
            ends.append(starts[-1] + len(edit.replacement or ""))
            shift = ends[-1] - edit.end
        return cls(tuple(e.start for e in edits), tuple(e.end for e in edits), tuple(starts), tuple(ends))

    def forward(self, start: int, end: int) -> tuple[int, int]:
        """The interval after the edits that holds what [start, end) became."""
        return _carry(start, end, self.before_starts, self.before_ends, self.after_starts, self.after_ends)

    def back(self, start: int, end: int) -> tuple[int, int]:
        """The interval before the edits that [start, end) came from."""
        return _carry(start, end, self.after_starts, self.after_ends, self.before_starts, self.before_ends)


def _carry(
    start: int,
    end: int,
    from_starts: Sequence[int],
    from_ends: Sequence[int],
    to_starts: Sequence[int],
    to_ends: Sequence[int],
) -> tuple[int, int]:
    def first(point: int) -> int:
        """Where the image of the code point at `point` begins."""
        at = bisect_right(from_starts, point) - 1
        if at < 0:
            return point
        return to_starts[at] if point < from_ends[at] else to_ends[at] + point - from_ends[at]

    def last(point: int) -> int:
        """Where the image of the code point at `point` ends."""
        at = bisect_right(from_starts, point) - 1
        if at < 0:
            return point + 1
        return to_ends[at] if point < from_ends[at] else to_ends[at] + point - from_ends[at] + 1

    if start < end:
        return first(start), last(end - 1)
    gap = (last(start - 1) if start else 0, first(start))
    return min(gap), max(gap)


def compose(first: Sequence[Span], second: Sequence[Span]) -> tuple[Span, ...]:
    """The edits on the view before `first` that do what `first` and then `second` do: apply(apply(t, a), b) = apply(t, ab).

    An edit of `second` that neither overlaps nor touches a replacement of `first` is only moved. Those that do become one
    edit, which keeps label, reason and the rest of the later one. Where nothing was joined, intervals are carried exactly as
    through the two maps in turn; elsewhere to an interval that contains that one.
    """
    carried = EditMap.of(first)
    composed: list[Span] = []
    i = j = 0
    while i < len(first) or j < len(second):
        stop_i, stop_j = _joined(carried, second, i, j)
        composed.append(_join(first[i:stop_i], second[j:stop_j], carried, i))
        i, j = stop_i, stop_j
    return tuple(composed)


def _joined(carried: EditMap, second: Sequence[Span], i: int, j: int) -> tuple[int, int]:
    """Ends of the runs of first and second edits, from `i` and `j`, that hang together on the view between them."""
    starts, ends = carried.after_starts, carried.after_ends
    nothing = -1
    reach_first = reach_second = nothing
    if j == len(second) or (i < len(starts) and starts[i] <= second[j].start):
        reach_first, i = ends[i], i + 1
    else:
        reach_second, j = second[j].end, j + 1
    while True:
        if i < len(starts) and starts[i] <= reach_second:
            reach_first, i = ends[i], i + 1
        elif j < len(second) and second[j].start <= reach_first:
            reach_second, j = second[j].end, j + 1
        else:
            return i, j


def _join(first: Sequence[Span], second: Sequence[Span], carried: EditMap, offset: int) -> Span:
    """One edit on the base for edits that hang together; `first` are those from `offset` on in the map `carried`."""
    starts = carried.after_starts[offset : offset + len(first)]
    ends = carried.after_ends[offset : offset + len(first)]
    low = min([*starts[:1], *(e.start for e in second[:1])])
    high = max([*ends[-1:], *(e.end for e in second[-1:])])
    base_start = first[0].start if starts and starts[0] == low else carried.back(low, low)[1]
    base_end = first[-1].end if ends and ends[-1] == high else carried.back(high, high)[0]
    between = ""
    for edit, start in zip(first, starts, strict=True):
        # What lies between the replacements is covered by later edits, so that any filler will do.
        between = between.ljust(start - low) + (edit.replacement or "")
    moved = [edit._replace(start=edit.start - low, end=edit.end - low) for edit in second]
    replacement = apply(between.ljust(high - low), moved)
    return (*second, *first)[0]._replace(start=base_start, end=base_end, replacement=replacement)


@dataclass(frozen=True, slots=True)
class View:
    """One state of a document's text, with the way back to the state before it. The first view is `raw`."""

    name: str
    text: str
    base: View | None = None
    edits: tuple[Span, ...] = ()

    def edited(self, name: str, spans: Iterable[Span]) -> View:
        """The next view, `name`, after those of `spans` that are edits. Raises Invalid where they overlap or do not fit."""
        edits = edits_of(spans)
        return View(name, apply(self.text, edits), self, edits)

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The interval of the raw view that [start, end) of this one came from."""
        view: View = self
        while view.base is not None:
            start, end = EditMap.of(view.edits).back(start, end)
            view = view.base
        return start, end


def replay(raw: str, edits: Iterable[tuple[str, str, Span]]) -> View:
    """The last view of one document, rebuilt from its raw text and the rows (view, operator, span) of its spans table.

    An operator's edits on view V define the view that bears the operator's name. Raises Broken where a row's view was never
    defined.
    """
    stages: dict[str, tuple[str, list[Span]]] = {}
    for name, operator, span in edits:
        if span.replacement is not None:
            stages.setdefault(name, (operator, []))[1].append(span)
    view = View(RAW, raw)
    while view.name in stages:
        operator, spans = stages.pop(view.name)
        view = view.edited(operator, spans)
    if stages:
        raise Broken("view-unknown", f"no operator defined the views {sorted(stages)}", "check the spans table of this corpus")
    return view


def _start(span: Span) -> int:
    return span.start
