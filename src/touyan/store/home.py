"""A store: one home folder with database, objects, keys and job folders, opened as a whole.

    touyan.db · objects/ · keys/ · jobs/ · runs/

`TOUYAN_HOME` says where it is, `TOUYAN_DATABASE` and `TOUYAN_OBJECTS` move its parts to PostgreSQL and to any fsspec URL.
Invariant: whoever opens a store finds its schema up to date and its organisation founded.
"""

from __future__ import annotations

import getpass
import os
import re
from pathlib import Path

from sqlalchemy import Connection, insert, text

from touyan.core.errors import Broken, Conflict, Missing
from touyan.core.party import DEFAULT_PROJECT, Actor, Role
from touyan.core.seam import Seam, SystemSeam, iso
from touyan.store import tables as t
from touyan.store.answers import Answers
from touyan.store.api_keys import ApiKeys
from touyan.store.assets import Assets
from touyan.store.database import Database, setting
from touyan.store.events import EventLog
from touyan.store.gate import Gate
from touyan.store.jobs import Jobs
from touyan.store.keys import KeyPair, Keyring, PublicKey, write_secret
from touyan.store.objects import open_objects
from touyan.store.parties import Parties
from touyan.store.permits import Permits
from touyan.store.placements import Placements
from touyan.store.reviews import Reviews
from touyan.store.services import Services
from touyan.store.site_attempts import SiteAttempts
from touyan.store.sites import Sites
from touyan.store.statements import Statements
from touyan.store.withdrawals import Withdrawals

FOUNDING_LOCK = 0x666F756E
FIRST_ROLES: tuple[Role, ...] = ("owner", "steward", "engineer", "officer", "server")
AGENT = "agent"


class Store:
    """An open store."""

    def __init__(self, home: Path, database_url: str, objects_place: str, seam: Seam) -> None:
        self.home = home
        self.seam = seam
        self.database = Database(database_url)
        self.keyring = Keyring(home / "keys")
        self.events = EventLog(self.database, seam)
        self.parties = Parties(self.database, self.keyring, self.events, seam)
        self.statements = Statements(self.parties, seam)
        self.objects = open_objects(objects_place)
        self.assets = Assets(self.database, self.objects, self.statements, self.events, seam)
        self.gate = Gate(self.database, self.assets, self.statements, self.events, seam)
        self.jobs = Jobs(self.database, self.parties, self.assets, self.statements, self.events, seam)
        self.sites = Sites(self.database, self.parties, self.events, seam)
        self.site_attempts = SiteAttempts(self.database, self.jobs, seam)
        self.placements = Placements(self.database, seam)
        self.withdrawals = Withdrawals(
            self.database, self.assets, self.statements, self.events, self.gate, self.jobs, self.pseudonym_key, seam
        )  # fmt: skip
        self.reviews = Reviews(self.database, self.parties, self.assets, self.events, self.gate, seam)
        self.permits = Permits(
            self.database, self.parties, self.keyring, self.statements, self.reviews, self.events, self.gate, seam
        )  # fmt: skip
        self.services = Services(self.database, self.events, seam)
        self.api_keys = ApiKeys(self.database, self.parties, self.events, seam)
        self.answers = Answers(self.database, self.events, seam)

    @property
    def log_key(self) -> KeyPair:
        """The key that signs tree heads."""
        return self.keyring.load("log")

    @property
    def log_key_public(self) -> PublicKey:
        """What checks tree heads."""
        return PublicKey(self.log_key.key_id, self.log_key.public_hex)

    @property
    def root_key(self) -> KeyPair:
        """The root key of the organisation; keep it offline where the organisation is large."""
        return self.keyring.load("root")

    def me(self, name: str = "", project: str = "") -> Actor:
        """The Actor `name`, or the store's first person; its key must be in the keyring."""
        with self.database.read() as connection:
            first = setting(connection, "person") or ""
        return self.parties.sign_in(name or os.environ.get("TOUYAN_AS", "") or first, project or DEFAULT_PROJECT)

    def agent(self, project: str = DEFAULT_PROJECT) -> Actor:
        """The machine party of this store's local site, acting in `project`."""
        return self.parties.sign_in(AGENT, project)

    def pseudonym_key(self) -> bytes:
        """The secret of this store under which subjects get their pseudonyms (HMAC-SHA-256)."""
        path = self.home / "keys" / "pseudonym.secret"
        if not path.exists():
            write_secret(path, self.seam.token(32))  # where another process was first, its secret stands
        secret = path.read_text().strip()
        if len(secret) < 32:
            raise Broken("bad-key", f"the secret of the pseudonyms in {path} is damaged", "restore it from a backup with keys")
        return bytes.fromhex(secret)

    def close(self) -> None:
        self.database.close()


def default_home() -> Path:
    """TOUYAN_HOME, else `.touyan` in this folder or the nearest one above that has one of ours, else `.touyan` here."""
    if given := os.environ.get("TOUYAN_HOME"):
        return Path(given).absolute()
    here = Path.cwd()
    return next((p / ".touyan" for p in (here, *here.parents) if _is_mine(p / ".touyan" / "keys")), here / ".touyan")


def _is_mine(keys: Path) -> bool:
    """Whether a store is there and ours: one that somebody else put into a folder above would take in what we gather."""
    try:
        return keys.is_dir() and keys.stat().st_uid == os.geteuid()
    except PermissionError:
        return False


def open_store(
    home: Path | None = None, *, create: bool = False, organisation: str = "local", person: str = "", seam: Seam | None = None
) -> Store:
    """Opens the store in `home`; with `create`, founds it where there is none.

    Raises Missing where there is none, Conflict where its keys are there and its database is not.
    """
    folder = (home or default_home()).absolute()
    if not create and not (folder / "keys").is_dir():
        raise Missing("no-store", f"there is no store in {folder}", "make one: touyan init; or set TOUYAN_HOME")
    make_home(folder)
    database_url = os.environ.get("TOUYAN_DATABASE") or f"sqlite:///{folder / 'touyan.db'}"
    store = Store(folder, database_url, os.environ.get("TOUYAN_OBJECTS") or str(folder / "objects"), seam or SystemSeam())
    store.database.migrate()
    with store.database.read() as connection:
        is_new = setting(connection, "origin") is None
    if is_new and not create:
        store.close()
        hint = "set TOUYAN_DATABASE to the one it had; or: touyan restore BACKUP; a founding that was cut off is ended by touyan init"
        raise Missing("empty-database", f"the database of the store in {folder} is empty", hint)
    if is_new:
        try:
            _found_once(store, organisation, person or _login_name())
        except BaseException:
            store.close()
            raise
    return store


def make_home(folder: Path) -> None:
    """The folders of a store, for its owner alone: documents, what people asked a service, and private keys lie in them."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("keys", "objects", "jobs", "runs"):
        (folder / name).mkdir(mode=0o700, exist_ok=True)


def _found_once(store: Store, organisation: str, person: str) -> None:
    """Founds the store unless another process does. A mark says that keys without a database are those of a founding cut off."""
    mark = store.keyring.folder / "founding"
    with store.database.write() as connection:
        if not store.database.is_sqlite:
            connection.execute(text("select pg_advisory_xact_lock(:n)"), {"n": FOUNDING_LOCK})
        if setting(connection, "origin") is not None:
            return  # another process was first
        if store.keyring.names() and not mark.exists():
            hint = "set TOUYAN_DATABASE to the one it had; or: touyan restore BACKUP; to begin anew, choose another TOUYAN_HOME"
            raise Conflict("foreign-keys", f"{store.keyring.folder} holds keys of a store whose database is not here", hint)
        mark.touch()
        store.keyring.set_aside()
        _found(store, connection, organisation, person)
    mark.unlink(missing_ok=True)


def _found(store: Store, connection: Connection, organisation: str, person: str) -> None:
    """The first organisation, person, machine, project and log of a store, in one transaction."""
    at = iso(store.seam.now_ms())
    founded = store.parties.found(connection, organisation)
    connection.execute(insert(t.project), {"id": DEFAULT_PROJECT, "title": organisation, "created_at": at})
    first = store.parties.add(connection, founded.id, person, "person")
    machine = store.parties.add(connection, founded.id, AGENT, "machine")
    store.parties.grant_first(connection, first.id, FIRST_ROLES)
    store.parties.grant_first(connection, machine.id, ("agent",))
    store.keyring.create("log")
    settings = {"origin": f"{founded.id}/{store.seam.token(8)}", "organisation": founded.id, "person": first.id}
    connection.execute(insert(t.setting), [{"name": n, "value": v} for n, v in settings.items()])
    actor = Actor(first.id, DEFAULT_PROJECT, frozenset(FIRST_ROLES))
    store.events.emit(connection, actor, "store.founded", [founded.id, first.id, machine.id], {"organisation": organisation})


def _login_name() -> str:
    try:
        name = re.sub(r"[^\w.-]", "-", getpass.getuser())
    except (KeyError, OSError):
        name = ""
    return name if name and name not in ("root", "log", AGENT) else "founder"
