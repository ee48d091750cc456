"""The frozen formats: what an earlier version wrote is read, and written again byte for byte."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest

from touyan.core.asset import asset_id, manifest_bytes, read_manifest
from touyan.core.canonical import Json, canonical, parse, sha256_hex
from touyan.core.event import commit, event_bytes
from touyan.core.rights import rights_digest, rights_from_json
from touyan.core.statement import check_statement, read_statement, statement_bytes
from touyan.store.events import read_event

GOLDEN = Path(__file__).parent.parent / "golden"
sys.path.insert(0, str(GOLDEN))
import frozen  # noqa: E402


def golden(pattern: str) -> list[Path]:
    return sorted(GOLDEN.glob(pattern))


@pytest.mark.parametrize("path", golden("manifest-*.json"), ids=lambda p: p.name)
def test_a_manifest_is_read_and_keeps_its_id(path: Path) -> None:
    manifest = read_manifest(path.read_bytes())
    assert manifest_bytes(manifest) == path.read_bytes()
    assert asset_id(manifest) == sha256_hex(path.read_bytes())


@pytest.mark.parametrize("path", golden("statement-*.json"), ids=lambda p: p.name)
def test_a_statement_is_read_and_keeps_its_bytes(path: Path) -> None:
    statement = check_statement(read_statement(path.read_bytes()))
    assert statement_bytes(statement) == path.read_bytes()


@pytest.mark.parametrize("path", golden("rights-*.json"), ids=lambda p: p.name)
def test_rights_are_read_and_keep_their_digest(path: Path) -> None:
    rights = rights_from_json(cast(Mapping[str, Json], parse(path.read_bytes())))
    assert rights_digest(rights) == sha256_hex(path.read_bytes())


@pytest.mark.parametrize("path", golden("event-*.json"), ids=lambda p: p.name)
def test_an_event_is_read_and_its_commitment_opens(path: Path) -> None:
    event = read_event(path.read_bytes())
    assert event_bytes(event) == path.read_bytes()
    assert event.commitment == commit(frozen.SALT, frozen.BODY)


@pytest.mark.parametrize("name", sorted(frozen.FILES))
def test_today_the_same_thing_is_written_as_then(name: str) -> None:
    assert (GOLDEN / name).read_bytes() == frozen.FILES[name]
    assert canonical(parse((GOLDEN / name).read_bytes())) == frozen.FILES[name]


def test_the_ids_are_those_that_were_published() -> None:
    assert asset_id(frozen.MANIFEST) == "05258a5def20a9ba05585bda80e55cc271cda448525649ba2cd131823deeabe9"
    assert asset_id(frozen.SOURCE) == "f679db4803d25475675f19bbc70774539002575cda936559f6bfd26a91ae1672"
