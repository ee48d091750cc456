"""What breaks around a run: disks, files that move, clocks, broken documents, two runs at once. Nothing is lost, and it is told."""

from __future__ import annotations

import os
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.ring.conftest import World
from tests.ring.test_kill import finish, start
from tests.ring.tiny import STEPS, write_documents, write_flow

from touyan.core.errors import Broken, Conflict, Invalid, Missing, TouyanError
from touyan.core.seam import FixedSeam
from touyan.data import sources
from touyan.store import tables as t
from touyan.store.home import open_store

READ = {"steps": "  refine: {min_chars: 4}\n", "decisions": ""}
FreshWorld = Callable[..., World]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", folder], capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk takes root")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.slow  # the back-off between tries takes seconds
def test_a_full_disk_is_told_and_the_next_run_goes_on(small_disk: Path, open_world: Callable[[Path], World]) -> None:
    world = open_world(write_flow(small_disk, **READ).parent)
    with (small_disk / "ballast").open("wb") as ballast:
        ballast.write(b"x" * max(0, os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_bsize - (300 << 10)))
    with pytest.raises(TouyanError) as raised:
        world.turn()
    assert raised.value.exit_code == Broken.exit_code
    assert raised.value.hint
    (small_disk / "ballast").unlink()
    assert world.turn().run.state == "done"


def test_a_truncated_database_is_told(fresh: FreshWorld) -> None:
    world = fresh(**READ)
    world.turn(until="read")
    world.store.close()
    database = world.folder / "home" / "touyan.db"
    for leftover in ("touyan.db-wal", "touyan.db-shm"):
        (world.folder / "home" / leftover).unlink(missing_ok=True)
    os.truncate(database, database.stat().st_size // 2)
    with pytest.raises(Broken) as raised:
        turn_of(world.folder)
    assert "restore" in raised.value.hint


def turn_of(folder: Path) -> None:
    """Opens the store and runs the flow; the store is closed whatever comes of it."""
    store = open_store(folder / "home")
    try:
        World(folder, store).turn()
    finally:
        store.close()


def test_a_file_that_grows_while_it_is_gathered_is_told(fresh: FreshWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world = fresh(**READ)
    growing, put = world.folder / "documents" / "003.txt", world.store.objects.put

    def put_slowly(path: Path) -> object:
        if path == growing:
            growing.write_text(growing.read_text() + "再加一句。")
        return put(path)

    monkeypatch.setattr(world.store.objects, "put", put_slowly)
    with pytest.raises(Conflict, match=r"003\.txt changed while it was gathered"):
        world.turn()
    monkeypatch.undo()
    assert world.turn(until="read").run.state == "done"


def test_a_file_that_goes_while_it_is_gathered_is_told(fresh: FreshWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world = fresh(**READ)
    leaving, put = world.folder / "documents" / "003.txt", world.store.objects.put

    def put_too_late(path: Path) -> object:
        leaving.unlink(missing_ok=True)
        return put(path)

    monkeypatch.setattr(world.store.objects, "put", put_too_late)
    with pytest.raises(Missing, match=r"003\.txt went away"):
        world.turn()


def test_a_clock_that_jumps_back_loses_nothing(world: World) -> None:
    before = world.turn()
    world.store.close()
    early = open_store(world.folder / "home", seam=FixedSeam(at_ms=1_600_000_000_000))
    back = World(world.folder, early).turn()
    assert back.assets == before.assets
    early.events.sequence()
    assert [s.state for s in back.run.steps.values() if s.state != "skipped"] == ["hit"] * len(back.assets)
    early.close()


def test_many_files_are_one_source(fresh: FreshWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world = fresh(**READ)
    monkeypatch.setattr(sources, "CHUNK", 7)
    assert world.turn(until="read").run.sources[0]["is_cleared"]
    for path in (world.folder / "documents").iterdir():
        os.utime(path, (1_000_000_000, 1_000_000_000))
    first, second = (world.turn(until="read").assets for _ in range(2))
    assert first == second
    with world.store.database.read() as connection:
        assert len(connection.execute(select(t.file_stat)).all()) == 40


def test_broken_documents_are_listed_and_the_rest_is_read(fresh: FreshWorld) -> None:
    world = fresh(**READ)
    folder = world.folder / "documents"
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\n1 0 obj\n<<" + b"\xff" * 500)
    (folder / "other.txt").write_bytes("国务院办公厅关于印发的通知，自公布之日起施行。".encode("utf-16"))
    (folder / "noise.txt").write_bytes(bytes(range(256)) * 20)
    (folder / "empty.txt").touch()
    with zipfile.ZipFile(folder / "bomb.docx", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("word/document.xml", b"<w>" + b" " * (300 << 20))
    (folder / "torn.docx").write_bytes((folder / "bomb.docx").read_bytes()[:200])
    (folder / "bomb.xlsx").write_bytes((folder / "bomb.docx").read_bytes())
    (folder / "picture.png").write_bytes(b"\x89PNG")
    turn = world.turn(until="read")
    opened = world.store.gate.open(turn.assets["read/papers"], world.ann, "inspect")
    names = [f.path for f in opened.manifest.files]
    told = "".join(opened.read_file(n).decode() for n in names if n.endswith(("json", "jsonl")))
    for name in ("broken.pdf", "bomb.docx", "torn.docx", "bomb.xlsx", "noise.txt", "picture.png"):
        assert name in told, (name, told[:3000])
    assert turn.run.steps["read/papers"].counts["documents"] == 41


def test_a_link_out_of_the_folder_refuses_the_source_and_the_others_go_on(fresh: FreshWorld) -> None:
    world = fresh(**READ)
    world.edit(
        "    path: nowhere\n    provider: unknown\n    rights: {authority: unknown}",
        "    path: linked\n    provider: office\n    rights: " + _rights(world),
    )
    write_documents(world.folder / "linked", 3, seed=5)
    (world.folder / "linked" / "secret.txt").symlink_to("/etc/passwd")
    found = world.turn(until="read").run
    assert (found.steps["read/papers"].state, found.steps["read/found"].state) == ("done", "skipped")
    assert "secret.txt: link-escapes" in str(found.sources[1]["blocks"])
    assert world.events("source.refused")[-1].body["source"] == "office/found"


def _rights(world: World) -> str:
    text = world.flow.read_text()
    return text[text.index("{authority: own") : text.index("}", text.index("{authority: own")) + 1]


@pytest.mark.parametrize("kind", ["empty", "absent", "dangling"])
def test_a_source_with_nothing_in_it_is_told(fresh: FreshWorld, kind: str) -> None:
    world = fresh(**READ)
    folder = world.folder / "other"
    world.edit("path: documents", "path: other")
    if kind != "absent":
        folder.mkdir()
    if kind == "dangling":
        (folder / "gone.txt").symlink_to("nowhere")
    with pytest.raises(
        TouyanError,
        match="holds no files" if kind == "empty" else "does not exist" if kind == "absent" else "nothing that may be used",
    ):
        world.turn()


def test_an_unreadable_file_is_told_by_name(fresh: FreshWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world = fresh(**READ)

    def refuse(path: Path) -> object:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(world.store.objects, "put", refuse)  # the tests may run as root, whom no mode keeps out
    with pytest.raises(Invalid, match=r"000\.txt cannot be read: Permission denied"):
        world.turn()


def test_two_runs_of_one_flow_at_once_make_the_same_assets_and_do_each_step_once(tmp_path: Path) -> None:
    flow = write_flow(tmp_path, steps=STEPS + "  ngram: {}\n", decisions="")
    open_store(tmp_path / "home", create=True, organisation="acme", person="ann").close()
    runs = [start(tmp_path / "home", flow) for _ in range(2)]
    first, second = (finish(run) for run in runs)
    assert first == second
    store = open_store(tmp_path / "home")
    with store.database.read() as connection:
        jobs = connection.execute(select(t.job.c.step_key, t.job.c.state)).all()
        attempts = connection.execute(select(t.attempt.c.state)).scalars().all()
    store.close()
    assert len({key for key, _ in jobs}) == len(jobs) == len(attempts) == 4
    assert {state for _, state in jobs} == {"done"}
    assert set(attempts) == {"succeeded"}


@pytest.mark.slow
def test_a_line_of_300_megabytes_is_told_and_the_rest_is_read(fresh: FreshWorld) -> None:
    world = fresh(**READ)
    world.edit("    path: documents\n", "    path: lines.jsonl\n    reader: jsonl\n    options: {text: text}\n")
    with (world.folder / "lines.jsonl").open("w") as file:
        file.write('{"text": "第一条 为了规范管理，制定本办法。"}\n{"text": "')
        for _ in range(300):
            file.write("x" * (1 << 20))
        file.write('"}\n{"text": "第二条 本办法自公布之日起施行。"}\n')
    turn = world.turn(until="read")
    assert turn.run.steps["read/papers"].counts["documents"] == 2
