"""Objects: there whole or not at all, and never handed out with other bytes than their name."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from touyan.core.canonical import sha256_hex
from touyan.core.errors import Broken, Invalid, Missing
from touyan.store import objects as module
from touyan.store.objects import FolderObjects, Objects, RemoteObjects, open_objects

DATA = b"some bytes" * 1000
NAME = sha256_hex(DATA)


@pytest.fixture(params=["folder", "memory"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    place = str(tmp_path / "objects") if request.param == "folder" else f"memory://{tmp_path.name}"
    return open_objects(place)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(DATA)
    return path


def spoil(objects: Objects, data: bytes) -> None:
    """Puts other bytes under the name."""
    if isinstance(objects, FolderObjects):
        path = objects.path(NAME)
        path.chmod(0o600)
        path.write_bytes(data)
    else:
        assert isinstance(objects, RemoteObjects)
        objects._files.pipe(objects._path(NAME), data)


def test_what_is_put_comes_back_under_its_digest(objects: Objects, file: Path, tmp_path: Path) -> None:
    ref = objects.put(file)
    assert (ref.sha256, ref.size_bytes) == (NAME, len(DATA))
    objects.fetch(NAME, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == DATA
    assert list(objects.list()) == [NAME]
    assert objects.has(NAME, len(DATA))
    assert not objects.has(NAME, 1)


@pytest.mark.parametrize("damage", [DATA[:-1], b"", DATA + b"x", b"S" + DATA[1:], b"swapped"])
def test_a_damaged_object_is_set_aside_and_can_be_put_again(objects: Objects, file: Path, tmp_path: Path, damage: bytes) -> None:
    objects.put(file)
    spoil(objects, damage)
    with pytest.raises(Broken, match="set aside"):
        objects.fetch(NAME, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    assert list(objects.list()) == []
    objects.put(file)
    objects.fetch(NAME, tmp_path / "copy")


def test_a_truncated_object_is_replaced_by_the_next_put(objects: Objects, file: Path, tmp_path: Path) -> None:
    objects.put(file)
    spoil(objects, DATA[:5])
    objects.put(file)
    objects.fetch(NAME, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == DATA


def test_what_is_not_there_is_missing_and_can_be_deleted_in_peace(objects: Objects, tmp_path: Path) -> None:
    objects.delete(NAME)
    with pytest.raises(Missing):
        objects.fetch(NAME, tmp_path / "copy")


@pytest.mark.parametrize("name", ["../../etc/passwd", NAME.upper(), "", "aa"])
def test_a_name_that_is_no_digest_reaches_no_file(objects: Objects, tmp_path: Path, name: str) -> None:
    with pytest.raises(Invalid):
        objects.fetch(name, tmp_path / "copy")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_leaves_no_half_object(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    objects = FolderObjects(tmp_path / "objects")

    def full(source: object, sink: object) -> tuple[str, int]:
        sink.write(b"half")  # type: ignore[attr-defined]
        raise OSError(code, "no room")

    with monkeypatch.context() as patch:
        patch.setattr(module, "_pour", full)
        with pytest.raises(Broken, match="no room left"):
            objects.put(file)
    assert list(objects.list()) == []
    assert list((tmp_path / "objects" / "incoming").iterdir()) == []
    objects.put(file)


def test_two_writers_of_the_same_bytes_both_succeed(file: Path, tmp_path: Path) -> None:
    objects, start = FolderObjects(tmp_path / "objects"), threading.Barrier(4)
    found: list[str] = []

    def put() -> None:
        start.wait()
        found.extend(objects.put(file).sha256 for _ in range(20))

    threads = [threading.Thread(target=put) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {NAME}
    assert len(found) == 80
    objects.fetch(NAME, tmp_path / "copy")


def test_a_place_without_a_driver_says_what_is_missing() -> None:
    with pytest.raises(Missing, match="nosuch"):
        open_objects("nosuch://bucket")


def test_a_link_in_the_output_of_a_step_is_refused(sqlite_store: object, tmp_path: Path, add_source: Callable[..., str]) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "link").symlink_to("/etc/passwd")
    with pytest.raises(Invalid, match="symbolic link"):
        sqlite_store.assets.store_folder(tmp_path / "out")  # type: ignore[attr-defined]
