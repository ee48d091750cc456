"""Characters torn in the middle: finds what a run of misread GBK bytes was, on a page that marks characters with readings.

A copying site puts `(reading)` behind byte pairs without looking at the borders of characters, and tears the bytes before ！ ； ？;
what follows is read one byte late until the next ASCII byte. Owns the search over all originals that give the page's
characters, best first by a language model. Knows nothing about spans. Invariant: whatever it returns gives the same characters
when it is damaged again, mark for mark; how far it is ahead of the runner-up is said beside it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from touyan.corpus.encoding.bigrams import Learned
from touyan.corpus.encoding.characters import (
    LEADS,
    folds,
    gbk,
    gbk_gaps,
    is_han,
    readings,
    simplified,
    simplified_forms,
    traditional_forms,
)
from touyan.corpus.encoding.rows import Rows, columns_by_code, plain

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SYLLABLE = "[a-zāáǎàēéěèīíǐìōóǒòūúǔùüǖǘǚǜńňǹḿ]{1,6}"
_MARK = re.compile(rf"\(({SYLLABLE})\)")
_MARK_BEFORE = re.compile(rf"\({SYLLABLE}\)\Z")
_EATEN = re.compile(rf"\?({SYLLABLE})\)")
_BREAKS = {"!": 0xA1, ";": 0xBB, "?": 0xBF}
"""Second bytes of the full-width marks before which bytes are torn; the first is 0xA3."""
_BEAM = 128
"""Partial originals kept: no fewer than there are first bytes, all of which are alike until the next character is known."""
_HORIZON, _GAP_HORIZON = 10.0, 6.0
"""How far, in log-probability, a partial original may fall behind the best one; and one into which lost bytes are put."""
CONVINCING = 6.0
"""Lead over the next original that counts as proof. On 490 planted pages, 400 of them in other words than the table was learned
from, the furthest ahead of all wrong originals was by 5.6."""
_PLAUSIBLE = -8.5
"""Log-probability of a character after the one before, for it to be put where bytes left no trace."""
_MOST_STATES = 1500
"""Partial originals looked at before the search gives up: ten times what the longest run with one clear original takes."""
_GAPS = 1
"""Pairs of bytes in a row that may have been dropped. With 2 the search takes four times as long and proves not one page more."""
_LONGEST = 100
"""Characters of a run after which the search gives up; the longest seen is 40."""
_RARE_READING, _ODD_FORM, _GAP, _SWALLOWED, _SHAPE = -4.0, -6.0, -0.5, -6.0, -12.0
"""Log-penalties: not the first reading; a simplified form on a traditional page; bytes dropped; an ASCII
mark dropped; damage left as it is."""
_LOSABLE = tuple(sign.encode() for sign in "\n ,;:.()-0123456789")
"""ASCII characters that a torn first byte may take along: no second byte of GBK is below 0x40."""


@dataclass(frozen=True, slots=True)
class Page:
    """What the sound part of a page tells: which characters it marks, with which reading, and which it never marks."""

    marked: Mapping[str, str]
    seen: frozenset[str]
    rows: Rows
    """What its sound part says."""
    marked_codes: frozenset[int]
    """GBK codes of the characters that it marks."""

    @classmethod
    def of(cls, marked: Mapping[str, str], seen: Iterable[str], learned: Learned) -> Page:
        """`seen`: the characters of the page; `learned`: what its sound part says."""
        codes = (int.from_bytes(character.encode("gbk", "ignore"), "big") for character in marked)
        return cls(marked, frozenset(seen) - marked.keys(), Rows(learned), frozenset(codes))

    def penalty(self, character: str, reading: str) -> float | None:
        """Log-penalty of `character` being marked with `reading`; None where the page contradicts it."""
        if character in self.marked:
            return 0.0 if self.marked[character] == reading else None
        known = readings(character) if character in simplified_forms() and character not in self.seen else ()
        if reading not in known:
            return None
        return 0.0 if known[0] == reading else _RARE_READING


@dataclass(frozen=True, slots=True)
class Mending:
    """The run [start, end) of the page was `original`, in the page's own traditional characters."""

    start: int
    end: int
    original: str
    lead: float
    """Log-probability ahead of the best other original: natural units."""
    weakest: float
    """Log-probability of its least likely Han character after another one."""

    @property
    def is_proved(self) -> bool:
        """Whether it is far ahead, and no link in it is weaker than those that the search never tried."""
        return self.lead >= CONVINCING and self.weakest >= _PLAUSIBLE


class _State(NamedTuple):
    """A partial original: its last two bytes `p` and `q`, and whether a mark stands right behind each."""

    score: float
    out: str
    last: str
    p: int
    q: int
    """Negative: the second byte of a code without a character, of which only the first one is known."""
    pending: bool
    """`q` is a first byte that waits for its second."""
    p_marked: bool = False
    q_marked: bool = False
    torn: bool = False
    """The next character of the page is the full-width mark before which the bytes were torn."""


def mended(text: str, start: int, page: Page) -> Mending | None:
    """The best original of the run that begins with the question mark at `start`; None where nothing fits."""
    return _Search(text, page).run(start)


@dataclass(frozen=True, slots=True)
class _Search:
    text: str
    page: Page

    def run(self, start: int) -> Mending | None:
        """Breadth first over the page's characters, the best `_BEAM` partial originals at each."""
        frontier: dict[int, list[_State]] = {start: [self._initial(start)]}
        n_states = 0
        while frontier and n_states < _MOST_STATES:
            at = min(frontier)
            states = _best(frontier.pop(at))
            whole = [state for state in states if not state.pending and not state.torn]
            if at > start and not frontier and len(whole) == len(states) and not _MARK.match(self.text, at):
                return self._settled(start, at, whole)
            if at >= len(self.text) or at - start > _LONGEST:
                return self._settled(start, at, whole)
            n_states += len(states)
            late = tuple(_late_bytes(self.text, at)) if len(whole) < len(states) else ()
            for state in states:
                for end, after in self._steps(state, at, late, states[0].score):
                    frontier.setdefault(end, []).append(after)
        return None

    def _initial(self, start: int) -> _State:
        mark = _MARK_BEFORE.search(self.text, max(0, start - 9), start)
        last = self.text[: mark.start() if mark else start][-1:] or "\n"
        code = last.encode("gbk", "replace").rjust(2, b"\0")
        return _State(0.0, "", plain(last), code[-2], code[-1], False, q_marked=mark is not None)

    def _settled(self, start: int, end: int, states: list[_State]) -> Mending | None:
        following = plain(self.text[end : end + 1] or "\n")
        best: dict[str, tuple[float, str]] = {}
        for state in states:
            score = state.score + self.page.rows.learned.after(state.last, following)
            simple = simplified(state.out)
            best[simple] = max(best.get(simple, (-1e9, "")), (score, state.out))
        ranked = sorted(best.values(), reverse=True)
        if not ranked:
            return None
        score, original = ranked[0]
        lead = score - ranked[1][0] if len(ranked) > 1 else _HORIZON
        if Counter(filter(str.isascii, original)) - Counter(self.text[start:end]):
            lead = 0.0  # an ASCII character that the page does not show was guessed: none is likelier than all others
        line = [self._initial(start).last, *map(plain, original), following]
        links = (self.page.rows.learned.after(a, b) for a, b in pairwise(line) if is_han(a) and is_han(b))
        return Mending(start, end, original, lead, min(links, default=0.0))

    def _steps(self, state: _State, at: int, late: tuple[tuple[int, bytes], ...], best: float) -> Iterator[tuple[int, _State]]:
        """All ways to go on with the page's character at `at`; `late` is what it is as second byte and first byte."""
        character = self.text[at]
        if state.torn:
            yield from self._fed_all(state._replace(torn=False), at + 1, (0xA3, _BREAKS[character]))
            return
        mark = _MARK.match(self.text, at) if character == "(" else None
        if mark and (found := self._marked(state, mark[1])):
            yield mark.end(), found
            return
        if not state.pending:
            if character == "?":
                yield from self._lost(state, at, best)
            yield from self._as_it_stands(state, at, character, damaged=mark is not None)
            return
        for each in self._gapped(state, best, _GAPS if state.score > best - _GAP_HORIZON else 0):
            if character == "?":
                yield from self._lost(each, at, best)
            for end, data in late:
                for known in self._known(each, data[0], best - _HORIZON):
                    yield from self._fed_all(known, end, data)

    def _as_it_stands(self, state: _State, at: int, character: str, *, damaged: bool) -> Iterator[tuple[int, _State]]:
        """The character read as it was written, in a place where first bytes are expected."""
        damaged = damaged or _EATEN.match(self.text, at) is not None or self.text[at : at + 2] in ("?!", "?;", "??")
        code = character.encode("gbk", "ignore")
        yield from self._fed_all(state._replace(score=state.score + _SHAPE) if damaged else state, at + 1, code)

    def _lost(self, state: _State, at: int, best: float) -> Iterator[tuple[int, _State]]:
        """The bytes that a question mark may stand for."""
        if eaten := _EATEN.match(self.text, at):
            for lead in self._marking(state.q, eaten[1]) if state.q >= 0 else ():
                if (fed := self._fed(state, lead)) and (done := self._marked(fed, eaten[1])):
                    yield eaten.end(), done
            return
        torn, floor = self.text[at + 1 : at + 2] in _BREAKS, best - _HORIZON
        for lead in self._likely(state, _leads(), floor) if state.q >= 0 and (torn or state.pending) else ():
            fed = self._fed(state, lead)
            if fed and fed.score > floor:
                yield from self._after_lost(fed, at + 1, torn, late=state.pending)
        if state.pending:
            yield from ((at + 1, each) for each in self._gapped(state, best, 1) if each.q < 0)

    def _after_lost(self, fed: _State, end: int, torn: bool, late: bool) -> Iterator[tuple[int, _State]]:
        """The byte alone before a full-width mark, or with the ASCII character that it took along."""
        if torn:
            yield end, fed._replace(torn=True)
        if late:
            taking = fed._replace(score=fed.score + _SWALLOWED)
            yield from (step for sign in _LOSABLE for step in self._fed_all(taking, end, sign))

    def _gapped(self, state: _State, best: float, depth: int) -> Iterator[_State]:
        """The original as it is, and with up to `depth` more pairs of bytes that readers of GBK drop.

        Of the second byte of the last pair only its first one is known, negative.
        """
        yield state
        floor = max(best - _HORIZON, state.score + _PLAUSIBLE)
        for lead in self._likely(state, _gap_leads(), floor) if depth and state.pending else ():
            for known in self._known(state, lead, floor):
                after = self._fed(known, lead)
                if after and after.score > floor:
                    yield from self._gapped(after._replace(score=after.score + _GAP, q=-lead, pending=True), best, depth - 1)

    def _likely(self, state: _State, data: NDArray[np.int64], floor: float) -> list[int]:
        """The bytes of `data` without those that would complete a character and fall below `floor`."""
        if state.q < 0 or not state.pending:
            return data.tolist()
        scores = state.score + self.page.rows.after(state.last)[columns_by_code()[state.q << 8 | data]]
        return data[scores > floor].tolist()

    def _known(self, state: _State, byte: int, floor: float) -> Iterator[_State]:
        """The state with each last byte that makes sense before `byte`, where that is not known."""
        if state.q >= 0:
            yield state
            return
        seconds, columns = _partners(-state.q, byte)
        likely = self.page.rows.after(state.last)[columns] > floor - state.score
        yield from (state._replace(q=second) for second in seconds[likely].tolist())

    def _marking(self, first: int, reading: str) -> Iterator[int]:
        """The bytes that make a character of this reading, as marks go, behind the byte `first`."""
        for lead in LEADS:
            character = gbk().get(first << 8 | lead)
            if character is not None and self.page.penalty(character, reading) is not None:
                yield lead

    def _marked(self, state: _State, reading: str) -> _State | None:
        character = gbk().get(state.p << 8 | state.q)
        penalty = None if character is None else self.page.penalty(character, reading)
        return None if penalty is None else state._replace(score=state.score + penalty, q_marked=True)

    def _fed_all(self, state: _State, end: int, data: Sequence[int]) -> Iterator[tuple[int, _State]]:
        after: _State | None = state
        for byte in data:
            after = after and self._fed(after, byte)
        if after and data:
            yield end, after

    def _fed(self, state: _State, byte: int) -> _State | None:
        """The original with one more byte; None where that is no GBK, or where the page would have put a mark."""
        score, out, last, p, q, pending, p_marked, q_marked, torn = state
        if (p << 8 | q) in self.page.marked_codes and not q_marked and not p_marked:
            return None
        if not pending and byte >= 0x80:
            return _State(score, out, last, q, byte, True, q_marked, False, torn)
        character = gbk().get(q << 8 | byte) if pending else chr(byte)
        if character is None:
            return None
        known = plain(character)
        score += self.page.rows.learned.after(last, known)
        if character in traditional_forms() and character not in self.page.seen:
            score += _ODD_FORM
        return _State(score, out + character, known, q, byte, False, q_marked, False, torn)


@cache
def _leads() -> NDArray[np.int64]:
    import numpy as np

    return np.array(LEADS)


@cache
def _gap_leads() -> NDArray[np.int64]:
    import numpy as np

    return np.array(list(gbk_gaps()))


@lru_cache(maxsize=1 << 14)
def _partners(first: int, byte: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Second bytes of dropped codes that begin with `first`, each with the column of the character that it and `byte` make."""
    import numpy as np

    seconds = np.array(gbk_gaps()[first])
    columns = columns_by_code()[seconds << 8 | byte]
    return seconds, columns


def _late_bytes(text: str, at: int) -> Iterator[tuple[int, bytes]]:
    """The bytes of the character, or of one whose width was folded to it and what follows, and where that ends."""
    if code := text[at].encode("gbk", "ignore"):
        yield at + 1, code
    for form, pair in folds().get(text[at], ()):
        if text.startswith(form, at):
            yield at + len(form), pair.to_bytes(2, "big")


def _best(states: list[_State]) -> list[_State]:
    """The best `_BEAM`, each original once, none hopelessly behind."""
    states.sort(reverse=True)
    horizon = states[0].score - _HORIZON
    kept: dict[tuple[str, int, bool], _State] = {}
    for state in states:
        if state.score < horizon or len(kept) == _BEAM:
            break
        kept.setdefault((state.out, state.q, state.torn), state)
    return list(kept.values())
