"""The evidence log: no gaps, no doubles, proofs that hold, whoever sequences and whatever is erased."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import cast

import pytest

from touyan.core import merkle
from touyan.core.canonical import parse
from touyan.core.errors import Missing
from touyan.core.seam import FixedSeam
from touyan.store.audit import audit_log
from touyan.store.home import Store


def emit(store: Store, count: int, kind: str = "test.said") -> None:
    actor = store.me()
    with store.database.write() as connection:
        for number in range(count):
            store.events.emit(connection, actor, kind, [f"subject-{number}"], {"number": number})


def whole(store: Store, size: int) -> None:
    """The log holds together and has exactly `size` leaves."""
    with store.database.read() as connection:
        assert audit_log(connection, store.log_key_public)[0] == size


def test_an_event_and_the_change_it_tells_of_happen_together_or_not_at_all(store: Store) -> None:
    before = store.events.sequence()

    def cut_off() -> None:
        actor = store.me()
        with store.database.write() as connection:
            store.events.emit(connection, actor, "test.said", [], {})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut_off()
    assert store.events.sequence() == before


def test_two_sequencers_at_once_leave_no_gap_and_no_double(store: Store) -> None:
    before = store.events.sequence()
    emit(store, 60)
    start, failures = threading.Barrier(3), list[BaseException]()

    def sequence() -> None:
        start.wait()
        try:
            store.events.sequence()
        except BaseException as error:  # told by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=sequence) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert store.events.sequence() == before + 60
    whole(store, before + 60)


SEQUENCER = """
from touyan.store.home import open_store
store = open_store()
actor = store.me()
for number in range(15):
    with store.database.write() as connection:
        store.events.emit(connection, actor, "test.said", [], {"number": number})
    store.events.sequence()
store.close()
"""


def test_processes_that_write_and_sequence_at_once_share_one_log(store: Store) -> None:
    before = store.events.sequence()
    started = [subprocess.Popen([sys.executable, "-c", SEQUENCER]) for _ in range(2)]
    assert [process.wait() for process in started] == [0, 0]
    whole(store, before + 30)


def test_an_inclusion_proof_holds_and_outlives_the_body(store: Store) -> None:
    emit(store, 5)
    proof = store.events.prove(3, store.log_key)
    head = cast(Mapping[str, int], parse(proof.head.payload))
    root = bytes.fromhex(str(head["root"]))
    assert merkle.verify_inclusion(merkle.leaf_hash(proof.leaf), 3, head["size"], proof.path, root)
    with store.database.write() as connection:
        store.events.erase_body(connection, 3)
    assert store.events.prove(3, store.log_key) == proof
    assert store.events.find("default", last=100)[3].body is None
    whole(store, head["size"])


def test_an_older_head_is_a_prefix_of_a_newer_one(store: Store) -> None:
    emit(store, 3)
    old = store.events.sequence()
    emit(store, 9)
    new = store.events.sequence()
    proof = store.events.consistency(old, new)
    assert merkle.verify_consistency(old, new, store.events.root(old), store.events.root(new), proof)


def test_a_clock_that_jumps_back_disturbs_neither_order_nor_signatures(
    make_store: Callable[..., Store], seam: FixedSeam, add_source: Callable[..., str]
) -> None:
    store = make_store(seam=seam)
    add_source(store, {"a.txt": b"first"})
    seam.move(-3600 * 24)
    emit(store, 2, "test.later")
    asset = add_source(store, {"b.txt": b"second"})
    size = store.events.sequence()
    assert [e.event.type for e in store.events.find("default")][-3:] == ["test.later", "test.later", "asset.published"]
    assert store.gate.open(asset, store.me(), "refine")
    store.events.head(store.log_key)
    whole(store, size)


@pytest.mark.parametrize("position", [-1, 10_000])
def test_an_event_that_is_not_there_has_no_proof(sqlite_store: Store, position: int) -> None:
    with pytest.raises(Missing):
        sqlite_store.events.prove(position, sqlite_store.log_key)


def test_the_same_log_has_one_head_for_one_size(sqlite_store: Store) -> None:
    assert sqlite_store.events.head(sqlite_store.log_key) == sqlite_store.events.head(sqlite_store.log_key)


def test_more_than_one_batch_is_sequenced_in_order(sqlite_store: Store) -> None:
    before = sqlite_store.events.sequence()
    emit(sqlite_store, 1100)
    assert sqlite_store.events.sequence() == before + 1100
    bodies = [e.body for e in sqlite_store.events.find("default", kind="test.said", last=1100)]
    assert bodies == [{"number": n} for n in range(1100)]
