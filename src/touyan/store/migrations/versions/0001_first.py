"""The first schema, table by table.

A migration is history: it says what was made then and knows nothing of `tables.py`, which says what is there now. A test holds
the schema that all migrations make against it, on both databases.
"""

from __future__ import annotations

from typing import Any

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, LargeBinary, Text

revision = "0001"
down_revision = None


def upgrade() -> None:
    _parties()
    _assets()
    _log()
    _work()
    _decisions()
    _services()


def number(name: str) -> Column[int]:
    """A key that counts up by itself; SQLite does so only in an INTEGER PRIMARY KEY."""
    return Column(name, BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)


def key(name: str, kind: Any, *more: ForeignKey) -> Column[Any]:
    return Column(name, kind, *more, primary_key=True, nullable=False, autoincrement=False)


def must(name: str, kind: Any, *more: ForeignKey) -> Column[Any]:
    return Column(name, kind, *more, nullable=False)


def maybe(name: str, kind: Any, *more: ForeignKey) -> Column[Any]:
    return Column(name, kind, *more, nullable=True)


def _parties() -> None:
    """Settings, projects, parties, their keys and roles."""
    op.create_table(
        "setting",
        key("name", Text), must("value", Text),
    )  # fmt: skip
    op.create_table(
        "project",
        key("id", Text), must("title", Text), must("created_at", Text),
    )  # fmt: skip
    op.create_table(
        "party",
        key("id", Text), must("kind", Text), must("name", Text), must("organisation", Text), must("is_demo", Boolean),
        must("enrolled_at", Text), must("enrolment", Text),
    )  # fmt: skip
    op.create_index("ix_party_organisation", "party", ["organisation"])
    op.create_table(
        "party_key",
        key("key_id", Text), must("party", Text, ForeignKey("party.id")), must("public_hex", Text), must("state", Text),
        must("from_at", Text), maybe("until_at", Text), must("reason", Text), must("endorsement", Text),
    )  # fmt: skip
    op.create_index("ix_party_key_party", "party_key", ["party"])
    op.create_table(
        "membership",
        key("project", Text, ForeignKey("project.id")), key("party", Text, ForeignKey("party.id")), key("role", Text),
    )  # fmt: skip


def _assets() -> None:
    """Assets, what is said about them, and the results of steps."""
    op.create_table(
        "asset",
        number("seq"), must("id", Text), must("project", Text), must("kind", Text), must("name", Text),
        must("provider", Text), must("step_key", Text), must("manifest", LargeBinary), must("size_bytes", BigInteger),
        must("published_at", Text),
    )  # fmt: skip
    op.create_index("asset_once", "asset", ["project", "id"], unique=True)
    op.create_index("ix_asset_id", "asset", ["id"])
    op.create_table(
        "asset_input",
        key("asset", Text), key("role", Text), key("input", Text),
    )  # fmt: skip
    op.create_index("ix_asset_input_input", "asset_input", ["input"])
    op.create_table(
        "asset_file",
        key("asset", Text), key("path", Text), must("sha256", Text), must("size_bytes", BigInteger),
    )  # fmt: skip
    op.create_index("ix_asset_file_sha256", "asset_file", ["sha256"])
    op.create_table(
        "statement",
        number("seq"), must("id", Text), must("project", Text), must("asset", Text), must("kind", Text),
        must("payload", LargeBinary), must("envelope", Text), must("at", Text),
    )  # fmt: skip
    op.create_index("ix_statement_asset", "statement", ["asset"])
    op.create_index("statement_once", "statement", ["project", "id"], unique=True)
    op.create_table(
        "withdrawal",
        key("id", Text), must("project", Text), must("source", Text), must("selector", Text), must("value", Text),
        must("effect", Text), must("deadline", Text), must("reason", Text), must("at", Text), maybe("lifted_at", Text),
    )  # fmt: skip
    op.create_index("ix_withdrawal_project", "withdrawal", ["project"])
    op.create_table(
        "result",
        key("project", Text), key("step_key", Text), must("asset", Text), must("job", Text), must("name", Text),
        must("at", Text), must("spec", Text), must("telemetry", Text),
    )  # fmt: skip
    op.create_table(
        "file_stat",
        key("path", Text), must("stat", Text), must("sha256", Text), must("size_bytes", BigInteger),
    )  # fmt: skip


def _log() -> None:
    """The evidence log: outbox, leaves, nodes, heads."""
    op.create_table(
        "outbox",
        number("seq"), must("leaf", LargeBinary), must("project", Text), must("type", Text), must("at", Text),
        must("salt", Text), must("body", Text),
    )  # fmt: skip
    op.create_table(
        "event",
        key("position", BigInteger), must("leaf", LargeBinary), must("project", Text), must("type", Text), must("at", Text),
        maybe("salt", Text), maybe("body", Text),
    )  # fmt: skip
    op.create_index("ix_event_project", "event", ["project"])
    op.create_index("ix_event_type", "event", ["type"])
    op.create_table(
        "event_subject",
        key("subject", Text), key("position", BigInteger),
    )  # fmt: skip
    op.create_table(
        "node",
        key("level", Integer), key("position", BigInteger), must("hash", LargeBinary),
    )  # fmt: skip
    op.create_table(
        "tree_head",
        key("size", BigInteger), must("envelope", Text), must("at", Text),
    )  # fmt: skip


def _work() -> None:
    """Leases, Jobs, Attempts, Runs."""
    op.create_table(
        "lease",
        key("name", Text), must("owner", Text), must("token", BigInteger), must("until_ms", BigInteger),
    )  # fmt: skip
    op.create_table(
        "job",
        key("id", Text), must("seq", BigInteger), must("project", Text), must("step_key", Text), must("name", Text),
        must("step", Text), must("state", Text), must("spec", Text), must("submitter", Text), must("site", Text),
        must("priority", Integer), must("not_before_ms", BigInteger), must("tries", Integer), must("tries_limit", Integer),
        must("reason", Text), must("created_at", Text), maybe("ended_at", Text), maybe("asset", Text),
    )  # fmt: skip
    op.create_index("ix_job_project", "job", ["project"])
    op.create_index("ix_job_state", "job", ["state"])
    op.create_index("ix_job_step_key", "job", ["step_key"])
    op.create_table(
        "attempt",
        key("id", Text), must("job", Text, ForeignKey("job.id")), must("number", Integer), must("site", Text),
        must("state", Text), must("owner", Text), must("token", BigInteger), must("until_ms", BigInteger),
        maybe("started_at", Text), maybe("ended_at", Text), must("reason", Text), must("progress", Text),
        must("telemetry", Text),
    )  # fmt: skip
    op.create_index("ix_attempt_job", "attempt", ["job"])
    op.create_index("ix_attempt_state", "attempt", ["state"])
    op.create_table(
        "run",
        key("id", Text), must("project", Text), must("flow", Text), must("flow_sha256", Text), must("state", Text),
        must("actor", Text), must("plan", Text), must("started_at", Text), maybe("ended_at", Text),
    )  # fmt: skip
    op.create_index("ix_run_project", "run", ["project"])


def _decisions() -> None:
    """Reviews, votes, permits."""
    op.create_table(
        "review",
        key("id", Text), must("project", Text), must("subject", Text), must("kind", Text), must("state", Text),
        must("submitter", Text), must("request", Text), must("created_at", Text), maybe("decided_at", Text),
    )  # fmt: skip
    op.create_index("ix_review_project", "review", ["project"])
    op.create_table(
        "vote",
        key("review", Text, ForeignKey("review.id")), key("party", Text), must("role", Text), must("decision", Text),
        must("comment", Text), must("envelope", Text), must("at", Text),
    )  # fmt: skip
    op.create_table(
        "permit",
        key("number", Text), must("project", Text), must("kind", Text), must("state", Text), must("model", Text),
        must("review", Text), must("envelope", Text), must("is_demo", Boolean), must("issued_at", Text),
        must("expires_at", Text), must("reason", Text),
    )  # fmt: skip
    op.create_index("ix_permit_model", "permit", ["model"])
    op.create_index("ix_permit_project", "permit", ["project"])


def _services() -> None:
    """Services, their keys, use, answers and feedback."""
    op.create_table(
        "service",
        key("project", Text), key("name", Text), must("targets", Text), must("bound_by", Text), must("at", Text),
    )  # fmt: skip
    op.create_table(
        "api_key",
        key("id", Text), must("project", Text), must("party", Text), must("sha256", Text), must("label", Text),
        must("terms", Text), must("created_at", Text), maybe("revoked_at", Text),
    )  # fmt: skip
    op.create_index("ix_api_key_sha256", "api_key", ["sha256"])
    op.create_table(
        "usage",
        number("seq"), must("project", Text), must("service", Text), must("model", Text), must("permit", Text),
        must("api_key", Text), must("prompt_tokens", Integer), must("completion_tokens", Integer), must("at", Text),
    )  # fmt: skip
    op.create_table(
        "response",
        key("id", Text), must("project", Text), must("service", Text), must("model", Text), must("permit", Text),
        must("api_key", Text), must("prompt", Text), must("completion", Text), must("at", Text),
    )  # fmt: skip
    op.create_table(
        "feedback",
        key("id", Text), must("project", Text), must("response", Text), must("api_key", Text), must("body", Text),
        must("at", Text), maybe("asset", Text),
    )  # fmt: skip
