"""Learning the quality model from examples: logistic regression over hashed character n-grams, in numpy alone.

Owns the training, its evaluation and the command `python -m touyan.corpus.quality.train GOOD BAD MODEL`. Knows nothing about
what good means: the examples say it. Invariant: the same examples and seed give the same weights on any machine of one kind.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from touyan.core.errors import Invalid
from touyan.corpus.quality.model import BITS, Model, features, sample
from touyan.corpus.quality.points import Points, blocks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_RATE, _EPOCHS = 0.5, 30
_MIN_TEXTS = 3
"""A gram met in fewer texts keeps the weight 0: what is rare tells nothing, and noise would fill the table."""
_DECAY = 1e-5
_HELD_OUT = 10
"""One example in ten is kept to evaluate on."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How a model does on examples that it has not seen."""

    good: int
    bad: int
    auc: float
    """Odds that a good example scores above a bad one (Fawcett 2006, Pattern Recognition Letters 27)."""
    calibration_error: float
    """Mean distance between score and share of good ones over ten bins of the score (Guo et al. 2017, arXiv:1706.04599)."""
    good_lost: float
    """Share of the good that `threshold` drops."""
    bad_dropped: float
    threshold: float


def train(good: Sequence[str], bad: Sequence[str], *, seed: int = 0, about: Mapping[str, str] | None = None) -> Model:
    """The model that tells `good` from `bad`. Classes of unequal size count alike. Raises Invalid where one is empty."""
    import numpy as np

    if not good or not bad:
        raise Invalid("no-examples", "the quality model needs good and bad examples", "give at least a few hundred of each")
    labelled = [(text, 1.0) for text in good if text.strip()] + [(text, 0.0) for text in bad if text.strip()]
    random.Random(seed).shuffle(labelled)
    texts, labels = [sample(text) for text, _ in labelled], np.array([label for _, label in labelled])
    batches = [(block, labels[block.rows]) for block in blocks(texts, line_feeds=2)]
    known = _known(batches)
    balance = np.array([len(labels) / 2 / (labels == label).sum() for label in (0.0, 1.0)])
    weights, squares, bias = np.zeros(1 << BITS), np.full(1 << BITS, 1e-8), 0.0
    for epoch in range(_EPOCHS):
        for block, wanted in batches:
            error = (1 / (1 + np.exp(-np.clip(_logits(block, weights) + bias, -30, 30))) - wanted) * balance[wanted.astype(int)]
            slope = _gradient(block, error) / len(wanted) + _DECAY * weights
            squares += slope**2
            weights -= known * _RATE * slope / np.sqrt(squares)
            bias -= _RATE / (epoch + 1) * float(error.mean())
    return _rounded(weights, bias, dict(about or {}))


def _logits(block: Points, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean weight of the grams of each text, shape (rows,)."""
    import numpy as np

    total = np.zeros(len(block.points))
    for places in features(block.points):
        total[: len(places)] += weights[places]
    block.clear(total)
    return np.add.reduceat(total, block.starts) / block.lengths


def _gradient(block: Points, error: NDArray[np.float64]) -> NDArray[np.float64]:
    """The slope of the loss along each weight, shape (2^BITS,)."""
    import numpy as np

    share = np.repeat(error / block.lengths, block.lengths + block.line_feeds)
    block.clear(share)
    slope = np.zeros(1 << BITS)
    for places in features(block.points):
        slope += np.bincount(places, share[: len(places)], minlength=1 << BITS)
    return slope


def _known(batches: Sequence[tuple[Points, NDArray[np.float64]]]) -> NDArray[np.bool_]:
    """Whether enough texts have the gram, shape (2^BITS,)."""
    import numpy as np

    texts = np.zeros(1 << BITS, dtype=np.int64)
    for block, _ in batches:
        owners = np.repeat(np.arange(len(block.rows)), block.lengths + block.line_feeds)
        for places in features(block.points):
            met = np.unique((owners[: len(places)] << BITS) | places)
            texts += np.bincount(met & ((1 << BITS) - 1), minlength=1 << BITS)
    return texts >= _MIN_TEXTS


def _rounded(weights: NDArray[np.float64], bias: float, about: Mapping[str, str]) -> Model:
    """The model with weights of one byte each, so that the largest becomes 127."""
    import numpy as np

    scale = float(np.abs(weights).max()) / 127 or 1.0
    return Model(np.round(weights / scale).astype(np.int8), scale, round(bias, 6), about)


def evaluate(model: Model, good: Sequence[str], bad: Sequence[str], threshold: float = 0.1) -> Evaluation:
    """The figures of a model on examples that were kept from its training."""
    import numpy as np

    above, below = model.scores(good), model.scores(bad)
    scores = np.concatenate([above, below])
    labels = np.repeat([1.0, 0.0], [len(above), len(below)])
    ranks = np.searchsorted(np.sort(below), above, "left") + np.searchsorted(np.sort(below), above, "right")
    bins = np.minimum((scores * 10).astype(int), 9)
    gaps = np.abs(np.bincount(bins, labels - scores, minlength=10))
    lost, dropped = float((above < threshold).mean()), float((below < threshold).mean())
    auc = float(ranks.sum()) / (2 * len(above) * len(below))
    return Evaluation(len(above), len(below), auc, float(gaps.sum()) / len(scores), lost, dropped, threshold)


def pieces(text: str, draw: random.Random) -> Iterator[str]:
    """A long text cut at line ends or sentences into training examples of 60 to 600 characters.

    Lines are joined, kept or wrapped by lot: otherwise the model would learn that good text has long lines.
    """
    start = 0
    while len(text) - start >= 60:
        end = start + draw.randint(60, 600)
        yield relined(text[start:end], draw)
        start = end


def relined(text: str, draw: random.Random) -> str:
    """The text with its lines joined, kept, or wrapped at 16 to 40 characters, by lot."""
    kind = draw.randrange(3)
    if kind == 0:
        return " ".join(text.split("\n"))
    if kind == 1:
        return text
    width = draw.randint(16, 40)
    return "\n".join(text[start : start + width] for start in range(0, len(text), width))


def examples(path: Path) -> list[str]:
    """The `text` of each line of a JSONL file. Raises Invalid, with the line, where there is none."""
    import orjson

    found: list[str] = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            found.append(str(orjson.loads(line)["text"]))
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            hint = 'write one object a line: {"text": "..."}'
            raise Invalid("not-an-example", f"{path}, line {number}: no object with a text", hint) from error
    return found


def main(arguments: Sequence[str]) -> None:
    """Learns from nine examples in ten, saves the model, and prints how it does on the tenth."""
    if len(arguments) != 3:
        raise SystemExit("usage: python -m touyan.corpus.quality.train GOOD.jsonl BAD.jsonl MODEL.weights")
    good, bad, target = (Path(argument) for argument in arguments)
    kept, held_out = zip(*(_parted(examples(path)) for path in (good, bad)), strict=True)
    train(*kept, about={"name": target.stem}).save(target)
    for name, value in asdict(evaluate(Model.load(target), *held_out)).items():
        print(f"{name}: {value:.4g}")


def _parted(texts: list[str]) -> tuple[list[str], list[str]]:
    """Examples to learn from and examples to evaluate on."""
    random.Random(0).shuffle(texts)
    held_out = texts[: max(1, len(texts) // _HELD_OUT)]
    return texts[len(held_out) :], held_out


if __name__ == "__main__":
    main(sys.argv[1:])
