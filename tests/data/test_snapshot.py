from __future__ import annotations

import os
from pathlib import Path

import pytest

from touyan.core.errors import Invalid, Missing, Refused
from touyan.data.snapshot import snapshot
from touyan.data.walk import FoundFile, RefusedFile, walk


def tree(root: Path) -> Path:
    for name in ("b/2.txt", "b/1.txt", "a.txt", "c.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name, encoding="utf-8")
    return root


def test_a_folder_is_listed_in_one_order_with_sizes(tmp_path: Path) -> None:
    found = snapshot(str(tree(tmp_path)))
    assert [file.path for file in found.files] == ["a.txt", "b/1.txt", "b/2.txt", "c.txt"]
    assert found.size_bytes == 24
    assert found.root == tmp_path


def test_a_file_is_a_source_of_one(tmp_path: Path) -> None:
    (file,) = snapshot("b/1.txt", tree(tmp_path)).files
    assert (file.path, file.absolute) == ("1.txt", tmp_path / "b/1.txt")


def test_a_stat_key_changes_with_the_file(tmp_path: Path) -> None:
    path = tree(tmp_path) / "a.txt"
    before = snapshot(str(path)).files[0].stat_key
    assert snapshot(str(path)).files[0].stat_key == before
    path.write_text("longer than before", encoding="utf-8")
    assert snapshot(str(path)).files[0].stat_key != before


def test_a_file_of_an_installed_package_is_found_without_importing_it() -> None:
    (file,) = snapshot("package://hypothesis/hypothesis/py.typed").files
    assert file.absolute.name == "py.typed"


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("package://hypothesis/hypothesis/absent.db", Missing),
        ("package://hypothesis/pytest/__init__.py", Missing),
        ("package://no-such-distribution/x", Missing),
        ("package://hypothesis/../secrets", Invalid),
        ("package://hypothesis/hypothesis/../../x", Invalid),
        ("package://hypothesis", Invalid),
        ("absent", Missing),
    ],
)
def test_an_address_that_leads_nowhere_is_an_error(address: str, error: type[Exception], tmp_path: Path) -> None:
    with pytest.raises(error):
        snapshot(address, tmp_path)


def test_an_empty_folder_is_no_source(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="no files"):
        snapshot(str(tmp_path))


@pytest.mark.parametrize("target", ["/etc/hostname", "../outside.txt", "nowhere", "link", "."])
def test_a_snapshot_refuses_links_that_leave_or_lead_nowhere(target: str, tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("x", encoding="utf-8")
    root = tree(tmp_path / "in")
    (root / "link").symlink_to(target)
    with pytest.raises(Refused, match="link"):
        snapshot(str(root))


def test_a_link_to_a_file_inside_is_followed(tmp_path: Path) -> None:
    root = tree(tmp_path)
    (root / "link.txt").symlink_to("b/1.txt")
    entries = {entry.path: entry for entry in walk(root)}
    assert isinstance(entries["link.txt"], FoundFile)
    assert entries["link.txt"].size_bytes == 7


def test_a_pipe_is_refused_and_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tree(tmp_path) / "pipe.txt")
    refused = [entry for entry in walk(tmp_path) if isinstance(entry, RefusedFile)]
    assert [entry.path for entry in refused] == ["pipe.txt"]


def test_a_name_that_is_not_utf8_is_refused_in_readable_form(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff.txt")).write_bytes(b"x")
    (entry,) = walk(tmp_path)
    assert isinstance(entry, RefusedFile)
    assert entry.path == "\\udcff.txt"
