"""API keys: made, checked, listed, ended; and the services they call."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from touyan.core.canonical import sha256_hex
from touyan.core.errors import Invalid, Missing, Refused
from touyan.core.party import Actor
from touyan.store import tables as t
from touyan.store.home import Store
from touyan.store.services import Use

Enrol = Callable[..., Actor]


def test_only_the_digest_of_a_key_is_stored(store: Store) -> None:
    key, secret = store.api_keys.create(store.me(), label="laptop", terms="terms-1")
    assert re.fullmatch(r"ty-[0-9a-f]{64}", secret)
    assert store.api_keys.check(secret) == key
    with store.database.read() as connection:
        [row] = connection.execute(t.api_key.select()).mappings()
    assert row["sha256"] == sha256_hex(secret.encode())
    assert secret not in str(dict(row))
    store.events.sequence()
    assert all(secret not in str(e) for e in store.events.find("default"))


@pytest.mark.parametrize("secret", ["", "ty-", "ty-" + "0" * 64, "TY-" + "a" * 64, "ty-" + "é" * 64, "\ud800"])
def test_a_wrong_key_is_refused(store: Store, secret: str) -> None:
    store.api_keys.create(store.me())
    with pytest.raises(Refused, match="not known"):
        store.api_keys.check(secret)


def test_a_revoked_key_is_refused_like_one_that_never_was(store: Store) -> None:
    key, secret = store.api_keys.create(store.me())
    store.api_keys.revoke(store.me(), key.id, "lost")
    store.api_keys.revoke(store.me(), key.id, "lost again")
    with pytest.raises(Refused, match="not known here or was revoked"):
        store.api_keys.check(secret)


def test_one_handles_ones_own_keys_and_an_owner_those_of_all(store: Store, enrol: Enrol) -> None:
    uma, otto = enrol(store, "uma", "user"), enrol(store, "otto", "user")
    hers, _ = store.api_keys.create(uma)
    with pytest.raises(Refused, match="enrol"):
        store.api_keys.revoke(otto, hers.id)
    with pytest.raises(Refused, match="enrol"):
        store.api_keys.create(otto, uma.party)
    assert store.api_keys.list(otto) == []
    assert [k.id for k in store.api_keys.list(uma, otto.party)] == [hers.id]
    assert [k.id for k in store.api_keys.list(store.me())] == [hers.id]
    store.api_keys.revoke(store.me(), hers.id)


def test_who_may_not_call_gets_no_key(store: Store, enrol: Enrol) -> None:
    with pytest.raises(Refused, match="call"):
        store.api_keys.create(enrol(store, "audrey", "auditor"))


def test_bad_words_and_unknown_keys_are_told(store: Store) -> None:
    with pytest.raises(Invalid, match="label"):
        store.api_keys.create(store.me(), label="two\nlines")
    with pytest.raises(Missing, match="no API key"):
        store.api_keys.revoke(store.me(), "key-none")


def test_use_is_added_up_by_model_permit_and_key(store: Store) -> None:
    for tokens in (3, 4):
        store.services.meter("default", Use("laws", "m", "TY-1", "key-1", 10, tokens))
    store.services.meter("default", Use("other", "m", "TY-1", "key-1", 10, 9))
    [total] = store.services.totals(store.me(), "laws")
    assert (total.requests, total.prompt_tokens, total.completion_tokens) == (2, 20, 7)
    assert store.services.totals(store.me(), "laws", since="2999") == []
    with pytest.raises(Refused):
        store.services.totals(Actor("acme/x", "default", frozenset()), "laws")


def test_an_unknown_service_names_the_nearest(store: Store) -> None:
    store.services.bind(store.me(), "laws", [])
    with pytest.raises(Missing) as error:
        store.services.get("default", "lawss")
    assert "'laws'" in error.value.hint
    with pytest.raises(Invalid, match="cannot name"):
        store.services.bind(store.me(), "No Such Name", [])
    with pytest.raises(Refused):
        store.services.bind(Actor("acme/x", "default", frozenset({"reviewer"})), "laws", [])


def test_the_mark_moves_with_every_event(store: Store) -> None:
    marks = [store.services.mark()]
    store.services.bind(store.me(), "laws", [])
    marks.append(store.services.mark())
    store.events.sequence()
    marks.append(store.services.mark())
    store.services.bind(store.me(), "laws", [])
    marks.append(store.services.mark())
    assert len(set(marks)) == 4
