"""Vouchers: whom they serve, what is held, what comes back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from touyan.compute.ledger.acts import grant_voucher, take_back
from touyan.compute.ledger.charge import FREE, Terms
from touyan.compute.ledger.check import check
from touyan.compute.ledger.vouchers import Ask, Hold, Voucher, expire, fitting, hold, release, vouchers
from touyan.core.errors import Invalid, Missing, Refused
from touyan.core.party import Actor
from touyan.core.seam import FixedSeam, iso
from touyan.store.home import Store

HOUR_MS = 3_600_000
TERMS = Terms(6_500_000)
STRICT = Terms(needs_voucher=True)


def give(store: Store, hours: float = 10, purpose: str = "train", until: str = "2027-06-30") -> Voucher:
    return grant_voucher(store, store.me(), store.me().party, "device_ms", round(hours * HOUR_MS), until, purpose)


def ask(store: Store, attempt: str = "a-1", devices: int = 4) -> Ask:
    return Ask(attempt, "default", store.me().party, "train", 3600, "a800-80g", devices)


def place(store: Store, wanted: Ask, terms: Terms = TERMS) -> Hold | None:
    with store.database.write() as connection:
        return hold(connection, store.seam, wanted, terms)


def left(store: Store) -> list[float]:
    with store.database.read() as connection:
        assert check(connection).problems == ()
        return [v.free / HOUR_MS for v in vouchers(connection, "default")]


def test_a_placed_attempt_holds_its_limit_times_its_devices(sqlite_store: Store) -> None:
    given = give(sqlite_store)
    kept = place(sqlite_store, ask(sqlite_store))
    assert kept is not None
    assert (kept.voucher, kept.unit, kept.amount, kept.terms) == (given.id, "device_ms", 4 * HOUR_MS, TERMS)
    assert left(sqlite_store) == [6]


def test_placing_the_same_attempt_again_holds_nothing_more(sqlite_store: Store) -> None:
    give(sqlite_store)
    assert place(sqlite_store, ask(sqlite_store)) == place(sqlite_store, ask(sqlite_store))
    assert left(sqlite_store) == [6]


def test_a_released_hold_is_free_again_and_the_attempt_may_be_placed_elsewhere(store: Store) -> None:
    give(store)
    for _ in range(2):
        place(store, ask(store))
        with store.database.write() as connection:
            assert release(connection, iso(store.seam.now_ms()), "a-1")
            assert not release(connection, iso(store.seam.now_ms()), "a-1")
    assert left(store) == [10]


def test_of_several_the_first_to_expire_pays(sqlite_store: Store) -> None:
    give(sqlite_store, until="2027-12-31")
    soon = give(sqlite_store, until="2027-01-31")
    kept = place(sqlite_store, ask(sqlite_store))
    assert kept is not None
    assert kept.voucher == soon.id


@pytest.mark.parametrize(
    "change", [{"purpose": "refine"}, {"party": "somebody"}, {"project": "other"}, {"devices": 11}, {"model": "tpu"}]
)
def test_a_voucher_serves_its_holder_project_and_purpose_within_what_is_left(sqlite_store: Store, change: dict[str, str]) -> None:
    give(sqlite_store)
    with sqlite_store.database.read() as connection:
        at = iso(sqlite_store.seam.now_ms())
        assert fitting(connection, at, ask(sqlite_store), STRICT) is not None
        assert fitting(connection, at, replace(ask(sqlite_store), **change), STRICT) is None


def test_an_expired_voucher_pays_nothing_and_returns_to_its_issuer(store: Store, seam: FixedSeam) -> None:
    give(store)
    place(store, ask(store))
    seam.move(3 * 365 * 86400)
    with pytest.raises(Refused, match="no voucher"):
        place(store, ask(store, "a-2"), STRICT)
    with store.database.write() as connection:
        at = iso(seam.now_ms())
        assert expire(connection, at) == 1
        assert release(connection, at, "a-1")  # what was held comes back late, and goes the same way
        assert expire(connection, at) == 0  # the same moment counts once
        assert expire(connection, iso(seam.now_ms() + 1)) == 1
    assert left(store) == [0]


def test_a_site_that_needs_a_voucher_takes_no_attempt_without(sqlite_store: Store) -> None:
    with pytest.raises(Refused) as told:
        place(sqlite_store, ask(sqlite_store), STRICT)
    assert told.value.code == "no-voucher"


def test_without_a_voucher_the_price_is_agreed_all_the_same(sqlite_store: Store) -> None:
    kept = place(sqlite_store, ask(sqlite_store))
    assert kept is not None
    assert (kept.voucher, kept.amount, kept.terms) == ("", 0, TERMS)


def test_a_free_site_agrees_on_nothing(sqlite_store: Store) -> None:
    give(sqlite_store)
    assert place(sqlite_store, ask(sqlite_store), FREE) is None
    assert left(sqlite_store) == [10]


def test_holds_that_come_at_once_never_take_more_than_there_is(store: Store) -> None:
    give(store, hours=12)
    wanted = [ask(store, f"a-{n}") for n in range(8)]
    with ThreadPoolExecutor(4) as pool:
        kept = list(pool.map(lambda w: place(store, w), wanted))
    assert sum(1 for k in kept if k and k.voucher) == 3
    assert left(store) == [0]


def test_only_who_may_permit_grants_and_it_is_told(sqlite_store: Store, enrol: object) -> None:
    engineer: Actor = enrol(sqlite_store, "eve", "engineer")  # type: ignore[operator]
    with pytest.raises(Refused):
        grant_voucher(sqlite_store, engineer, "eve", "fen", 100, "2027-06-30")
    given = grant_voucher(sqlite_store, sqlite_store.me(), "eve", "fen", 100, "2027-06-30")
    sqlite_store.events.sequence()
    told = sqlite_store.events.find("default", kind="voucher.granted")
    assert [e.event.subjects for e in told] == [(given.id, engineer.party)]


@pytest.mark.parametrize(("unit", "amount", "until"), [("wh", 1, "2027-06-30"), ("fen", 0, "2027-06-30"), ("fen", 1, "2020-01-01"),
                                                       ("fen", 1, "soon"), ("fen", 2**60, "2027-06-30")])  # fmt: skip
def test_a_voucher_of_nothing_or_for_no_time_is_invalid(sqlite_store: Store, unit: str, amount: int, until: str) -> None:
    with pytest.raises(Invalid):
        grant_voucher(sqlite_store, sqlite_store.me(), sqlite_store.me().party, unit, amount, until)  # type: ignore[arg-type]


def test_nothing_that_is_not_there_can_be_taken_back(sqlite_store: Store) -> None:
    with pytest.raises(Missing):
        take_back(sqlite_store, sqlite_store.me(), "nothing/1", "a mistake")
    with pytest.raises(Invalid, match="reason"):
        take_back(sqlite_store, sqlite_store.me(), "nothing/1", "")
