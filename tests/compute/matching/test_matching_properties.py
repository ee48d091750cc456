"""What holds for every batch: filters and rooms are kept, everybody has a reason, equal input gives an equal answer."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st
from matching_world import policies, requests, sites, throughput

from touyan.compute.matching.batch import greedy
from touyan.compute.matching.candidate import Candidate, tiers
from touyan.compute.matching.exact import CLOSE, solve
from touyan.compute.matching.exchange import Exchange
from touyan.compute.matching.filters import fits, lies_in, refusal
from touyan.compute.matching.match import Matching, draft, match
from touyan.compute.matching.options import Option, Terms, cost
from touyan.compute.matching.policy import Policy
from touyan.compute.matching.reasons import alternatives, reasons
from touyan.compute.matching.request import Request
from touyan.compute.rates.table import published

several = settings(max_examples=20)


def matched(asked: list[Request], offered: list[Candidate], policy: Policy) -> Matching:
    return match(asked, offered, policy, throughput())


def chosen(matching: Matching) -> list[tuple[Request, Option]]:
    return [(d.request, d.chosen) for d in matching.decisions if d.chosen is not None]


@several
@given(requests(), sites(), policies)
def test_what_is_chosen_breaks_no_rule(asked: list[Request], offered: list[Candidate], policy: Policy) -> None:
    by_name = {s.name: s for s in offered}
    for request, option in chosen(matched(asked, offered, policy)):
        where = by_name[option.site]
        terms, need = where.capacity.offer, request.need
        kind = next(c for _, c in where.capacity.classes() if c.name == option.kind)
        assert not where.closed
        assert where.projects is None or request.project in where.projects
        assert not terms.parties or {request.party, request.organisation} & set(terms.parties)
        assert not terms.purposes or request.purpose in terms.purposes
        assert request.voucher or not terms.needs_voucher
        assert (option.accelerator in need.accelerators) if need.accelerators else option.accelerator is None
        assert option.accelerator is None or (kind.model == option.accelerator.model and kind.devices >= option.accelerator.count)
        assert min(kind.nodes - need.gang, kind.memory_bytes - need.memory_bytes, kind.cpus - need.cpus) >= 0
        for data in request.data:
            assert data.territory is None or lies_in(where.zone, data.territory)
            assert data.stays is None or where.name in data.held_at or lies_in(where.zone, data.stays)
            assert data.security != "state-secret"
            assert data.security != "important" or where.trust == "important"


@several
@given(requests(), sites(), policies)
def test_no_room_is_exceeded(asked: list[Request], offered: list[Candidate], policy: Policy) -> None:
    devices: Counter[tuple[str, int]] = Counter()
    jobs: Counter[str] = Counter()
    by_party: Counter[tuple[str, str]] = Counter()
    held: defaultdict[str, float] = defaultdict(float)
    for request, option in chosen(matched(asked, offered, policy)):
        count = request.need.gang * (option.accelerator.count if option.accelerator else 0)
        devices[option.site, option.tier] += count
        jobs[option.site] += 1
        by_party[request.party, option.site] += count
        if request.voucher is not None and request.voucher.unit == "device_s" and count:
            paid = option.terms.yuan or next(s for s in offered if s.name == option.site).capacity.offer.needs_voucher
            rate = published().rate(option.accelerator.model) if option.accelerator else 0.0
            held[request.job] += request.need.limit_s * count * rate if paid else 0.0
            assert held[request.job] <= request.voucher.left * (1 + 1e-6)
    for where in offered:
        pool, kind = next(where.capacity.classes())
        for tier in tiers(where, pool, kind, policy.queue_depth, policy.turnover_s):
            assert devices[where.name, tier.number] <= tier.devices
        assert where.room is None or jobs[where.name] <= where.room
        assert by_party["ann", where.name] <= where.quota.get("ann", 10**9)
    assert sum(n for (party, _), n in by_party.items() if party == "ann") <= policy.quotas.get("ann", 10**9)


@several
@given(requests(), sites(), policies)
def test_every_site_has_a_reason_and_the_cheapest_that_is_left_wins(
    asked: list[Request], offered: list[Candidate], policy: Policy
) -> None:
    for decision in matched(asked, offered, policy).decisions:
        said = reasons(decision, offered)
        assert set(said) == {s.name for s in offered}
        for where in offered:
            words = said[where.name]
            is_fit = refusal(decision.request, where, policy) is None and isinstance(
                fits(decision.request, where, published()), list
            )
            assert words.startswith("rejected (") != is_fit
        assert [o.cost for o in decision.options] == sorted(o.cost for o in decision.options)
        assert sum(w.startswith("chosen: ") for w in said.values()) == (decision.chosen is not None)


@several
@given(requests(), sites(), policies, st.randoms(use_true_random=False))
def test_the_answer_does_not_depend_on_the_order_of_sites_or_the_time_of_asking(
    asked: list[Request], offered: list[Candidate], policy: Policy, dice: object
) -> None:
    shuffled = list(offered)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    assert matched(asked, offered, policy) == matched(asked, shuffled, policy)


@several
@given(requests(), sites(), policies)
def test_nobody_waits_where_there_is_room(asked: list[Request], offered: list[Candidate], policy: Policy) -> None:
    matching = matched(asked, offered, policy)
    batch, _ = draft(asked, offered, policy, throughput())
    taken = [d.options.index(d.chosen) if d.chosen else -1 for d in matching.decisions]
    left = batch.left(taken)
    for options, position in zip(batch.options, taken, strict=True):
        room = [all(amount <= left[row] for row, amount in option.uses) for option in options]
        assert position >= 0 or not any(room)
    assert matching.bound <= matching.cost * (1 + 1e-9)


@several
@given(requests(), sites(), policies)
def test_the_bound_is_below_the_best_and_no_way_of_choosing_is_better_than_it(
    asked: list[Request], offered: list[Candidate], policy: Policy
) -> None:
    batch, _ = draft(asked[:4], offered[:3], policy, throughput())
    every = product(*(range(-1, len(options)) for options in batch.options))
    best = min(batch.cost(list(each)) for each in every if batch.is_allowed(list(each)))
    found, bound = solve(batch, 5.0)
    assert batch.is_allowed(found)
    assert bound <= best * (1 + 1e-9) + 1e-9
    rough = greedy(batch)
    better = Exchange(batch, rough).run()
    for choice in (found, rough, better):
        assert batch.is_allowed(choice)
        assert batch.cost(choice) >= best * (1 - 1e-9)
    assert batch.cost(found) <= max(batch.cost(better), bound * (1 + CLOSE)) + 1e-9


@several
@given(requests(), sites(), policies)
def test_an_alternative_that_is_offered_can_be_had(asked: list[Request], offered: list[Candidate], policy: Policy) -> None:
    for decision in matched(asked, offered, policy).decisions:
        if len(decision.refusals) < len(offered):
            continue
        for words in alternatives(decision.request, offered, policy, published()):
            assert words.startswith("ask for ") or "has the machines, but" in words


@given(st.lists(st.floats(0, 1e6), min_size=6, max_size=6), st.floats(0.05, 3))
def test_a_dearer_thing_never_makes_a_site_cheaper(amounts: list[float], share: float) -> None:
    terms = Terms(*amounts, share)
    for name in Terms._fields[:6]:
        assert cost(terms._replace(**{name: getattr(terms, name) + 1}), Policy()) >= cost(terms, Policy())


def test_a_batch_is_solved_within_one_per_cent_of_its_bound() -> None:
    from bench.compute.matching import run

    matching, _ = run(60, 12, 3.0, 1)
    assert matching.method == "solved"
    assert matching.gap_share <= 0.01
    assert replace(matching, bound=0.0).gap_share == 0.0
