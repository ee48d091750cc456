"""How an Attempt ended, read from its folder: what the worker left, how far it came, why it made nothing.

Owns the reading of files that a payload may have written over; so nothing in them is believed beyond its type. Knows nothing
of stores and hubs: the agent of the local site and the agents of joined sites share it. Invariant: nothing is written here.
"""

from __future__ import annotations

import json
from typing import Any, cast

from touyan.compute.driver import Exit
from touyan.compute.folder import AttemptFolder, read_json
from touyan.core.errors import Broken, Refused, TouyanError, error_from
from touyan.core.job import JobSpec
from touyan.store.job_records import Outcome

PASSING = frozenset({"resources", "killed", "fenced", "vanished"})
"""Codes of errors that another try may not meet. A step is a pure function: what it raised itself, it will raise again."""


def outcome_of(folder: AttemptFolder) -> Outcome:
    """What the worker left beside `out/`. Raises Broken where the step wrote over it."""
    done, said = (read_json(folder.file(name)) for name in ("done", "telemetry"))
    parts = (done.get("counts"), said.get("telemetry"), said.get("environment"))
    if not all(isinstance(p, dict) for p in parts):
        raise Broken(
            "damaged-attempt", "done.json or telemetry.json of an Attempt was changed", "see what the step writes outside out/"
        )
    counts, telemetry, environment = cast("tuple[dict[str, Any], dict[str, Any], dict[str, Any]]", parts)
    return Outcome(counts, telemetry, environment, progress_of(folder))


def progress_of(folder: AttemptFolder) -> str:
    """The step's last word on how far it is, as JSON; empty before its first. It is shown and decides nothing, so a bad one is none."""
    try:
        value = read_json(folder.file("progress"))
    except Broken:
        return ""
    done, total, unit = (value.get(name) for name in ("done", "total", "unit"))
    if not (isinstance(done, int | float) and isinstance(total, int | float | None) and isinstance(unit, str)):
        return ""
    return json.dumps({"done": done, "total": total, "unit": unit[:40]}, separators=(",", ":"))


def error_of(spec: JobSpec, folder: AttemptFolder, end: Exit) -> TouyanError:
    """Why a payload made nothing: its own error, or its end in words."""
    if record := read_json(folder.file("error")):
        return error_from(record)
    words = f"{spec.name} {end.reason}"
    match end.cause:
        case "memory":
            return Refused("memory-limit", words, "give the step more memory in the flow, or smaller batches")
        case "time":
            return Refused("time-limit", words, "give the step more time in the flow, or less to do")
        case "fenced" | "vanished":
            return Broken(end.cause, words, "run again: the job goes on where it was")
        case "signal":
            return Broken("killed", words, "see whether the machine ran out of memory (dmesg); then run again")
        case _:
            return Broken(
                "no-result",
                f"{words} and left no result",
                f"see its log: jobs/{folder.root.parent.name}/{folder.root.name}/log.txt",
            )
