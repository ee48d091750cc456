"""The figures that the recognisers are held to: on the planter's sentences, and on a hotline set that no rule was written from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest
from hotline import look_alike, record

from touyan.corpus.personal.find import find_all
from touyan.corpus.personal.identifier import NOBODYS
from touyan.corpus.plant.persons import Truth, decoy, mention, person

RECALL, PRECISION = 0.995, 0.99
CHECKED = ("id-card", "bank-card", "vin")


def planted(rng: Random) -> tuple[str, Truth]:
    return mention(person(rng), rng)


@pytest.mark.parametrize("draw", [planted, record])
def test_recall_and_precision_hold_for_every_kind(draw: Callable[[Random], tuple[str, Truth]]) -> None:
    rng = Random(2026)
    drawn = [draw(rng) for _ in range(2_000)]
    wanted: Counter[str] = Counter()
    found: Counter[str] = Counter()
    both: Counter[str] = Counter()
    for (text, truth), some in zip(drawn, find_all([text for text, _ in drawn]), strict=True):
        want = {(kind, spelling) for kind, spelling in truth.items() if kind != "person"}
        got = {(each.kind, text[each.start : each.end]) for each in some}
        for counter, members in ((wanted, want), (found, got), (both, want & got)):
            counter.update(kind for kind, _ in members)
    assert len(wanted) == 16
    for kind, n in wanted.items():
        assert both[kind] >= RECALL * n, kind
        assert both[kind] >= PRECISION * found[kind], kind
    assert all(both[kind] == wanted[kind] for kind in CHECKED)


@pytest.mark.parametrize("draw", [decoy, look_alike])
def test_what_only_looks_like_an_identifier_is_never_a_persons(draw: Callable[[Random], str]) -> None:
    rng = Random(2026)
    texts = [draw(rng) for _ in range(2_000)]
    assert {each.kind for some in find_all(texts) for each in some} <= NOBODYS
