"""The order in which documents are visited."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from touyan.model.schedule import rate_share
from touyan.model.tokens import batches_from, cut, epoch_batches

LENGTHS = st.lists(st.integers(1, 90), min_size=1, max_size=60)


@given(lengths=LENGTHS, seed=st.integers(0, 9), epoch=st.integers(0, 3))
def test_an_epoch_visits_every_piece_once(lengths: list[int], seed: int, epoch: int) -> None:
    batches = epoch_batches(lengths, 100, seed, epoch)
    assert sorted(itertools.chain(*batches)) == list(range(len(lengths)))


@given(lengths=LENGTHS)
def test_a_batch_keeps_to_its_tokens_with_padding(lengths: list[int]) -> None:
    for batch in epoch_batches(lengths, 100, 0, 0):
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= 100


@given(lengths=LENGTHS, position=st.integers(0, 40))
def test_a_stream_can_be_entered_at_any_batch(lengths: list[int], position: int) -> None:
    whole = list(itertools.islice(batches_from(lengths, 100, 3, 0), position + 5))
    assert list(itertools.islice(batches_from(lengths, 100, 3, position), 5)) == whole[position:]


@given(lengths=st.lists(st.integers(2, 200), min_size=1, max_size=8), piece=st.integers(1, 50))
def test_cutting_predicts_every_token_once(lengths: list[int], piece: int) -> None:
    documents = [np.arange(length) for length in lengths]
    predicted = [token for part in cut(documents, piece) for token in part.ids[1:].tolist()]
    assert predicted == [token for document in documents for token in document[1:].tolist()]
    assert all(len(part.ids) - 1 <= piece for part in cut(documents, piece))


@given(done=st.floats(0, 1), warmup=st.floats(0, 0.5), decay=st.floats(0, 1))
def test_the_rate_stays_between_nothing_and_full(done: float, warmup: float, decay: float) -> None:
    assert 0 <= rate_share(done, warmup, decay) <= 1


def test_the_rate_ends_at_zero() -> None:
    assert rate_share(1.0, 0.02, 0.6) == 0.0
    assert rate_share(0.3, 0.02, 0.6) == 1.0
