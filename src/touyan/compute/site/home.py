"""The folder of a site: where its agent keeps what it must remember, and where its Parties' work lies.

    site.yaml  secret.json  lock  attempts/<attempt>/{claim,state}.json  wiped/  past/  cache/  parties/<account>/jobs/<job>/<attempt>/

Owns names, modes, the lock and how a file is written so that a kill leaves the old one or the new one. Knows nothing of what
the files mean. Invariant: but for a Party's own Attempts nothing here can be read by anybody else than the agent.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from touyan.compute.folder import AttemptFolder
from touyan.core.errors import Broken, Conflict, Missing
from touyan.store.objects import flush_folder

DRAFT = ".draft"


@dataclass(frozen=True, slots=True)
class SiteHome:
    """The places in the folder of one site."""

    root: Path

    @property
    def policy(self) -> Path:
        return self.root / "site.yaml"

    @property
    def secret(self) -> Path:
        return self.root / "secret.json"

    @property
    def attempts(self) -> Path:
        return self.root / "attempts"

    @property
    def wiped(self) -> Path:
        """Receipts that the hub has not heard of yet."""
        return self.root / "wiped"

    @property
    def past(self) -> Path:
        """Names of Attempts that ended here: none of them is taken again."""
        return self.root / "past"

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    def folder(self, account: str, job: str, attempt: str) -> AttemptFolder:
        return AttemptFolder(self.root / "parties" / account / "jobs" / job / attempt)

    def create(self) -> None:
        """Makes what is not there. The way to a Party's Attempts can be walked by its account; nothing on it can be listed."""
        as_root = os.geteuid() == 0
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.root.chmod(0o711 if as_root else 0o700)
        for private in (self.attempts, self.wiped, self.past, self.cache):
            private.mkdir(mode=0o700, exist_ok=True)
        (self.root / "parties").mkdir(mode=0o711, exist_ok=True)

    @contextmanager
    def locked(self) -> Generator[None]:
        """Keeps a second agent of this folder out, for as long as the process lives. Raises Conflict."""
        handle = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(handle)
            hint = "end the other one, or give this one a folder of its own: --home DIR"
            raise Conflict("agent-runs", f"an agent of the site in {self.root} runs already", hint) from error
        try:
            yield
        finally:
            os.close(handle)


@dataclass(frozen=True, slots=True)
class Membership:
    """What joining gave: where the hub is, who we are there, and the secret that proves it. Its `repr` shows no secret."""

    hub: str
    site: str
    project: str
    party: str
    secret: str
    driver: str
    ca: str = ""
    """File of the authority that signed the hub's certificate; empty: those of the system."""

    def __repr__(self) -> str:
        return f"Membership({self.site} at {self.hub})"


def read_membership(home: SiteHome) -> Membership | None:
    """None before the first joining. Raises Broken on a damaged file."""
    value = read_kept(home.secret)
    try:
        return None if value is None else Membership(**value)
    except TypeError as error:
        raise Broken(
            "bad-secret", f"{home.secret} is damaged", "join again with a new token: touyan sites invite NAME"
        ) from error


def keep(path: Path, value: Mapping[str, Any]) -> None:
    """Writes a file for the agent's eyes, flushed and then renamed."""
    draft = path.with_name(path.name + DRAFT)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    flush_folder(path.parent)


def read_kept(path: Path) -> dict[str, Any] | None:
    """What `keep` wrote, or None. Raises Broken where something else lies there."""
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise Broken("damaged-site", f"{path} is no JSON: {error}", "see what wrote over it; then remove it") from error
    if not isinstance(value, dict):
        raise Broken("damaged-site", f"{path} holds no object", "see what wrote over it; then remove it")
    return cast("dict[str, Any]", value)


def require_home(root: Path) -> SiteHome:
    """A site's folder with a policy in it. Raises Missing."""
    home = SiteHome(root.absolute())
    if not home.policy.is_file():
        hint = f"write one and edit it first: touyan join --template --home {home.root}"
        raise Missing("no-site", f"there is no {home.policy}", hint)
    return home
