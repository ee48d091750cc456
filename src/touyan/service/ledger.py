"""What one running service writes down: use, answers, and the counts of `/metrics`.

One thread writes to the store, so that an event loop never waits for a database. Knows nothing of models. Invariants: an answer
is kept before its client hears its end; a write that failed is logged and counted, never dropped in silence.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from touyan.store.answers import Answer
from touyan.store.api_keys import ApiKey
from touyan.store.home import Store
from touyan.store.services import Use

log = logging.getLogger("touyan.service")
_HELP: Mapping[str, str] = {
    "touyan_requests_total": "Requests by route and HTTP status",
    "touyan_prompt_tokens_total": "Tokens of prompts",
    "touyan_completion_tokens_total": "Tokens written",
    "touyan_failed_writes_total": "Lines of use or answers that could not be written down",
}


class Ledger:
    """The books of one running service."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._writer = ThreadPoolExecutor(1, "ledger")
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()

    def count(self, name: str, n: int = 1, labels: str = "") -> None:
        with self._lock:
            self._counts[name, labels] += n

    def write(self, key: ApiKey, use: Use, answers: Sequence[Answer]) -> Future[None]:
        """Writes use and answers soon; the future tells when."""
        self.count("touyan_prompt_tokens_total", use.prompt_tokens)
        self.count("touyan_completion_tokens_total", use.completion_tokens)
        future = self._writer.submit(self._write, key, use, answers)
        future.add_done_callback(self._look)
        return future

    def _write(self, key: ApiKey, use: Use, answers: Sequence[Answer]) -> None:
        self._store.services.meter(key.project, use)
        self._store.answers.keep(key, answers)

    def _look(self, future: Future[None]) -> None:
        if (error := future.exception()) is not None:
            log.error("use was not written down: %s", error)
            self.count("touyan_failed_writes_total")

    def metrics(self, gauges: Mapping[str, float]) -> str:
        """All counts in the Prometheus text format, version 0.0.4."""
        with self._lock:
            counts = sorted(self._counts.items())
        lines: list[str] = []
        for name in sorted({n for (n, _), _ in counts}):
            lines += [f"# HELP {name} {_HELP.get(name, name)}", f"# TYPE {name} counter"]
            lines += [f"{n}{labels} {value}" for (n, labels), value in counts if n == name]
        for name, value in sorted(gauges.items()):
            lines += [f"# TYPE {name} gauge", f"{name} {value:g}"]
        return "\n".join(lines) + "\n"

    def close(self) -> None:
        """Waits for what is still to be written."""
        self._writer.shutdown(wait=True)
