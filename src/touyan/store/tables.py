"""The tables of the store, one schema for SQLite and PostgreSQL.

Owns names and columns only. Every row belongs to a project, save objects of content (assets' files, inputs) that are named by
their digest alone. Times are ISO texts, except leases, which are milliseconds. Changes come as Alembic migrations.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger as Big
from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text

metadata = MetaData()
SEQUENCE = Big().with_variant(Integer, "sqlite")  # SQLite counts up by itself only in an INTEGER PRIMARY KEY


def _table(name: str, *columns: Column[Any] | Index) -> Table:
    return Table(name, metadata, *columns)


def _text(name: str, *more: ForeignKey, key: bool = False, null: bool = False, index: bool = False) -> Column[str]:
    return Column(name, Text, *more, primary_key=key, nullable=null, index=index)


setting = _table("setting", _text("name", key=True), _text("value"))

project = _table("project", _text("id", key=True), _text("title"), _text("created_at"))

party = _table(
    "party", _text("id", key=True), _text("kind"), _text("name"), _text("organisation", index=True),
    Column("is_demo", Boolean, nullable=False), _text("enrolled_at"), _text("enrolment"),
)  # fmt: skip
party_key = _table(
    "party_key", _text("key_id", key=True), _text("party", ForeignKey("party.id"), index=True), _text("public_hex"),
    _text("state"), _text("from_at"), _text("until_at", null=True), _text("reason"), _text("endorsement"),
)  # fmt: skip
membership = _table("membership", _text("project", ForeignKey("project.id"), key=True), _text("party", ForeignKey("party.id"), key=True),
                    _text("role", key=True))  # fmt: skip

asset = _table(
    "asset", Column("seq", SEQUENCE, primary_key=True, autoincrement=True), _text("id", index=True), _text("project"), _text("kind"),
    _text("name"), _text("provider"), _text("step_key"), Column("manifest", LargeBinary, nullable=False),
    Column("size_bytes", Big, nullable=False), _text("published_at"),
    Index("asset_once", "project", "id", unique=True),
)  # fmt: skip
asset_input = _table("asset_input", _text("asset", key=True), _text("role", key=True), _text("input", key=True, index=True))
asset_file = _table("asset_file", _text("asset", key=True), _text("path", key=True), _text("sha256", index=True),
                    Column("size_bytes", Big, nullable=False))  # fmt: skip
statement = _table(
    "statement", Column("seq", SEQUENCE, primary_key=True, autoincrement=True), _text("id"), _text("project"), _text("asset", index=True),
    _text("kind"), Column("payload", LargeBinary, nullable=False), _text("envelope"), _text("at"),
    Index("statement_once", "project", "id", unique=True),
)  # fmt: skip
withdrawal = _table(
    "withdrawal", _text("id", key=True), _text("project", index=True), _text("source"), _text("selector"), _text("value"),
    _text("effect"), _text("deadline"), _text("reason"), _text("at"), _text("lifted_at", null=True),
)  # fmt: skip
result = _table("result", _text("project", key=True), _text("step_key", key=True), _text("asset"), _text("job"), _text("name"),
                _text("at"), _text("spec"), _text("telemetry"))  # fmt: skip

outbox = _table(
    "outbox", Column("seq", SEQUENCE, primary_key=True, autoincrement=True), Column("leaf", LargeBinary, nullable=False), _text("project"),
    _text("type"), _text("at"), _text("salt"), _text("body"),
)  # fmt: skip
event = _table(
    "event", Column("position", Big, primary_key=True, autoincrement=False), Column("leaf", LargeBinary, nullable=False),
    _text("project", index=True), _text("type", index=True), _text("at"), _text("salt", null=True), _text("body", null=True),
)  # fmt: skip
event_subject = _table(
    "event_subject", _text("subject", key=True), Column("position", Big, primary_key=True, autoincrement=False)
)
node = _table("node", Column("level", Integer, primary_key=True, autoincrement=False),
              Column("position", Big, primary_key=True, autoincrement=False), Column("hash", LargeBinary, nullable=False))  # fmt: skip
tree_head = _table("tree_head", Column("size", Big, primary_key=True, autoincrement=False), _text("envelope"), _text("at"))

lease = _table("lease", _text("name", key=True), _text("owner"), Column("token", Big, nullable=False),
               Column("until_ms", Big, nullable=False))  # fmt: skip
job = _table(
    "job", _text("id", key=True), Column("seq", Big, nullable=False), _text("project", index=True), _text("step_key", index=True),
    _text("name"), _text("step"), _text("state", index=True), _text("spec"), _text("submitter"), _text("site"),
    Column("priority", Integer, nullable=False), Column("not_before_ms", Big, nullable=False),
    Column("tries", Integer, nullable=False), Column("tries_limit", Integer, nullable=False), _text("reason"),
    _text("created_at"), _text("ended_at", null=True), _text("asset", null=True),
    Index("job_by_site", "site", "state"),
)  # fmt: skip
attempt = _table(
    "attempt", _text("id", key=True), _text("job", ForeignKey("job.id"), index=True), Column("number", Integer, nullable=False),
    _text("site"), _text("state", index=True), _text("owner"), Column("token", Big, nullable=False),
    Column("until_ms", Big, nullable=False), _text("started_at", null=True), _text("ended_at", null=True), _text("reason"),
    _text("progress"), _text("telemetry"),
    Index("attempt_by_site", "site", "state"),
)  # fmt: skip
site = _table(
    "site", _text("name", key=True), _text("project"), _text("party"), _text("owner"), _text("driver"), _text("state"), _text("zone"),
    _text("trust"), _text("kinds"), _text("capacity"), _text("windows"), _text("reason"), _text("boot"), _text("boot_before"),
    _text("secret_sha256", index=True), _text("token_sha256", index=True), _text("invited_at"),
    Column("token_until_ms", Big, nullable=False), _text("joined_at", null=True), Column("seen_ms", Big, nullable=False),
    Column("want", Integer, nullable=False),
)  # fmt: skip
placement = _table(
    "placement", _text("job", key=True), _text("site", index=True), _text("accelerator"), _text("reasons"), _text("at"),
    Column("at_ms", Big, nullable=False),
)  # fmt: skip
run = _table(
    "run", _text("id", key=True), _text("project", index=True), _text("flow"), _text("flow_sha256"), _text("state"), _text("actor"),
    _text("plan"), _text("started_at"), _text("ended_at", null=True),
)  # fmt: skip

ledger = _table(
    "ledger", Column("seq", SEQUENCE, primary_key=True, autoincrement=True), _text("key"), Column("line", Integer, nullable=False),
    _text("kind"), _text("project"), _text("party"), _text("debit"), _text("credit"), _text("unit"),
    Column("amount", Big, nullable=False), _text("at"), _text("facts"),
    Index("ledger_once", "key", "line", unique=True), Index("ledger_party", "party", "at"), Index("ledger_credit", "credit", "at"),
)  # fmt: skip
voucher = _table(
    "voucher", _text("id", key=True), _text("project"), _text("holder"), _text("issuer"), _text("purpose"), _text("unit"),
    Column("amount", Big, nullable=False), Column("free", Big, nullable=False), _text("granted_at"), _text("expires_at"),
    Index("voucher_holder", "project", "holder", "expires_at"),
)  # fmt: skip
voucher_hold = _table(
    "voucher_hold", _text("attempt", key=True), _text("id"), _text("voucher", ForeignKey("voucher.id"), null=True), _text("unit"),
    Column("amount", Big, nullable=False), _text("terms"), _text("at"),
)  # fmt: skip

review = _table(
    "review", _text("id", key=True), _text("project", index=True), _text("subject"), _text("kind"), _text("state"), _text("submitter"),
    _text("request"), _text("created_at"), _text("decided_at", null=True),
)  # fmt: skip
vote = _table("vote", _text("review", ForeignKey("review.id"), key=True), _text("party", key=True), _text("role"), _text("decision"),
              _text("comment"), _text("envelope"), _text("at"))  # fmt: skip
permit = _table(
    "permit", _text("number", key=True), _text("project", index=True), _text("kind"), _text("state"), _text("model", index=True),
    _text("review"), _text("envelope"), Column("is_demo", Boolean, nullable=False), _text("issued_at"), _text("expires_at"),
    _text("reason"),
)  # fmt: skip

service = _table("service", _text("project", key=True), _text("name", key=True), _text("targets"), _text("bound_by"), _text("at"))
api_key = _table("api_key", _text("id", key=True), _text("project"), _text("party"), _text("sha256", index=True), _text("label"),
                 _text("terms"), _text("created_at"), _text("revoked_at", null=True))  # fmt: skip
usage = _table("usage", Column("seq", SEQUENCE, primary_key=True, autoincrement=True), _text("project"), _text("service"),
               _text("model"), _text("permit"), _text("api_key"), Column("prompt_tokens", Integer, nullable=False),
               Column("completion_tokens", Integer, nullable=False), _text("at"))  # fmt: skip
response = _table("response", _text("id", key=True), _text("project"), _text("service"), _text("model"), _text("permit"), _text("api_key"),
                  _text("prompt"), _text("completion"), _text("at"))  # fmt: skip
feedback = _table("feedback", _text("id", key=True), _text("project"), _text("response"), _text("api_key"), _text("body"), _text("at"),
                  _text("asset", null=True))  # fmt: skip
file_stat = _table(
    "file_stat", _text("path", key=True), _text("stat"), _text("sha256"), Column("size_bytes", Big, nullable=False)
)
