"""TF-IDF of character n-grams, and the linear classifier over it, in numpy and scipy alone.

Owns the features and the margins; fitting the support vectors is elsewhere. Knows nothing about files.
Invariant: a text's features depend on the text and the vocabulary only; rows have length 1 unless nothing is known of the text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Floats = NDArray[np.float32]


def grams(text: str, longest: int) -> Iterable[str]:
    """All character n-grams of length 1 to `longest`."""
    for n in range(1, longest + 1):
        for start in range(len(text) - n + 1):
            yield text[start : start + n]


def choose_features(texts: Sequence[str], longest: int, min_documents: int, most: int) -> tuple[list[str], Floats]:
    """The n-grams in at least `min_documents` texts (the `most` commonest), and their inverse document frequency.

    idf = ln((1 + documents) / (1 + documents with it)) + 1, the smoothed form of scikit-learn.
    """
    seen: Counter[str] = Counter()
    for text in texts:
        seen.update(set(grams(text, longest)))
    common = [gram for gram, n in seen.items() if n >= min_documents]
    common.sort(key=lambda gram: (-seen[gram], gram))
    chosen = sorted(common[:most])
    idf = np.log((1 + len(texts)) / (1 + np.array([seen[gram] for gram in chosen], np.float64))) + 1
    return chosen, idf.astype(np.float32)


@dataclass(frozen=True, slots=True)
class TfIdf:
    """Texts to sparse rows: (1 + ln count) * idf, scaled to length 1."""

    columns: dict[str, int]
    idf: Floats
    longest: int

    def transform(self, texts: Sequence[str]) -> csr_matrix:
        """[texts, features], float32."""
        data: list[float] = []
        indices: list[int] = []
        starts = [0]
        for text in texts:
            counts = Counter(column for gram in grams(text, self.longest) if (column := self.columns.get(gram)) is not None)
            indices += counts.keys()
            data += counts.values()
            starts.append(len(indices))
        columns = np.array(indices, np.int64)
        weights = ((1 + np.log(np.maximum(data, 1))) * self.idf[columns]).astype(np.float32)
        return csr_matrix((_unit_rows(weights, np.array(starts)), columns, starts), (len(texts), len(self.idf)))


def _unit_rows(weights: Floats, starts: NDArray[np.int64]) -> Floats:
    rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    lengths = np.sqrt(np.bincount(rows, weights.astype(np.float64) ** 2, minlength=len(starts) - 1))
    return (weights / np.maximum(lengths, 1e-12)[rows]).astype(np.float32)


@dataclass(frozen=True, slots=True)
class LinearClassifier:
    """One margin a label: features @ weights.T + bias."""

    features: TfIdf
    weights: Floats
    """[labels, features]."""
    bias: Floats
    labels: tuple[str, ...]

    def margins(self, texts: Sequence[str]) -> Floats:
        """[texts, labels]; the highest is the answer."""
        return np.asarray(self.features.transform(texts) @ self.weights.T + self.bias, np.float32)
