"""Text decoded with the wrong codec: line by line, which codec it was, and what stood there before.

Owns the pairs of codecs that Chinese text is really mixed up between. Knows nothing about documents. Invariant: a line without
losses that goes through the same two codecs again is the damaged line, character for character. A lost byte is never guessed:
a language model prefers 第六章 to 第八章 without any right to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from touyan.corpus.encoding.bigrams import table
from touyan.corpus.encoding.characters import is_han, simplified_forms

LOST = "\ufffd"
_GAIN, _SOUND = 2.5, -9.5
"""Nats per character by which a restored line must read better, and how well it must read: sound text lies near -5, noise near -12."""
_SAMPLE = 150
"""Characters of a line that are judged; the mean of so many strays by 0.3 at most."""
_MAX_LAYERS = 3
_SCATTER = 3
"""Characters that one lost byte may cost: it was a part of one, and what is left of that is read as up to two more."""
_MARK = b"\xff"
"""Stands for lost bytes while a line is decoded: no codec of ours knows it."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """Bytes of one codec (`written`) that somebody read with another (`read_as`)."""

    written: str
    read_as: str
    encode: Callable[[str], bytes]
    """The bytes of what was read. Raises UnicodeEncodeError where it cannot have been read so."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A line as it was written; U+FFFD where bytes are lost for good."""

    text: str
    mixture: Mixture
    layers: int
    """How many times in a row the wrong codec was used."""

    @property
    def is_whole(self) -> bool:
        return LOST not in self.text


def restored(line: str) -> Restored | None:
    """The line as it was written, or None where it is sound, or where no mixture explains it."""
    found: Restored | None = None
    text, before = line, sense(line)
    for layer in range(1, _MAX_LAYERS + 1):
        best = max(_readings(text), default=None)
        if best and best[0] >= max(_SOUND, before + _GAIN):
            text, before = best[2], best[0]
            found = Restored(text, MIXTURES[-best[1]], layer)
        elif (peeled := _peeled(text)) == text:
            break
        else:
            text = peeled
    return found


def _peeled(text: str) -> str:
    """One layer of UTF-8 read as Windows-1252 less: between two of them there is no Chinese yet to judge by."""
    try:
        return _western_bytes(text).decode()
    except UnicodeError:
        return text


def sense(text: str) -> float:
    """Mean log-probability of a character as Chinese of either script; what was lost does not count."""
    return table().mean("".join(simplified_forms().get(c, c) for c in text[:_SAMPLE] if c != LOST))


def _readings(line: str) -> Iterator[tuple[float, int, str]]:
    """Sense, negative place of the mixture, and text of what the line may have been, where that has Chinese in it."""
    for place, mixture in enumerate(MIXTURES):
        try:
            pieces = [mixture.encode(piece) for piece in line.split(LOST)]
        except UnicodeEncodeError:
            continue
        text = _MARK.join(pieces).decode(mixture.written, "replace")
        n_lost = len(pieces) - 1
        if text.count(LOST) > _SCATTER * n_lost or (n_lost == 0 and text.encode(mixture.written) != pieces[0]):
            continue
        if any(is_han(c) or "\u3000" < c < "\u3040" for c in text) and not any("\ue000" <= c < "\uf900" for c in text):
            yield sense(text), -place, text


@lru_cache(maxsize=1)
def _western() -> Mapping[int, int]:
    """Windows-1252 with the five bytes that it leaves open read as controls, as browsers do."""
    pairs = ((bytes([byte]).decode("cp1252", "ignore") or chr(byte), byte) for byte in range(256))
    return {ord(character): byte for character, byte in pairs}


def _western_bytes(text: str) -> bytes:
    return text.translate(_western()).encode("latin-1")


def _codec(name: str) -> Callable[[str], bytes]:
    return lambda text: text.encode(name)


MIXTURES = (
    Mixture("utf-8", "gb18030", _codec("gb18030")),
    Mixture("utf-8", "cp1252", _western_bytes),
    Mixture("gb18030", "cp1252", _western_bytes),
    Mixture("big5", "gb18030", _codec("gb18030")),
    Mixture("gb18030", "big5", _codec("big5")),
    Mixture("utf-8", "big5", _codec("big5")),
    Mixture("utf-8", "shift_jis", _codec("cp932")),
    Mixture("utf-8", "euc_kr", _codec("cp949")),
    Mixture("gb18030", "euc_kr", _codec("cp949")),
)
"""In the order of how common they are on the web; among equals the first one counts. GBK read as Shift-JIS is not here: cp932
has several codes for one character, so that what was read does not say which bytes it was read from."""
