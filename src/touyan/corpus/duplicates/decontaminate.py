"""Decontamination: documents that hold texts of evaluation sets leave, or the passages do.

Owns the gate of 13-grams and the policy. Knows nothing about the form of a set. Invariant: a share is counted on the different
13-grams of one text of an item, in runs of four or more; the verdict names the item and never quotes it.

Brown et al. 2020, appendix C (13-grams); a share instead of a single hit, because items quote statutes and classics.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, Literal

from touyan.core.document import Span, Verdict
from touyan.core.errors import Invalid
from touyan.corpus.duplicates.evaluation_sets import Item, items_of
from touyan.corpus.duplicates.turns import Turns, turns_of
from touyan.corpus.normal import NormalForms, normal_forms
from touyan.corpus.operator import DocumentBatch, Marks
from touyan.corpus.windows import mixed, window_hashes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LABEL, REASON = "evaluation-item", "in-evaluation-set"
MIN_GRAMS = 8
"""Texts of fewer 13-grams, such as 以下说法正确的是, are no item's own."""

LABEL_CHARS, ITEMS_WITH_A_TEXT = 64, 3
"""A short text of more items than these is a label or a source, such as the name of the paper, and no item's own."""
RUN_GRAMS = 4
"""Grams count where so many follow one another: a stretch of 16 characters, which a phrase of the language seldom fills."""

_GATE_BITS = 16, 26
_GATE_LOAD = 8
_PLACES_AT_ONCE = 1 << 16
_SEED = 20200528


@dataclass(frozen=True, slots=True)
class Decontaminate:
    """Drops documents that hold enough of an item of an evaluation set, or cuts the passages out."""

    name: ClassVar[str] = "decontaminate"
    version: ClassVar[str] = "1"

    sets: tuple[str, ...] = ()
    """Paths of JSON Lines, JSON or text, folders of these, or registered names. Without any, nothing is held back."""
    policy: Literal["drop", "cut"] = "drop"
    gram_chars: int = 13
    min_share: float = 0.5
    """Of the different grams of one text of an item, the share from which a document is said to hold it."""

    def __post_init__(self) -> None:
        if self.policy not in ("drop", "cut"):
            raise Invalid("no-such-choice", f"policy cannot be {self.policy!r}", "one of drop, cut")
        if self.gram_chars < 4:
            raise Invalid("too-short", f"gram_chars is {self.gram_chars}", "grams have 4 characters or more")

    def judge(self, batch: DocumentBatch) -> Marks:
        """Verdicts or edits that name the item; the score is the share of its grams found."""
        if not self.sets or not len(batch):
            return Marks()
        wanted = _wanted(self.sets, self.gram_chars)
        forms = normal_forms(batch.texts)
        found = wanted.found(forms, self.min_share)
        if self.policy == "cut":
            return Marks(spans=_cuts(forms, found, self.gram_chars))
        return Marks(verdicts={row: _verdict(of_row) for row, of_row in found.items()})


@dataclass(frozen=True, slots=True)
class Finding:
    """A text of an item that a document holds."""

    item: str
    share: float
    at: NDArray[np.int64]
    """Places of its grams in the document, ascending, in units of its normal form."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The grams of all texts that are looked for."""

    gram_chars: int
    names: Sequence[str]
    """Of the item, for each text."""
    sizes: NDArray[np.int64]
    """Different grams of each text."""
    grams: NDArray[np.uint64]
    """Ascending; a gram that several texts have stands here for each of them."""
    texts: NDArray[np.int64]
    """Whose gram it is."""
    gate: NDArray[np.bool_]
    """Which leading bits of short hashes any gram has: one look-up tells most grams of a document from all that are wanted."""

    def found(self, forms: NormalForms, min_share: float) -> dict[int, list[Finding]]:
        """By row, the texts of which a document holds at least `min_share`."""
        import numpy as np

        passed, rows = _inside(forms, self._passed(forms), self.gram_chars)
        grams = _grams(forms.units, passed, self.gram_chars)
        first, last = (np.searchsorted(self.grams, grams, side=side) for side in ("left", "right"))
        counts = last - first
        entries = np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        hits = np.column_stack([np.repeat(rows, counts), self.texts[entries], np.repeat(passed, counts), entries])
        return self._shared(forms, hits, min_share)

    def _passed(self, forms: NormalForms) -> NDArray[np.int64]:
        """Places of grams that pass the gate, in runs of four or more; of each four in a row one is looked up first."""
        import numpy as np

        slots = mixed(window_hashes(forms.units, self.gram_chars, np.uint32)) >> np.uint32(33 - len(self.gate).bit_length())
        near = RUN_GRAMS * np.flatnonzero(self.gate[slots[::RUN_GRAMS]])[:, None] + np.arange(1 - RUN_GRAMS, RUN_GRAMS)
        near = near[(near >= 0) & (near < len(slots))]
        has_passed = np.zeros(len(slots) + RUN_GRAMS, dtype=np.bool_)
        has_passed[near] = self.gate[slots[near]]
        across = forms.bounds[1:, None] - np.arange(1, self.gram_chars)
        has_passed[across[(across >= 0) & (across < len(slots))]] = False
        begins_run = np.logical_and.reduce([has_passed[k : len(slots) + k] for k in range(RUN_GRAMS)])
        runs = np.flatnonzero(begins_run)[:, None] + np.arange(RUN_GRAMS)
        return np.unique(runs)

    def _shared(self, forms: NormalForms, hits: NDArray[np.int64], min_share: float) -> dict[int, list[Finding]]:
        """From hits (row, text, place, gram): what is enough of a text."""
        import numpy as np

        found: dict[int, list[Finding]] = {}
        hits = hits[np.lexsort((hits[:, 2], hits[:, 1], hits[:, 0]))]
        edges = np.flatnonzero((hits[1:, :2] != hits[:-1, :2]).any(axis=1)) + 1
        for group in np.split(hits, edges) if len(hits) else ():
            row, text = int(group[0, 0]), int(group[0, 1])
            share = len(np.unique(group[:, 3])) / int(self.sizes[text])
            if share >= min_share:
                found.setdefault(row, []).append(Finding(self.names[text], share, group[:, 2] - forms.bounds[row]))
        return found


@lru_cache(4)
def _wanted(sets: tuple[str, ...], gram_chars: int) -> Wanted:
    import numpy as np

    items = [item for each in sets for item in items_of(each)]
    given = [(item.name, text) for item, texts in _own_texts(items, MIN_GRAMS + gram_chars - 1) for text in texts]
    forms = normal_forms([text for _, text in given])
    at, texts = _inside(forms, np.arange(len(forms.units) - gram_chars + 1), gram_chars)
    grams = _grams(forms.units, at, gram_chars)
    order = np.lexsort((texts, grams))
    grams, texts = grams[order], texts[order]
    is_new = np.concatenate([[True], (grams[1:] != grams[:-1]) | (texts[1:] != texts[:-1])])[: len(grams)]
    sizes = np.bincount(texts[is_new], minlength=len(given))
    is_wanted = is_new & (sizes[texts] >= MIN_GRAMS)
    bits = min(max(int(is_wanted.sum() * _GATE_LOAD).bit_length(), _GATE_BITS[0]), _GATE_BITS[1])
    gate = np.zeros(1 << bits, dtype=np.bool_)
    shorts = mixed(window_hashes(forms.units, gram_chars, np.uint32))[at[order[is_wanted]]]
    gate[shorts >> np.uint32(32 - bits)] = True
    return Wanted(gram_chars, [name for name, _ in given], sizes, grams[is_wanted], texts[is_wanted], gate)


def _own_texts(items: Sequence[Item], least_chars: int) -> Iterator[tuple[Item, Sequence[str]]]:
    """Each item with the texts that are its own; where each is too short, as a question and its choices may be, all as one."""
    items_with = Counter(text for item in items for text in set(item.texts))
    for item in items:
        own = [text for text in item.texts if len(text) > LABEL_CHARS or items_with[text] <= ITEMS_WITH_A_TEXT]
        yield item, own if any(len(text) >= least_chars for text in own) else ["\n".join(own)]


def _inside(forms: NormalForms, places: NDArray[np.int64], width: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The places from which a window lies within one text, and the rows of these texts."""
    import numpy as np

    rows = np.searchsorted(forms.bounds, places, side="right") - 1
    is_inside = places + width <= forms.bounds[1:][rows]
    return places[is_inside], rows[is_inside]


def _grams(units: NDArray[np.uint16], places: NDArray[np.int64], width: int) -> NDArray[np.uint64]:
    """64-bit hashes of the windows at these places."""
    import numpy as np

    if not len(places):
        return np.zeros(0, dtype=np.uint64)
    windows = np.lib.stride_tricks.sliding_window_view(units, width)
    weights = np.random.default_rng(_SEED).integers(1 << 63, size=width, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    some = np.array_split(places, 1 + len(places) // _PLACES_AT_ONCE)
    return mixed(np.concatenate([(windows[at] * weights).sum(axis=1, dtype=np.uint64) for at in some]))


def _verdict(found: Sequence[Finding]) -> Verdict:
    most = max(found, key=lambda each: each.share)
    return Verdict("drop", REASON, most.share, f"eval:{most.item}")


def _cuts(forms: NormalForms, found: dict[int, list[Finding]], gram_chars: int) -> dict[int, list[Span]]:
    """Edits that take out the runs of grams of what was found, in order and disjoint."""
    import numpy as np

    survey = turns_of(forms)
    ends = np.cumsum([0, *survey["turns"]])
    spans: dict[int, list[Span]] = {}
    for row, of_row in found.items():
        turns = Turns(*(survey[name][ends[row] : ends[row + 1]] for name in ("turn_at", "turn_by")))
        for start, end, finding in _runs(of_row, gram_chars):
            edit = Span(*turns.in_text(start, end), LABEL, REASON, "", finding.share, evidence=f"eval:{finding.item}")
            spans.setdefault(row, []).append(edit)
    return spans


def _runs(found: Sequence[Finding], gram_chars: int) -> list[tuple[int, int, Finding]]:
    """Where grams of the findings follow one another with gaps below two grams; a run bears the name of the fullest finding."""
    runs: list[tuple[int, int, Finding]] = []
    places = sorted(((int(at), each) for each in found for at in each.at), key=lambda hit: (hit[0], -hit[1].share))
    for at, finding in places:
        if runs and at <= runs[-1][1] + 2 * gram_chars:
            start, end, best = runs[-1]
            runs[-1] = (start, max(end, at + gram_chars), finding if finding.share > best.share else best)
        else:
            runs.append((at, at + gram_chars, finding))
    return runs
