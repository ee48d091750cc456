"""The folder of an Attempt: whole files, honest marks."""

from __future__ import annotations

from pathlib import Path

import pytest

from touyan.compute.folder import AttemptFolder, marked, marks, newest_checkpoint, read_json, write_json, write_mark
from touyan.core.errors import Broken


def test_json_is_written_whole_and_leaves_no_draft(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": 1.5, "a": "文"})
    assert read_json(tmp_path / "a.json") == {"a": "文", "b": 1.5}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}x"])
def test_damaged_json_is_broken_and_an_absent_file_is_empty(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(Broken, match=r"a\.json"):
        read_json(tmp_path / "a.json")
    assert read_json(tmp_path / "b.json") == {}


@pytest.mark.parametrize("damage", ["change", "shorten", "remove", "link"])
def test_a_mark_stands_only_beside_the_files_it_names(tmp_path: Path, damage: str) -> None:
    shard, mark = tmp_path / "part-0.txt", tmp_path / "part-0.done"
    shard.write_text("one")
    write_mark(mark, tmp_path, [shard])
    assert [r.path for r in marked(mark, tmp_path) or []] == ["part-0.txt"]
    match damage:
        case "change":
            shard.write_text("two")
        case "shorten":
            shard.write_text("on")
        case "remove":
            shard.unlink()
        case _:
            shard.rename(tmp_path / "elsewhere")
            shard.symlink_to(tmp_path / "elsewhere")
    assert marked(mark, tmp_path) is None


@pytest.mark.parametrize(
    "text", ["", "{}", '{"files":[{}]}', '{"files":[{"path":"a","sha256":"x","size_bytes":1}]}', '{"files":3}']
)
def test_a_damaged_mark_stands_for_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.done").write_text(text)
    assert marked(tmp_path / "a.done", tmp_path) is None


def test_a_mark_that_points_outside_stands_for_nothing(tmp_path: Path) -> None:
    root = tmp_path / "out"
    root.mkdir()
    (root / "a.done").write_text('{"done":1,"files":[{"path":"../secret","sha256":"x","size_bytes":1}]}')
    assert marked(root / "a.done", root) is None
    assert marks(root) == ["a.done"]


def test_the_newest_whole_checkpoint_counts_by_position(tmp_path: Path) -> None:
    for position in (9, 10, 100):
        folder = tmp_path / str(position)
        folder.mkdir()
        (folder / "state").write_text("x")
        if position < 100:
            write_mark(tmp_path / f"{position}.done", folder, [folder / "state"])
    assert newest_checkpoint(tmp_path) == (10, tmp_path / "10")
    assert newest_checkpoint(tmp_path / "nothing") is None


def test_clearing_keeps_the_record_and_where_asked_the_work(tmp_path: Path) -> None:
    folder = AttemptFolder(tmp_path / "1")
    folder.create()
    write_json(folder.file("error"), {})
    folder.clear(keep_work=True)
    assert (folder.inputs.exists(), folder.scratch.exists(), folder.out.exists(), folder.checkpoints.exists()) == (
        False,
        False,
        True,
        True,
    )
    folder.clear()
    assert [p.name for p in folder.root.iterdir()] == ["error.json"]
