"""The JSON of Slurm, by its version: what slurmrestd and `squeue --json` answer, and what a submission must look like.

Owns the shapes of `openapi/v0.0.36` to `v0.0.38` (Slurm 22.05 and before) and of `data_parser/v0.0.39` and after. Knows nothing
of how the bytes travel. Invariant: an answer whose version is not known to be readable is never read as if it were.
Source: the OpenAPI that slurmrestd itself gives out; for later versions, Slurm's release notes of its OpenAPI plugins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias, cast

from touyan.compute.drivers.slurm_client import Ask, SlurmJob, unreachable

Answer: TypeAlias = Mapping[str, Any]
FLAT = 38
"""Up to here a number is a number and a state one word; after it numbers are `{set, infinite, number}`, and states lists (from 40)."""
OLDEST = 36
VERSIONS = tuple(range(45, OLDEST - 1, -1))
"""Asked for in this order: 44 is of Slurm 25.11, 38 of 22.05."""
NUMBERS = ("memory_per_node", "time_limit")
"""Of a submission, those that are `{set, infinite, number}` since v0.0.39."""
NOTHING = 9003
"""ESLURM_REST_EMPTY_RESULT: an answer, which some versions list as an error."""
_VERSION = re.compile(r"v0\.0\.(\d+)$")


def version_of(answer: Answer) -> int:
    """Last part of the version, 40 for `v0.0.40`. Raises Unreachable for an answer that is none of Slurm's, or too old to be read."""
    meta = answer.get("meta") or {}
    plugin = meta.get("plugin") or meta.get("Plugin") or {}
    found = _VERSION.search(str(plugin.get("data_parser") or plugin.get("type") or ""))
    if found is None or int(found[1]) < OLDEST:
        raise unreachable("Slurm", f"its JSON names no version that we read: {str(plugin)[:80]}")
    return int(found[1])


def errors_of(answer: Answer) -> list[tuple[int, str]]:
    """Number and words of the errors in an answer."""
    listed = cast("list[Answer]", answer.get("errors") or [])
    found = [(_error_number(e), str(e.get("description") or e.get("error") or e)) for e in listed]
    return [(number, words) for number, words in found if number != NOTHING]


def _error_number(error: Answer) -> int:
    return int(error.get("error_number") or error.get("error_code") or 0)


def read_jobs(answer: Answer) -> list[SlurmJob]:
    """The jobs of slurmctld."""
    version_of(answer)
    return [
        SlurmJob(
            _number(j["job_id"]), str(j.get("name") or ""), _words(j.get("job_state")), str(j.get("state_reason") or ""),
            str(j.get("comment") or ""), _status(j.get("exit_code")), _elapsed_s(j),
        )
        for j in cast("list[Answer]", answer.get("jobs") or [])
    ]  # fmt: skip


def _elapsed_s(job: Answer) -> int:
    """As slurmdbd counts it: whole seconds from start to end, less those it was suspended (sacct(1), Elapsed)."""
    start, end, suspended, before = (_number(job.get(n)) for n in ("start_time", "end_time", "suspend_time", "pre_sus_time"))
    return max(0, before + end - suspended if suspended else end - start) if start and end else 0


def read_records(answer: Answer) -> list[SlurmJob]:
    """The jobs of slurmdbd."""
    version_of(answer)
    return [_record(j) for j in cast("list[Answer]", answer.get("jobs") or [])]


def _record(job: Answer) -> SlurmJob:
    state, tres = job.get("state") or {}, (job.get("tres") or {}).get("allocated") or []
    amounts = {_tres_name(t): _number(t.get("count")) for t in cast("list[Answer]", tres)}
    elapsed_s = _number((job.get("time") or {}).get("elapsed"))
    return SlurmJob(
        _number(job["job_id"]), str(job.get("name") or ""), _words(state.get("current")), str(state.get("reason") or ""),
        str((job.get("comment") or {}).get("job") or ""), _status(job.get("exit_code")), elapsed_s, amounts,
    )  # fmt: skip


def _tres_name(tres: Answer) -> str:
    return "/".join(str(tres[part]) for part in ("type", "name") if tres.get(part))


def _number(value: object) -> int:
    """A number of either shape; one that is not set, or endless, is 0."""
    if isinstance(value, Mapping):
        given = cast(Answer, value)
        return int(given.get("number") or 0) if given.get("set", True) and not given.get("infinite") else 0
    return int(cast(int, value)) if value is not None else 0


def _words(value: object) -> tuple[str, ...]:
    return tuple(str(v) for v in cast("list[object]", value)) if isinstance(value, list) else tuple(str(value or "").split()[:1])


def _status(value: object) -> int:
    """Exit status: wait(2)'s number in slurmctld's flat shape, else an object."""
    if isinstance(value, Mapping):
        return _number(cast(Answer, value).get("return_code"))
    return _number(value) >> 8


def submission(ask: Ask, version: int, environment: Mapping[str, str]) -> dict[str, object]:
    """Body of `POST /slurm/v0.0.<version>/job/submit`."""
    said = dict(_common(ask))
    if version <= FLAT:
        said |= {"environment": dict(environment), "nodes": [ask.nodes, ask.nodes], **({"gres": ask.gres} if ask.gres else {})}
    else:
        said |= {
            "environment": [f"{k}={v}" for k, v in environment.items()],
            "minimum_nodes": ask.nodes, "maximum_nodes": ask.nodes, "open_mode": ["APPEND"],
            **({"tres_per_node": f"gres/{ask.gres}"} if ask.gres else {}),
            **{name: {"set": True, "infinite": False, "number": said[name]} for name in NUMBERS if name in said},
        }  # fmt: skip
    return {"script": ask.script, "job": said}


def _common(ask: Ask) -> Iterator[tuple[str, object]]:
    """Properties that every version calls the same; what is empty is left to Slurm."""
    yield from {
        "name": ask.name, "comment": ask.comment, "current_working_directory": str(ask.folder), "standard_output": str(ask.log),
        "open_mode": "append", "requeue": False, "dependency": "singleton", "tasks": ask.nodes, "tasks_per_node": 1,
    }.items()  # fmt: skip
    given = {
        "account": ask.account, "qos": ask.qos, "partition": ask.partition, "constraints": ask.constraint,
        "cpus_per_task": ask.cpus, "memory_per_node": ask.memory_mib, "time_limit": ask.limit_min,
    }  # fmt: skip
    yield from ((name, value) for name, value in given.items() if value)
