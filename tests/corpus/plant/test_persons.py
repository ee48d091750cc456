"""Made-up persons: their check digits hold, nothing was issued to anybody, and the truth says what stands in the text."""

from __future__ import annotations

from random import Random

from touyan.corpus.personal.checks import is_bank_card, is_id_card, is_vin
from touyan.corpus.plant.persons import DECOYS, TEMPLATES, decoy, mention, person


def test_every_check_digit_holds() -> None:
    rng = Random(1)
    for who in (person(rng) for _ in range(300)):
        assert is_id_card(who.id_card)
        assert is_bank_card(who.bank_card)
        assert is_vin(who.vin)
        assert who.id_card[6:14] == who.birth.strftime("%Y%m%d")


def test_numbers_come_from_ranges_that_nobody_was_given() -> None:
    rng = Random(2)
    for who in (person(rng) for _ in range(300)):
        assert who.id_card[2:4] == "98"
        assert who.mobile[:3] in {"142", "143", "154", "161", "163", "164", "168", "169"}
        assert who.email.rpartition(".")[2] in {"com", "org", "net", "example"}
        assert who.email.partition("@")[2].startswith(("example.", "mail.example.", "post.example", "city-office.example"))


def test_the_truth_is_in_the_text() -> None:
    rng = Random(3)
    for _ in range(500):
        text, truth = mention(person(rng), rng)
        assert truth
        assert all(spelling in text for spelling in truth.values())


def test_the_same_random_state_gives_the_same_person_and_words() -> None:
    first, second = Random(4), Random(4)
    assert mention(person(first), first) == mention(person(second), second)
    assert decoy(first) == decoy(second)


def test_every_template_is_drawn() -> None:
    rng = Random(5)
    assert len({decoy(rng)[:4] for _ in range(600)}) >= len(DECOYS) - 5
    assert len({frozenset(mention(person(rng), rng)[1]) for _ in range(600)}) > len(TEMPLATES) / 2
