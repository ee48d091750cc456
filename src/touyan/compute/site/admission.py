"""Whether a claim is taken: signature, policy, and whether every part of it follows from what was signed.

Owns the order of the checks. Knows nothing of folders and drivers. Invariant: what a hub adds to a signed spec (manifests, an
accelerator, a checkpoint) is believed only as far as the spec names it.
"""

from __future__ import annotations

from touyan.compute.plugins import step_entry
from touyan.compute.site.messages import Claim
from touyan.compute.site.policy import Policy
from touyan.compute.site.trust import signed_spec
from touyan.core.asset import InputRef, Manifest, asset_id
from touyan.core.errors import Refused
from touyan.core.job import JobSpec


def admit(claim: Claim, policy: Policy) -> tuple[JobSpec, str]:
    """The spec, and the account it runs as. Raises Refused, Invalid, and Missing where the step is not installed here."""
    spec = signed_spec(claim.envelope, claim.chain, policy.roots)
    if spec.project != claim.project:
        raise Refused("wrong-project", f"the spec is of the project {spec.project!r}", "submit the job in its own project")
    account = policy.admit(spec, frozenset(s.key_id for s in claim.envelope.signatures))
    _require_inputs(claim, spec)
    _require_accelerator(claim, spec, policy)
    if claim.checkpoint is not None and not _continues(claim.checkpoint, spec):
        raise _forged(claim, "the checkpoint is of another step or of other inputs")
    step_entry(spec.step)
    return spec, account


def _require_inputs(claim: Claim, spec: JobSpec) -> None:
    """A manifest has the id that was signed, so nobody on the way can put other files in its place."""
    if [asset_id(m) for m in claim.inputs] != [i.asset for i in spec.inputs]:
        raise _forged(claim, "its manifests are not those of the inputs that were signed")


def _require_accelerator(claim: Claim, spec: JobSpec, policy: Policy) -> None:
    chosen, alternatives = claim.accelerator, spec.need.accelerators
    if (chosen is None) != (not alternatives) or (chosen is not None and chosen not in alternatives):
        raise _forged(claim, "its accelerator is none of the alternatives that were signed")
    models = policy.capacity.models
    if chosen is not None and chosen.model not in models:
        hint = f"it has: {', '.join(models) or 'none'}; its owner names them under `pools` of site.yaml"
        raise Refused("no-accelerator", f"this site has no {chosen.model}", hint)


def _continues(checkpoint: Manifest, spec: JobSpec) -> bool:
    inputs = tuple(sorted(InputRef(i.role, i.asset) for i in spec.inputs))
    return (checkpoint.kind, checkpoint.step_key, checkpoint.inputs) == ("checkpoint", spec.key, inputs)


def _forged(claim: Claim, words: str) -> Refused:
    return Refused("forged-claim", f"{claim.attempt}: {words}", "the hub's operator looks into it: nothing was run")
