"""Checks a bundle offline, with nothing but the bundle and the organisation's public root key.

Every check is named, passes or fails with its reason, and depends on no other having passed. Knows no store and no network, so it
cannot know whether the permit was suspended or revoked after it was issued: that is on the organisation's page, under the number.
Invariant: every byte of a bundle is either signed, or bound by a digest or proof that is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from touyan.core import merkle
from touyan.core.asset import Manifest, asset_id, read_manifest
from touyan.core.canonical import Json, canonical, parse, sha256_hex, short
from touyan.core.dsse import Envelope, read_envelope, unseal
from touyan.core.errors import Invalid, Refused, TouyanError
from touyan.core.event import HEAD_TYPE
from touyan.core.permit import PAYLOAD_TYPE, LogRef, Permit, read_permit
from touyan.core.review import REQUEST_TYPE, VOTE_TYPE, ReviewRequest, Vote, outcome, read_request, read_vote
from touyan.core.seam import SystemSeam, iso
from touyan.permit.bundle import BUNDLE_VERSION
from touyan.permit.content import require_checks, require_metrics
from touyan.store.events import read_event
from touyan.store.keys import DEFAULT_SUITE, PublicKey, key_id
from touyan.store.parties import ENROLMENT_TYPE

FIELDS = {"bundle", "organisation", "permit", "keys", "log", "manifests", "request", "votes", "checks", "metrics", "rule_pack"}
LOG_FIELDS = {"head", "position", "leaf", "path", "consistency"}
MAX_BYTES = 64 << 20
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One named check."""

    name: str
    passed: bool
    reason: str
    """What was found, whether it passed or not."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose key it is, by an endorsement that was checked."""

    public: PublicKey
    party: str
    kind: str
    demo: bool
    at: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """A parsed bundle, with readers that raise where a part is not what it says."""

    data: bytes
    value: Mapping[str, Any]
    root: PublicKey
    at: str

    @property
    def envelope(self) -> Envelope:
        return exact_envelope(self.value["permit"])

    @property
    def permit(self) -> Permit:
        return read_permit(self.envelope.payload)

    @property
    def log(self) -> LogRef:
        return _needed(self.permit.log, "the permit names no evidence log")

    def holders(self) -> dict[str, Holder]:
        """The keys of the bundle, each endorsed by the root, or by an earlier key of the same party."""
        found: dict[str, Holder] = {}
        for item in self.value["keys"]:
            envelope = exact_envelope(item)
            holder = _holder(envelope, self.root, found)
            _require(holder.public.key_id not in found, "a key is listed twice")
            found[holder.public.key_id] = holder
        return found

    def signed(self, envelope: Envelope, payload_type: str, party: str, at: str) -> Holder:
        """The holder of the key that signed `envelope`, who must be `party`, enrolled by then. Raises Refused, Invalid."""
        holder = self.holders().get(envelope.signatures[0].key_id)
        holder = _needed(holder, f"no endorsed key of the bundle signed for {party}")
        unseal(envelope, payload_type, {holder.public.key_id: holder.public})
        _require(holder.party == party, f"the key is of {holder.party}, not of {party}")
        _require(holder.at <= at, f"{party} had that key only from {holder.at}")
        return holder

    def request(self) -> ReviewRequest:
        return read_request(exact_envelope(self.value["request"]).payload)

    def manifests(self) -> dict[str, Manifest]:
        found = [read_manifest(canonical(item)) for item in self.value["manifests"]]
        ids = [asset_id(m) for m in found]
        _require(ids == sorted(set(ids)), "manifests are not in the order of their ids")
        return dict(zip(ids, found, strict=True))


def verify(data: bytes, root_public_hex: str, model_folder: Path | None = None, at: str = "") -> list[Verdict]:
    """Checks the bytes of a bundle against the organisation's root key (hex), at the ISO time `at` or now.

    With `model_folder`, also that its files are those of the permitted model. The permit is good where every Verdict passed.
    """
    try:
        _require(len(data) <= MAX_BYTES, f"larger than {MAX_BYTES >> 20} MiB")
        root = PublicKey(key_id(DEFAULT_SUITE, root_public_hex), root_public_hex)
        bundle = Bundle(data, cast("Mapping[str, Any]", parse(data)), root, at or iso(SystemSeam().now_ms()))
    except (TouyanError, ValueError) as error:
        return [Verdict("format", False, f"not a bundle or not a key: {error}")]
    checks = dict(CHECKS)
    if model_folder is not None:
        checks["model-files"] = lambda b: _model_files(b, model_folder)
    return [_run(name, check, bundle) for name, check in checks.items()]


def is_good(verdicts: list[Verdict]) -> bool:
    """Whether every check passed."""
    return all(v.passed for v in verdicts)


def _run(name: str, check: Callable[[Bundle], str], bundle: Bundle) -> Verdict:
    try:
        return Verdict(name, True, check(bundle))
    except TouyanError as error:
        return Verdict(name, False, error.message)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        return Verdict(name, False, f"the bundle is malformed here: {error!r}"[:300])


def _format(bundle: Bundle) -> str:
    _require(canonical(cast(Json, bundle.value)) + b"\n" == bundle.data, "the file is not canonical JSON with one final line end")
    _require(bundle.value["bundle"] == BUNDLE_VERSION and set(bundle.value) == FIELDS, f"not a bundle of version {BUNDLE_VERSION}")
    _require(set(bundle.value["log"]) == LOG_FIELDS, "the part `log` has other fields than its format")
    return f"a bundle of version {BUNDLE_VERSION}, {len(bundle.data)} bytes"


def _organisation(bundle: Bundle) -> str:
    named = bundle.value["organisation"]
    wanted = {"id": bundle.permit.organisation, "key_id": bundle.root.key_id, "public_hex": bundle.root.public_hex}
    _require(named == wanted, "the root key is not the one you gave, or belongs to another organisation")
    _require(str(named["id"]).endswith(bundle.root.key_id.partition(":")[2][:8]), "the organisation's id does not fit its root key")
    return str(named["id"])


def _keys(bundle: Bundle) -> str:
    holders = bundle.holders()
    envelopes = [bundle.value["permit"], bundle.value["request"], *bundle.value["votes"]]
    used = {exact_envelope(e).signatures[0].key_id for e in envelopes}
    used |= {exact_envelope(e).signatures[0].key_id for e in bundle.value["keys"]} - {bundle.root.key_id}
    _require(used == set(holders), "keys are missing, or listed without use")
    return f"{len(holders)} keys, all endorsed under the root"


def _signature(bundle: Bundle) -> str:
    permit = bundle.permit
    holder = bundle.signed(bundle.envelope, PAYLOAD_TYPE, permit.organisation, permit.issued_at)
    return f"{permit.number} signed by {holder.public.key_id[:32]}…"


def _time(bundle: Bundle) -> str:
    permit = bundle.permit
    _require(permit.issued_at <= bundle.at < permit.expires_at, f"it holds from {permit.issued_at} to {permit.expires_at}, not at {bundle.at}")
    return f"in force at {bundle.at}, until {permit.expires_at}"


def _head(bundle: Bundle) -> dict[str, Any]:
    log = bundle.log
    key = PublicKey(log.key_id, log.public_hex)
    payload = unseal(exact_envelope(bundle.value["log"]["head"]), HEAD_TYPE, {key.key_id: key})
    head = cast("dict[str, Any]", parse(payload))
    _require(canonical(head) == payload and head["tree_head"] == 1 and head["origin"] == log.origin, "the head is of another log")
    return head


def _inclusion(bundle: Bundle) -> str:
    head, log = _head(bundle), bundle.value["log"]
    leaf = str(log["leaf"]).encode()
    event = read_event(leaf)
    permit = bundle.permit
    is_decision = event.type == "permit.issued" and event.subjects[:2] == (sha256_hex(bundle.envelope.payload), permit.number)
    _require(is_decision and event.project == permit.project, "the leaf is not this decision")
    path = [bytes.fromhex(h) for h in log["path"]]
    _require([h.hex() for h in path] == list(log["path"]), "the path is not lower-case hex")
    good = merkle.verify_inclusion(merkle.leaf_hash(leaf), log["position"], head["size"], path, bytes.fromhex(head["root"]))
    _require(good, "the decision is not in the log of this head")
    return f"leaf {log['position']} of {head['size']} in {head['origin']}"


def _consistency(bundle: Bundle) -> str:
    head, then = _head(bundle), bundle.log
    proof = [bytes.fromhex(h) for h in bundle.value["log"]["consistency"]]
    _require([h.hex() for h in proof] == list(bundle.value["log"]["consistency"]), "the proof is not lower-case hex")
    roots = bytes.fromhex(then.root), bytes.fromhex(head["root"])
    _require(merkle.verify_consistency(then.size, head["size"], *roots, proof), "the log was rewritten since the decision")
    _require(bundle.value["log"]["position"] >= then.size, "the decision was logged before the head that it names")
    return f"the log of {then.size} leaves grew to {head['size']} without a change"


def _lineage(bundle: Bundle) -> str:
    manifests, permit = bundle.manifests(), bundle.permit
    kinds = {"model": permit.model, "corpus": permit.corpus, "checks": permit.checks, "evaluation": permit.evaluation}
    starts = {kind: asset for kind, asset in kinds.items() if asset}
    for kind, asset in starts.items():
        _require(asset in manifests and manifests[asset].kind == kind, f"the manifest of the {kind} {short(asset)} is missing")
    reached: set[str] = set()
    waiting = list(starts.values())
    while waiting:
        asset = waiting.pop()
        if asset not in reached:
            _require(asset in manifests, f"the manifest {short(asset)} is missing")
            reached.add(asset)
            waiting += [i.asset for i in manifests[asset].inputs]
    _require(reached == set(manifests), "manifests are listed that are not in the lineage")
    sources = sum(1 for m in manifests.values() if m.kind == "source")
    return f"{len(manifests)} manifests down to {sources} sources"


def _file_text(bundle: Bundle, asset: str, path: str, field: str) -> str:
    """A file of an Asset, given as text in the bundle: its digest is in the manifest."""
    text = str(bundle.value[field])
    if not asset:
        _require(text == "", f"{field} is given, but the permit names no such asset")
        return ""
    wanted = next((f.sha256 for f in bundle.manifests()[asset].files if f.path == path), "")
    _require(sha256_hex(text.encode()) == wanted, f"{path} is not the file of the asset {short(asset)}")
    return text


def _rule_pack(bundle: Bundle) -> str:
    permit = bundle.permit
    text = _file_text(bundle, permit.checks, "rulepack.yaml", "rule_pack")
    if permit.rule_pack is None:
        _require(permit.kind == "project" and text == "", "the permit names no rule pack")
        return "none: a project permit"
    _require(sha256_hex(text.encode()) == permit.rule_pack.sha256, "the rule pack is not the one of the decision")
    return f"{permit.rule_pack.id} {permit.rule_pack.version}"


def _checks(bundle: Bundle) -> str:
    return require_checks(bundle.permit, _file_text(bundle, bundle.permit.checks, "checks.json", "checks"))


def _metrics(bundle: Bundle) -> str:
    return require_metrics(bundle.permit, _file_text(bundle, bundle.permit.evaluation, "metrics.json", "metrics"))


def _request(bundle: Bundle) -> str:
    permit, request, envelope = bundle.permit, bundle.request(), exact_envelope(bundle.value["request"])
    bundle.signed(envelope, REQUEST_TYPE, permit.submitter, request.at)
    _require(sha256_hex(envelope.payload) == permit.review, "the permit is about another review")
    subject = request.subject
    asked = (request.project, request.kind, request.submitter, subject.model, subject.corpus, subject.checks, subject.evaluation)
    decided = (permit.project, permit.kind, permit.submitter, permit.model, permit.corpus, permit.checks, permit.evaluation)
    _require(asked == decided, "what was decided is not what was asked")
    return f"asked by {request.submitter} at {request.at}"


def _votes(bundle: Bundle) -> str:
    permit, votes = bundle.permit, list[Vote]()
    envelopes = [exact_envelope(e) for e in bundle.value["votes"]]
    _require(len(envelopes) == len(permit.votes), "votes are missing or added")
    for envelope, ref in zip(envelopes, permit.votes, strict=True):
        vote = read_vote(envelope.payload)
        holder = bundle.signed(envelope, VOTE_TYPE, vote.party, vote.at)
        named = (ref.party, ref.role, ref.decision, ref.key_id, ref.vote_sha256)
        found = (vote.party, vote.role, vote.decision, holder.public.key_id, sha256_hex(envelope.payload))
        _require(named == found and vote.review == permit.review, f"the vote of {vote.party} is not the one of the decision")
        _require(holder.kind == "person" and vote.party != permit.submitter, f"{vote.party} may not vote here")
        votes.append(vote)
    _require(len({v.party for v in votes}) == len(votes), "a person votes twice")
    _require(outcome(bundle.request(), votes) == "approve", "the votes do not approve")
    return f"{len(votes)} persons approved"


def _demo(bundle: Bundle) -> str:
    """Demonstration parties and packs make a demonstration permit; one cannot be passed off as real."""
    parties = sorted(h.party for h in bundle.holders().values() if h.demo)
    _require(bundle.permit.demo or not parties, f"{', '.join(parties)} exist for demonstrations, and the permit does not say so")
    return "a demonstration permit" if bundle.permit.demo else "not a demonstration"


def _model_files(bundle: Bundle, folder: Path) -> str:
    files = {f.path: f for f in bundle.manifests()[bundle.permit.model].files}
    present = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() or p.is_symlink()}
    _require(present == set(files), f"files are missing or added: {sorted(present ^ set(files))[:5]}")
    for path, file in files.items():
        with (folder / path).open("rb") as stream:
            _require(hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256, f"{path} is not the permitted file")
    return f"{len(files)} files are those of the permitted model"


CHECKS: dict[str, Callable[[Bundle], str]] = {
    "format": _format, "organisation": _organisation, "keys": _keys, "signature": _signature, "time": _time, "inclusion": _inclusion,
    "consistency": _consistency, "lineage": _lineage, "rule-pack": _rule_pack, "checks": _checks, "evaluation": _metrics,
    "request": _request, "votes": _votes, "demo": _demo,
}  # fmt: skip
"""By name, in the order they are told."""


def exact_envelope(value: Json) -> Envelope:
    """An envelope with one signature, in exactly the spelling that DSSE gives it. Raises Invalid."""
    envelope = read_envelope(value)
    _require(envelope.to_json() == value and len(envelope.signatures) == 1, "an envelope has other fields, spellings or signatures")
    return envelope


def _holder(envelope: Envelope, root: PublicKey, earlier: Mapping[str, Holder]) -> Holder:
    fields = cast("Mapping[str, Any]", parse(envelope.payload))
    signer = envelope.signatures[0].key_id
    endorser = root if signer == root.key_id else earlier[signer].public if signer in earlier else None
    endorser = _needed(endorser, "a key is endorsed by nobody that is known here")
    unseal(envelope, ENROLMENT_TYPE, {endorser.key_id: endorser})
    party = str(fields["party"])
    _require(signer == root.key_id or earlier[signer].party == party, f"a key of {party} is endorsed by another party")
    return Holder(PublicKey(fields["key_id"], fields["public_hex"]), party, str(fields["kind"]), bool(fields["demo"]), str(fields["at"]))


def _needed(value: T | None, reason: str) -> T:
    if value is None:
        raise Refused("not-verified", reason, "ask the organisation for the original bundle")
    return value


def _require(is_good: bool, reason: str) -> None:
    if not is_good:
        raise Invalid("not-verified", reason, "ask the organisation for the original bundle")
