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

from touyan.corpus.personal.names_gate import BEGINS, COLON, HAN, Gate
from touyan.corpus.personal.names_network import (
    CHARS,
    PAIRS,
    STEPS,
    WORD_CLASSES,
    WORD_LENGTHS,
    WORD_STARTS,
    Lexicon,
    Network,
)

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
    numbers = number_table(characters, folded)
    begins = np.unpackbits(arrays["begins"], count=FIRST_CHARACTER + len(characters)).astype(bool)
    lexicon = Lexicon(np.cumsum(arrays["keys"], dtype=np.uint32), arrays["classes"])
    layers = [(arrays[f"{name}_weight"].astype(np.float32), arrays[f"{name}_bias"]) for name in ("second", "last")]
    network = Network(lexicon, *_first_layer(arrays), *layers)
    return Recogniser(Gate(flags_of(begins, numbers), numbers, arrays["gate"], tuple(arrays["floors"].tolist())), network)


def flags_of(begins: NDArray[np.bool_], numbers: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """(65536,) what the gate wants to know of each code unit: see `Gate.flags`."""
    import numpy as np

    flags = begins[numbers].astype(np.uint8) * BEGINS
    flags[[ord(colon) for colon in _COLONS]] |= COLON
    flags[_HAN.start : _HAN.stop] |= HAN
    return flags


def _first_layer(arrays: Mapping[str, NDArray[np.generic]]) -> tuple[NDArray[np.int16], ...]:
    """Tables of characters, pairs and words, multiplied by the weights of their offsets, and the bias."""
    import numpy as np

    weight = arrays["first_weight"].astype(np.float32) * STEPS
    chars, pairs = _table(arrays, "chars"), _table(arrays, "pairs")
    by_char = weight[: len(CHARS) * chars.shape[1]].reshape(len(CHARS), chars.shape[1], -1)
    by_pair = weight[len(CHARS) * chars.shape[1] :].reshape(len(PAIRS), pairs.shape[1], -1)
    words = _table(arrays, "words").reshape(len(WORD_STARTS), len(WORD_LENGTHS), WORD_CLASSES, -1) * STEPS
    two, three, four = (words[:, i] for i in range(len(WORD_LENGTHS)))
    together = four[:, :, None, None] + three[:, None, :, None] + two[:, None, None, :]
    tables = (
        chars @ by_char,
        pairs @ by_pair,
        together.reshape(len(WORD_STARTS), -1, words.shape[-1]),
        arrays["first_bias"] * STEPS,
    )
    return tuple(np.round(table).astype(np.int16) for table in tables)


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
