"""The step `ngram`: a character n-gram with modified Kneser-Ney smoothing, the baseline that a decoder has to beat.

Owns characters, their numbers and the files; `kneser` owns the mathematics. Knows nothing about neural models.
Invariant: probabilities over all texts sum to 1: a character never seen costs its share of all Unicode scalar values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from touyan.core.errors import Broken, Invalid
from touyan.flow.step import InputSpec, StepSpec, Work
from touyan.model.articles import read_articles
from touyan.model.shape import read_json, write_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from touyan.model.kneser import KneserNey

    Ints = NDArray[np.int64]

UNKNOWN, BEGIN, END = 0, 1, 2
RESERVED = 3
UNICODE_SCALARS = 0x110000 - 0x800
"""All code points but surrogates."""
ARRAYS = "ngram.safetensors"


@dataclass(frozen=True, slots=True)
class NgramParams:
    """How long the n-grams are."""

    order: int = 6
    """Measured on held-out laws: 3.65 bits a character at 4, 3.53 at 5, 3.47 at 6, 3.42 at 8."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Texts as one array of numbers, each between BEGIN and END."""

    symbols: Ints
    begins: Ints
    """For each place, where its text begins; likewise `ends`, one past its END."""
    ends: Ints


class Alphabet:
    """Characters by number: 0 stands for all that training has not seen."""

    def __init__(self, characters: str) -> None:
        self.characters = characters
        self._numbers = {character: i + RESERVED for i, character in enumerate(characters)}

    @property
    def size(self) -> int:
        return len(self.characters) + RESERVED

    def encode(self, text: str) -> list[int]:
        return [self._numbers.get(character, UNKNOWN) for character in text]

    def decode(self, numbers: list[int]) -> str:
        """Reserved numbers give nothing, the unknown character U+FFFD."""
        return "".join("\ufffd" if n == UNKNOWN else self.characters[n - RESERVED] for n in numbers if n not in (BEGIN, END))

    def stream(self, texts: list[str]) -> Stream:
        import numpy as np

        rows = [[BEGIN, *self.encode(text), END] for text in texts]
        lengths = np.array([len(row) for row in rows], np.int64)
        symbols = np.fromiter((n for row in rows for n in row), np.int64, int(lengths.sum()))
        ends = np.cumsum(lengths)
        return Stream(symbols, np.repeat(ends - lengths, lengths), np.repeat(ends, lengths))


def run(work: Work[NgramParams]) -> None:
    """Counts the train split and writes the smoothed model."""
    from safetensors.numpy import save_file

    from touyan.model.kneser import build

    order = work.params.order
    if not 1 <= order <= 12:
        raise Invalid("ngram-order", f"order {order} is out of range", "choose an order from 1 to 12; 6 is usual")
    articles = read_articles(work.one("corpus").path, "train")
    alphabet = Alphabet("".join(sorted(set().union(*map(set, articles.texts)))))
    stream = alphabet.stream(articles.texts)
    levels, uniform_share = build(stream.symbols, stream.ends, alphabet.size, order, BEGIN)
    names = ("symbols", "first_child", "direct", "backoff")
    save_file({f"{n}.{name}": getattr(level, name) for n, level in enumerate(levels) for name in names}, work.out / ARRAYS)
    write_json(work.out / "alphabet.json", {"characters": alphabet.characters})
    card = {
        "backend": "ngram",
        "tasks": ["generate"],
        "licence": None,
        "trained_tokens": int(len(stream.symbols) - len(articles.ids)),
    }
    write_json(work.out / "touyan.json", {**card, "order": order, "uniform_share": uniform_share})
    write_json(work.out / "summary.json", {**card, "order": order, "ngrams": [len(level.symbols) for level in levels]})
    work.count("train_documents", len(articles.ids))


def load_ngram(folder: Path) -> tuple[KneserNey, Alphabet]:
    """Reads what `run` wrote. Raises Broken on damage."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    from touyan.model.kneser import KneserNey, Level

    card = read_json(folder / "touyan.json")
    alphabet = Alphabet(str(read_json(folder / "alphabet.json")["characters"]))
    names = ("symbols", "first_child", "direct", "backoff")
    try:
        arrays = load_file(folder / ARRAYS)
        levels = [Level(*(arrays[f"{n}.{name}"] for name in names)) for n in range(int(card["order"]))]
        return KneserNey(levels, float(card["uniform_share"]), alphabet.size, BEGIN), alphabet
    except (OSError, SafetensorError, KeyError) as error:
        raise Broken("ngram-model", f"{folder} cannot be read: {error}", "fetch the model again or re-run its step") from error


def text_bits(model: KneserNey, alphabet: Alphabet, texts: list[str]) -> list[float]:
    """-log2 of the probability of each text with its end."""
    import numpy as np

    if not texts:
        return []
    stream = alphabet.stream(texts)
    probabilities = model.probabilities(stream.symbols, stream.begins)
    bits = -np.log2(np.where(stream.symbols == BEGIN, 1.0, probabilities))  # the beginning is given
    bits[stream.symbols == UNKNOWN] += math.log2(UNICODE_SCALARS - len(alphabet.characters))
    starts = np.flatnonzero(stream.symbols == BEGIN)
    return [float(total) for total in np.add.reduceat(bits, starts)]


STEP = StepSpec(
    name="ngram",
    version="1",
    output="model",
    inputs={"corpus": InputSpec("corpus", label="its train split is counted")},
    params=NgramParams,
    purpose="train",
    run=run,
    summary="Counts a Kneser-Ney character n-gram: the baseline of every language model.",
    extras=("train",),
)
