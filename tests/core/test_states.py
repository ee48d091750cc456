"""The tables of states: every walk stays inside, ends somewhere, and nothing else moves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touyan.core.errors import Conflict
from touyan.core.states import TABLES, advance, is_final

FIRST = {"job": "waiting", "attempt": "claimed", "review": "draft", "permit": "valid", "task": "open", "site": "invited"}
MACHINES = pytest.mark.parametrize("machine", sorted(TABLES))


def reachable(machine: str, start: str) -> set[str]:
    seen, waiting = {start}, [start]
    while waiting:
        for state in TABLES[machine][waiting.pop()].values():
            if state not in seen:
                seen.add(state)
                waiting.append(state)
    return seen


@MACHINES
def test_every_state_can_be_reached_from_the_first(machine: str) -> None:
    assert reachable(machine, FIRST[machine]) == set(TABLES[machine])


@MACHINES
def test_every_exit_leads_to_a_state_of_the_table(machine: str) -> None:
    assert {s for exits in TABLES[machine].values() for s in exits.values()} <= set(TABLES[machine])


@MACHINES
def test_from_every_state_an_end_can_be_reached(machine: str) -> None:
    # A Job may always be tried again: its ends are those in which nobody works on it.
    ends = {"failed", "cancelled"} | {s for s in TABLES[machine] if is_final(machine, s)}
    assert all(reachable(machine, state) & ends for state in TABLES[machine])


@given(st.sampled_from(sorted(TABLES)), st.lists(st.integers(0, 9), max_size=20))
def test_a_walk_never_leaves_the_table_and_stops_at_an_end(machine: str, choices: list[int]) -> None:
    state = FIRST[machine]
    for choice in choices:
        exits = sorted(TABLES[machine][state])
        if not exits:
            assert is_final(machine, state)
            break
        state = advance(machine, state, exits[choice % len(exits)])
        assert state in TABLES[machine]


@MACHINES
def test_an_event_that_the_table_does_not_name_is_refused_with_those_it_does(machine: str) -> None:
    for state, exits in TABLES[machine].items():
        with pytest.raises(Conflict) as told:
            advance(machine, state, "explode")
        assert all(event in told.value.hint for event in exits)
