"""A ring that has turned once and waits for its review, as a folder that each test copies."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.ring.tiny import write_flow

from touyan import ring
from touyan.core.party import Actor
from touyan.permit.review import vote
from touyan.ring import Turn
from touyan.store.events import Logged
from touyan.store.home import Store, open_store

MOBILE = "13812345678"
LETTER = f"居民来信说明，联系电话是{MOBILE}，请市政府在七日内书面答复，并向社会公布处理的结果。"


@dataclass
class World:
    """A folder with a flow, its documents, and an open store in `home`."""

    folder: Path
    store: Store

    @property
    def flow(self) -> Path:
        return self.folder / "flow.yaml"

    @property
    def ann(self) -> Actor:
        """Founder, engineer and officer: she runs the flow."""
        return self.store.me()

    def turn(self, until: str = "", actor: Actor | None = None) -> Turn:
        return ring.turn(self.store, actor or self.ann, self.flow, until=until)

    def edit(self, old: str, new: str) -> None:
        text = self.flow.read_text()
        assert old in text, old
        self.flow.write_text(text.replace(old, new))

    def person(self, name: str, *roles: str, is_demo: bool = False) -> Actor:
        self.store.parties.enrol(self.ann, name, roles=roles, is_demo=is_demo)
        return self.store.parties.sign_in(name)

    def approve(self, name: str = "bob") -> None:
        """A reviewer approves what the last turn asked for."""
        asked = self.store.reviews.list("default", "submitted")[0]
        vote(self.store, self.person(name, "reviewer"), asked.id, "approve", "同意")

    def events(self, kind: str, project: str = "default") -> list[Logged]:
        self.store.events.sequence()
        return self.store.events.find(project, kind=kind)


@pytest.fixture(scope="session")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a ring that waits for its review: the one real turn, training and all, of these tests."""
    folder = tmp_path_factory.mktemp("ring")
    flow = write_flow(folder)
    (folder / "documents" / "letter.txt").write_text(LETTER, encoding="utf-8")
    store = open_store(folder / "home", create=True, organisation="acme", person="ann")
    assert ring.turn(store, store.me(), flow).waits_for == "review"
    store.events.sequence()
    store.close()
    return folder


@pytest.fixture
def open_world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], World]]:
    """`open_world(folder)` opens the store in `folder/home`, founding it where there is none."""
    opened: list[Store] = []

    def make(folder: Path) -> World:
        monkeypatch.setenv("TOUYAN_HOME", str(folder / "home"))
        opened.append(open_store(folder / "home", create=True, organisation="acme", person="ann"))
        return World(folder, opened[-1])

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def world(turned: Path, tmp_path: Path, open_world: Callable[[Path], World]) -> World:
    """A copy of the ring that waits for its review."""
    shutil.copytree(turned, tmp_path / "ring")
    return open_world(tmp_path / "ring")


@pytest.fixture
def fresh(tmp_path: Path, open_world: Callable[[Path], World]) -> Callable[..., World]:
    """`fresh(**of write_flow)` is a new store beside a new flow that nothing was run of."""
    return lambda **given: open_world(write_flow(tmp_path, **given).parent)
