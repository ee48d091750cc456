"""The README is walked as a newcomer would: its shell commands are run in their order, on its own flow with a small model."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from newcomer import ROOT_KEY, Newcomer
from pages import README, blocks, commands

from command_line import Said, touyan

ELSEWHERE = ("make", "curl", "touyan serve")
"""Not of the shell walk: the service has a test of its own below."""
TO_PERMIT = ("touyan init", "touyan run", "touyan party", "touyan review --approve", "touyan key")
START_S = 120


@pytest.fixture
def newcomer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Newcomer:
    folder = tmp_path / "library"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TOUYAN_LANG", "en")
    return Newcomer(folder)


def test_the_commands_of_the_readme_work_in_their_order(newcomer: Newcomer) -> None:
    said: dict[str, Said] = {}
    for line in commands(README):
        if line.startswith("touyan review --approve"):
            own = touyan("review --approve --json")
            assert (own.status, own.json["error"]["family"]) == (3, "Refused"), "whoever asked cannot approve"
        if not line.startswith(ELSEWHERE):
            said[line] = newcomer.run(line)
    assert "touyan serve mine --demo" in said["touyan run flow.yaml"].out
    assert "The permit is good." in said[f"touyan verify PERMIT.json --key {ROOT_KEY}"].out
    assert (
        "Models that saw the data:" in said['touyan withdraw --source my-organisation/papers --reason "the contract ended"'].out
    )
    assert "Not for refine" in said["touyan why train"].out
    assert touyan("show --json --home ../restored").json == touyan("show --json").json
    assert_a_forgery_is_seen(newcomer.folder / "PERMIT.json")


def assert_a_forgery_is_seen(bundle: Path) -> None:
    """A bundle in which one digit of the signed bytes was changed does not verify."""
    fields = json.loads(bundle.read_text(encoding="utf-8"))
    payload = fields["permit"]["payload"]
    fields["permit"]["payload"] = payload[:-8] + ("A" if payload[-8] != "A" else "B") + payload[-7:]
    bundle.write_text(json.dumps(fields), encoding="utf-8")
    forged = touyan("verify PERMIT.json --json")
    assert (forged.status, forged.json["good"]) == (3, False)


@pytest.mark.slow
def test_the_service_answers_the_python_of_the_readme_and_feedback_comes_back(newcomer: Newcomer) -> None:
    said = {line: newcomer.run(line) for line in commands(README) if line.startswith(TO_PERMIT)}
    secret = said["touyan key create --label laptop --terms feedback-2026"].out.split()[1]
    with (newcomer.folder / "flow.yaml").open("a", encoding="utf-8") as flow:
        flow.write("feedback: {security: general}\n")
    with serving(newcomer.folder) as url:
        program = blocks(README, "python")[0].replace("http://127.0.0.1:8000", url).replace("ty-...", secret)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(program, "README.md", "exec"), {})
        assert "AI-generated content" in printed.getvalue()
        give_feedback(url, secret)
    learnt = newcomer.run("touyan learn flow.yaml")
    assert "Feedback taken: 1" in learnt.out
    assert "bits/character over the same" in learnt.out


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of `touyan serve mine --demo` while it runs."""
    command = [sys.executable, "-m", "touyan.cli.main", "serve", "mine", "--demo", "--port", "0", "--minutes", "5"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    running = folder / ".touyan" / "serve.json"
    try:
        wait_for(lambda: (running.is_file() and running.read_text()) or process.poll() is not None)
        yield json.loads(running.read_text())["url"]
    finally:
        process.terminate()
        process.wait(30)


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + START_S
    while not condition():
        assert time.monotonic() < until, "it did not start"
        time.sleep(0.1)


def give_feedback(url: str, secret: str) -> None:
    """The README's curl line, sent by httpx: a request, then what its user says about the answer."""
    import httpx

    line = next(c for c in commands(README) if c.startswith("curl"))
    body = json.loads(line.partition("-d '")[2].rstrip("'"))
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {secret}"}, timeout=60, trust_env=False) as client:
        answer = client.post("/v1/completions", json={"model": "mine", "prompt": "读者", "max_tokens": 8}).json()
        correction = "读者来信建议延长开放时间，馆方已经答复，自次年起执行。"
        thanks = client.post("/v1/feedback", json=body | {"response_id": answer["id"], "correction": correction})
    assert thanks.status_code == 201, thanks.text
