"""From tokens to text, piece by piece: whole characters only, and nothing beyond a stop string.

`Decoder` turns growing token ids into text; `Stopper` holds back what may still become a stop string. Knows nothing of models.
Invariant: the pieces joined are the whole text, cut before the first stop string to complete, whatever the tokens' borders are.
"""

from __future__ import annotations

from collections.abc import Sequence

from touyan.flow.backend import Tokenizer

UNFINISHED = "\ufffd"


class Decoder:
    """Text of token ids as they come.

    A token may end inside a character, and some tokenizers drop the blank before the first token they are given; so each piece
    is the difference of two decodings that begin at the same earlier token.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._start = 0
        self._told = 0

    def feed(self, token: int) -> str:
        """The text that this token completes; empty while a character is unfinished."""
        self._ids.append(token)
        piece = self._new()
        if not piece or piece.endswith(UNFINISHED):
            return ""
        self._start, self._told = self._told, len(self._ids)
        return piece

    def rest(self) -> str:
        """What is left at the end: bytes that never became a character are U+FFFD."""
        piece = self._new()
        self._told = len(self._ids)
        return piece

    def _new(self) -> str:
        before = self._tokenizer.decode(self._ids[self._start : self._told])
        return self._tokenizer.decode(self._ids[self._start :])[len(before) :]


class Stopper:
    """Cuts a text before the stop string that is complete first."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(s for s in stops if s)
        self._held = ""
        self.is_stopped = False

    def feed(self, piece: str) -> str:
        """The text that is safe to send."""
        sent: list[str] = []
        for character in piece:
            if self.is_stopped:
                break
            sent.append(self._one(character))
        return "".join(sent)

    def rest(self) -> str:
        """What was held back and became no stop string."""
        held, self._held = self._held, ""
        return "" if self.is_stopped else held

    def _one(self, character: str) -> str:
        self._held += character
        complete = [s for s in self._stops if self._held.endswith(s)]
        if complete:
            self.is_stopped = True
            return self._held[: -max(map(len, complete))]
        keep = self._reach()
        safe, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return safe

    def _reach(self) -> int:
        """Length of the longest end of the held text that begins a stop string."""
        longest = max(map(len, self._stops), default=0)
        for n in range(min(longest, len(self._held)), 0, -1):
            if any(s.startswith(self._held[-n:]) for s in self._stops):
                return n
        return 0
