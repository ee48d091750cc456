"""The withdrawals that stand, as rows and as bodies of Statements.

Read by whoever publishes Assets and by whoever makes withdrawals; so it knows neither. Invariant: a row with an empty source speaks
of every source of its project.
"""

from __future__ import annotations

from typing import cast

from sqlalchemy import Connection, RowMapping, select

from touyan.core.canonical import Json
from touyan.core.statement import Withdrawal
from touyan.store import tables as t


def active(connection: Connection, project: str, source: str = "") -> list[Withdrawal]:
    """The withdrawals that stand, oldest first; `source` keeps those of that source and those of all sources."""
    w = t.withdrawal.c
    query = select(t.withdrawal).where(w.project == project, w.lifted_at.is_(None)).order_by(w.at, w.id)
    rows = connection.execute(query.where(w.source.in_(("", source))) if source else query).mappings()
    return [as_withdrawal(row) for row in rows]


def withdrawal_body(withdrawal: Withdrawal) -> dict[str, Json]:
    """The body of a Statement that repeats a withdrawal on an Asset."""
    fields = ("selector", "value", "effect", "deadline", "reason")
    return {f: cast(Json, getattr(withdrawal, f)) for f in fields} | {"withdrawal": withdrawal.id}


def as_withdrawal(row: RowMapping) -> Withdrawal:
    return Withdrawal(row["id"], row["selector"], row["value"], row["effect"], row["deadline"], row["reason"])
