"""Rounds: what is handed out, kept, counted, and that saying it again changes nothing."""

from __future__ import annotations

from collections.abc import Callable

from agents import World

from touyan.core.canonical import sha256_hex


def test_a_job_goes_to_a_site_and_its_result_comes_back(world: World, add_source: Callable[..., str]) -> None:
    source = add_source(world.store, {"a.txt": b"words"})
    site = world.join()
    job = world.submit(inputs=(source,))
    (claim,) = site.claim()
    assert site.fetch(claim, sha256_hex(b"words")).content == b"words"
    held = {"attempt": claim["attempt"], "token": claim["token"], "state": "running", "progress": None}
    assert site.sync(held=[held])["words"] == [{"attempt": claim["attempt"], "word": "keep"}]
    answer = site.finish(claim, {"out.txt": b"made"})
    assert answer["accepted"], answer
    found = world.store.jobs.get(job)
    assert (found.state, found.asset) == ("done", answer["asset"])
