"""Fits the gate and the network of the names' recogniser to labelled sentences.

Owns the vocabulary, the lexicon, the losses and the file of weights. Knows nothing about where sentences come from. Invariant:
the features are computed by the code that computes them when names are looked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from touyan.corpus.personal import names_gate, names_network
from touyan.corpus.personal.names_gate import LOOKS, PATTERNS, TABLE_BITS
from touyan.corpus.personal.names_network import (
    CHARS,
    LENGTHS,
    PAIR_BITS,
    PAIRS,
    WORD_CLASSES,
    WORD_LENGTHS,
    WORD_STARTS,
    Lexicon,
)
from touyan.corpus.personal.names_text import MARGIN, units_of
from touyan.corpus.personal.names_weights import DIGIT, LATIN, LINE, SPACE, UNKNOWN, UNKNOWN_HAN

HIDDEN, SECOND, CHAR_WIDTH, PAIR_WIDTH = 128, 64, 32, 16
GATE_STEP = 16.0
HIDDEN_SHARE = 0.1
_MAY_SPEAK_FOR = tuple(len(pattern) == 1 or pattern == (-2, -1) for pattern in PATTERNS)


@dataclass(frozen=True, slots=True)
class Example:
    """One sentence, where its names are, and how much it counts."""

    text: str
    spans: Sequence[tuple[int, int]]
    weight: float = 1.0


def vocabulary(texts: Iterable[str], plain: dict[str, str], least: int) -> str:
    """Characters that were seen `least` times or more, in order of code points."""
    counts = Counter("".join(texts).translate(str.maketrans(plain)))
    own = (c for c, n in counts.items() if n >= least and 0 < ord(c) < 65536 and not c.isspace())
    return "".join(sorted(c for c in own if not (c.isascii() and c.isalnum()) and not 0xFF10 <= ord(c) < 0xFF5B))


@dataclass(frozen=True, slots=True)
class Lessons:
    """Sentences one after another, with what is to be learnt at each character."""

    units: NDArray[np.uint16]
    chances: NDArray[np.float32]
    """(n, 1 + len(LENGTHS))."""
    weights: NDArray[np.float32]


def lessons(examples: Sequence[Example]) -> Lessons:
    """The examples as arrays."""
    size = MARGIN + sum(len(example.text) + MARGIN for example in examples)
    units, weights = np.zeros(size, np.uint16), np.zeros(size, np.float32)
    chances = np.zeros((size, 1 + len(LENGTHS)), np.float32)
    at = MARGIN
    for example in examples:
        end = at + len(example.text)
        units[at:end], weights[at:end] = units_of(example.text), example.weight
        for start, stop in example.spans:
            if stop - start in LENGTHS:
                chances[at + start, LENGTHS.index(stop - start) + 1] = 1
            else:
                weights[at + start] = 0
        at = end + MARGIN
    chances[:, 0] = 1 - chances[:, 1:].sum(1)
    return Lessons(units, chances, weights)


def begins(data: Lessons, numbers: NDArray[np.uint16], size: int, surnames: str, least_share: float) -> NDArray[np.bool_]:
    """(size,) characters that begin a name in at least this share of the places where they stand; surnames always."""
    seen = np.bincount(numbers[data.units], minlength=size)
    first = np.bincount(numbers[data.units], weights=(1 - data.chances[:, 0]) * (data.weights > 0), minlength=size)
    may = (first / np.maximum(seen, 20) >= least_share) & (first >= 0.5)
    may[numbers[[ord(surname) for surname in surnames]]] = True
    may[[UNKNOWN, DIGIT, LATIN, SPACE, LINE]] = False
    may[UNKNOWN_HAN] = True
    return may


def gate_places(data: Lessons, at: NDArray[np.int64], numbers: NDArray[np.uint16]) -> NDArray[np.int64]:
    """(n, looks) places in the tables of the gate, set side by side."""
    columns = {offset: numbers[data.units[at + offset]].astype(np.uint32) for offset in range(-3, 5)}
    places = [names_gate.slots([columns[offset] for offset in pattern]).astype(np.int64) for pattern in PATTERNS]
    return np.stack([place + (i << TABLE_BITS) for i, place in enumerate(places)], axis=1)


def fit_gate(places: NDArray[np.int64], goal: NDArray[np.float32], weight: NDArray[np.float32], rounds: int) -> NDArray[np.int8]:
    """(looks, 2**TABLE_BITS) weights of the linear model, by Adagrad; see the invariants of `names_gate`."""
    table = nn.EmbeddingBag(len(PATTERNS) << TABLE_BITS, 1, mode="sum", sparse=True)
    nn.init.zeros_(table.weight)
    optimizer = torch.optim.Adagrad(table.parameters(), lr=0.15)
    inputs, goals, weights = torch.from_numpy(places), torch.from_numpy(goal), torch.from_numpy(weight)
    for _ in range(rounds):
        for part in torch.randperm(len(goals)).split(4096):
            loss = nn.functional.binary_cross_entropy_with_logits(table(inputs[part])[:, 0], goals[part], weights[part])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                for look, may in zip(table.weight.view(len(PATTERNS), -1), _MAY_SPEAK_FOR, strict=True):
                    if not may:
                        look.clamp_(max=0)
    scaled = table.weight.detach().numpy().reshape(len(PATTERNS), -1) * GATE_STEP
    return np.clip(np.round(scaled), -127, 127).astype(np.int8)


def gate_sums(tables: NDArray[np.int8], places: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n, looks) the sums after each look."""
    sums = tables.reshape(-1).astype(np.int64)[places].cumsum(axis=1)
    return sums[:, np.cumsum([len(look) for look in LOOKS]) - 1]


class Student(nn.Module):
    """The network as it is trained; `names_network.Network` computes the same in numpy.

    A tenth of the characters is hidden from it while it learns, so that it trusts context where a name is new.
    """

    def __init__(self, characters: NDArray[np.float32]) -> None:
        super().__init__()
        self.chars = nn.Embedding.from_pretrained(torch.from_numpy(characters), freeze=False)
        self.pairs = nn.Embedding(1 << PAIR_BITS, PAIR_WIDTH)
        self.words = nn.Embedding(len(WORD_STARTS) * len(WORD_LENGTHS) * WORD_CLASSES, HIDDEN)
        nn.init.normal_(self.pairs.weight, std=0.1)
        nn.init.normal_(self.words.weight, std=0.05)
        self.first = nn.Linear(len(CHARS) * CHAR_WIDTH + len(PAIRS) * PAIR_WIDTH, HIDDEN)
        self.second = nn.Linear(HIDDEN, SECOND)
        self.last = nn.Linear(SECOND, 1 + len(LENGTHS))
        self.inputs_dropout, self.dropout = nn.Dropout(0.3), nn.Dropout(0.35)

    def forward(self, window: torch.Tensor, pairs: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        if self.training:
            window = torch.where(torch.rand(window.shape) < HIDDEN_SHARE, UNKNOWN_HAN, window)
        inputs = self.inputs_dropout(torch.cat((self.chars(window).flatten(1), self.pairs(pairs).flatten(1)), 1))
        hidden = self.dropout(torch.relu(self.first(inputs) + self.words(words).sum(1)))
        return self.last(self.dropout(torch.relu(self.second(hidden))))


def features(data: Lessons, at: NDArray[np.int64], lexicon: Lexicon, numbers: NDArray[np.uint16]) -> tuple[torch.Tensor, ...]:
    """What the network reads at these positions: characters, pairs, and one place for each stretch that may be a word."""
    window = names_network.windows(data.units, at, numbers)
    classes = lexicon.look_up(window)
    digits = [classes // WORD_CLASSES**i % WORD_CLASSES for i in range(len(WORD_LENGTHS))]
    words = np.stack(digits, axis=1).reshape(-1, len(at))
    words += np.arange(len(words))[:, None] * WORD_CLASSES
    return tuple(torch.from_numpy(each.T.astype(np.int64)) for each in (window, names_network.pairs_of(window), words))


def quantised(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
    """A table in eight bits, with one scale for each column."""
    scale = np.maximum(np.abs(weight).max(axis=0), 1e-6) / 127
    return np.round(weight / scale).astype(np.int8), scale.astype(np.float16)


def lexicon_of(words: dict[str, int], table: NDArray[np.uint16]) -> Lexicon:
    """The words with their classes by key; where two share a key, the higher class stays."""
    keys: dict[int, int] = {}
    for length in WORD_LENGTHS:
        chosen = [word for word in words if len(word) == length]
        characters = table[units_of("".join(chosen))].reshape(-1, length).T.astype(np.uint32)
        for key, word in zip(names_network.word_keys(list(characters)).tolist(), chosen, strict=True):
            keys[key] = max(keys.get(key, 0), words[word])
    order = sorted(keys)
    return Lexicon(np.array(order, np.uint32), np.array([keys[key] for key in order], np.uint8))


def fit_network(
    inputs: Sequence[torch.Tensor], goal: torch.Tensor, weight: torch.Tensor, characters: NDArray[np.float32], rounds: int
) -> Student:
    """The network fitted by AdamW on these windows, the step falling to nothing."""
    student, batch = Student(characters), 512
    optimizer = torch.optim.AdamW(student.parameters(), lr=2e-3, weight_decay=0.01)
    steps = rounds * (len(goal) // batch + 1)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, total_iters=steps)
    for number in range(rounds):
        total = 0.0
        for part in torch.randperm(len(goal)).split(batch):
            logits = student(*(each[part] for each in inputs))
            loss = (nn.functional.cross_entropy(logits, goal[part], reduction="none") * weight[part]).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(part)
        print(f"network: round {number + 1} of {rounds}, loss {total / len(goal):.4f}", flush=True)
    return student.eval()


def arrays_of(
    student: Student,
    tables: NDArray[np.int8],
    floors: tuple[int, ...],
    may: NDArray[np.bool_],
    lexicon: Lexicon,
    chars: str,
    plain: dict[str, str],
) -> dict[str, NDArray[np.generic]]:
    """The file of weights: see `touyan.corpus.personal.names_weights`."""
    state = {name: value.detach().numpy() for name, value in student.state_dict().items()}
    arrays: dict[str, NDArray[np.generic]] = {
        "characters": np.array([ord(c) for c in chars], np.uint16),
        "folded": np.array([[ord(a), ord(b)] for a, b in sorted(plain.items())], np.uint16),
        "begins": np.packbits(may),
        "gate": tables,
        "floors": np.array(floors, np.int16),
        "keys": np.diff(lexicon.keys, prepend=np.uint32(0)),
        "classes": lexicon.classes,
    }
    for name in ("chars", "pairs", "words"):
        arrays[name], arrays[f"{name}_scale"] = quantised(state[f"{name}.weight"])
    for name in ("first", "second", "last"):
        arrays[f"{name}_weight"] = state[f"{name}.weight"].T.astype(np.float16)
        arrays[f"{name}_bias"] = state[f"{name}.bias"].astype(np.float32)
    return arrays
