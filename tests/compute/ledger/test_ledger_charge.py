"""What an Attempt costs: from facts to lines, in integers."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from touyan.compute.ledger.book import reversal
from touyan.compute.ledger.charge import CORE_PPM, FREE, Facts, Terms, Usage, facts_of, lines, terms_of
from touyan.compute.ledger.transfer import Transfer, balances, totals
from touyan.compute.rates.table import published
from touyan.compute.resources import Offer

HOUR_MS = 3_600_000
USAGE = Usage("j-1", 7, "hpc", "acme", HOUR_MS, 2 * HOUR_MS, "a800-80g", 4)
PRICED = Terms(6_500_000, 50_000)

facts = st.builds(
    Facts,
    attempt=st.just("j-1"), token=st.just(7), party=st.sampled_from(["ann", "bob"]), site=st.just("hpc"),
    owner=st.sampled_from(["acme", "ann"]), elapsed_ms=st.integers(0, 10**9), limit_ms=st.integers(0, 10**9), model=st.just("h100-80g"),
    devices=st.integers(0, 512), rate_ppm=st.integers(0, 10**7), cores=st.integers(0, 10**4), core_ppm=st.just(CORE_PPM),
    energy=st.just("sheet"), energy_wh=st.integers(0, 10**6), uyuan_per_device_hour=st.integers(0, 10**8),
    uyuan_per_core_hour=st.integers(0, 10**6), fault=st.sampled_from(["none", "party", "site"]), voucher=st.sampled_from(["", "v"]),
    unit=st.sampled_from(["device_ms", "fen"]), held=st.integers(0, 10**12),
).map(lambda f: f if f.voucher else replace(f, held=0))  # fmt: skip


def by_unit(found: list[Transfer], unit: str) -> int:
    return sum(line.amount for line in found if line.unit == unit and line.credit.startswith("lend:"))


def test_an_hour_on_four_reference_devices_is_four_device_hours() -> None:
    made = facts_of("ann", USAGE, FREE, published())
    assert lines(made) == [
        Transfer("use:ann", "lend:acme", "device_ms", 4 * HOUR_MS), Transfer("use:ann", "lend:acme", "wh", 4 * 400),
    ]  # fmt: skip


def test_a_faster_model_counts_more_and_an_alias_is_its_model() -> None:
    made = facts_of("ann", replace(USAGE, model="h100"), FREE, published())
    assert (made.model, made.rate_ppm) == ("h100-80g", round(989 / 312 * 1_000_000))


def test_cores_count_by_what_a_core_is_worth() -> None:
    made = facts_of("ann", replace(USAGE, model="", devices=0, cores=64), FREE, published())
    assert (made.device_ms, made.energy, made.energy_wh) == (round(64 * HOUR_MS * 256 / 1e6), "sheet", 512)


def test_money_is_rounded_to_the_fen_once_for_devices_and_cores_together() -> None:
    made = facts_of("ann", replace(USAGE, cores=8, elapsed_ms=HOUR_MS // 2), PRICED, published())
    assert made.fen == round((4 * 6.5 + 8 * 0.05) / 2 * 100)


def test_a_measured_energy_counts_before_the_sheet() -> None:
    made = facts_of("ann", replace(USAGE, energy_wh=1234), FREE, published())
    assert (made.energy, made.energy_wh) == ("measured", 1234)


def test_an_energy_that_no_machine_draws_is_not_believed() -> None:
    made = facts_of("ann", replace(USAGE, energy_wh=10**12), FREE, published())
    assert (made.energy, made.energy_wh) == ("sheet", 1600)


def test_a_model_that_nobody_listed_counts_no_device_time_and_says_so() -> None:
    made = facts_of("ann", replace(USAGE, model="tpu-v9"), PRICED, published())
    assert (made.rate_ppm, made.device_ms, made.energy, made.fen) == (0, 0, "unknown", 2600)


def test_time_beyond_the_limit_is_not_charged() -> None:
    made = facts_of("ann", replace(USAGE, elapsed_ms=3 * HOUR_MS), FREE, published())
    assert (made.elapsed_ms, made.device_ms) == (3 * HOUR_MS, 8 * HOUR_MS)


def test_what_the_site_broke_costs_nothing_and_leaves_one_line() -> None:
    made = facts_of("ann", replace(USAGE, fault="site"), PRICED, published())
    assert lines(made) == [Transfer("use:ann", "lend:acme", "device_ms", 0)]


def test_a_voucher_of_device_time_pays_its_money_too_and_the_party_the_rest() -> None:
    made = replace(facts_of("ann", USAGE, Terms(6_500_000), published()), voucher="v", held=3 * HOUR_MS)
    assert lines(made)[:3] == [
        Transfer("held:v", "lend:acme", "device_ms", 3 * HOUR_MS), Transfer("use:ann", "lend:acme", "device_ms", HOUR_MS),
        Transfer("use:ann", "lend:acme", "fen", 650),
    ]  # fmt: skip


def test_a_voucher_of_money_pays_money_and_gets_its_rest_back() -> None:
    made = replace(facts_of("ann", USAGE, Terms(6_500_000), published()), voucher="v", unit="fen", held=3000)
    assert Transfer("held:v", "lend:acme", "fen", 2600) in lines(made)
    assert Transfer("held:v", "voucher:v", "fen", 400) in lines(made)


def test_the_terms_are_those_of_the_owners_offer() -> None:
    offer = Offer({"a800-80g": 6.5}, yuan_per_cpu_hour=0.05, needs_voucher=True)
    assert terms_of(offer, "a800-80g") == Terms(6_500_000, 50_000, needs_voucher=True)
    assert terms_of(Offer(), "a800-80g").is_free


@given(facts)
def test_any_lines_sum_to_zero_owe_what_the_facts_say_and_empty_the_hold(made: Facts) -> None:
    found = lines(made)
    assert set(totals(balances(found)).values()) == {0}
    assert all(line.amount >= 0 for line in found)
    assert by_unit(found, "device_ms") == made.device_ms
    assert by_unit(found, "fen") <= made.fen
    assert sum(line.amount for line in found if line.debit == "held:v") == made.held
    if made.unit == "fen" or not made.held:
        assert by_unit(found, "fen") == made.fen


@given(facts)
def test_a_reversal_leaves_every_account_as_it_was_but_what_was_held_is_free(made: Facts) -> None:
    found = lines(made)
    after = balances([Transfer("voucher:v", "held:v", made.unit, made.held), *found, *reversal(found)])
    assert {n for accounts in after.values() for n in accounts.values()} <= {0}
