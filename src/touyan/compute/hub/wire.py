"""The requests of the agent protocol, version 1 (docs/formats/agent-protocol.md).

Owns shapes and bounds of what an agent sends. Knows nothing of what it means. Invariant: what has passed here has the types it says
and is of bounded length; unknown fields are ignored, as the protocol has it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from touyan.core.errors import Invalid

VERSION = 1
MOST_BYTES = 8 << 20
"""Of a body that is not an object's bytes."""
MOST_OF_STRANGERS = 64 << 10
"""What is read before it is known whether a site speaks: an idle round takes some hundred bytes, and a round of 100 Attempts 20 KB."""
MOST_HELD = 10_000
"""Attempts in one round: more would not fit the body."""

Name = Annotated[str, Field(max_length=200)]
Count = Annotated[int, Field(ge=0, le=2**53 - 1)]
W = TypeVar("W", bound="Wire")


class Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class Enrol(Wire):
    """A token for a secret."""

    token: Name
    driver: Name
    capacity: dict[str, Any]


class Progress(Wire):
    done: float
    total: float | None = None
    unit: Annotated[str, Field(max_length=40)] = ""


class HeldAttempt(Wire):
    attempt: Name
    token: Count
    state: Literal["claimed", "running"]
    progress: Progress | None = None


class Result(Wire):
    """What an Attempt made; the words beside the manifest are those of `result.json`."""

    manifest: dict[str, Any]
    counts: dict[Name, int] = {}
    telemetry: dict[Name, int | str] = {}
    environment: dict[Name, str] = {}
    progress: str | Progress | None = None


class Checkpoint(Wire):
    manifest: dict[str, Any]
    position: Count


class ErrorRecord(Wire):
    family: Name
    code: Name
    message: Annotated[str, Field(max_length=4000)]
    hint: Annotated[str, Field(max_length=1000)] = ""


class Ended(Wire):
    """How one Attempt ended: with a result, an error, or given back."""

    attempt: Name
    token: Count
    result: Result | None = None
    error: ErrorRecord | None = None
    may_retry: bool = False
    released: Annotated[str, Field(max_length=500)] | None = None
    checkpoint: Checkpoint | None = None


class Used(Wire):
    attempt: Name
    token: Count
    elapsed_s: Annotated[float, Field(ge=0, le=10**9)]
    devices: Count
    model: Name = ""
    energy_wh: Annotated[float, Field(ge=0, le=10**12)] | None = None


class Wiped(Wire):
    attempt: Name
    files: Count
    bytes: Count
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Sync(Wire):
    """A round of an agent."""

    sync: int
    boot: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    want: Annotated[int, Field(ge=0, le=1000)]
    pace_s: Annotated[float, Field(ge=0, le=3600)] = 5.0
    capacity: dict[str, Any] | None = None
    held: Annotated[list[HeldAttempt], Field(max_length=MOST_HELD)] = []
    ended: Annotated[list[Ended], Field(max_length=MOST_HELD)] = []
    usage: Annotated[list[Used], Field(max_length=MOST_HELD)] = []
    wiped: Annotated[list[Wiped], Field(max_length=MOST_HELD)] = []


def read(kind: type[W], body: bytes) -> W:
    """The request in a body. Raises Invalid, naming the first field that does not fit."""
    try:
        found = kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(p) for p in first["loc"]) or "the body"
        words = f"{place}: {first['msg']}"[:300]
        raise Invalid("bad-request", words, "see docs/formats/agent-protocol.md") from error
    if isinstance(found, Sync) and found.sync != VERSION:
        hint = f"this hub speaks: {VERSION}; upgrade the older of the two"
        raise Invalid("bad-version", f"version {found.sync} of the agent protocol is not spoken here", hint)
    return found
