"""A payload that wants more than its folder: it may spoil its own Attempt, and neither the agent nor anybody else's."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from site_world import World

from touyan.compute.driver import Exit, Limits, Order
from touyan.compute.drivers.held import Held
from touyan.compute.drivers.local import read_exit
from touyan.compute.folder import AttemptFolder
from touyan.compute.site.accounts import give
from touyan.compute.site.wipe import receipt_of

DEEP = 1500
"""Folders in each other: more than Python calls itself by default."""


def _pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def _loop(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(path.name)


def _nested(root: Path) -> None:
    here = os.open(root, os.O_RDONLY)
    for _ in range(DEEP):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


SPOILS: dict[str, Callable[[AttemptFolder], object]] = {
    "progress is a pipe": lambda f: _pipe(f.file("progress")),
    "progress is a number without end": lambda f: f.file("progress").write_text(f'{{"done": {10**400}, "unit": "x"}}'),
    "progress is a folder": lambda f: _folder(f.file("progress")),
    "heartbeat is a loop": lambda f: _loop(f.heartbeat),
    "exit is a pipe": lambda f: _pipe(f.file("exit")),
    "done is a pipe": lambda f: _pipe(f.file("done")),
    "telemetry is a folder": lambda f: _folder(f.file("telemetry")),
    "output is a pipe": lambda f: _pipe(f.out / "made"),
    "output is nested": lambda f: _nested(f.out),
    "scratch is nested": lambda f: _nested(f.scratch),
}


@pytest.mark.parametrize("spoil", SPOILS.values(), ids=list(SPOILS))
def test_what_a_payload_spoils_is_its_own_attempt(world: World, spoil: Callable[[AttemptFolder], object]) -> None:
    world.hub.add("bad")
    world.hub.add("good")
    bad, good = world.run_job("bad"), world.run_job("good")
    spoil(AttemptFolder(world.engine.payloads[bad].order.root))
    world.round()
    world.hub.cancel("bad")
    world.engine.end(bad, Exit("exit", 1, "ended with status 1"), is_told=False)
    world.engine.finish(good)
    world.until(lambda: world.hub.jobs["good"] == "done" and {bad, good} <= set(world.hub.receipts))
    assert world.left() == []


@pytest.mark.parametrize("spoil", [SPOILS["output is nested"], SPOILS["done is a pipe"]], ids=["nested", "pipe"])
def test_a_result_that_cannot_be_read_is_an_error_of_its_job(world: World, spoil: Callable[[AttemptFolder], object]) -> None:
    world.hub.add("bad")
    bad = world.run_job("bad")
    world.engine.finish(bad)
    spoil(AttemptFolder(world.engine.payloads[bad].order.root))
    world.until(lambda: bad in world.hub.errors)
    assert world.hub.errors[bad]["code"] in ("too-deep", "damaged-attempt")


@pytest.mark.parametrize("text", ["{}", "[]", '{"cause": "exit"}', '{"cause": [], "status": 0, "reason": "", "peak_bytes": 0}'])
def test_an_exit_that_is_none_is_no_word(tmp_path: Path, text: str) -> None:
    folder = AttemptFolder(tmp_path)
    folder.file("exit").write_text(text)
    assert read_exit(folder) is None


@pytest.mark.parametrize("spoil", [_pipe, _folder, _loop], ids=["pipe", "folder", "loop"])
def test_a_heartbeat_that_is_none_stops_no_agent(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    order = Order("j-1", tmp_path, "m", Limits(60.0, 60, 1), {}, 1)
    spoil(AttemptFolder(tmp_path).heartbeat)
    Held(order, AttemptFolder(tmp_path), "", is_taken=True).tell_to_stop()


def test_a_receipt_lists_no_file_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "file").write_text("x")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "link").symlink_to(tmp_path / "theirs")
    assert receipt_of(mine)["files"] == 1


def test_a_folder_is_handed_over_when_nothing_in_it_is_left_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a process of the account puts a link in the place of a folder, and the file behind it is handed over too."""
    folder, given = tmp_path / "j-1", list[Path]()
    (folder / "in" / "source").mkdir(parents=True)
    (folder / "in" / "source" / "shadow").write_text("")

    def noted(path: Path, *_: Any, **__: Any) -> None:
        given.append(path.relative_to(tmp_path))

    monkeypatch.setattr("touyan.compute.site.accounts.user_of", lambda _: pwd.getpwuid(os.getuid()))
    monkeypatch.setattr("touyan.compute.site.accounts.os.chown", noted)
    give(folder, "ann")
    assert given[-1] == Path("j-1")
    assert all(given.index(path.parent) > given.index(path) for path in given if path != Path("j-1"))
