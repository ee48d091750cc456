"""Migrations of the store, by Alembic, for both dialects.

`upgrade` runs under a lock, so that two processes that start at once migrate once. A migration never drops what an older
program still reads while runs are in flight.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from sqlalchemy import text

if TYPE_CHECKING:
    from touyan.store.database import Database

LOCK = 0x70757961  # any fixed number: the advisory lock of PostgreSQL


def upgrade(database: Database, revision: str = "head") -> None:
    """Brings `database` to `revision`."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(text("select pg_advisory_xact_lock(:n)"), {"n": LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
