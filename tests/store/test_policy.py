"""Who may do what to what: the whole matrix, held against the table that people read (tests/golden/policy.txt)."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touyan.core.errors import Invalid, Refused
from touyan.core.party import ROLES, VERBS, Actor, Role
from touyan.store.policy import Thing, _plain, decide, require  # pyright: ignore[reportPrivateUsage]

TABLE = Path(__file__).parent.parent / "golden" / "policy.txt"
OBJECTS = ("same project, other's", "same project, own", "other project")


def thing(which: str) -> Thing:
    submitter = {"same project, own": "acme/ann"}.get(which, "acme/bob")
    return Thing("review", "r1", "other" if which == "other project" else "default", submitter)


def table() -> str:
    """A row a verb, a column a role: '+' may, 'o' may save what the party submitted itself, '.' may not. Nothing crosses projects."""
    lines = [f"{'':14}" + "".join(f"{role:>10}" for role in ROLES)]
    for verb in VERBS:
        marks = [mark(role, verb) for role in ROLES]
        lines.append(f"{verb:14}" + "".join(f"{m:>10}" for m in marks))
    return "\n".join(lines) + "\n"


def mark(role: Role, verb: str) -> str:
    actor = Actor("acme/ann", "default", frozenset({role}))
    others, own, elsewhere = (decide(actor, verb, thing(which)).is_allowed for which in OBJECTS)  # type: ignore[arg-type]
    assert not elsewhere
    return "+" if others and own else "o" if others else "." if not own else "?"


def test_the_policy_is_the_table_that_people_read() -> None:
    assert table() == TABLE.read_text()


def test_who_has_no_role_may_do_nothing() -> None:
    actor = Actor("acme/ann", "default", frozenset())
    assert not any(decide(actor, verb, thing(which)).is_allowed for verb, which in product(VERBS, OBJECTS))


def test_all_roles_together_still_do_not_review_their_own_submission_nor_cross_a_project() -> None:
    actor = Actor("acme/ann", "default", frozenset(ROLES))
    assert not decide(actor, "review", thing("same project, own")).is_allowed
    assert not any(decide(actor, verb, thing("other project")).is_allowed for verb in VERBS)


def test_a_refusal_names_the_policy_that_made_it() -> None:
    actor = Actor("acme/ann", "default", frozenset(ROLES))
    with pytest.raises(Refused, match="no-self-review"):
        require(actor, "review", thing("same project, own"))


@given(st.text(max_size=20), st.text(max_size=20))
def test_an_id_says_nothing_to_the_policy_whatever_it_holds(party: str, identifier: str) -> None:
    actor = Actor(party, "default", frozenset({"reviewer"}))
    assert decide(actor, "inspect", Thing("model", identifier, "default")).is_allowed
    assert not decide(actor, "train", Thing("model", identifier, "default")).is_allowed


@given(st.text(max_size=12), st.text(max_size=12))
def test_two_ids_never_become_one(a: str, b: str) -> None:
    assert (_plain(a) == _plain(b)) == (a == b)
    assert not set(_plain(a)) & set('"\\\n')


@pytest.mark.parametrize("verb", ['inspect"', "", 'x", Action::"inspect', "Inspect"])
def test_what_is_no_verb_is_no_question(verb: str) -> None:
    with pytest.raises(Invalid):
        decide(Actor("acme/ann", "default", frozenset(ROLES)), verb, Thing("model", "m", "default"))  # type: ignore[arg-type]
