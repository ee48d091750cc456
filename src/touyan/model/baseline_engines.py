"""The engines of the baselines: an n-gram that generates and scores, a linear model that classifies.

They answer through the same seam as the decoder, so that a baseline that won can be served. Know nothing about HTTP.
Invariant: what they answer equals what the evaluation measured.
"""

from __future__ import annotations

from collections.abc import Sequence as Many
from typing import cast

import numpy as np

from touyan.core.errors import Missing
from touyan.flow.backend import Sampling, Sequence, Task, Tokenizer
from touyan.model.kneser import KneserNey
from touyan.model.ngram import BEGIN, END, UNKNOWN, Alphabet, text_bits
from touyan.model.sampling import Generation, begin, choose
from touyan.model.tfidf import LinearClassifier


class CharacterCodec:
    """Characters as tokens."""

    def __init__(self, alphabet: Alphabet) -> None:
        self._alphabet = alphabet

    def encode(self, text: str) -> list[int]:
        return [BEGIN, *self._alphabet.encode(text)]

    def decode(self, ids: Many[int]) -> str:
        return self._alphabet.decode(list(ids))


class NgramEngine:
    """Generates character by character. It keeps no cache: a step looks at the last characters alone."""

    tasks: frozenset[Task] = frozenset({"generate"})
    context_tokens = 0

    def __init__(self, model: KneserNey, alphabet: Alphabet, model_id: str) -> None:
        self.model_id = model_id
        self._model = model
        self._alphabet = alphabet

    @property
    def tokenizer(self) -> Tokenizer:
        return CharacterCodec(self._alphabet)

    def start(self, prompt_ids: Many[int], sampling: Sampling, max_tokens: int) -> Sequence:
        return begin(list(prompt_ids), sampling, max_tokens, 0)

    def step(self, sequences: Many[Sequence]) -> list[int | None]:
        return [self._step(cast(Generation, one)) if one.finish is None else None for one in sequences]

    def end(self, sequence: Sequence) -> None:
        """Nothing is held."""

    def score(self, texts: Many[str]) -> list[float]:
        return text_bits(self._model, self._alphabet, list(texts))

    def classify(self, texts: Many[str]) -> list[dict[str, float]]:
        raise Missing("no-task", f"{self.model_id} generates text and does not classify", "ask a model with the task 'classify'")

    def _step(self, one: Generation) -> int | None:
        recent = (one.prompt + one.tokens)[-(self._model.order - 1) :] if self._model.order > 1 else []
        probabilities = self._model.next_probabilities(np.array(recent, np.int64))
        probabilities[UNKNOWN] = 0.0  # it stands for no character in particular
        with np.errstate(divide="ignore"):
            logits = np.log(probabilities)
        return one.accept(choose(logits, one.sampling, one.random), END)


class LinearEngine:
    """Classifies. Scores are a softmax over the margins: they order labels and are not calibrated probabilities."""

    tasks: frozenset[Task] = frozenset({"classify"})
    context_tokens = 0

    def __init__(self, classifier: LinearClassifier, model_id: str) -> None:
        self.model_id = model_id
        self._classifier = classifier

    @property
    def tokenizer(self) -> Tokenizer:
        raise self._no_text()

    def start(self, prompt_ids: Many[int], sampling: Sampling, max_tokens: int) -> Sequence:
        raise self._no_text()

    def step(self, sequences: Many[Sequence]) -> list[int | None]:
        raise self._no_text()

    def end(self, sequence: Sequence) -> None:
        raise self._no_text()

    def score(self, texts: Many[str]) -> list[float]:
        raise self._no_text()

    def classify(self, texts: Many[str]) -> list[dict[str, float]]:
        if not texts:
            return []
        margins = self._classifier.margins(list(texts)).astype(np.float64)
        weights = np.exp(margins - margins.max(1, keepdims=True))
        shares = weights / weights.sum(1, keepdims=True)
        return [dict(zip(self._classifier.labels, map(float, row), strict=True)) for row in shares]

    def _no_text(self) -> Missing:
        return Missing("no-task", f"{self.model_id} classifies and does not generate", "ask a model with the task 'generate'")
