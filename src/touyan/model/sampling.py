"""How the next token is chosen from a distribution, and what a generation in progress remembers.

Shared by every engine that generates. Knows nothing about models. Invariant: the same probabilities, sampling and number of
earlier tokens give the same choice, whatever else is generated at the time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from touyan.core.errors import Invalid
from touyan.flow.backend import Sampling


@dataclass(slots=True, eq=False)
class Generation:
    """One sequence: the Sequence of `flow.backend`, and the engine's own place for its cache."""

    prompt: list[int]
    sampling: Sampling
    max_tokens: int
    random: np.random.Generator
    tokens: list[int] = field(default_factory=list)
    finish: Literal["stop", "length"] | None = None
    slot: int = -1
    """Row of the key-value cache; -1 while it has none."""

    @property
    def prompt_tokens(self) -> int:
        return len(self.prompt)

    def accept(self, token: int, end: int) -> int | None:
        """Records a chosen token and says what the reader gets: None where it ended the sequence without text."""
        if token == end:
            self.finish = "stop"
            return None
        self.tokens.append(token)
        if len(self.tokens) >= self.max_tokens:
            self.finish = "length"
        return token


def begin(prompt: list[int], sampling: Sampling, max_tokens: int, context_tokens: int) -> Generation:
    """A sequence before its first step. Raises Invalid for what cannot be generated. context_tokens 0: no bound."""
    if not prompt:
        raise Invalid("empty-prompt", "the prompt holds no tokens", "encode it with the model's tokenizer")
    if context_tokens and len(prompt) >= context_tokens:
        raise Invalid("long-prompt", f"the prompt has {len(prompt)} tokens, the context {context_tokens}", "shorten the prompt")
    if max_tokens < 1 or sampling.temperature < 0 or not 0 < sampling.top_p <= 1 or sampling.top_k < 0:
        raise Invalid(
            "sampling", f"cannot generate {max_tokens} tokens with {sampling}", "use 0 < top_p <= 1, and nothing negative"
        )
    room = context_tokens - len(prompt) if context_tokens else max_tokens
    return Generation(list(prompt), sampling, min(max_tokens, room), np.random.default_rng(sampling.seed))


def choose(logits: NDArray[Any], sampling: Sampling, random: np.random.Generator) -> int:
    """A token from unnormalised log-probabilities, [vocabulary]."""
    if sampling.temperature == 0:
        return int(logits.argmax())
    order = np.argsort(-logits, kind="stable")
    if sampling.top_k:
        order = order[: sampling.top_k]
    scaled = logits[order].astype(np.float64) / sampling.temperature
    probabilities = np.exp(scaled - scaled[0])
    probabilities /= probabilities.sum()
    if sampling.top_p < 1:
        kept = int(np.searchsorted(np.cumsum(probabilities), sampling.top_p)) + 1
        order, probabilities = order[:kept], probabilities[:kept] / probabilities[:kept].sum()
    drawn = np.searchsorted(np.cumsum(probabilities), random.random(), side="right")
    return int(order[min(int(drawn), len(order) - 1)])
