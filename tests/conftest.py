"""Fixtures that every test may use: a still clock, a fresh store on each database, its parties and sources.

`store` runs a test twice, on SQLite and on a real PostgreSQL that the session starts for itself; so no test knows the dialect.
Knows nothing of the rooms. Invariant: nothing of the caller's environment reaches a store, and nothing is left behind.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from postgres import Cluster, binaries
from touyan.core.party import Actor, Role
from touyan.core.rights import PURPOSES, Rights
from touyan.core.seam import FixedSeam, Seam
from touyan.store.home import Store, open_store

# A test does not time, and the same code gives the same answer: no deadline, no dice.
settings.register_profile("touyan", deadline=None, derandomize=True, database=None)
settings.load_profile("touyan")

VARIABLES = ("TOUYAN_HOME", "TOUYAN_DATABASE", "TOUYAN_OBJECTS", "TOUYAN_AS", "TOUYAN_PSEUDONYM_KEY")

CLEARED = Rights(
    authority="public-domain-official", article="Copyright Law of the PRC, art. 5(1)", personal="none", personal_state="none",
    security="public", purposes=PURPOSES, evidence=("https://flk.npc.gov.cn",),
)  # fmt: skip
"""Rights that permit every purpose."""


@pytest.fixture(autouse=True)
def _no_ambient_store(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def seam() -> FixedSeam:
    """A clock that stands still until the test moves it."""
    return FixedSeam()


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """One PostgreSQL for the session, on a Unix socket in a folder of its own; skips where Debian's binaries are absent."""
    pytest.importorskip("psycopg", reason="no driver: pip install 'touyan[postgres]'")
    folder = binaries()
    if folder is None:
        pytest.skip("no PostgreSQL server here: apt-get install postgresql")
    with Cluster(folder) as cluster:
        yield cluster


@pytest.fixture
def postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """The URL of an empty database."""
    with postgres_cluster.database() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def dialect(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which database this run of the test is on; processes that the test starts find the same one."""
    if request.param == "postgres":
        monkeypatch.setenv("TOUYAN_DATABASE", request.getfixturevalue("postgres_url"))
    return str(request.param)


@pytest.fixture
def make_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Store]]:
    """`make_store(name="home", seam=None)` founds or opens the store in that folder, and points TOUYAN_HOME at it."""
    opened: list[Store] = []

    def make(name: str = "home", seam: Seam | None = None) -> Store:
        home = tmp_path / name
        monkeypatch.setenv("TOUYAN_HOME", str(home))
        opened.append(open_store(home, create=True, organisation="acme", person="ann", seam=seam))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def store(dialect: str, make_store: Callable[..., Store], seam: FixedSeam) -> Store:
    """A fresh store of the organisation `acme`, founded by `ann`, with a still clock; on both databases."""
    return make_store(seam=seam)


@pytest.fixture
def sqlite_store(make_store: Callable[..., Store], seam: FixedSeam) -> Store:
    """The same on SQLite only, for tests in which the database plays no part."""
    return make_store(seam=seam)


@pytest.fixture
def ann() -> Callable[[Store], Actor]:
    """The founder of a store as an Actor in the default project."""
    return lambda store: store.me()


@pytest.fixture
def enrol() -> Callable[..., Actor]:
    """`enrol(store, name, *roles)` gives a new person those roles in the default project and signs it in."""

    def add(store: Store, name: str, *roles: Role) -> Actor:
        store.parties.enrol(store.me(), name, roles=roles)
        return store.parties.sign_in(name)

    return add


@pytest.fixture
def cleared() -> Rights:
    """Rights that permit every purpose."""
    return CLEARED


@pytest.fixture
def add_source(tmp_path: Path) -> Callable[..., str]:
    """`add_source(store, files, provider="acme/notes", rights=CLEARED)` registers a source; its Asset id."""
    numbers = itertools.count()

    def add(store: Store, files: dict[str, bytes], provider: str = "acme/notes", rights: Rights | None = CLEARED) -> str:
        folder, actor = tmp_path / f"source-{next(numbers)}", store.me()
        for name, data in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        asset = store.assets.add_folder(actor, "source", folder, provider, provider=provider)
        if rights is not None:
            with store.database.write() as connection:
                store.statements.make(connection, actor, asset, "rights", {"rights": rights.to_json()})
        return asset

    return add
