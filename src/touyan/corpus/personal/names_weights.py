"""Opens the weights of the names' recogniser: names_data/names.npz, made by tools/train_names.py.

Owns the file's arrays and their way back to what the gate and the network use. Knows nothing about texts. Origin and licence of
the weights stand in names_data/README.md. Invariant: the file is read once a process, and only when a text is judged.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from touyan.corpus.personal.names_gate import Gate
from touyan.corpus.personal.names_network import WORD_CLASSES, WORDS, Lexicon, Network

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

UNKNOWN, UNKNOWN_HAN, DIGIT, LATIN, SPACE, LINE, FIRST_CHARACTER = range(7)
"""Numbers of characters: what the vocabulary lacks, classes that need no letter of their own, then the vocabulary itself."""
_COLONS = ":："
_HAN = range(0x3400, 0xA000)


@dataclass(frozen=True, slots=True)
class Recogniser:
    """All that is needed to look for names."""

    table: NDArray[np.uint16]
    """(65536,) number of each code point of the basic plane."""
    gate: Gate
    network: Network


@cache
def recogniser() -> Recogniser:
    """The recogniser that is shipped."""
    import numpy as np

    with (files(__package__) / "names_data" / "names.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return opened(dict(arrays))


def opened(arrays: Mapping[str, NDArray[np.generic]]) -> Recogniser:
    """The recogniser of these arrays."""
    import numpy as np

    characters = "".join(map(chr, arrays["characters"].tolist()))
    folded = {chr(a): chr(b) for a, b in arrays["folded"].tolist()}
    size = FIRST_CHARACTER + len(characters)
    table = number_table(characters, folded)
    lexicon = Lexicon(np.cumsum(arrays["keys"], dtype=np.uint32), arrays["classes"])
    words = _table(arrays, "words").reshape(len(WORDS), WORD_CLASSES, -1)
    layers = [(arrays[f"{name}_weight"].astype(np.float32), arrays[f"{name}_bias"]) for name in ("first", "second", "last")]
    network = Network(lexicon, _table(arrays, "chars"), _table(arrays, "pairs"), words, *layers)
    floors = (int(arrays["floors"][0]), int(arrays["floors"][1]))
    begins = np.unpackbits(arrays["begins"], count=size).astype(bool)
    return Recogniser(table, Gate(begins, *marks(table, size), arrays["gate"], floors), network)


def marks(table: NDArray[np.uint16], size: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(size,) which numbers are colons, and which are Han characters."""
    import numpy as np

    colons, han = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
    colons[table[[ord(c) for c in _COLONS]]] = True
    han[table[_HAN.start : _HAN.stop]] = True
    colons[UNKNOWN] = han[UNKNOWN] = False
    return colons, han


def number_table(characters: str, folded: Mapping[str, str]) -> NDArray[np.uint16]:
    """(65536,) number of each code point: characters of the vocabulary, those that are written `folded`, and the classes."""
    import numpy as np

    table = np.full(1 << 16, UNKNOWN, dtype=np.uint16)
    table[_HAN.start : _HAN.stop] = UNKNOWN_HAN
    for point in (*range(1, 0x100), *range(0x2000, 0x2010), 0x3000, *range(0xFF01, 0xFF5F)):
        plain = unicodedata.normalize("NFKC", chr(point))
        for number, belongs in ((DIGIT, plain.isdigit()), (LATIN, plain.isascii() and plain.isalpha()), (SPACE, plain.isspace())):
            table[point] = number if belongs else table[point]
    table[[ord("\n"), ord("\r")]] = LINE
    table[[ord(character) for character in characters]] = np.arange(FIRST_CHARACTER, FIRST_CHARACTER + len(characters))
    pairs = [(ord(one), ord(other)) for one, other in folded.items()]
    if pairs:
        table[[one for one, _ in pairs]] = table[[other for _, other in pairs]]
    return table


def _table(arrays: Mapping[str, NDArray[np.generic]], name: str) -> NDArray[np.float32]:
    import numpy as np

    table: NDArray[np.float32] = arrays[name].astype(np.float32) * arrays[f"{name}_scale"].astype(np.float32)
    return table
