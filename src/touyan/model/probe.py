"""A linear head on a decoder: what its hidden states know about a document's label.

Owns the pooling and the fit. Knows nothing about reports.
Invariant: the decoder does not change; the head sees train labels only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from touyan.model.articles import Articles
from touyan.model.linear import fit
from touyan.model.llama_engine import LlamaEngine, batches

POOL_TOKENS = 256
"""A document is read up to here."""


def probe(engine: LlamaEngine, train: Articles, test: Articles, documents: int, seed: int) -> list[str]:
    """Labels of `test` by a linear machine on pooled states, fitted on `documents` evenly spaced train documents."""
    spaced = np.linspace(0, len(train.ids) - 1, min(documents, len(train.ids))).astype(int)
    sample = train.take([int(i) for i in spaced])
    known, asked = pool(engine, sample.texts), pool(engine, test.texts)
    centre, spread = known.mean(0), known.std(0) + 1e-6
    weights, bias, labels = fit((known - centre) / spread, [str(label) for label in sample.labels], 0.01, seed)
    best = ((asked - centre) / spread @ weights.T + bias).argmax(1)
    return [labels[i] for i in best]


@torch.inference_mode()
def pool(engine: LlamaEngine, texts: Sequence[str]) -> NDArray[np.float64]:
    """Mean and last hidden state of each text: [texts, 2 * width]."""
    ids = [row[:POOL_TOKENS] for row in engine.codec.encode_all(texts)]
    pooled = np.zeros((len(ids), 2 * engine.model.shape.width))
    for batch in batches([len(row) for row in ids], 8192):
        longest = max(len(ids[i]) for i in batch)
        padded = torch.tensor([ids[i] + [engine.model.shape.pad] * (longest - len(ids[i])) for i in batch])
        hidden = engine.model(padded)
        for i, states in zip(batch, hidden, strict=True):
            real = states[: len(ids[i])]
            pooled[i] = torch.cat((real.mean(0), real[-1])).double().numpy()
    return pooled
