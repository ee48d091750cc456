"""The two ways to Slurm: programs of the command line (here small scripts in their place) and slurmrestd (here a transport)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from touyan.compute.drivers.engine import Unreachable
from touyan.compute.drivers.slurm_client import Ask
from touyan.compute.drivers.slurm_commands import SlurmCommands, day_of, options
from touyan.compute.drivers.slurm_rest import SlurmRest
from touyan.compute.drivers.slurm_terms import SlurmTerms
from touyan.core.errors import Missing, Refused

ASK = Ask("a-1", "touyan 7", "#!/bin/sh\necho hi\n", Path("/jobs/a-1"), Path("/jobs/a-1/log.txt"), account="lab-a", memory_mib=64)
ANSWERS = Path(__file__).parent / "slurm_answers"
Program = Callable[[str, str], None]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """`program("sbatch", "echo 5")` puts a script in the place of a client."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("TOUYAN_SECRET", "of the agent")

    def write(name: str, script: str) -> None:
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)

    return write


def test_a_submission_is_read_from_stdin_and_answered_with_an_id(program: Program, tmp_path: Path) -> None:
    program("sbatch", f'cat > {tmp_path}/script; echo "$@" > {tmp_path}/options; env > {tmp_path}/environment; echo "17;site-a"')
    assert SlurmCommands("/etc/site-a/slurm.conf").submit(ASK) == 17
    assert (tmp_path / "script").read_text() == ASK.script
    given = (tmp_path / "options").read_text().split()
    assert {"--job-name=a-1", "--dependency=singleton", "--no-requeue", "--account=lab-a", "--mem=64M"} <= set(given)
    environment = (tmp_path / "environment").read_text()
    assert "SLURM_CONF=/etc/site-a/slurm.conf" in environment
    assert "TOUYAN_SECRET" not in environment


def test_a_job_of_another_user_has_that_users_group_too() -> None:
    given = options(Ask("a-1", "", "", Path("/"), Path("/l"), user="games"))
    assert {"--uid=games", "--gid=60"} <= set(given)


@pytest.mark.parametrize(
    "words",
    [
        "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)",
        "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation",
        "sbatch: error: Batch job submission failed: Zero Bytes were transmitted or received",
        "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying",
    ],
)
def test_a_controller_that_is_away_is_no_refusal(program: Program, words: str) -> None:
    program("sbatch", f"echo '{words}' >&2; exit 1")
    with pytest.raises(Unreachable):
        SlurmCommands().submit(ASK)


@pytest.mark.parametrize(
    "words",
    [
        "sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified",
        "sbatch: error: Batch job submission failed: Requested node configuration is not available",
        "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user size or time limits)",
    ],
)
def test_slurms_own_no_is_a_refusal_in_its_words(program: Program, words: str) -> None:
    program("sbatch", f"echo '{words}' >&2; exit 1")
    with pytest.raises(Refused, match=words.rpartition(": ")[2].partition(" (")[0]):
        SlurmCommands().submit(ASK)


def test_a_client_that_hangs_is_cut_off(program: Program) -> None:
    program("squeue", "exec sleep 60")
    with pytest.raises(Unreachable, match="more than"):
        SlurmCommands(timeout_s=0.2).jobs()


@pytest.mark.parametrize("printed", ["", "not json", '{"errors": [{"error_number": 1, "error": "x"}]}'])
def test_a_list_that_is_none_is_no_news(program: Program, printed: str) -> None:
    program("squeue", f"echo '{printed}'")
    with pytest.raises(Unreachable):
        SlurmCommands().jobs()


def test_cancelling_what_has_ended_is_quiet(program: Program) -> None:
    program("scancel", "echo 'scancel: error: Kill job error on job id 9: Invalid job id specified' >&2; exit 1")
    SlurmCommands().cancel(9)
    program("scancel", "echo 'scancel: error: Kill job error on job id 9: Access/permission denied' >&2; exit 1")
    with pytest.raises(Refused):
        SlurmCommands().cancel(9)


def test_without_slurm_the_agent_is_told_where_to_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("touyan.compute.drivers.slurm_commands.PATH", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Missing, match="squeue is not installed"):
        SlurmCommands().jobs()


def test_the_accounts_are_asked_from_a_day_before(program: Program, tmp_path: Path) -> None:
    program("sacct", f'echo "$@" > {tmp_path}/options; cat {ANSWERS}/sacct-0.0.38.json')
    assert len(SlurmCommands().records(["a-1", "a-2"], 1_795_325_700)) == 4
    assert "--name=a-1,a-2 --starttime=2026-11-21" in (tmp_path / "options").read_text()
    assert day_of(86_400) == "1970-01-01"


def test_a_site_that_keeps_no_accounts_has_no_records(program: Program) -> None:
    program("sacct", "echo 'Slurm accounting storage is disabled' >&2; exit 1")
    assert SlurmCommands().records(["a-1"], 1_795_325_700) == []


class Restd:
    """A slurmrestd that speaks up to one version."""

    def __init__(self, newest: int) -> None:
        self.newest = newest
        self.asked: list[httpx.Request] = []
        self.answer: httpx.Response | Exception | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        part, version, path = request.url.path.lstrip("/").split("/", 2)
        if int(version.rpartition(".")[2]) > self.newest:
            return httpx.Response(404, text="Unable find requested URL.")
        if path == "ping":
            return httpx.Response(200, json={"errors": []})
        if isinstance(self.answer, Exception):
            raise self.answer
        recorded = {"slurm": f"squeue-0.0.{self.newest}", "slurmdb": f"sacct-0.0.{self.newest}"}[part]
        return self.answer or httpx.Response(200, content=(ANSWERS / f"{recorded}.json").read_bytes())


def client_of(restd: Restd, tmp_path: Path) -> SlurmRest:
    (tmp_path / "token").write_text("ey.token\n")
    terms = SlurmTerms(url="http://slurm.example:6820", token_file=str(tmp_path / "token"))
    return SlurmRest(terms, SlurmCommands(), httpx.MockTransport(restd))


@pytest.mark.parametrize("newest", [38, 41])
def test_the_newest_version_both_speak_is_found_once(newest: int, tmp_path: Path) -> None:
    restd = Restd(newest)
    client = client_of(restd, tmp_path)
    assert len(client.jobs()) == 4
    assert client.records(["aaaaaaaaaaaaaaaa-1"], 1_795_325_700)[0].elapsed_s == 3
    pings = [r for r in restd.asked if r.url.path.endswith("ping")]
    assert len(pings) == len({r.url.path for r in pings})
    assert restd.asked[-1].url.path == f"/slurmdb/v0.0.{newest}/jobs"
    assert restd.asked[-1].headers["X-SLURM-USER-TOKEN"] == "ey.token"


def test_a_submission_is_posted_under_its_users_name(tmp_path: Path) -> None:
    restd = Restd(38)
    restd.answer = httpx.Response(200, json={"errors": [], "job_id": 23})
    ask = Ask("a-1", "touyan 7", "#!/bin/sh\n", Path("/jobs"), Path("/jobs/log"), user="games")
    assert client_of(restd, tmp_path).submit(ask) == 23
    sent = restd.asked[-1]
    assert (sent.method, sent.headers["X-SLURM-USER-NAME"]) == ("POST", "games")
    assert json.loads(sent.content)["job"]["name"] == "a-1"


def error(number: int, words: str, status: int = 500) -> httpx.Response:
    return httpx.Response(status, json={"errors": [{"error_number": number, "error": words}]})


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (error(2045, "Invalid account or account/partition combination specified"), Refused),
        (error(2015, "Requested node configuration is not available"), Refused),
        (error(-1, "slurmctld config is unable to load"), Unreachable),
        (error(1800, "Unable to contact slurm controller"), Unreachable),
        (httpx.Response(502, text="<html>Bad gateway</html>"), Unreachable),
        (httpx.Response(200, json=[1]), Unreachable),
        (httpx.ReadTimeout("timed out"), Unreachable),
    ],
)
def test_slurms_no_and_silence_on_the_way_are_told_apart(
    answer: httpx.Response | Exception, expected: type[Exception], tmp_path: Path
) -> None:
    restd = Restd(38)
    restd.answer = answer
    with pytest.raises(expected):
        client_of(restd, tmp_path).submit(ASK)


def test_cancelling_a_job_that_has_gone_is_quiet_by_rest_too(tmp_path: Path) -> None:
    restd = Restd(38)
    restd.answer = error(2017, "Invalid job id specified")
    client_of(restd, tmp_path).cancel(9)
    assert restd.asked[-1].method == "DELETE"


def test_a_token_that_cannot_be_read_is_missing(tmp_path: Path) -> None:
    terms = SlurmTerms(url="http://slurm.example:6820", token_file=str(tmp_path / "nowhere"))
    with pytest.raises(Missing, match="nowhere"):
        SlurmRest(terms, SlurmCommands(), httpx.MockTransport(Restd(38))).jobs()
