"""The bundle, checked offline: it passes whole, and fails with anything in it changed."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from permit_world import World, build_world
from touyan.core.canonical import canonical
from touyan.core.dsse import seal
from touyan.core.permit import PAYLOAD_TYPE, permit_bytes, read_permit
from touyan.core.seam import FixedSeam
from touyan.permit import bundle
from touyan.permit.verify import Verdict, is_good, verify
from touyan.store.keys import new_pair


@pytest.fixture
def world(sqlite_store: Any, seam: FixedSeam, tmp_path: Path) -> World:
    return build_world(sqlite_store, seam, tmp_path / "world")


@pytest.fixture
def issued(world: World) -> tuple[bytes, str, str]:
    """The bytes of a bundle, the root key, and the moment of issue."""
    permit = world.issued()
    data = bundle.build(world.store, world.ann, permit.number)
    return data, world.store.root_key.public_hex, permit.permit.issued_at


def failed(verdicts: list[Verdict]) -> set[str]:
    return {v.name for v in verdicts if not v.passed}


def leaves(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every text, number and truth value, and of every object and list."""
    yield place
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from leaves(item, (*place, key))


def parent_of(value: Any, place: tuple[Any, ...]) -> Any:
    for key in place[:-1]:
        value = value[key]
    return value


def changes(item: Any) -> list[Any]:
    """Other things of the same type, and a truth value for a number."""
    if isinstance(item, bool):
        return [not item]
    if isinstance(item, int):
        return [item + 1, bool(item)]
    if isinstance(item, str):
        return [("B" if item[:1] == "A" else "A") + item[1:], item[:-1] + ("B" if item[-1:] == "A" else "A")]
    if isinstance(item, list):
        return [[*item, item[-1]], item[::-1]] if item else [["A"]]
    return [{**item, "added": 1}] if isinstance(item, dict) else [1]


def every_change(value: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every way to change one part of `value`, with the place of that part."""
    for place in list(leaves(value))[1:]:
        for other in changes(parent_of(value, place)[place[-1]]):
            broken = copy.deepcopy(value)
            parent_of(broken, place)[place[-1]] = other
            if canonical(broken) != canonical(value):
                yield place, broken


def test_a_whole_bundle_passes_every_check(issued: tuple[bytes, str, str]) -> None:
    data, root, at = issued
    verdicts = verify(data, root, at=at)
    assert is_good(verdicts), verdicts
    assert len({v.name for v in verdicts}) == len(verdicts) == 14


def test_any_changed_field_is_caught(issued: tuple[bytes, str, str]) -> None:
    data, root, at = issued
    for place, broken in every_change(json.loads(data)):
        assert not is_good(verify(canonical(broken) + b"\n", root, at=at)), place


def test_any_missing_field_is_caught(issued: tuple[bytes, str, str]) -> None:
    data, root, at = issued
    whole = json.loads(data)
    for place in list(leaves(whole))[1:]:
        broken = copy.deepcopy(whole)
        del parent_of(broken, place)[place[-1]]
        assert not is_good(verify(canonical(broken) + b"\n", root, at=at)), place


def test_any_changed_field_inside_a_signed_payload_is_caught(issued: tuple[bytes, str, str]) -> None:
    data, root, at = issued
    whole = json.loads(data)
    for place in [p for p in leaves(whole) if p and p[-1] == "payload"]:
        inner = json.loads(base64.b64decode(parent_of(whole, place)["payload"]))
        for field in list(leaves(inner))[1:]:
            broken, forged = copy.deepcopy(whole), copy.deepcopy(inner)
            item = parent_of(inner, field)[field[-1]]
            parent_of(forged, field)[field[-1]] = next(c for c in changes(item) if canonical(c) != canonical(item))
            parent_of(broken, place)["payload"] = base64.b64encode(canonical(forged)).decode()
            assert not is_good(verify(canonical(broken) + b"\n", root, at=at)), (place, field)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(choice=st.data())
def test_any_flipped_bit_is_caught(issued: tuple[bytes, str, str], choice: st.DataObject) -> None:
    data, root, at = issued
    position = choice.draw(st.integers(0, len(data) - 1))
    bit = choice.draw(st.integers(0, 7))
    flipped = data[:position] + bytes([data[position] ^ (1 << bit)]) + data[position + 1 :]
    assert not is_good(verify(flipped, root, at=at))


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode) | st.just(b"[]") | st.just(b"{}"))
def test_garbage_gives_failed_checks_and_no_exception(data: bytes) -> None:
    assert not is_good(verify(data, new_pair().public_hex))


def test_a_bundle_of_another_organisation_is_refused(issued: tuple[bytes, str, str]) -> None:
    data, _, at = issued
    assert {"organisation", "keys", "signature"} <= failed(verify(data, new_pair().public_hex, at=at))


def test_a_key_that_is_no_key_is_told(issued: tuple[bytes, str, str]) -> None:
    data, _, at = issued
    assert failed(verify(data, "not hex", at=at)) == {"format"}


def test_a_permit_signed_by_a_voter_is_refused(world: World, issued: tuple[bytes, str, str]) -> None:
    data, root, at = issued
    whole = json.loads(data)
    permit = read_permit(base64.b64decode(whole["permit"]["payload"]))
    forged = seal(PAYLOAD_TYPE, permit_bytes(permit), world.store.parties.signer(world.bob))
    broken = canonical({**whole, "permit": forged.to_json()}) + b"\n"
    assert "signature" in failed(verify(broken, root, at=at))


@pytest.mark.parametrize("moment", ["2020-01-01T00:00:00.000Z", "2099-01-01T00:00:00.000Z"])
def test_a_permit_does_not_hold_outside_its_time(issued: tuple[bytes, str, str], moment: str) -> None:
    data, root, _ = issued
    assert "time" in failed(verify(data, root, at=moment))


def test_a_moment_may_be_given_in_any_zone(issued: tuple[bytes, str, str]) -> None:
    data, root, at = issued
    there = datetime.fromisoformat(at).astimezone(timezone(timedelta(hours=-11)))
    assert is_good(verify(data, root, at=there.isoformat()))
    assert failed(verify(data, root, at="yesterday")) == {"format"}


def test_the_files_of_the_model_are_compared(world: World, issued: tuple[bytes, str, str], tmp_path: Path) -> None:
    data, root, at = issued
    folder = world.store.gate.open(world.subject.model, world.ann, "inspect").copy_to(tmp_path / "model")
    assert is_good(verify(data, root, folder, at))
    (folder / "more.bin").write_bytes(b"")
    assert failed(verify(data, root, folder, at)) == {"model-files"}
    (folder / "more.bin").unlink()
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").write_bytes(b"other weights")
    assert failed(verify(data, root, folder, at)) == {"model-files"}


def test_a_rotated_key_still_proves_its_vote(world: World) -> None:
    world.store.parties.rotate(world.bob, "bob")
    world.seam.move(1)
    permit = world.issued()
    data = bundle.build(world.store, world.ann, permit.number)
    assert is_good(verify(data, world.store.root_key.public_hex, at=permit.permit.issued_at))


def test_a_log_that_grew_since_still_proves_the_decision(world: World) -> None:
    permit = world.issued()
    for n in range(9):
        world.store.parties.enrol(world.ann, f"late-{n}")
        data = bundle.build(world.store, world.ann, permit.number)
        assert is_good(verify(data, world.store.root_key.public_hex, at=permit.permit.issued_at))
