"""Text decoded with the wrong codec: line by line, which codec it was, and what stood there before.

Owns the pairs of codecs that Chinese text is really mixed up between. Knows nothing about documents. Invariant: a line without
losses that goes through the same two codecs again is the damaged line, character for character. A lost byte is never guessed:
a language model prefers 第六章 to 第八章 without any right to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from touyan.corpus.encoding.bigrams import table
from touyan.corpus.encoding.characters import simplified_forms

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
_CHINESE = re.compile("[\u3001-\u303f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_PRIVATE = re.compile("[\ue000-\uf8ff]")


@dataclass(frozen=True, slots=True)
class Mixture:
    """Bytes of one codec (`written`) that somebody read with another (`read_as`)."""

    written: str
    read_as: str

    def encode(self, text: str) -> bytes:
        """The bytes of what was read. Raises UnicodeEncodeError where it cannot have been read so."""
        return ENCODERS[self.read_as](text)


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
    return table().mean(text[:_SAMPLE].translate(_simplifying()))


@lru_cache(maxsize=1)
def _simplifying() -> Mapping[int, str]:
    return {ord(LOST): "", **{ord(character): simple for character, simple in simplified_forms().items()}}


def _readings(line: str) -> Iterator[tuple[float, int, str]]:
    """Sense, negative place of the mixture, and text of what the line may have been, where that has Chinese in it."""
    for place, mixture in enumerate(MIXTURES):
        text = _reading(line, mixture)
        if text is not None and _CHINESE.search(text) and not _PRIVATE.search(text):
            yield sense(text), -place, text


def _reading(line: str, mixture: Mixture) -> str | None:
    """What the line was if it was read so; None where it cannot have been."""
    data, n_lost = _bytes(line, mixture.read_as), line.count(LOST)
    if data is None:
        return None
    try:  # sound Chinese is an error at every other byte: without losses the first one settles it
        text = data.decode(mixture.written, "replace" if n_lost else "strict")
        is_same = n_lost > 0 or text.encode(mixture.written) == data
    except UnicodeError:
        return None
    return text if is_same and text.count(LOST) <= _SCATTER * n_lost else None


@lru_cache(maxsize=8)
def _bytes(line: str, read_as: str) -> bytes | None:
    """The bytes of a line, _MARK where some are lost; None where it cannot have been read so. Mixtures of one reading share them."""
    try:
        return _MARK.join(map(ENCODERS[read_as], line.split(LOST)))
    except UnicodeEncodeError:
        return None


@lru_cache(maxsize=1)
def _western() -> Mapping[int, int]:
    """Windows-1252 with the five bytes that it leaves open read as controls, as browsers do."""
    pairs = ((bytes([byte]).decode("cp1252", "ignore") or chr(byte), byte) for byte in range(256))
    return {ord(character): byte for character, byte in pairs}


@lru_cache(maxsize=1)
def _foreign() -> re.Pattern[str]:
    """Whatever is neither in Latin-1 nor in Windows-1252."""
    return re.compile(f"[^\\x00-\xff{''.join(chr(point) for point in _western() if point > 0xFF)}]")


@lru_cache(maxsize=4)
def _western_bytes(text: str) -> bytes:
    # Translating takes a hundred times as long as seeing that there is Chinese in the way.
    return (text if _foreign().search(text) else text.translate(_western())).encode("latin-1")


ENCODERS: Mapping[str, Callable[[str], bytes]] = {
    "gb18030": lambda text: text.encode("gb18030"),
    "cp1252": _western_bytes,
    "big5": lambda text: text.encode("big5"),
    "shift_jis": lambda text: text.encode("cp932"),
    "euc_kr": lambda text: text.encode("cp949"),
}
"""By the codec that a text was read with: the bytes that it was read from."""
MIXTURES = (
    Mixture("utf-8", "gb18030"),
    Mixture("utf-8", "cp1252"),
    Mixture("gb18030", "cp1252"),
    Mixture("big5", "gb18030"),
    Mixture("gb18030", "big5"),
    Mixture("utf-8", "big5"),
    Mixture("utf-8", "shift_jis"),
    Mixture("utf-8", "euc_kr"),
    Mixture("gb18030", "euc_kr"),
)
"""In the order of how common they are on the web; among equals the first one counts. GBK read as Shift-JIS is not here: cp932
has several codes for one character, so that what was read does not say which bytes it was read from."""
