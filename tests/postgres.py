"""A PostgreSQL cluster for tests: made from Debian's binaries, gone when the session ends.

Listens on a Unix socket in a folder of its own and never on the network; runs as the user `postgres` where the tests run as
root, which PostgreSQL refuses. Durability is off: the data live as long as the tests.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
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
        self._run("initdb", "-D", "data", "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = " ".join([f"-k {self._home}", *(f"-c {o}" for o in FAST)])
        self._run("pg_ctl", "-D", "data", "-w", "-l", "log", "-o", options, "start")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._run("pg_ctl", "-D", "data", "-w", "-m", "immediate", "stop")
        shutil.rmtree(self._home, ignore_errors=True)

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a new empty database, dropped afterwards."""
        name = f"test_{next(self._numbers)}"
        self._sql(f"create database {name}")
        try:
            yield f"postgresql://{SUPERUSER}@/{name}?host={self._home}"
        finally:
            self._sql(f"drop database {name} with (force)")

    def _sql(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(f"host={self._home} user={SUPERUSER} dbname=postgres", autocommit=True) as connection:
            connection.execute(statement.encode())

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._binaries / program), *arguments]
        # A server that inherits a pipe keeps it open, and whoever reads it waits for ever: only initdb may have one.
        sink = subprocess.PIPE if program == "initdb" else subprocess.DEVNULL
        environment = {"PATH": os.environ["PATH"], "LANG": "C"}
        done = subprocess.run(
            command, cwd=self._home, user=self._user, env=environment, check=False, text=True,
            stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stdout or ''}{self._log()}")

    def _log(self) -> str:
        log = self._home / "log"
        return log.read_text() if log.exists() else ""
