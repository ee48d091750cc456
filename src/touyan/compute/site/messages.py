"""What a hub says, read as from a stranger: claims and answers of the agent protocol, version 1 (docs/formats/agent-protocol.md).

Owns the reading and its bounds. Knows nothing of who may be believed: that is `trust.py`. Invariant: what is returned has the
types it says, and no name in it leads out of a folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from touyan.core.asset import Manifest, read_manifest
from touyan.core.canonical import canonical
from touyan.core.dsse import Envelope, read_envelope
from touyan.core.errors import Invalid, TouyanError, error_from
from touyan.core.job import Accelerator

SYNC_VERSION = 1
MOST_CHAIN = 64
"""Endorsements that lead to one signer: an organisation's root and a key's rotations."""
LEASE_BOUNDS_S = (1.0, 3600.0)
PACE_BOUNDS_S = (0.0, 600.0)

Word: TypeAlias = Literal["keep", "cancel", "lost"]
Wire: TypeAlias = Mapping[str, Any]
_ATTEMPT = re.compile(r"[\w][\w.-]{0,100}-[0-9]{1,9}")
_NAME = re.compile(r"[\w][\w.-]{0,100}")


@dataclass(frozen=True, slots=True)
class Claim:
    """An Attempt that a hub hands to this site; nothing in it is believed yet."""

    attempt: str
    number: int
    job: str
    project: str
    token: int
    envelope: Envelope
    chain: tuple[Envelope, ...]
    """Endorsements of the signer's key."""
    inputs: tuple[Manifest, ...]
    """Of the spec's inputs, in its order."""
    checkpoint: Manifest | None
    position: int
    accelerator: Accelerator | None
    earlier: tuple[str, ...]
    capability: str
    pseudonym_key: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a hub says of an end that it was told."""

    is_counted: bool
    """Accepted or refused: in either case there is nothing more to say."""
    refusal: TouyanError | None = None
    missing: tuple[str, ...] = ()
    """Digests whose bytes the hub lacks."""
    capability: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A hub's answer to one `sync`."""

    lease_s: float
    pace_s: float
    words: Mapping[str, Word]
    ended: Mapping[str, Verdict]
    claims: tuple[Wire, ...]
    """Unread: one that cannot be read must not hide the others."""


def read_answer(value: object) -> Answer:
    """Raises Invalid where it is none."""
    try:
        fields = cast(Wire, value)
        words = {str(w["attempt"]): cast(Word, w["word"]) for w in fields.get("words", ())}
        verdicts = {str(e["attempt"]): _verdict(e) for e in fields.get("ended", ())}
        claims = tuple(cast(Wire, c) for c in fields.get("claims", ()) if isinstance(c, dict))
        lease_s, pace_s = (float(fields[n]) for n in ("lease_s", "pace_s"))
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise _no_answer(error) from error
    if not set(words.values()) <= {"keep", "cancel", "lost"} or not (lease_s == lease_s and pace_s == pace_s):
        raise _no_answer("an unknown word, or a time that is none")
    return Answer(_within(lease_s, LEASE_BOUNDS_S), _within(pace_s, PACE_BOUNDS_S), words, verdicts, claims)


def _no_answer(why: object) -> Invalid:
    return Invalid("bad-answer", f"the hub answered something else than a sync: {why}", "check the address of the hub")


def _within(value: float, bounds: tuple[float, float]) -> float:
    return min(max(value, bounds[0]), bounds[1])


def _verdict(value: Wire) -> Verdict:
    if "missing" in value:
        return Verdict(False, None, tuple(str(m["sha256"]) for m in value["missing"]), str(value["capability"]))
    refusal = None if value["accepted"] is True else error_from(value.get("error") or {})
    return Verdict(True, refusal)


def attempt_of(value: Wire) -> str:
    """The Attempt's id in a claim. Raises Invalid where it could not name a folder."""
    return _named(_ATTEMPT, value.get("attempt"), "attempt")


def read_claim(value: Wire) -> Claim:
    """Raises Invalid on the first thing that is not as the protocol has it."""
    attempt, job = attempt_of(value), _named(_NAME, value.get("job"), "job")
    try:
        manifests = tuple(read_manifest(canonical(m)) for m in value["inputs"])
        chain = value["chain"][:MOST_CHAIN]
        checkpoint, position = _checkpoint(value.get("checkpoint"))
        return Claim(
            attempt, int(value["number"]), job, str(value["project"]), int(value["token"]), read_envelope(value["spec"]),
            tuple(read_envelope(e) for e in chain), manifests, checkpoint, position, _accelerator(value.get("accelerator")),
            tuple(_named(_ATTEMPT, e, "earlier attempt") for e in value.get("earlier") or ()), str(value["capability"]),
            _secret(value.get("pseudonym_key")),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise Invalid(
            "bad-claim", f"the claim of {attempt} lacks or misstates something: {error}", "upgrade hub or site"
        ) from error


def _named(pattern: re.Pattern[str], value: object, what: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Invalid("bad-claim", f"{value!r:.120} cannot name an {what}", "letters, digits, '.', '_' and '-' only")
    return value


def _checkpoint(value: Wire | None) -> tuple[Manifest | None, int]:
    if value is None:
        return None, 0
    return read_manifest(canonical(value["manifest"])), abs(int(value["position"]))


def _accelerator(value: Wire | None) -> Accelerator | None:
    return None if value is None else Accelerator(str(value["model"]), int(value["count"]), str(value.get("entrypoint", "")))


def _secret(value: object) -> str:
    """Hex digits, as the environment of a payload takes them."""
    text = str(value or "")
    bytes.fromhex(text)
    return text
