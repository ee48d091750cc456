"""Opening and founding a store."""

from __future__ import annotations

from collections.abc import Callable

from touyan.store.home import Store


def test_a_new_store_has_its_organisation_person_and_machine(store: Store) -> None:
    assert [p.kind for p in store.parties.list()] == ["organisation", "machine", "person"]
    assert "owner" in store.me().roles


def test_a_source_is_registered(store: Store, add_source: Callable[..., str]) -> None:
    asset = add_source(store, {"a.txt": b"text"})
    opened = store.gate.open(asset, store.me(), "refine")
    assert opened.manifest.files[0].path == "a.txt"
