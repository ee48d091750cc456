"""Parties and keys: rotation, loss, and what a signature is worth before and after."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from touyan.core.dsse import Envelope, seal
from touyan.core.errors import Conflict, Invalid, Missing, Refused
from touyan.core.party import Actor
from touyan.core.rights import Rights
from touyan.core.seam import FixedSeam, iso
from touyan.core.statement import PAYLOAD_TYPE, Statement, statement_bytes
from touyan.store.home import Store
from touyan.store.keys import KeyPair, Keyring

ASSET = "a" * 64


def signed(pair: KeyPair, party: str, at_ms: int, kind: str = "rights", project: str = "default") -> Envelope:
    body = {"rights": Rights().to_json()} if kind == "rights" else {"party": party}
    return seal(PAYLOAD_TYPE, statement_bytes(Statement(project, ASSET, kind, body, party, iso(at_ms))), pair)  # type: ignore[arg-type]


def record(store: Store, envelope: Envelope) -> None:
    with store.database.write() as connection:
        store.statements.record(connection, envelope)


def test_what_a_key_signed_before_its_rotation_stays_good_and_nothing_after_is(store: Store, seam: FixedSeam) -> None:
    old, party = store.keyring.load("ann"), store.me().party
    before, at = signed(old, party, seam.now_ms()), seam.now_ms()
    seam.move(10)
    store.parties.rotate(store.me(), "ann")
    seam.move(10)
    assert store.parties.open(before, PAYLOAD_TYPE, party, iso(at))
    with pytest.raises(Refused):
        record(store, signed(old, party, seam.now_ms()))
    record(store, signed(store.keyring.load("ann"), party, seam.now_ms()))


def test_a_lost_key_signs_nothing_new_whatever_time_it_names(store: Store, seam: FixedSeam, enrol: Callable[..., Actor]) -> None:
    thief_key = (enrol(store, "steve", "steward"), store.keyring.load("steve"))[1]
    party, before = store.parties.get("steve").id, seam.now_ms()
    kept = signed(thief_key, party, before)
    record(store, kept)
    seam.move(10)
    store.parties.report_lost(store.me(), "steve", "the laptop was stolen")
    assert store.parties.open(kept, PAYLOAD_TYPE, party, iso(before))
    with pytest.raises(Refused):
        record(store, signed(thief_key, party, before + 1))
    assert store.parties.sign_in("steve").party == party


def test_the_root_key_can_be_rotated_and_lost(sqlite_store: Store, seam: FixedSeam, enrol: Callable[..., Actor]) -> None:
    first = sqlite_store.root_key.key_id
    organisation = sqlite_store.parties.list()[0].id
    sqlite_store.parties.rotate(sqlite_store.me(), organisation)
    second = sqlite_store.root_key.key_id
    seam.move(1)
    sqlite_store.parties.report_lost(sqlite_store.me(), organisation, "the safe was opened")
    assert len({first, second, sqlite_store.root_key.key_id}) == 3
    assert enrol(sqlite_store, "rita", "reviewer").roles == {"reviewer"}


@pytest.mark.parametrize("cut", ["before the register knows it", "after"])
def test_a_rotation_that_is_cut_off_leaves_a_usable_key(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch, cut: str) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    owner, name = (sqlite_store.events, "emit") if cut.startswith("before") else (sqlite_store.keyring, "promote")
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, stop)
        with pytest.raises(KeyboardInterrupt):
            sqlite_store.parties.rotate(sqlite_store.me(), "ann")
    actor = sqlite_store.me()
    record(sqlite_store, signed(sqlite_store.parties.signer(actor), actor.party, sqlite_store.seam.now_ms()))
    sqlite_store.parties.rotate(actor, "ann")
    assert sqlite_store.me().party == actor.party


def test_a_key_file_is_written_whole_and_never_over_another(sqlite_store: Store) -> None:
    ring = Keyring(sqlite_store.home / "keys")
    assert (ring.folder / "root.json").stat().st_mode & 0o777 == 0o600
    with pytest.raises(Conflict):
        ring.create("root")
    assert not [p for p in ring.folder.iterdir() if p.name.startswith(".")]
    assert "private" not in repr(ring.load("root"))


@pytest.mark.parametrize("name", ["root", "log", "../evil", "a/b", "", "retired-x", "next-ann", "a b", "x" * 64, '"; forbid'])
def test_a_name_that_could_reach_another_key_is_refused(sqlite_store: Store, name: str) -> None:
    with pytest.raises(Invalid):
        sqlite_store.parties.enrol(sqlite_store.me(), name)


def test_nobody_gets_at_an_id_by_taking_it_as_a_name(sqlite_store: Store) -> None:
    organisation = sqlite_store.parties.list()[0]
    sqlite_store.parties.enrol(sqlite_store.me(), organisation.id)
    assert sqlite_store.parties.get(organisation.id) == organisation


def test_without_its_private_key_nobody_acts_as_a_party(sqlite_store: Store, enrol: Callable[..., Actor]) -> None:
    enrol(sqlite_store, "rita", "reviewer")
    (sqlite_store.keyring.folder / "rita.json").unlink()
    with pytest.raises(Refused):
        sqlite_store.parties.sign_in("rita")
    with pytest.raises(Missing):
        sqlite_store.parties.sign_in("rito")


def test_a_statement_from_elsewhere_needs_the_role_for_it(
    sqlite_store: Store, seam: FixedSeam, enrol: Callable[..., Actor]
) -> None:
    rita = enrol(sqlite_store, "rita", "reviewer")
    with pytest.raises(Refused):
        record(sqlite_store, signed(sqlite_store.keyring.load("rita"), rita.party, seam.now_ms()))
    ann = sqlite_store.me()
    with pytest.raises(Refused):
        record(sqlite_store, signed(sqlite_store.keyring.load("ann"), ann.party, seam.now_ms(), project="other"))
    with pytest.raises(Invalid, match="clock"):
        record(sqlite_store, signed(sqlite_store.keyring.load("ann"), ann.party, seam.now_ms() + 3_600_000))


def test_two_claims_within_one_millisecond_are_both_kept(
    sqlite_store: Store, add_source: Callable[..., str], cleared: Rights
) -> None:
    asset, actor = add_source(sqlite_store, {"a.txt": b"first"}), sqlite_store.me()
    with sqlite_store.database.write() as connection:
        for rights in (Rights(), cleared):
            sqlite_store.statements.make(connection, actor, asset, "rights", {"rights": rights.to_json()})
        assert sqlite_store.statements.standing(connection, "default", asset).rights == cleared
