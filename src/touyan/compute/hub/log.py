"""The hub's log: one JSON object a line on standard error, without secrets.

Owns the form of a line. Knows nothing of what is logged. Invariant: tokens, secrets and keys that slip into a message are blotted
out, also within a trace.
"""

from __future__ import annotations

import json
import logging
import re
import sys

from touyan.core.seam import iso

_SECRETS = re.compile(r"\b(t[sjy])-[0-9a-f]{16,}")


class JsonLines(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {"at": iso(round(record.created * 1000)), "level": record.levelname.lower(), "from": record.name}
        words = {"message": record.getMessage()} | ({"trace": self.formatException(record.exc_info)} if record.exc_info else {})
        return _SECRETS.sub(r"\1-***", json.dumps(fields | words, ensure_ascii=False))


def log_as_json(level: int = logging.INFO) -> None:
    """Sends the whole log of this process to standard error as JSON lines."""
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[lines], force=True)
