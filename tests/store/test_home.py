"""Opening and founding a store: once, whole, and never at the cost of keys."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from touyan.core.errors import Conflict, Missing
from touyan.store.events import EventLog
from touyan.store.home import Store, default_home, make_home, open_store

FOUND = """
import sys
from pathlib import Path
from touyan.store.home import open_store
print(open_store(Path(sys.argv[1]), create=True, organisation="acme", person="ann").root_key.key_id)
"""


def test_a_new_store_has_its_organisation_person_and_machine(store: Store) -> None:
    assert [p.kind for p in store.parties.list()] == ["organisation", "machine", "person"]
    assert "owner" in store.me().roles
    assert store.agent().roles == {"agent"}


def test_processes_that_found_one_home_at_once_find_one_organisation(dialect: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    started = [subprocess.Popen([sys.executable, "-c", FOUND, str(home)], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    roots = {process.communicate()[0].strip() for process in started}
    assert [process.returncode for process in started] == [0, 0]
    store = open_store(home)
    assert roots == {store.root_key.key_id}
    assert len(store.parties.list()) == 3
    assert store.me()
    store.close()


def test_a_founding_that_was_cut_off_is_ended_by_the_next(dialect: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(EventLog, "emit", stop)
        with pytest.raises(KeyboardInterrupt):
            open_store(tmp_path / "home", create=True, organisation="acme", person="ann")
    with pytest.raises(Missing, match="empty"):
        open_store(tmp_path / "home")
    store = open_store(tmp_path / "home", create=True, organisation="acme", person="ann")
    assert store.parties.rotate(store.me(), "ann")
    store.close()


def test_keys_whose_database_is_gone_are_never_touched(make_store: Callable[..., Store]) -> None:
    store = make_store()
    store.close()
    root = store.root_key.key_id
    for path in store.home.glob("touyan.db*"):
        path.unlink()
    with pytest.raises(Missing, match="database"):
        open_store(store.home)
    with pytest.raises(Conflict, match="keys of a store"):
        open_store(store.home, create=True)
    assert store.root_key.key_id == root


def test_the_secret_of_pseudonyms_is_made_once(sqlite_store: Store) -> None:
    secret = sqlite_store.pseudonym_key()
    assert len(secret) == 32
    assert sqlite_store.pseudonym_key() == secret
    assert (sqlite_store.home / "keys" / "pseudonym.secret").stat().st_mode & 0o777 == 0o600


def test_where_there_is_no_store_the_way_to_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(Missing) as told:
        open_store(tmp_path / "nowhere")
    assert "touyan init" in told.value.hint


def test_a_home_is_for_its_owner_alone(sqlite_store: Store) -> None:
    home = sqlite_store.home
    for name in ("keys", "objects", "jobs", "runs"):
        assert (home / name).stat().st_mode & 0o777 == 0o700
    for path in home.glob("touyan.db*"):
        assert path.stat().st_mode & 0o077 == 0


def test_a_new_home_is_closed_itself(tmp_path: Path) -> None:
    make_home(tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_a_store_above_is_taken_only_where_it_is_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".touyan" / "keys").mkdir(parents=True)
    (tmp_path / "deep").mkdir()
    monkeypatch.delenv("TOUYAN_HOME", raising=False)
    monkeypatch.chdir(tmp_path / "deep")
    assert default_home() == tmp_path / ".touyan"
    stranger = os.geteuid() + 1
    monkeypatch.setattr("os.geteuid", lambda: stranger)
    assert default_home() == tmp_path / "deep" / ".touyan"
