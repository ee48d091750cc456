"""The Ray driver's requests and its reading of Ray's answers, against a Jobs API that the test plays."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from touyan.compute.driver import Limits, Order
from touyan.compute.drivers.engine import Unreachable
from touyan.compute.drivers.ray import RayClusters, RaySettings, open_driver, seen_of
from touyan.core.errors import Invalid, Refused
from touyan.core.job import Accelerator

HEAD = "http://ray.example:8265"
SETTINGS = RaySettings(
    address=HEAD + "/", clusters={"acme": "http://acme.example:8265"},
    resources={"ascend-910b": {"NPU": 1, "accelerator_type:Ascend910B": 0.001}, "a800-80g": {"GPU": 1}},
)  # fmt: skip
ORDER = Order(
    "j-1", Path("/srv/a b/j-1"), "m", Limits(60, 60, 1 << 30), {"TOUYAN_PSEUDONYM_KEY": "5ec2e7", "PYTHONPATH": "/x"}, token=7,
    cpus=4, accelerator=Accelerator("ascend-910b", 2),
)  # fmt: skip
Answer = Callable[[httpx.Request], httpx.Response]


def clusters(answer: Answer, settings: RaySettings = SETTINGS) -> RayClusters:
    return RayClusters(settings, "/opt/python", httpx.MockTransport(answer))


def test_a_job_carries_attempt_token_and_what_one_node_needs() -> None:
    sent: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(200, json={"submission_id": "j-1"})

    clusters(answer).submit(ORDER, HEAD)
    (job,) = sent
    assert job["submission_id"] == "j-1"
    assert job["metadata"]["touyan_token"] == "7"
    assert (job["entrypoint_num_cpus"], job["entrypoint_num_gpus"], job["entrypoint_memory"]) == (4, 0, 1 << 30)
    assert job["entrypoint_resources"] == {"NPU": 2, "accelerator_type:Ascend910B": 0.002}
    assert job["entrypoint"] == "exec env PYTHONPATH=/x /opt/python -P -m touyan.compute.launch '/srv/a b/j-1'"
    assert "5ec2e7" not in str(job), "everybody who sees the dashboard sees the job"


def test_gpus_have_a_field_of_their_own() -> None:
    found: dict[str, Any] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        found.update(json.loads(request.content))
        return httpx.Response(200, json={})

    order = Order("j-1", Path("/j-1"), "m", ORDER.limits, {}, accelerator=Accelerator("a800-80g", 3))
    clusters(answer).submit(order, HEAD)
    assert (found["entrypoint_num_gpus"], found["entrypoint_resources"]) == (3, {})


@pytest.mark.parametrize("status", [400, 500])
def test_a_second_submission_is_none(status: int) -> None:
    text = "Traceback\nValueError: Job with submission_id j-1 already exists. Please use a different submission_id."
    clusters(lambda r: httpx.Response(status, text=text)).submit(ORDER, HEAD)


def test_what_ray_refuses_is_refused_in_its_words() -> None:
    with pytest.raises(Refused, match="ValueError: a resource is negative"):
        clusters(lambda r: httpx.Response(400, text="Traceback\nValueError: a resource is negative")).submit(ORDER, HEAD)


@pytest.mark.parametrize("status", [401, 403, 429, 500, 502, 503])
def test_an_answer_of_something_on_the_way_is_no_answer(status: int) -> None:
    engine = clusters(lambda r: httpx.Response(status, text="<html>"))
    with pytest.raises(Unreachable, match=str(status)):
        engine.submit(ORDER, HEAD)
    with pytest.raises(Unreachable, match=str(status)):
        engine.seen(HEAD)


def test_a_cluster_that_cannot_be_reached_is_unreachable() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("timed out", request=request)

    with pytest.raises(Unreachable, match=r"ray\.example.*timed out"):
        clusters(answer).seen(HEAD)


def test_each_account_has_a_cluster_of_its_own() -> None:
    engine = clusters(lambda r: httpx.Response(200, json=[]))
    assert (engine.place(""), engine.place("acme")) == (HEAD, "http://acme.example:8265")
    assert engine.places() == ["http://acme.example:8265", HEAD]
    with pytest.raises(Refused, match="'beta'"):
        engine.place("beta")


def test_an_accelerator_that_the_owner_has_not_named_is_refused() -> None:
    order = Order("j-1", Path("/j-1"), "m", ORDER.limits, {}, accelerator=Accelerator("h200", 1))
    with pytest.raises(Refused, match="h200"):
        clusters(lambda r: httpx.Response(200, json={})).submit(order, HEAD)


def test_a_token_is_read_anew_for_each_request(tmp_path: Path) -> None:
    file, seen = tmp_path / "token", list[str]()
    settings = RaySettings(address=HEAD, token_file=file)

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Authorization"])
        return httpx.Response(200, json=[])

    engine = clusters(answer, settings)
    for token in ("one", "two"):
        file.write_text(f"{token}\n")
        engine.seen(HEAD)
    assert seen == ["Bearer one", "Bearer two"]


def test_jobs_of_others_are_not_ours() -> None:
    jobs = [
        {"type": "DRIVER", "submission_id": None, "status": "RUNNING"},
        {"type": "SUBMISSION", "submission_id": "j-1", "status": "RUNNING"},
    ]
    assert set(clusters(lambda r: httpx.Response(200, json=jobs)).seen(HEAD)) == {"j-1"}


@pytest.mark.parametrize(
    ("job", "state", "cause", "status", "is_certain"),
    [
        ({"status": "PENDING"}, "waiting", None, 0, True),
        ({"status": "RUNNING"}, "running", None, 0, True),
        ({"status": "STOPPED"}, "ended", "stopped", 0, True),
        ({"status": "SUCCEEDED"}, "ended", "vanished", 0, True),
        ({"status": "FAILED", "error_type": "JOB_SUPERVISOR_ACTOR_START_TIMEOUT"}, "unstarted", None, 0, True),
        ({"status": "FAILED", "driver_exit_code": -9}, "ended", "signal", 9, True),
        ({"status": "FAILED", "driver_exit_code": 137}, "ended", "signal", 9, True),
        ({"status": "FAILED", "driver_exit_code": 127, "message": "not found"}, "ended", "exit", 127, True),
        ({"status": "FAILED", "error_type": "JOB_SUPERVISOR_ACTOR_DIED", "message": "node died"}, "ended", "vanished", 0, False),
    ],
)
def test_what_a_job_of_ray_means(job: dict[str, Any], state: str, cause: str | None, status: int, is_certain: bool) -> None:
    seen = seen_of(job)
    assert (seen.state, seen.is_certain) == (state, is_certain)
    assert (seen.end and seen.end.cause, seen.end.status if seen.end else 0) == (cause, status)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "no Ray cluster"),
        ({"adress": HEAD}, "driver.adress"),
        ({"address": HEAD, "resources": {"x": 3}}, "driver.resources.x"),
    ],
)
def test_settings_that_cannot_be_right_are_named(settings: dict[str, object], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        open_driver(settings)
