"""A bundle, opened offline: its parts, each read only once what binds it has been checked.

Owns the endorsement of keys, the exact spelling of envelopes and the reading of manifests. Knows no store, nor whether the
decision was a good one: that is `verify.py`. Invariant: a property either gives what its signature or digest proves, or raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, cast

from touyan.core.asset import Manifest, asset_id, read_manifest
from touyan.core.canonical import Json, canonical, parse
from touyan.core.dsse import Envelope, read_envelope, unseal
from touyan.core.errors import Invalid, Refused
from touyan.core.event import HEAD_TYPE
from touyan.core.permit import LogRef, Permit, read_permit
from touyan.core.review import ReviewRequest, read_request
from touyan.store.keys import PublicKey
from touyan.store.parties import ENROLMENT_TYPE

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose key it is, by an endorsement that was checked."""

    public: PublicKey
    party: str
    kind: str
    demo: bool
    at: str
    """From when the party had it."""
    endorser: str
    """Id of the key that endorsed it."""


class Bundle:
    """A parsed bundle. Its properties raise Invalid or Refused; KeyError or TypeError where a part is missing or misshapen."""

    def __init__(self, data: bytes, root: PublicKey, at: str) -> None:
        self.data = data
        self.value = cast("Mapping[str, Any]", parse(data))
        self.root = root
        self.at = at
        """The moment for which it is checked."""

    @cached_property
    def envelope(self) -> Envelope:
        return exact_envelope(self.value["permit"])

    @cached_property
    def permit(self) -> Permit:
        return read_permit(self.envelope.payload)

    @property
    def log(self) -> LogRef:
        return needed(self.permit.log, "the permit names no evidence log")

    @cached_property
    def head(self) -> Mapping[str, Any]:
        """The signed head of the log, by the key that the permit names."""
        key = PublicKey(self.log.key_id, self.log.public_hex)
        payload = unseal(exact_envelope(self.value["log"]["head"]), HEAD_TYPE, {key.key_id: key})
        head = cast("Mapping[str, Any]", parse(payload))
        is_ours = canonical(head) == payload and head["tree_head"] == 1 and head["origin"] == self.log.origin
        require(is_ours, "the head is of another log")
        return head

    @cached_property
    def holders(self) -> Mapping[str, Holder]:
        """The keys of the bundle by id, each endorsed by the root, or by an earlier key of the same party."""
        found: dict[str, Holder] = {}
        for item in self.value["keys"]:
            holder = _holder(exact_envelope(item), self.root, found)
            require(holder.public.key_id not in found, "a key is listed twice")
            found[holder.public.key_id] = holder
        return found

    def chain(self, envelope: Envelope) -> list[str]:
        """Ids of the key that signed `envelope` and of those behind it, the one that the root endorsed first."""
        found = [envelope.signatures[0].key_id]
        while (endorser := self.holders[found[0]].endorser) != self.root.key_id:
            found.insert(0, endorser)
        return found

    @cached_property
    def request(self) -> ReviewRequest:
        return read_request(exact_envelope(self.value["request"]).payload)

    @cached_property
    def manifests(self) -> Mapping[str, Manifest]:
        """By the id that follows from their content."""
        found = [read_manifest(canonical(item)) for item in self.value["manifests"]]
        ids = [asset_id(m) for m in found]
        require(ids == sorted(set(ids)), "manifests are not in the order of their ids")
        return dict(zip(ids, found, strict=True))

    def signed(self, envelope: Envelope, payload_type: str, party: str, at: str) -> Holder:
        """The holder of the key that signed `envelope`: `party`, who had the key at `at`. Raises Refused, Invalid."""
        holder = needed(self.holders.get(envelope.signatures[0].key_id), f"no endorsed key of the bundle signed for {party}")
        unseal(envelope, payload_type, {holder.public.key_id: holder.public})
        require(holder.party == party, f"the key is of {holder.party}, not of {party}")
        require(holder.at <= at, f"{party} had that key only from {holder.at}")
        return holder


def exact_envelope(value: Json) -> Envelope:
    """An envelope with one signature, in exactly the spelling that DSSE gives it. Raises Invalid."""
    envelope = read_envelope(value)
    require(
        envelope.to_json() == value and len(envelope.signatures) == 1, "an envelope has other fields, spellings or signatures"
    )
    return envelope


def _holder(envelope: Envelope, root: PublicKey, earlier: Mapping[str, Holder]) -> Holder:
    fields = cast("Mapping[str, Any]", parse(envelope.payload))
    signer = envelope.signatures[0].key_id
    endorser = root if signer == root.key_id else earlier[signer].public if signer in earlier else None
    endorser = needed(endorser, "a key is endorsed by nobody that is known here")
    unseal(envelope, ENROLMENT_TYPE, {endorser.key_id: endorser})
    party = str(fields["party"])
    require(signer == root.key_id or earlier[signer].party == party, f"a key of {party} is endorsed by another party")
    return Holder(
        PublicKey(fields["key_id"], fields["public_hex"]),
        party,
        str(fields["kind"]),
        bool(fields["demo"]),
        str(fields["at"]),
        signer,
    )


def needed(value: T | None, reason: str) -> T:
    """`value` where there is one. Raises Refused with the reason."""
    if value is None:
        raise Refused("not-verified", reason, "ask the organisation for the original bundle")
    return value


def require(is_good: bool, reason: str) -> None:
    """Raises Invalid with the reason where something does not fit."""
    if not is_good:
        raise Invalid("not-verified", reason, "ask the organisation for the original bundle")
