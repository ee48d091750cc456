"""The ledger, vouchers, and what is held of them.

Rows of `ledger` never change: the database itself refuses UPDATE and DELETE, whoever asks.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Text

revision = "0002"
down_revision = "0001"

REFUSAL = "rows of the ledger never change: write a reversal"


def upgrade() -> None:
    op.create_table(
        "ledger",
        Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("key", Text, nullable=False), Column("line", Integer, nullable=False), Column("kind", Text, nullable=False),
        Column("project", Text, nullable=False), Column("party", Text, nullable=False), Column("debit", Text, nullable=False),
        Column("credit", Text, nullable=False), Column("unit", Text, nullable=False),
        Column("amount", BigInteger, nullable=False), Column("at", Text, nullable=False), Column("facts", Text, nullable=False),
    )  # fmt: skip
    op.create_index("ledger_once", "ledger", ["key", "line"], unique=True)
    op.create_index("ledger_party", "ledger", ["party", "at"])
    op.create_index("ledger_credit", "ledger", ["credit", "at"])
    op.create_table(
        "voucher",
        Column("id", Text, primary_key=True, nullable=False), Column("project", Text, nullable=False),
        Column("holder", Text, nullable=False), Column("issuer", Text, nullable=False), Column("purpose", Text, nullable=False),
        Column("unit", Text, nullable=False), Column("amount", BigInteger, nullable=False),
        Column("free", BigInteger, nullable=False), Column("granted_at", Text, nullable=False),
        Column("expires_at", Text, nullable=False),
    )  # fmt: skip
    op.create_index("voucher_holder", "voucher", ["project", "holder", "expires_at"])
    op.create_table(
        "voucher_hold",
        Column("attempt", Text, primary_key=True, nullable=False), Column("id", Text, nullable=False),
        Column("voucher", Text, ForeignKey("voucher.id"), nullable=True), Column("unit", Text, nullable=False),
        Column("amount", BigInteger, nullable=False), Column("terms", Text, nullable=False), Column("at", Text, nullable=False),
    )  # fmt: skip
    _forbid_changes()


def _forbid_changes() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for act in ("update", "delete"):
            op.execute(f"create trigger ledger_no_{act} before {act} on ledger begin select raise(abort, '{REFUSAL}'); end")
        return
    op.execute(
        "create function ledger_stays() returns trigger language plpgsql as "
        f"$$ begin raise exception '{REFUSAL}' using errcode = 'integrity_constraint_violation'; end $$"
    )
    op.execute(
        "create trigger ledger_stays before update or delete or truncate on ledger "
        "for each statement execute function ledger_stays()"
    )
