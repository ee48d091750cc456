"""Checks a bundle offline, with nothing but the bundle and the organisation's public root key.

Every check is named, passes or fails with its reason, and depends on no other having passed. Knows no store and no network, so it
cannot know whether the permit was suspended or revoked after it was issued: that is on the organisation's page, under the number.
Invariant: every byte of a bundle is either signed, or bound by a digest or proof that is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from touyan.core import merkle
from touyan.core.canonical import Json, canonical, sha256_hex, short
from touyan.core.errors import TouyanError
from touyan.core.permit import PAYLOAD_TYPE
from touyan.core.review import REQUEST_TYPE, VOTE_TYPE, Vote, outcome, read_vote
from touyan.core.seam import SystemSeam, from_iso, iso
from touyan.permit.bundle import BUNDLE_VERSION
from touyan.permit.content import require_checks, require_metrics
from touyan.permit.opened import Bundle, exact_envelope, require
from touyan.store.events import read_event
from touyan.store.keys import DEFAULT_SUITE, PublicKey, key_id

FIELDS = {"bundle", "organisation", "permit", "keys", "log", "manifests", "request", "votes", "checks", "metrics", "rule_pack"}
LOG_FIELDS = {"head", "position", "leaf", "path", "consistency"}
MAX_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Verdict:
    """One named check."""

    name: str
    passed: bool
    reason: str
    """What was found, whether it passed or not."""


def verify(
    data: bytes, root_public_hex: str, model_folder: Path | None = None, at: str = "", suite: str = DEFAULT_SUITE
) -> list[Verdict]:
    """Checks the bytes of a bundle against the organisation's root key (hex, of `suite`), at the ISO time `at` or now.

    With `model_folder`, also that its files are those of the permitted model. The permit is good where every Verdict passed.
    """
    try:
        require(len(data) <= MAX_BYTES, f"larger than {MAX_BYTES >> 20} MiB")
        root = PublicKey(key_id(suite, root_public_hex), root_public_hex)
        bundle = Bundle(data, root, iso(from_iso(at) if at else SystemSeam().now_ms()))  # times are compared as text
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
    require(canonical(cast(Json, bundle.value)) + b"\n" == bundle.data, "the file is not canonical JSON with one final line end")
    require(bundle.value["bundle"] == BUNDLE_VERSION and set(bundle.value) == FIELDS, f"not a bundle of version {BUNDLE_VERSION}")
    # True == 1 in Python and not in JSON.
    require(
        type(bundle.value["bundle"]) is int and type(bundle.value["log"]["position"]) is int, "a number is not written as one"
    )
    require(set(bundle.value["log"]) == LOG_FIELDS, "the part `log` has other fields than its format")
    return f"a bundle of version {BUNDLE_VERSION}, {len(bundle.data)} bytes"


def _organisation(bundle: Bundle) -> str:
    named = bundle.value["organisation"]
    wanted = {"id": bundle.permit.organisation, "key_id": bundle.root.key_id, "public_hex": bundle.root.public_hex}
    require(named == wanted, "the root key is not the one you gave, or belongs to another organisation")
    require(
        str(named["id"]).endswith(bundle.root.key_id.partition(":")[2][:8]), "the organisation's id does not fit its root key"
    )
    return str(named["id"])


def _keys(bundle: Bundle) -> str:
    envelopes = (bundle.value["permit"], bundle.value["request"], *bundle.value["votes"])
    used = dict.fromkeys(key for e in envelopes for key in bundle.chain(exact_envelope(e)))
    require(list(used) == list(bundle.holders), "keys are missing, listed without use, or not in the order of their use")
    return f"{len(used)} keys, all endorsed under the root"


def _signature(bundle: Bundle) -> str:
    permit = bundle.permit
    holder = bundle.signed(bundle.envelope, PAYLOAD_TYPE, permit.organisation, permit.issued_at)
    return f"{permit.number} signed by {holder.public.key_id[:32]}…"


def _time(bundle: Bundle) -> str:
    permit = bundle.permit
    require(
        permit.issued_at <= bundle.at < permit.expires_at,
        f"it holds from {permit.issued_at} to {permit.expires_at}, not at {bundle.at}",
    )
    return f"in force at {bundle.at}, until {permit.expires_at}"


def _inclusion(bundle: Bundle) -> str:
    head, log = bundle.head, bundle.value["log"]
    leaf = str(log["leaf"]).encode()
    event = read_event(leaf)
    permit = bundle.permit
    is_decision = event.type == "permit.issued" and event.subjects[:2] == (sha256_hex(bundle.envelope.payload), permit.number)
    require(is_decision and event.project == permit.project, "the leaf is not this decision")
    path = [bytes.fromhex(h) for h in log["path"]]
    require([h.hex() for h in path] == list(log["path"]), "the path is not lower-case hex")
    good = merkle.verify_inclusion(merkle.leaf_hash(leaf), log["position"], head["size"], path, bytes.fromhex(head["root"]))
    require(good, "the decision is not in the log of this head")
    return f"leaf {log['position']} of {head['size']} in {head['origin']}"


def _consistency(bundle: Bundle) -> str:
    head, then = bundle.head, bundle.log
    proof = [bytes.fromhex(h) for h in bundle.value["log"]["consistency"]]
    require([h.hex() for h in proof] == list(bundle.value["log"]["consistency"]), "the proof is not lower-case hex")
    roots = bytes.fromhex(then.root), bytes.fromhex(head["root"])
    require(merkle.verify_consistency(then.size, head["size"], *roots, proof), "the log was rewritten since the decision")
    require(bundle.value["log"]["position"] >= then.size, "the decision was logged before the head that it names")
    return f"the log of {then.size} leaves grew to {head['size']} without a change"


def _lineage(bundle: Bundle) -> str:
    manifests, permit = bundle.manifests, bundle.permit
    kinds = {"model": permit.model, "corpus": permit.corpus, "checks": permit.checks, "evaluation": permit.evaluation}
    starts = {kind: asset for kind, asset in kinds.items() if asset}
    for kind, asset in starts.items():
        require(asset in manifests and manifests[asset].kind == kind, f"the manifest of the {kind} {short(asset)} is missing")
    reached: set[str] = set()
    waiting = list(starts.values())
    while waiting:
        asset = waiting.pop()
        if asset not in reached:
            require(asset in manifests, f"the manifest {short(asset)} is missing")
            reached.add(asset)
            waiting += [i.asset for i in manifests[asset].inputs]
    require(reached == set(manifests), "manifests are listed that are not in the lineage")
    sources = sum(1 for m in manifests.values() if m.kind == "source")
    return f"{len(manifests)} manifests down to {sources} sources"


def _file_text(bundle: Bundle, asset: str, path: str, field: str) -> str:
    """A file of an Asset, given as text in the bundle: its digest is in the manifest."""
    text = str(bundle.value[field])
    if not asset:
        require(text == "", f"{field} is given, but the permit names no such asset")
        return ""
    wanted = next((f.sha256 for f in bundle.manifests[asset].files if f.path == path), "")
    require(sha256_hex(text.encode()) == wanted, f"{path} is not the file of the asset {short(asset)}")
    return text


def _rule_pack(bundle: Bundle) -> str:
    permit = bundle.permit
    text = _file_text(bundle, permit.checks, "rulepack.yaml", "rule_pack")
    if permit.rule_pack is None:
        require(permit.kind == "project" and text == "", "the permit names no rule pack")
        return "none: a project permit"
    require(sha256_hex(text.encode()) == permit.rule_pack.sha256, "the rule pack is not the one of the decision")
    return f"{permit.rule_pack.id} {permit.rule_pack.version}"


def _checks(bundle: Bundle) -> str:
    return require_checks(bundle.permit, _file_text(bundle, bundle.permit.checks, "checks.json", "checks"))


def _metrics(bundle: Bundle) -> str:
    return require_metrics(bundle.permit, _file_text(bundle, bundle.permit.evaluation, "metrics.json", "metrics"))


def _request(bundle: Bundle) -> str:
    permit, request, envelope = bundle.permit, bundle.request, exact_envelope(bundle.value["request"])
    bundle.signed(envelope, REQUEST_TYPE, permit.submitter, request.at)
    require(sha256_hex(envelope.payload) == permit.review, "the permit is about another review")
    subject = request.subject
    asked = (request.project, request.kind, request.submitter, subject.model, subject.corpus, subject.checks, subject.evaluation)
    decided = (permit.project, permit.kind, permit.submitter, permit.model, permit.corpus, permit.checks, permit.evaluation)
    require(asked == decided, "what was decided is not what was asked")
    return f"asked by {request.submitter} at {request.at}"


def _votes(bundle: Bundle) -> str:
    permit, votes = bundle.permit, list[Vote]()
    envelopes = [exact_envelope(e) for e in bundle.value["votes"]]
    require(len(envelopes) == len(permit.votes), "votes are missing or added")
    for envelope, ref in zip(envelopes, permit.votes, strict=True):
        vote = read_vote(envelope.payload)
        holder = bundle.signed(envelope, VOTE_TYPE, vote.party, vote.at)
        named = (ref.party, ref.role, ref.decision, ref.key_id, ref.vote_sha256)
        found = (vote.party, vote.role, vote.decision, holder.public.key_id, sha256_hex(envelope.payload))
        require(named == found and vote.review == permit.review, f"the vote of {vote.party} is not the one of the decision")
        require(holder.kind == "person" and vote.party != permit.submitter, f"{vote.party} may not vote here")
        votes.append(vote)
    require(len({v.party for v in votes}) == len(votes), "a person votes twice")
    require(outcome(bundle.request, votes) == "approve", "the votes do not approve")
    return f"{len(votes)} persons approved"


def _demo(bundle: Bundle) -> str:
    """Demonstration parties and packs make a demonstration permit; one cannot be passed off as real."""
    parties = sorted(h.party for h in bundle.holders.values() if h.demo)
    require(bundle.permit.demo or not parties, f"{', '.join(parties)} exist for demonstrations, and the permit does not say so")
    return "a demonstration permit" if bundle.permit.demo else "not a demonstration"


def _model_files(bundle: Bundle, folder: Path) -> str:
    files = {f.path: f for f in bundle.manifests[bundle.permit.model].files}
    present = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() or p.is_symlink()}
    require(present == set(files), f"files are missing or added: {sorted(present ^ set(files))[:5]}")
    for path, file in files.items():
        with (folder / path).open("rb") as stream:
            require(hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256, f"{path} is not the permitted file")
    return f"{len(files)} files are those of the permitted model"


CHECKS: dict[str, Callable[[Bundle], str]] = {
    "format": _format, "organisation": _organisation, "keys": _keys, "signature": _signature, "time": _time,
    "inclusion": _inclusion, "consistency": _consistency, "lineage": _lineage, "rule-pack": _rule_pack,
    "checks": _checks, "evaluation": _metrics,
    "request": _request, "votes": _votes, "demo": _demo,
}  # fmt: skip
"""By name, in the order they are told."""
