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
from touyan.corpus.personal.names_gate import FIRST_PASS, SECOND_PASS, TABLE_BITS, Gate
from touyan.corpus.personal.names_network import CHARS, LENGTHS, PAIR_BITS, PAIRS, WORD_CLASSES, WORDS, Lexicon
from touyan.corpus.personal.names_text import MARGIN
from touyan.corpus.personal.names_weights import DIGIT, LATIN, LINE, SPACE, UNKNOWN, UNKNOWN_HAN

HIDDEN, SECOND, CHAR_WIDTH, PAIR_WIDTH = 160, 64, 32, 16
GATE_STEP = 16.0
_PATTERNS = (*FIRST_PASS, *SECOND_PASS)


@dataclass(frozen=True, slots=True)
class Example:
    """One sentence, what is sure about its names or what the teacher thinks of them, and how much it counts."""

    text: str
    spans: Sequence[tuple[int, int]]
    chances: dict[int, dict[int, float]] | None = None
    """start -> length -> probability; stands for `spans` where it is given."""
    weight: float = 1.0


def vocabulary(texts: Iterable[str], plain: dict[str, str], least: int) -> str:
    """Characters that were seen `least` times or more, in order of code points."""
    counts = Counter("".join(texts).translate(str.maketrans(plain)))
    own = (c for c, n in counts.items() if n >= least and 0 < ord(c) < 65536 and not c.isspace())
    return "".join(sorted(c for c in own if not (c.isascii() and c.isalnum()) and not 0xFF10 <= ord(c) < 0xFF5B))


@dataclass(slots=True)
class Joined:
    """Sentences one after another, with what is to be learnt at each character."""

    numbers: NDArray[np.int32]
    chances: NDArray[np.float32]
    """(n, 1 + len(LENGTHS))."""
    weights: NDArray[np.float32]


def joined(examples: Sequence[Example], table: NDArray[np.uint16]) -> Joined:
    """The examples as arrays."""
    size = MARGIN + sum(len(example.text) + MARGIN for example in examples) + MARGIN
    numbers, weights = np.zeros(size, np.int32), np.zeros(size, np.float32)
    chances = np.zeros((size, 1 + len(LENGTHS)), np.float32)
    at = MARGIN
    for example in examples:
        points = np.frombuffer(example.text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
        numbers[at : at + len(points)] = table[np.minimum(points, 65535)]
        weights[at : at + len(points)] = example.weight
        found = example.chances if example.chances is not None else {a: {b - a: 1.0} for a, b in example.spans}
        for start, by_length in found.items():
            for length, chance in by_length.items():
                if length in LENGTHS:
                    chances[at + start, LENGTHS.index(length) + 1] = chance
                else:
                    weights[at + start] = 0
        at += len(points) + MARGIN
    chances[:, 0] = 1 - chances[:, 1:].sum(1)
    return Joined(numbers, chances, weights)


def begins(data: Joined, size: int, surnames: Iterable[int], least_share: float) -> NDArray[np.bool_]:
    """(size,) characters that begin a name in at least this share of the places where they stand; surnames always."""
    seen = np.bincount(data.numbers, minlength=size)
    first = np.bincount(data.numbers, weights=(1 - data.chances[:, 0]) * (data.weights > 0), minlength=size)
    may = (first / np.maximum(seen, 20) >= least_share) & (first >= 0.5)
    may[[number for number in surnames if number > LINE]] = True
    may[[UNKNOWN, DIGIT, LATIN, SPACE, LINE]] = False
    may[UNKNOWN_HAN] = True
    return may


def fit_gate(data: Joined, gate: Gate, rounds: int, batch: int = 4096) -> NDArray[np.int8]:
    """Weights of the linear model, fitted by Adagrad on every position that may begin a name."""
    at = starts(gate, data)
    keys = np.stack(
        [names_gate.slots(data.numbers, at, p).astype(np.int64) + (i << TABLE_BITS) for i, p in enumerate(_PATTERNS)], axis=1
    )
    goal = torch.from_numpy(1 - data.chances[at, 0])
    weight = torch.from_numpy(data.weights[at]) * (1 + 3 * goal)
    table = nn.EmbeddingBag(len(_PATTERNS) << TABLE_BITS, 1, mode="sum", sparse=True)
    nn.init.zeros_(table.weight)
    optimizer = torch.optim.Adagrad(table.parameters(), lr=0.15)
    places = torch.from_numpy(keys)
    for _ in range(rounds):
        for part in torch.randperm(len(at)).split(batch):
            loss = nn.functional.binary_cross_entropy_with_logits(table(places[part])[:, 0] - 2, goal[part], weight[part])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    scaled = table.weight.detach().numpy().reshape(len(_PATTERNS), -1) * GATE_STEP
    return np.clip(np.round(scaled), -127, 127).astype(np.int8)


def starts(gate: Gate, data: Joined) -> NDArray[np.int64]:
    """Positions that the first look of the gate lets through."""
    may = gate.begins[data.numbers]
    may[1:] |= gate.colons[data.numbers[:-1]] & gate.han[data.numbers[1:]]
    return np.flatnonzero(may & (data.weights > 0))


class Student(nn.Module):
    """The network as it is trained; `names_network.Network` computes the same in numpy."""

    def __init__(self, chars: int) -> None:
        super().__init__()
        self.chars = nn.Embedding(chars, CHAR_WIDTH)
        self.pairs = nn.Embedding(1 << PAIR_BITS, PAIR_WIDTH)
        self.words = nn.Embedding(len(WORDS) * WORD_CLASSES, HIDDEN)
        for table, scale in ((self.chars, 0.3), (self.pairs, 0.1), (self.words, 0.05)):
            nn.init.normal_(table.weight, std=scale)
        self.first = nn.Linear(len(CHARS) * CHAR_WIDTH + len(PAIRS) * PAIR_WIDTH, HIDDEN)
        self.second = nn.Linear(HIDDEN, SECOND)
        self.last = nn.Linear(SECOND, 1 + len(LENGTHS))
        self.dropout = nn.Dropout(0.25)

    def forward(self, window: torch.Tensor, pairs: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        inputs = torch.cat((self.chars(window).flatten(1), self.pairs(pairs).flatten(1)), 1)
        hidden = self.first(self.dropout(inputs)) + self.words(words).sum(1)
        return self.last(self.dropout(torch.relu(self.second(self.dropout(torch.relu(hidden))))))


def features(data: Joined, at: NDArray[np.int64], lexicon: Lexicon) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What the network reads at these positions."""
    window = names_network.windows(data.numbers, at)
    words = lexicon.look_up(window).astype(np.int64) + np.arange(len(WORDS)) * WORD_CLASSES
    pairs = names_network.pairs_of(window).astype(np.int64)
    return torch.from_numpy(window.astype(np.int64)), torch.from_numpy(pairs), torch.from_numpy(words)


def quantised(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
    """A table in eight bits, with one scale for each column."""
    scale = np.maximum(np.abs(weight).max(axis=0), 1e-6) / 127
    return np.round(weight / scale).astype(np.int8), scale.astype(np.float16)


def lexicon_of(words: dict[str, int], table: NDArray[np.uint16]) -> Lexicon:
    """The words with their classes by key; where two share a key, the higher class stays."""
    keys: dict[int, int] = {}
    shift = -CHARS[0]
    for length in (2, 3, 4):
        chosen = [word for word in words if len(word) == length]
        window = np.zeros((len(chosen), len(CHARS)), np.int32)
        for i, word in enumerate(chosen):
            window[i, shift : shift + length] = table[[min(ord(c), 65535) for c in word]]
        for key, word in zip(names_network.word_keys(window, 0, length).tolist(), chosen, strict=True):
            keys[key] = max(keys.get(key, 0), words[word])
    order = sorted(keys)
    return Lexicon(np.array(order, np.uint32), np.array([keys[key] for key in order], np.uint8))


def fit_network(data: Joined, at: NDArray[np.int64], lexicon: Lexicon, chars: int, rounds: int, batch: int = 512) -> Student:
    """The network fitted by AdamW on these positions, the step falling to nothing."""
    student = Student(chars)
    inputs = features(data, at, lexicon)
    goal, weight = torch.from_numpy(data.chances[at]), torch.from_numpy(data.weights[at])
    optimizer = torch.optim.AdamW(student.parameters(), lr=2e-3, weight_decay=0.01)
    steps = rounds * (len(at) // batch + 1)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, total_iters=steps)
    for number in range(rounds):
        total = 0.0
        for part in torch.randperm(len(at)).split(batch):
            logits = student(*(each[part] for each in inputs))
            loss = (nn.functional.cross_entropy(logits, goal[part], reduction="none") * weight[part]).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(part)
        print(f"network: round {number + 1} of {rounds}, loss {total / len(at):.4f}", flush=True)
    return student.eval()


def arrays_of(
    student: Student, gate: Gate, lexicon: Lexicon, chars: str, plain: dict[str, str]
) -> dict[str, NDArray[np.generic]]:
    """The file of weights: see `touyan.corpus.personal.names_weights`."""
    state = {name: value.detach().numpy() for name, value in student.state_dict().items()}
    arrays: dict[str, NDArray[np.generic]] = {
        "characters": np.array([ord(c) for c in chars], np.uint16),
        "folded": np.array([[ord(a), ord(b)] for a, b in sorted(plain.items())], np.uint16),
        "begins": np.packbits(gate.begins),
        "gate": gate.tables,
        "floors": np.array(gate.floors, np.int16),
        "keys": np.diff(lexicon.keys, prepend=np.uint32(0)),
        "classes": lexicon.classes,
    }
    for name in ("chars", "pairs", "words"):
        arrays[name], arrays[f"{name}_scale"] = quantised(state[f"{name}.weight"])
    for name in ("first", "second", "last"):
        arrays[f"{name}_weight"] = state[f"{name}.weight"].T.astype(np.float16)
        arrays[f"{name}_bias"] = state[f"{name}.bias"].astype(np.float32)
    return arrays
