"""What an agent asks of a hub: the seam between a round and whatever carries its words, HTTPS or a courier's tar.

Owns the four calls and the one distinction that matters: an answer of the hub, or silence on the way. Knows nothing of rounds.
Invariant: a hub's refusal comes as its TouyanError; anything else that goes wrong is `no-answer`, and means nothing for any Attempt.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from touyan.core.errors import Broken

NO_ANSWER = "no-answer"


class HubCalls(Protocol):
    """Each call raises the hub's own error, or Broken `no-answer`."""

    def sync(self, body: Mapping[str, Any]) -> object:
        """The JSON value that answers a round."""
        ...

    def get(self, sha256: str, capability: str, first: int, count: int) -> bytes:
        """At most `count` bytes of an object, from `first` on."""
        ...

    def have(self, sha256: str, capability: str) -> int:
        """How many bytes of an object that goes up the hub holds."""
        ...

    def put(self, sha256: str, capability: str, first: int, total: int, chunk: bytes) -> int:
        """Sends bytes from `first` on; how many the hub holds then."""
        ...


def no_answer(why: object) -> Broken:
    return Broken(NO_ANSWER, f"the hub does not answer: {why}", "nothing is lost: the agent goes on when it does")
