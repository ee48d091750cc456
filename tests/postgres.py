"""A PostgreSQL cluster for tests: made from Debian's binaries, gone when the session ends.

Listens on a Unix socket in a folder of its own and never on the network; runs as the user `postgres` where the tests run as
root, which PostgreSQL refuses. Durability is off: the data live as long as the tests.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

FAST = (
    "fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=",
    "shared_buffers=32MB", "max_connections=60",
)  # fmt: skip
SUPERUSER = "postgres"
ENVIRONMENT = {"PATH": os.environ["PATH"], "LANG": "C"}


def binaries() -> Path | None:
    """The folder of `initdb` and `postgres`: on the path, else the newest that Debian installed."""
    found = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[4]))
    return Path(found).parent if found else debian[-1].parent if debian else None


class Cluster:
    """A running server; a context manager."""

    def __init__(self, folder: Path) -> None:
        self._binaries = folder
        # Not pytest's folder: a socket's path may have 107 bytes at most, and the user postgres must reach it.
        self._home = Path(tempfile.mkdtemp(prefix="touyan-pg-"))
        self._numbers = itertools.count()
        self._user = SUPERUSER if os.geteuid() == 0 else None
        if self._user:
            os.chown(self._home, pwd.getpwnam(self._user).pw_uid, -1)

    def __enter__(self) -> Self:
        self._initialise()
        settings = [word for option in FAST for word in ("-c", option)]
        with (self._home / "log").open("wb") as log:
            self._server = subprocess.Popen(
                [self._binaries / "postgres", "-D", "data", "-k", str(self._home), *settings],
                cwd=self._home, user=self._user, env=ENVIRONMENT,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_die_with_parent,
            )  # fmt: skip
        self._await()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.send_signal(signal.SIGQUIT)  # at once, without a last checkpoint
        self._server.wait()
        shutil.rmtree(self._home, ignore_errors=True)

    def _await(self) -> None:
        """Returns once the server answers; raises where it ended instead."""
        import psycopg

        while self._server.poll() is None:
            try:
                psycopg.connect(self._place, connect_timeout=10).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"PostgreSQL did not start: {(self._home / 'log').read_text()}")

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a new empty database, dropped afterwards."""
        name = f"test_{next(self._numbers)}"
        self._sql(f"create database {name}")
        try:
            yield f"postgresql://{SUPERUSER}@/{name}?host={self._home}"
        finally:
            self._sql(f"drop database {name} with (force)")

    @property
    def _place(self) -> str:
        return f"host={self._home} user={SUPERUSER} dbname=postgres"

    def _sql(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self._place, autocommit=True) as connection:
            connection.execute(statement.encode())

    def _initialise(self) -> None:
        options = ("-D", "data", "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        done = subprocess.run(
            [self._binaries / "initdb", *options], cwd=self._home, user=self._user, env=ENVIRONMENT, check=False, text=True,
            capture_output=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"initdb failed: {done.stdout}{done.stderr}")


def _die_with_parent() -> None:
    """A session that is killed has no time to stop its server: the kernel does it (prctl(2), PR_SET_PDEATHSIG is 1)."""
    ctypes.CDLL(None).prctl(1, signal.SIGQUIT)
