"""Slurm by slurmrestd: JSON over HTTP or a Unix socket.

Owns requests, tokens and the choice of the newest version that both sides speak. Knows nothing of Attempts. Invariant: a job is
submitted under the token of the user it runs as, so that nobody's token opens another's account.
Source: slurmrestd(8), and its own OpenAPI at `GET /openapi/v3`.
"""

from __future__ import annotations

import math
import os
import pwd
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from touyan.compute.drivers.slurm_client import Ask, SlurmJob, refused, unreachable
from touyan.compute.drivers.slurm_commands import PATH, SlurmCommands, day_of
from touyan.compute.drivers.slurm_shapes import VERSIONS, Answer, errors_of, read_jobs, read_records, submission
from touyan.compute.drivers.slurm_terms import SlurmTerms
from touyan.core.errors import Invalid, Missing

if TYPE_CHECKING:
    import httpx

TOKEN_S = 1800
"""A token's life; it is renewed when half of it is over."""
ERRORS = range(2000, 2200)
"""Errors that are slurmctld's word on what was asked (slurm_errno.h); all others are of the way to it."""
UNKNOWN_JOB = frozenset({2017, 2021})
"""ESLURM_INVALID_JOB_ID, ESLURM_ALREADY_DONE."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    method: str
    part: str
    """`slurm` is slurmctld's, `slurmdb` slurmdbd's."""
    path: str
    user: str = ""
    """Whose token it carries; empty: the agent's own."""
    query: Mapping[str, str] | None = None
    body: object = None


class SlurmRest:
    """`touyan.compute.drivers.slurm_client.SlurmClient` over slurmrestd."""

    def __init__(self, terms: SlurmTerms, commands: SlurmCommands, transport: httpx.BaseTransport | None = None) -> None:
        self._terms = terms
        self._commands = commands
        self._client = _client(terms, transport)
        self._tokens: dict[str, tuple[float, str]] = {}
        self._spoken = 0

    def jobs(self) -> list[SlurmJob]:
        return read_jobs(self._ask(Call("GET", "slurm", "jobs")))

    def records(self, names: Iterable[str], since_s: int) -> list[SlurmJob]:
        asked = {"job_name": ",".join(names), "start_time": day_of(since_s), "skip_steps": "true"}
        return read_records(self._ask(Call("GET", "slurmdb", "jobs", query=asked)))

    def submit(self, ask: Ask) -> int:
        body = submission(ask, self._version(), {"PATH": PATH})
        return int(cast(int, self._ask(Call("POST", "slurm", "job/submit", ask.user, body=body))["job_id"]))

    def cancel(self, job: int) -> None:
        self._ask(Call("DELETE", "slurm", f"job/{job}"), passing=UNKNOWN_JOB)

    def _ask(self, call: Call, passing: frozenset[int] = frozenset()) -> Answer:
        """An answer without errors. Raises Refused for Slurm's own word, Unreachable for all else."""
        answer = self._answer(call, self._version())
        trouble = [(number, words) for number, words in errors_of(answer) if number not in passing]
        if not trouble:
            return answer
        number, words = next((t for t in trouble if t[0]), trouble[0])
        if number in ERRORS:
            raise refused(f"{words} ({number})")
        raise unreachable("slurmrestd", f"{words} ({number})")

    def _answer(self, call: Call, version: int) -> Answer:
        import orjson

        response = self._reach(call, version)
        try:
            answer = orjson.loads(response.content)
        except orjson.JSONDecodeError as error:
            raise unreachable("slurmrestd", f"{call.path} was answered {response.status_code} without JSON") from error
        if not isinstance(answer, dict):
            raise unreachable("slurmrestd", f"{call.path} was not answered by Slurm")
        return cast(Answer, answer)

    def _reach(self, call: Call, version: int) -> httpx.Response:
        import httpx

        path = f"/{call.part}/v0.0.{version}/{call.path}"
        try:
            return self._client.request(call.method, path, params=call.query, json=call.body, headers=self._headers(call.user))
        except httpx.HTTPError as error:
            raise unreachable("slurmrestd", f"{error} ({type(error).__name__})") from error

    def _version(self) -> int:
        """The newest version it speaks, found once by asking each for a ping."""
        if not self._spoken:
            ping = Call("GET", "slurm", "ping")
            answers = ((version, self._reach(ping, version).status_code) for version in VERSIONS)
            self._spoken = next((version for version, status in answers if status == 200), 0)
        if not self._spoken:
            words = f"no ping from v0.0.{VERSIONS[0]} down to v0.0.{VERSIONS[-1]} was answered: see its version, and the token"
            raise unreachable("slurmrestd", words)
        return self._spoken

    def _headers(self, user: str) -> dict[str, str]:
        """A Unix socket tells slurmrestd who we are; elsewhere a token does."""
        if self._terms.url.startswith("unix:"):
            return {}
        name = user or pwd.getpwuid(os.getuid()).pw_name
        return {"X-SLURM-USER-NAME": name, "X-SLURM-USER-TOKEN": self._token(name)}

    def _token(self, user: str) -> str:
        if self._terms.token_file:
            return _read_token(Path(self._terms.token_file))
        made_s, token = self._tokens.get(user, (-math.inf, ""))
        if time.monotonic() - made_s > TOKEN_S / 2:
            said = self._commands.run(["scontrol", "token", f"lifespan={TOKEN_S}", f"username={user}"])
            token = said.strip().partition("=")[2]
            self._tokens[user] = (time.monotonic(), token)
        return token


def _read_token(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError as error:
        raise Missing(
            "no-token", f"{path} cannot be read: {error.strerror}", "correct token_file in site.yaml: driver"
        ) from error


def _client(terms: SlurmTerms, transport: httpx.BaseTransport | None) -> httpx.Client:
    """One call a round needs no connection that is kept open."""
    import httpx

    limits = httpx.Limits(max_keepalive_connections=0)
    if not terms.url.startswith("unix:"):
        return httpx.Client(base_url=terms.url, timeout=terms.timeout_s, trust_env=False, limits=limits, transport=transport)
    if os.geteuid() == 0:
        words = "through a Unix socket of slurmrestd nobody can be another user, and the agent is root"
        raise Invalid("bad-driver-settings", words, "name slurmrestd by http:// in site.yaml: driver, or leave out url")
    socket = transport or httpx.HTTPTransport(uds=terms.url.removeprefix("unix:"), limits=limits)
    return httpx.Client(base_url="http://slurmrestd", transport=socket, timeout=terms.timeout_s, trust_env=False)
