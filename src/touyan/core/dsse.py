"""DSSE envelopes (secure-systems-lab/dsse v1): how everything in Touyan is signed.

Knows the encoding, not the cryptography: suites are plugged in as `Signer` and `Verifier`. A key id names its suite, as in
`ed25519-sha256:6b86b2…`; so a signature says how it is to be checked.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from touyan.core.canonical import Json
from touyan.core.errors import Invalid, Refused


class Signer(Protocol):
    """Holds one private key."""

    @property
    def key_id(self) -> str: ...

    def sign(self, data: bytes) -> bytes: ...


class Verifier(Protocol):
    """Checks signatures of one public key."""

    @property
    def key_id(self) -> str: ...

    def verify(self, data: bytes, signature: bytes) -> bool: ...


@dataclass(frozen=True, slots=True)
class Signature:
    key_id: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload with signatures."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]

    def to_json(self) -> dict[str, Json]:
        return {
            "payloadType": self.payload_type,
            "payload": base64.b64encode(self.payload).decode(),
            "signatures": [{"keyid": s.key_id, "sig": base64.b64encode(s.value).decode()} for s in self.signatures],
        }


def encode(payload_type: str, payload: bytes) -> bytes:
    """PAE, the pre-authentication encoding: what is really signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def seal(payload_type: str, payload: bytes, *signers: Signer) -> Envelope:
    data = encode(payload_type, payload)
    return Envelope(payload_type, payload, tuple(Signature(s.key_id, s.sign(data)) for s in signers))


def signed_by(envelope: Envelope, verifiers: Mapping[str, Verifier]) -> frozenset[str]:
    """Key ids among `verifiers` whose signature on the envelope is good."""
    data = encode(envelope.payload_type, envelope.payload)
    known = ((s, verifiers.get(s.key_id)) for s in envelope.signatures)
    return frozenset(s.key_id for s, verifier in known if verifier is not None and verifier.verify(data, s.value))


def unseal(envelope: Envelope, payload_type: str, verifiers: Mapping[str, Verifier]) -> bytes:
    """The payload, once its type fits and at least one known key signed it. Raises Refused."""
    if envelope.payload_type != payload_type:
        raise Refused("wrong-type", f"the envelope holds {envelope.payload_type!r}", f"give one that holds {payload_type!r}")
    if not signed_by(envelope, verifiers):
        raise Refused("bad-signature", "no known key has signed these bytes", "ask the signer for the original file")
    return envelope.payload


def read_envelope(value: Json) -> Envelope:
    """Reads the JSON form. Raises Invalid."""
    try:
        fields = cast(Mapping[str, Json], value)
        listed = cast("list[Mapping[str, str]]", fields["signatures"])
        signatures = tuple(Signature(str(s["keyid"]), base64.b64decode(s["sig"], validate=True)) for s in listed)
        return Envelope(str(fields["payloadType"]), base64.b64decode(str(fields["payload"]), validate=True), signatures)
    except (KeyError, TypeError, AttributeError, binascii.Error, ValueError) as error:
        raise Invalid("bad-envelope", f"not a DSSE envelope: {error}", "check that the file is whole and unchanged") from error
