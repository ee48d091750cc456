"""Jobs: one Step of a plan on one Site, and what it needs.

A `JobSpec` is what the submitting Party signs and what `spec.json` in an Attempt's folder holds; it carries no secrets. The
step key is the sha256 of step name, declared version, canonical parameters, input ids and environment class: the same key
means the same result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias, cast

from touyan.core.asset import InputRef
from touyan.core.canonical import Json, canonical, digest, parse
from touyan.core.errors import Invalid
from touyan.core.rights import Purpose, as_purpose

NeedClass: TypeAlias = Literal["general", "ai", "hpc"]
SPEC_TYPE = "application/vnd.touyan.job-spec+json"


@dataclass(frozen=True, slots=True)
class Accelerator:
    """One alternative of a Need, with the entrypoint that fits it."""

    model: str
    """Exact model, such as `a800-80g` or `ascend-910b`."""
    count: int
    entrypoint: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """What a Job asks of a Site."""

    kind: NeedClass = "general"
    gang: int = 1
    cpus: int = 0
    """0: all that the site gives."""
    memory_bytes: int = 4 << 30
    limit_s: int = 24 * 3600
    accelerators: tuple[Accelerator, ...] = ()
    """Alternatives; empty: none needed."""

    def to_json(self) -> dict[str, Json]:
        alternatives: list[Json] = [{"model": a.model, "count": a.count, "entrypoint": a.entrypoint} for a in self.accelerators]
        return {
            "kind": self.kind, "gang": self.gang, "cpus": self.cpus, "memory_bytes": self.memory_bytes,
            "limit_s": self.limit_s, "accelerators": alternatives,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class NamedInput:
    """An input of a Job: role, Asset, and the name of the step that made it."""

    role: str
    asset: str
    name: str


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What is to be done, whoever does it."""

    project: str
    name: str
    """Name of the step in its plan, such as `read/laws`."""
    step: str
    version: str
    params: Mapping[str, Json]
    """Canonical parameters: floats are written as decimal strings."""
    inputs: tuple[NamedInput, ...]
    output: str
    purpose: Purpose
    environment: str
    need: Need
    submitter: str
    withdrawals: tuple[str, ...] = ()
    """Ids of the withdrawals whose documents this Job leaves out; the gate lets it open what they reached."""

    @property
    def key(self) -> str:
        return step_key(self.step, self.version, self.params, [InputRef(i.role, i.asset) for i in self.inputs], self.environment)

    def to_json(self) -> dict[str, Json]:
        return {
            "job": 1, "project": self.project, "name": self.name, "step": self.step, "version": self.version,
            "params": dict(self.params), "inputs": [{"role": i.role, "asset": i.asset, "name": i.name} for i in self.inputs],
            "output": self.output, "purpose": self.purpose, "environment": self.environment, "need": self.need.to_json(),
            "submitter": self.submitter, "withdrawals": list(self.withdrawals), "key": self.key,
        }  # fmt: skip


def step_key(step: str, version: str, params: Mapping[str, Json], inputs: list[InputRef], environment: str) -> str:
    """sha256 hex; inputs count in their given order within a role, roles in alphabetical order."""
    by_role = sorted(inputs, key=lambda i: i.role)
    listed: list[Json] = [[i.role, i.asset] for i in by_role]
    return digest({"step": step, "version": version, "params": dict(params), "inputs": listed, "environment": environment})


def spec_bytes(spec: JobSpec) -> bytes:
    return canonical(spec.to_json())


@lru_cache(1024)
def read_spec(data: bytes) -> JobSpec:
    """Reads the bytes of a JobSpec. Raises Invalid, also where the key does not follow from the content."""
    value = cast(Mapping[str, Json], parse(data))
    try:
        inputs = tuple(NamedInput(i["role"], i["asset"], i["name"]) for i in cast("list[dict[str, str]]", value["inputs"]))
        spec = JobSpec(
            str(value["project"]), str(value["name"]), str(value["step"]), str(value["version"]),
            cast(Mapping[str, Json], value["params"]), inputs, str(value["output"]), as_purpose(str(value["purpose"])),
            str(value["environment"]), _need(cast(Mapping[str, Json], value["need"])), str(value["submitter"]),
            tuple(cast("list[str]", value["withdrawals"])),
        )  # fmt: skip
    except (KeyError, TypeError) as error:
        raise Invalid("bad-spec", f"not a job spec: {error}", "submit the job again") from error
    if value.get("key") != spec.key:
        raise Invalid("bad-spec", "the step key does not follow from the spec", "submit the job again")
    return spec


def _need(value: Mapping[str, Json]) -> Need:
    alternatives = cast("list[dict[str, Json]]", value["accelerators"])
    accelerators = tuple(Accelerator(str(a["model"]), cast(int, a["count"]), str(a["entrypoint"])) for a in alternatives)
    gang, cpus, memory_bytes, limit_s = (cast(int, value[n]) for n in ("gang", "cpus", "memory_bytes", "limit_s"))
    return Need(cast(NeedClass, value["kind"]), gang, cpus, memory_bytes, limit_s, accelerators)
