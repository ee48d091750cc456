"""Capabilities: which bytes one Attempt may fetch or send, until when, under the hub's MAC.

`base64url(canonical JSON) . base64url(HMAC-SHA-256)`; agents treat it as opaque. Knows nothing of bytes. Invariant: whoever shows
one shows what this hub has written, for the site that speaks, and nothing in it can be changed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from touyan.core.canonical import Json, canonical, parse
from touyan.core.errors import Invalid, Refused

Direction: TypeAlias = Literal["down", "up"]
HOLDS_S = 6 * 3600
"""For the slowest staging; with the end of the Attempt it ends anyway."""
MOST_FILES = 64
"""An `up` capability names so many files: 6 KB in a header, below the 8 KB a proxy allows by default. The rest is asked for next time."""


@dataclass(frozen=True, slots=True)
class Capability:
    """What one Attempt may move."""

    site: str
    attempt: str
    direction: Direction
    until_ms: int
    assets: tuple[str, ...] = ()
    """down: every file of these Assets."""
    files: Mapping[str, int] | None = None
    """up: size in bytes by digest."""


def write(key: bytes, capability: Capability) -> str:
    """The text under the hub's key."""
    value: dict[str, Json] = {
        "site": capability.site, "attempt": capability.attempt, "direction": capability.direction, "until_ms": capability.until_ms,
        "assets": list(capability.assets), "files": dict(capability.files or {}),
    }  # fmt: skip
    payload = canonical(value)
    return f"{_text(payload)}.{_text(_mac(key, payload))}"


def read(key: bytes, text: str, site: str, direction: Direction, now_ms: int) -> Capability:
    """The capability, once it is ours, for this site and direction, and not too old. Raises Refused."""
    payload, _, mac = text.partition(".")
    try:
        data = _bytes(payload)
        is_ours = hmac.compare_digest(_mac(key, data), _bytes(mac))
        value = cast("Mapping[str, Json]", parse(data)) if is_ours else {}
    except (binascii.Error, ValueError, Invalid):
        value = {}
    if not value:
        raise _refused("forged-capability", "this capability was not written by this hub")
    if value["site"] != site:
        raise _refused("foreign-capability", "this capability was written for another site")
    if value["direction"] != direction:
        raise _refused("wrong-direction", f"this capability is for bytes that go {value['direction']}")
    if cast(int, value["until_ms"]) < now_ms:
        raise _refused("expired-capability", "this capability has expired")
    assets, files = cast("list[str]", value["assets"]), cast("Mapping[str, int]", value["files"])
    return Capability(site, str(value["attempt"]), direction, cast(int, value["until_ms"]), tuple(assets), files)


def _refused(code: str, words: str) -> Refused:
    return Refused(code, words, "use the one of the last sync for this attempt")


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, hashlib.sha256)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
