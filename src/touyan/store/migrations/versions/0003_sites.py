"""Sites that joined, and where each Job was placed for which reasons.

A migration is history: it says what was made then and knows nothing of `tables.py`.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, Text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    texts = ("project", "party", "owner", "driver", "state", "zone", "trust", "kinds", "capacity", "windows", "reason", "boot",
             "boot_before", "secret_sha256", "token_sha256", "invited_at")  # fmt: skip
    op.create_table(
        "site",
        Column("name", Text, primary_key=True, nullable=False),
        *(Column(name, Text, nullable=False) for name in texts),
        Column("token_until_ms", BigInteger, nullable=False),
        Column("joined_at", Text, nullable=True),
        Column("seen_ms", BigInteger, nullable=False),
        Column("want", Integer, nullable=False),
    )
    op.create_index("ix_site_secret_sha256", "site", ["secret_sha256"])
    op.create_index("ix_site_token_sha256", "site", ["token_sha256"])
    op.create_table(
        "placement",
        Column("job", Text, primary_key=True, nullable=False),
        *(Column(name, Text, nullable=False) for name in ("site", "accelerator", "reasons", "at")),
        Column("at_ms", BigInteger, nullable=False),
    )
    op.create_index("ix_placement_site", "placement", ["site"])
    op.create_index("job_by_site", "job", ["site", "state"])
    op.create_index("attempt_by_site", "attempt", ["site", "state"])
