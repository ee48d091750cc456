"""Whose signature counts at a site, and what a captured hub cannot do with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from site_world import AT, Organisation, World

from touyan.compute.site.messages import read_answer, read_claim
from touyan.compute.site.trust import signed_spec, trusted_keys
from touyan.core.asset import asset_id
from touyan.core.dsse import Envelope, seal
from touyan.core.errors import Invalid, Refused
from touyan.core.job import SPEC_TYPE, Accelerator, Need, spec_bytes
from touyan.core.party import Party
from touyan.store.keys import new_pair
from touyan.store.parties import endorse


def keys_of(chain: list[Envelope], roots: dict[str, str]) -> set[str]:
    return {e.key.key_id for e in trusted_keys(chain, roots)}


@pytest.fixture
def acme() -> Organisation:
    return Organisation()


def test_a_chain_leads_from_the_pinned_root_to_the_signer_in_any_order(acme: Organisation) -> None:
    spec = acme.spec("x")
    for chain in (acme.chain, acme.chain[::-1]):
        assert signed_spec(acme.sign(spec), chain, {acme.id: acme.root.key_id}) == spec


def test_a_rotated_key_counts_by_the_key_before_it(acme: Organisation) -> None:
    second, third = new_pair(), new_pair()
    chain = [*acme.chain, acme.endorsed(third, second), acme.endorsed(second, acme.key)]
    roots = {acme.id: acme.root.key_id}
    assert keys_of(chain, roots) == {k.key_id for k in (acme.root, acme.key, second, third)}
    assert keys_of([c for c in chain if c is not chain[-1]], roots) == {acme.root.key_id, acme.key.key_id}


def test_another_organisations_root_endorses_nobody_here(acme: Organisation) -> None:
    other = Organisation("evil")
    forged = endorse(Party(acme.person, "person", "ann", acme.id), other.key, other.root, AT, "key")
    posing = endorse(Party(acme.id, "organisation", acme.id, acme.id), other.root, other.root, AT, "root")
    mixed = endorse(Party(acme.person, "person", "ann", other.id), other.key, other.root, AT, "key")
    roots = {acme.id: acme.root.key_id, other.id: other.root.key_id}
    assert keys_of([*acme.chain, *other.chain, forged, posing, mixed], roots) == {
        acme.root.key_id, acme.key.key_id, other.root.key_id, other.key.key_id,
    }  # fmt: skip
    by_other = seal(SPEC_TYPE, spec_bytes(acme.spec("x")), other.key)
    with pytest.raises(Refused, match="no known key"):
        signed_spec(by_other, [*acme.chain, *other.chain, forged, posing, mixed], roots)


def test_a_person_endorses_no_other_person(acme: Organisation) -> None:
    bobs = new_pair()
    chain = [*acme.chain, acme.endorsed(bobs, acme.key, f"{acme.id}/bob")]
    assert bobs.key_id not in keys_of(chain, {acme.id: acme.root.key_id})


def test_an_endorsement_of_a_key_with_another_id_counts_for_nothing(acme: Organisation) -> None:
    liar = replace(new_pair(), key_id=acme.key.key_id)
    chain = [acme.chain[0], acme.endorsed(liar, acme.root)]
    found = trusted_keys(chain, {acme.id: acme.root.key_id})
    assert not any(e.key.verify(b"x", liar.sign(b"x")) for e in found)


def test_without_a_pin_nobody_counts(acme: Organisation) -> None:
    with pytest.raises(Refused) as refusal:
        signed_spec(acme.sign(acme.spec("x")), acme.chain, {"somebody": acme.root.key_id})
    assert refusal.value.code == "unpinned-root"


def test_garbage_in_a_chain_is_no_endorsement(acme: Organisation) -> None:
    junk = [Envelope("x", b"{}", ()), Envelope("x", b"\xff", ()), seal("application/json", acme.chain[1].payload, acme.root)]
    assert keys_of([*junk, acme.chain[0]], {acme.id: acme.root.key_id}) == {acme.root.key_id}


FORGERIES: dict[str, Any] = {
    "another submitter's spec": (lambda w, c: c | {"spec": _signed(w, submitter="x/y")}),
    "a changed spec": (lambda w, c: c | {"spec": c["spec"] | {"payload": _signed(w, text="k")["payload"]}}),
    "other inputs": (lambda w, c: c | {"inputs": [w.hub.source({"a": b"other"}).to_json()]}),
    "no inputs": (lambda w, c: c | {"inputs": []}),
    "a path out of the folder": (lambda w, c: c | {"inputs": [_with_path(c["inputs"][0], "../../evil")]}),
    "another project": (lambda w, c: c | {"project": "other"}),
    "an accelerator nobody asked for": (lambda w, c: c | {"accelerator": {"model": "a800-80g", "count": 8}}),
    "a checkpoint of another step": (lambda w, c: c | {"checkpoint": {"manifest": c["inputs"][0], "position": 1}}),
    "no chain": (lambda w, c: c | {"chain": []}),
    "a job that is a path": (lambda w, c: c | {"job": "../../.."}),
    "a secret that is none": (lambda w, c: c | {"pseudonym_key": "$(rm -rf)"}),
    "a token that is none": (lambda w, c: c | {"token": "many"}),
    "hardly anything": (lambda w, c: {"attempt": c["attempt"], "token": c["token"]}),
}  # fmt: skip


def _signed(world: World, **spec: Any) -> dict[str, Any]:
    return dict(world.organisation.sign(world.organisation.spec(**spec)).to_json())


def _with_path(manifest: dict[str, Any], path: str) -> dict[str, Any]:
    return manifest | {"files": [manifest["files"][0] | {"path": path}]}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_claim_is_refused_told_and_never_run(world: World, name: str) -> None:
    world.hub.add("j", {"a": b"input"})
    given = world.hub._claim("j")
    given.claim = FORGERIES[name](world, given.claim)
    world.round()
    world.round()
    told = [e for body in world.hub.bodies for e in body["ended"]]
    if name == "a token that is none":
        assert told == []  # there is nothing it could be told under
    else:
        assert told[0]["attempt"] == "j-1"
        assert told[0]["error"]["code"] in {
            "bad-signature", "unpinned-root", "forged-claim", "bad-path", "bad-claim", "bad-spec", "wrong-project",
        }  # fmt: skip
    assert "j-1" not in world.engine.payloads
    assert [path for path in world.left() if "j-1" in path] == []


@pytest.mark.parametrize("attempt", ["../../etc/cron.d/x-1", "", "a" * 300 + "-1", "a-1/../b-1", 7])
def test_an_attempt_whose_name_is_a_path_makes_no_file(world: World, attempt: Any) -> None:
    before = sorted(p.name for p in world.home.root.parent.iterdir())
    world.hub.add("j")
    claim = world.hub._claim("j").claim | {"attempt": attempt}
    world.hub.attempts.clear()
    world.hub.extra = [claim]
    world.round()
    world.round()
    assert sorted(p.name for p in world.home.root.parent.iterdir()) == before
    assert world.engine.payloads == {}


def test_bytes_with_another_digest_are_dropped_and_the_hub_hears_of_it(world: World) -> None:
    world.hub.add("j", {"a": b"input"})
    sha256 = world.hub.manifests["j"][0].files[0].sha256
    world.hub.objects[sha256] = b"inpux"
    world.until(lambda: "j-1" in world.hub.errors)
    assert world.hub.errors["j-1"]["code"] == "wrong-digest"
    assert [p for p in world.home.cache.rglob("*") if p.is_file()] == []
    assert world.engine.payloads == {}


def test_a_claim_that_is_handed_out_again_is_run_once(world: World) -> None:
    world.hub.add("j")
    attempt = world.run_job("j")
    claim = world.hub.attempts[attempt].claim
    world.hub.extra = [claim, claim | {"token": 99}]
    world.round()
    world.engine.finish(attempt)
    world.until(lambda: attempt in world.hub.receipts)
    world.hub.extra = [claim]
    world.round()
    world.round()
    assert world.hub.bodies[-1]["ended"][0]["error"]["code"] == "claim-twice"
    assert world.engine.starts == {attempt: 1}


def test_more_claims_than_were_asked_for_are_given_back(world: World) -> None:
    for name in "abcd":
        world.hub.add(name)
    world.hub.extra = [world.hub._claim(name).claim for name in "abcd"]
    world.round()
    world.round()
    assert [e["released"] for e in world.hub.bodies[-1]["ended"]] == ["the site has no room for it now"] * 2
    assert len(world.engine.payloads) == 2


def test_what_an_answer_does_not_name_is_lost(world: World) -> None:
    world.hub.add("j")
    attempt = world.run_job("j")
    answered = world.hub.sync
    world.hub.sync = lambda body: answered(body) | {"words": []}  # type: ignore[method-assign, operator]
    world.round()
    assert world.engine.running() == []
    world.until(lambda: attempt in world.hub.receipts)


def test_the_chosen_accelerator_is_one_that_was_signed_and_that_the_site_has(world: World) -> None:
    need = Need(accelerators=(Accelerator("a800-80g", 1), Accelerator("ascend-910b", 1)))
    world.hub.add("j", need=need)
    given = world.hub._claim("j")
    given.claim = given.claim | {"accelerator": {"model": "a800-80g", "count": 1, "entrypoint": ""}}
    world.round()
    world.round()
    assert world.hub.errors["j-1"]["code"] == "no-accelerator"


@pytest.mark.parametrize("answer", [None, [], "x", {}, {"lease_s": "x", "pace_s": 1}, {"lease_s": 1, "pace_s": 1, "words": [{}]},
                                    {"lease_s": 1, "pace_s": 1, "words": [{"attempt": "a", "word": "explode"}]},
                                    {"lease_s": float("nan"), "pace_s": 1}, {"lease_s": 10**400, "pace_s": 1}])  # fmt: skip
def test_an_answer_that_is_none_is_refused(answer: object) -> None:
    with pytest.raises(Invalid) as refusal:
        read_answer(answer)
    assert refusal.value.code == "bad-answer"


def test_a_claim_reads_as_it_was_written(world: World) -> None:
    world.hub.add("j", {"a": b"x"})
    claim = read_claim(world.hub._claim("j").claim)
    assert (claim.attempt, claim.job, claim.number, claim.token) == ("j-1", "j", 1, 1)
    assert [asset_id(m) for m in claim.inputs] == [i.asset for i in world.hub.specs["j"].inputs]
