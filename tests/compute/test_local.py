"""The local site: what a step may see and use, and how its end comes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import update

from touyan.compute.agent import Capacity
from touyan.compute.environment import ATTEMPT
from touyan.compute.folder import AttemptFolder, read_json
from touyan.compute.local import LocalSite, capacity
from touyan.compute.processes import with_environment
from touyan.core.dsse import seal
from touyan.core.errors import Broken, Invalid, Missing, Refused
from touyan.core.job import SPEC_TYPE, JobSpec, Need, spec_bytes
from touyan.core.rights import Rights
from touyan.store import tables as t
from touyan.store.home import Store
from touyan.store.job_records import Job

RunJob = Callable[..., Job]
FolderOf = Callable[..., AttemptFolder]


def test_a_step_reads_staged_inputs_and_its_files_become_an_asset(
    live_store: Store, add_source: Callable[..., str], run_job: RunJob, read_out: Callable[..., str], folder_of: FolderOf
) -> None:
    first, second = add_source(live_store, {"a.txt": b"one"}), add_source(live_store, {"b/c.txt": b"two"}, "acme/more")
    job = run_job(live_store, "write", inputs=(first, second), text="three", rate=1)
    assert read_out(live_store, job) == "source/0:one\nsource/1:two\nthree\n1.0"
    with live_store.database.read() as connection:
        asset = live_store.assets.get(connection, "default", str(job.asset))
        made_by = next(s for s in live_store.statements.of(connection, "default", asset.id) if s.kind == "made-by")
        result = live_store.assets.result(connection, "default", job.step_key)
    assert {i.asset for i in asset.manifest.inputs} == {first, second}
    assert "python" in dict(made_by.body["environment"])  # type: ignore[call-overload]
    assert result is not None
    telemetry = json.loads(result["telemetry"])
    assert (telemetry["counts"], telemetry["speed"]) == ({"texts": 1}, "1.5")
    assert live_store.jobs.attempts(job.id)[0].progress == {"done": 1, "total": 1, "unit": "texts"}
    folder = folder_of(live_store, job.id)
    assert "written" in folder.log.read_text()
    assert not any(p.exists() for p in (folder.inputs, folder.scratch, folder.out, folder.checkpoints))


def test_an_error_of_a_step_comes_back_as_the_same_error(live_store: Store, run_job: RunJob, folder_of: FolderOf) -> None:
    job = run_job(live_store, "refuse", tries_limit=3, text="it")
    assert isinstance(job.error, Invalid)
    assert (job.error.code, job.error.message, job.error.hint) == ("too-short", "it is too short", "write more")
    assert len(live_store.jobs.attempts(job.id)) == 1
    assert "Traceback" in folder_of(live_store, job.id).log.read_text()


def test_an_unforeseen_error_says_where_but_not_what_it_quoted(live_store: Store, run_job: RunJob) -> None:
    job = run_job(live_store, "crash")
    assert isinstance(job.error, Broken)
    assert "ValueError at sample_steps.py:" in job.error.message
    assert "secret" not in str(job.error)


def test_a_step_that_takes_too_much_memory_is_told_its_limit(live_store: Store, run_job: RunJob) -> None:
    job = run_job(live_store, "hog", tries_limit=3, need=Need(memory_bytes=256 << 20))
    assert isinstance(job.error, Refused)
    assert job.error.message == "hog exceeded its memory limit of 0.2 GiB"
    assert len(live_store.jobs.attempts(job.id)) == 1


def test_a_step_that_does_not_end_is_told_its_limit(live_store: Store, run_job: RunJob) -> None:
    job = run_job(live_store, "spin", need=Need(limit_s=0))
    assert isinstance(job.error, Refused)
    assert job.error.code == "time-limit"


def test_a_step_that_a_signal_ended_is_tried_again(live_store: Store, run_job: RunJob) -> None:
    job = run_job(live_store, "die", tries_limit=2)
    assert (type(job.error), job.error and job.error.code) == (Broken, "killed")
    assert [a.state for a in live_store.jobs.attempts(job.id)] == ["failed", "failed"]
    assert "SIGKILL" in live_store.jobs.attempts(job.id)[0].reason


@pytest.mark.parametrize(("text", "limit_s", "state"), [("go", 60, "done"), ("stay", 1, "failed")])
def test_children_that_ignore_signals_do_not_outlive_their_attempt(
    live_store: Store, run_job: RunJob, text: str, limit_s: int, state: str
) -> None:
    job = run_job(live_store, "breed", text=text, need=Need(limit_s=limit_s))
    assert job.state == state
    assert with_environment(f"{ATTEMPT}={live_store.jobs.attempts(job.id)[0].id}") == []


def test_a_step_that_forges_the_word_of_its_worker_fails_and_the_site_goes_on(live_store: Store, run_job: RunJob) -> None:
    job = run_job(live_store, "meddle", text="done.json")
    assert isinstance(job.error, Broken)
    assert job.error.code == "damaged-attempt"
    assert run_job(live_store, "write", text="after").state == "done"


def test_a_progress_that_is_none_is_not_kept(live_store: Store, run_job: RunJob) -> None:
    job = run_job(live_store, "meddle", text="progress.json")
    assert job.state == "done"
    assert live_store.jobs.attempts(job.id)[0].progress == {}


def test_a_log_is_cut_at_its_limit(live_store: Store, run_job: RunJob, folder_of: FolderOf) -> None:
    job = run_job(live_store, "chatter")
    log = folder_of(live_store, job.id).log.read_bytes()
    assert job.state == "done"
    assert len(log) < 17 << 20
    assert b"the log reached its limit" in log


def test_a_payload_gets_no_secrets_and_no_network_settings(
    live_store: Store, run_job: RunJob, read_out: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "AWS_SECRET_ACCESS_KEY", "TOUYAN_AS"):
        monkeypatch.setenv(name, "ann")
    job = run_job(live_store, "show_environment")
    given = dict(line.split("=", 1) for line in read_out(live_store, job, "environment").splitlines())
    assert {k for k in given if k.startswith("TOUYAN_")} == {"TOUYAN_ATTEMPT", "TOUYAN_PSEUDONYM_KEY", "TOUYAN_STEPS"}
    assert given["TOUYAN_PSEUDONYM_KEY"] == live_store.pseudonym_key().hex()
    assert not {"HTTPS_PROXY", "AWS_SECRET_ACCESS_KEY"} & given.keys()
    assert (given["PYTHONHASHSEED"], given["HF_HUB_OFFLINE"], given["OMP_NUM_THREADS"]) == ("0", "1", "1")
    assert given["path0"] != given["HOME"]
    assert given["cpus"] == "1"


def test_the_pseudonym_key_goes_to_steps_that_refine_only(
    live_store: Store, spec_of: Callable[..., JobSpec], await_job: Callable[..., Job], read_out: Callable[..., str]
) -> None:
    spec = replace(spec_of(live_store, "show_environment"), purpose="train")
    with LocalSite(live_store, threads=1) as site:
        job = await_job(live_store, site, live_store.jobs.submit(live_store.me(), spec))
    assert "TOUYAN_PSEUDONYM_KEY" not in read_out(live_store, job, "environment")


def test_an_input_without_rights_is_refused_before_anything_runs(
    live_store: Store, add_source: Callable[..., str], run_job: RunJob, folder_of: FolderOf
) -> None:
    job = run_job(live_store, "write", tries_limit=3, inputs=(add_source(live_store, {"a.txt": b"one"}, rights=Rights()),))
    assert isinstance(job.error, Refused)
    assert "authority over the work is unknown" in job.error.message
    assert len(live_store.jobs.attempts(job.id)) == 1
    assert not folder_of(live_store, job.id).file("exit").exists()


def test_a_swapped_object_is_never_staged(live_store: Store, add_source: Callable[..., str], run_job: RunJob) -> None:
    asset = add_source(live_store, {"a.txt": b"one"})
    with live_store.database.read() as connection:
        sha256 = live_store.assets.get(connection, "default", asset).manifest.files[0].sha256
    stored = live_store.home / "objects" / sha256[:2] / sha256
    stored.chmod(0o644)
    stored.write_bytes(b"two")
    job = run_job(live_store, "write", inputs=(asset,))
    assert isinstance(job.error, Broken)
    assert job.error.code == "corrupt-object"


def test_a_spec_that_its_submitter_did_not_sign_is_not_run(
    live_store: Store, spec_of: Callable[..., JobSpec], await_job: Callable[..., Job]
) -> None:
    job = live_store.jobs.submit(live_store.me(), spec_of(live_store, "write"))
    forged = seal(SPEC_TYPE, spec_bytes(spec_of(live_store, "write")), live_store.parties.signer(live_store.agent()))
    with live_store.database.write() as connection:
        connection.execute(update(t.job).where(t.job.c.id == job).values(spec=json.dumps(forged.to_json())))
    with LocalSite(live_store, threads=1) as site:
        ended = await_job(live_store, site, job)
    assert isinstance(ended.error, Refused)
    assert ended.error.code == "bad-signature"


def test_a_step_that_is_not_installed_is_missing(live_store: Store, run_job: RunJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUYAN_STEPS", "")
    job = run_job(live_store, "write")
    assert isinstance(job.error, Missing)


def test_a_cancelled_job_is_stopped(live_store: Store, spec_of: Callable[..., JobSpec], folder_of: FolderOf) -> None:
    job = live_store.jobs.submit(live_store.me(), spec_of(live_store, "sleep"))
    with LocalSite(live_store, threads=1, lease_s=2) as site:
        while not any(a.progress for a in live_store.jobs.attempts(job)):
            site.wait(0.05)
        live_store.jobs.cancel(live_store.me(), job, "withdrawn")
        assert site.wait(30)
    assert live_store.jobs.get(job).state == "cancelled"
    assert read_json(folder_of(live_store, job).file("exit"))["cause"] == "stopped"
    assert not folder_of(live_store, job).out.exists()


def test_a_site_that_closes_gives_its_work_back(live_store: Store, spec_of: Callable[..., JobSpec]) -> None:
    job = live_store.jobs.submit(live_store.me(), spec_of(live_store, "sleep"))
    with LocalSite(live_store, threads=1) as site:
        while not live_store.jobs.attempts(job):
            site.wait(0.05)
    assert live_store.jobs.get(job).state == "waiting"
    attempt = live_store.jobs.attempts(job)[0]
    assert attempt.state == "lost"
    assert with_environment(f"{ATTEMPT}={attempt.id}") == []


def test_two_slots_work_side_by_side(live_store: Store, spec_of: Callable[..., JobSpec]) -> None:
    jobs = [live_store.jobs.submit(live_store.me(), spec_of(live_store, "sleep", text=text)) for text in "ab"]
    with LocalSite(live_store, slots=2, threads=1) as site:
        while [a.state for j in jobs for a in live_store.jobs.attempts(j)] != ["running", "running"]:
            site.wait(0.05)
    assert [live_store.jobs.get(j).state for j in jobs] == ["waiting", "waiting"]


def test_slots_share_the_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2, 5})
    monkeypatch.setattr("os.getpid", lambda: 8)
    assert [capacity(slot, 2, None) for slot in range(2)] == [Capacity(2, (0, 1)), Capacity(2, (2, 5))]
    assert capacity(0, 1, 16) == Capacity(4, (0, 1, 2, 5))
    assert capacity(1, 2, 3) == Capacity(3, (0, 1, 5))
