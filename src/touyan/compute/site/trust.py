"""Whose signature counts at a site: from the root keys its owner pinned, through endorsements, to the key that signed a spec.

Owns the walk along the chain. Knows nothing of hubs: a captured one can hand over any chain it likes, and none leads to a
pinned root that its organisation did not endorse. Invariant: every key that is trusted was endorsed by a trusted one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from touyan.core.canonical import Json, parse
from touyan.core.dsse import Envelope, signed_by, unseal
from touyan.core.errors import Invalid, Refused, TouyanError
from touyan.core.job import SPEC_TYPE, JobSpec, read_spec
from touyan.store.keys import PublicKey
from touyan.store.parties import ENROLMENT_TYPE


@dataclass(frozen=True, slots=True)
class Endorsed:
    """A key, and whose it is said to be."""

    key: PublicKey
    party: str
    organisation: str

    @property
    def is_of_root(self) -> bool:
        return self.party == self.organisation


def signed_spec(envelope: Envelope, chain: Iterable[Envelope], roots: Mapping[str, str]) -> JobSpec:
    """The spec, once a key that leads to a pinned root has signed it in its submitter's name. `roots`: organisation to key id.

    Raises Invalid where it is no spec, Refused where nobody who counts has signed it.
    """
    spec = read_spec(envelope.payload)
    trusted = trusted_keys(chain, roots)
    if not any(e.party == spec.submitter for e in trusted):
        hint = "its organisation's root key belongs under `roots` of site.yaml, if the owner trusts it"
        raise Refused("unpinned-root", f"nothing leads from a pinned root key to {spec.submitter}", hint)
    unseal(envelope, SPEC_TYPE, {e.key.key_id: e.key for e in trusted if e.party == spec.submitter})
    return spec


def trusted_keys(chain: Iterable[Envelope], roots: Mapping[str, str]) -> list[Endorsed]:
    """The keys that the chain, in whatever order, leads to from the roots: a root endorses itself, the keys of its
    organisation's parties and its successor; the key of a party endorses the next one of that party."""
    waiting = [(envelope, claimed) for envelope in chain if (claimed := _claimed(envelope)) is not None]
    trusted = [c for e, c in waiting if c.is_of_root and roots.get(c.party) == c.key.key_id and _is_signed(e, c.key)]
    has_grown = True
    while has_grown:
        new = [c for e, c in waiting if c not in trusted and any(_may_endorse(t, c) and _is_signed(e, t.key) for t in trusted)]
        trusted += new
        has_grown = bool(new)
    return trusted


def _may_endorse(endorser: Endorsed, claimed: Endorsed) -> bool:
    if endorser.organisation != claimed.organisation:
        return False
    return endorser.is_of_root or endorser.party == claimed.party


def _is_signed(envelope: Envelope, key: PublicKey) -> bool:
    return bool(signed_by(envelope, {key.key_id: key}))


def _claimed(envelope: Envelope) -> Endorsed | None:
    """What an endorsement says; None where it is none, or where a party is not of the organisation it names."""
    try:
        value = cast(Mapping[str, Json], parse(envelope.payload))
        key = PublicKey(str(value["key_id"]), str(value["public_hex"]))
        found = Endorsed(key, str(value["party"]), str(value["organisation"]))
    except (Invalid, KeyError, TypeError):
        return None
    is_member = found.is_of_root or found.party.startswith(f"{found.organisation}/")
    return found if is_member and envelope.payload_type == ENROLMENT_TYPE and _fits(key) else None


def _fits(key: PublicKey) -> bool:
    """Whether the key has the id it says, in a suite that is known here."""
    try:
        key.verify(b"", b"")
    except (TouyanError, ValueError):
        return False
    return True
