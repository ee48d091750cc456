"""What a service allows, and how it labels: the numbers an operator may set.

Owns defaults and their reasons; knows nothing of how they are enforced. Invariant: no setting turns labels, keys or the permit
off.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from touyan.core.permit import Audience
from touyan.service.label import Place


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one request and on one key."""

    body_bytes: int = 256 * 1024
    """Four times the text of a 16,384-token prompt in Chinese (about 3 bytes a token and JSON around it), rounded up."""
    prompt_tokens: int = 8192
    max_tokens: int = 2048
    default_max_tokens: int = 128
    texts: int = 64
    """Texts in one classification request."""
    stop_strings: int = 4
    stop_characters: int = 200
    messages: int = 256
    concurrent: int = 16
    """Requests of one key at once."""
    requests_per_minute: int = 600
    request_s: float = 300.0
    feedback_characters: int = 8000


@dataclass(frozen=True, slots=True)
class Settings:
    """How a service runs."""

    limits: Limits = field(default_factory=Limits)
    batch: int = 8
    """Sequences stepped together; 8 is where the gain of batching flattens on two cores (bench/service)."""
    waiting: int = 64
    """Requests that may wait for a place in the batch; beyond, 503."""
    threads: int = 0
    """CPU threads of the engine; 0: as many as the machine has."""
    audience: Audience = "internal"
    """For whom: a permit must cover it, as it must cover `domain` and `site`."""
    domain: str = ""
    site: str = ""
    label: Place = "end"
    producer: str = ""
    """Name or code of the provider in the implicit label; empty: the organisation of the store."""
    retention_days: int = 30
    recheck_s: float = 1.0
    """Longest time for which the answer of the permit gate is believed without asking again. At most 1."""
