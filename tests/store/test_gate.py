"""The choke point: rights, lineage and projects, asked for every opening."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from touyan.core.asset import FileRef, InputRef, Manifest, build
from touyan.core.canonical import sha256_hex
from touyan.core.errors import Broken, Missing, Refused
from touyan.core.party import Actor
from touyan.core.rights import Rights
from touyan.store.home import Store

KEY = "f" * 64


def publish(store: Store, manifest: Manifest, actor: Actor | None = None) -> str:
    with store.database.write() as connection:
        return store.assets.publish(connection, actor or store.me(), manifest, "made")


def test_a_source_opens_for_what_its_rights_permit_and_for_nothing_else(
    store: Store, add_source: Callable[..., str], cleared: Rights
) -> None:
    asset = add_source(store, {"a.txt": b"a"}, rights=replace(cleared, purposes=("refine",), duties=("attribution",)))
    assert store.gate.open(asset, store.me(), "refine").duties == {"attribution"}
    with pytest.raises(Refused, match="train"):
        store.gate.open(asset, store.me(), "train")
    store.events.sequence()
    (event,) = store.events.find("default", kind="access.refused")
    assert event.event.subjects == (asset,)


def test_a_source_without_a_record_of_rights_blocks_its_descendants(store: Store, add_source: Callable[..., str]) -> None:
    good, bad = add_source(store, {"a.txt": b"a"}, "acme/good"), add_source(store, {"b.txt": b"b"}, "bolt/bad", rights=None)
    made = publish(store, build("corpus", [], [InputRef("documents", good), InputRef("documents", bad)], KEY))
    with pytest.raises(Refused, match="bolt/bad"):
        store.gate.open(made, store.me(), "train")


def test_what_came_from_nowhere_has_no_rights(store: Store) -> None:
    made = publish(store, build("model", [], [], KEY))
    with pytest.raises(Refused):
        store.gate.open(made, store.me(), "serve")


def test_an_input_that_the_project_does_not_have_cannot_stand_in_a_lineage(store: Store) -> None:
    with pytest.raises(Missing, match="not in the project"):
        publish(store, build("corpus", [], [InputRef("documents", "0" * 64)], KEY))


def test_an_asset_of_another_project_is_not_there_and_the_question_is_recorded(
    store: Store, add_source: Callable[..., str]
) -> None:
    asset = add_source(store, {"a.txt": b"a"})
    stranger = replace(store.me(), project="other")
    with pytest.raises(Missing):
        store.gate.open(asset, stranger, "inspect")
    store.events.sequence()
    assert [e.event.type for e in store.events.find("other")] == ["access.refused"]


def test_two_projects_may_have_one_asset_without_files(store: Store) -> None:
    manifest = build("report", [], [], KEY)
    assert publish(store, manifest) == publish(store, manifest, replace(store.me(), project="other"))


def test_lineage_of_three_hundred_steps_is_walked(sqlite_store: Store, add_source: Callable[..., str]) -> None:
    asset = source = add_source(sqlite_store, {"a.txt": b"a"})
    actor = sqlite_store.me()
    with sqlite_store.database.write() as connection:
        for number in range(300):
            manifest = build(
                "checkpoint", [], [InputRef("before", asset), InputRef("first", source)], sha256_hex(str(number).encode())
            )
            asset = sqlite_store.assets.publish(connection, actor, manifest, "made")
    with sqlite_store.database.read() as connection:
        assert len(sqlite_store.assets.ancestors(connection, asset)) == 301
        assert sqlite_store.gate.sources(connection, "default", asset) == [(source, "acme/notes")]
        assert len(sqlite_store.assets.descendants(connection, source)) == 301


def test_a_swapped_object_is_refused_when_it_is_opened(sqlite_store: Store, add_source: Callable[..., str]) -> None:
    asset = add_source(sqlite_store, {"a.txt": b"right"})
    path = sqlite_store.home / "objects" / sha256_hex(b"right")[:2] / sha256_hex(b"right")
    path.chmod(0o600)
    path.write_bytes(b"wrong")
    with pytest.raises(Broken, match="corrupt-object"):
        sqlite_store.gate.open(asset, sqlite_store.me(), "refine").read_file("a.txt")


def test_a_file_reference_knows_its_size() -> None:
    assert build("report", [FileRef("a", KEY, 3), FileRef("b", KEY, 4)]).size_bytes == 7
