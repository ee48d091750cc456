"""The flow file: the YAML of a ring, validated by pydantic.

Owns the schema (version 1, docs/formats/flow.md) and errors with file, line and the nearest valid name. A flow names sources,
steps and required roles; never reviewers, keys or decisions. Invariant: what `read_flow` returns can be planned.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from touyan.core.canonical import canonical, sha256_hex
from touyan.core.errors import Invalid
from touyan.core.job import Accelerator, Need
from touyan.core.names import nearest
from touyan.core.rights import PURPOSES, Purpose, Rights, rights_digest, rights_from_json
from touyan.flow.params import to_canonical
from touyan.flow.registry import StepSpec, known_steps
from touyan.flow.wiring import wire
from touyan.store.formats.yaml import Marked, read_yaml

Name = Annotated[str, Field(pattern=r"^[\w][\w.-]{0,62}$")]
ServiceName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")]
MOST_GIB = 1 << 20
"""A need beyond a pebibyte of memory is a slip."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Strict):
    """Where raw documents come from, and by what right."""

    path: str = Field(description="file, folder, or package://DISTRIBUTION/path")
    provider: str = Field(min_length=1, max_length=200, description="who provides it")
    reader: str = Field("auto", description="name of a reader, or auto: by extension")
    options: dict[str, Any] = Field(default_factory=dict, description="parameters of the step `read`")
    rights: dict[str, Any] = Field(
        default_factory=dict, description="the rights record; what is not stated is unknown and blocks"
    )


Amount = Annotated[float, Field(gt=0, lt=MOST_GIB << 10, allow_inf_nan=False)]


class AcceleratorEntry(_Strict):
    """One accelerator on which a step may run."""

    model: str = Field(min_length=1, max_length=100, description="exact model, such as a800-80g or ascend-910b")
    count: int = Field(1, ge=1, le=4096, description="devices of one node")


class NeedEntry(_Strict):
    """What a step asks of the site that runs it. What is not said is the step's own."""

    kind: Literal["general", "ai", "hpc"] | None = Field(default=None, description="ai where the step trains, else general")
    nodes: int = Field(default=1, ge=1, le=100_000, description="nodes that start together; the rest is for each of them")
    cpus: Amount | None = None
    memory_gib: Amount | None = None
    limit_s: Amount | None = None
    accelerators: list[AcceleratorEntry] = Field(
        default_factory=list[AcceleratorEntry], description="alternatives; the first is liked best"
    )


class StepEntry(_Strict):
    """A step of the flow: parameters stand beside `use` and `inputs`."""

    model_config = ConfigDict(extra="allow", frozen=True)
    use: str = Field("", description="step type; default: the entry's own name")
    inputs: dict[str, str | list[str]] = Field(
        default_factory=dict, description="role: step, source or asset; default: the nearest that fits"
    )
    need: NeedEntry = Field(default_factory=NeedEntry)


class ReviewEntry(_Strict):
    """What a review must have before a permit is issued."""

    kind: Literal["project", "trial", "release"] = "release"
    roles: list[Name] = Field(
        default_factory=lambda: ["data-reviewer"], min_length=1, description="roles the flow requires; never persons"
    )
    quorum: int = Field(1, ge=1, le=50, description="how many distinct persons must approve")


class PermitEntry(_Strict):
    """The scope of the permit that is asked for."""

    audience: Literal["internal", "named-testers", "public"] = "internal"
    domain: str = ""
    sites: list[str] = Field(default_factory=list)
    testers: list[str] = Field(default_factory=list, description="parties a trial is for; never reviewers")
    days: int = Field(90, ge=1, le=3650)
    conditions: list[str] = Field(default_factory=list)


class ServiceEntry(_Strict):
    """The binding of an address to a list of models."""

    name: ServiceName
    model: str = Field("", description="step that makes the model; default: the last one that generates")


class FeedbackEntry(_Strict):
    """Feedback that users of the service gave comes back as a source. Its presence says that it is wanted."""

    security: Literal["public", "general", "important"] = Field(description="security class, as who collects it states it")


class FlowFile(_Strict):
    """A ring, from sources to service."""

    touyan: Literal[1] = Field(description="version of this format")
    name: Name
    title: str = ""
    on_refused: Literal["skip", "stop"] = Field("skip", description="what to do when the rights gate refuses a source")
    sources: dict[Name, Source] = Field(min_length=1)
    steps: dict[Name, StepEntry | None] = Field(default_factory=dict)
    review: ReviewEntry | None = None
    permit: PermitEntry | None = None
    service: ServiceEntry | None = None
    feedback: FeedbackEntry | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class FlowStep:
    """One step of a flow, checked against its StepSpec."""

    name: str
    spec: StepSpec
    params: Any
    inputs: Mapping[str, tuple[str, ...]]
    """Role to the names of sources' readings, steps or assets."""
    need: Need


@dataclasses.dataclass(frozen=True, slots=True)
class Flow:
    """A valid flow."""

    path: Path
    text: str
    file: FlowFile
    rights: Mapping[str, Rights]
    """By source."""
    steps: tuple[FlowStep, ...]

    @property
    def sha256(self) -> str:
        return sha256_hex(self.text.encode())

    @property
    def folder(self) -> Path:
        return self.path.absolute().parent


def read_flow(path: Path) -> Flow:
    """Reads and checks a flow file. Raises Invalid with file, line, field and the nearest valid name."""
    marked = read_yaml(path)
    if not isinstance(marked.value, dict):
        raise marked.error((), "a flow is a mapping that begins with `touyan: 1`", "see docs/formats/flow.md, or: touyan init")
    try:
        # As JSON: there a list may stand for a tuple, and yet "4" is no number and true is not 1.
        file = FlowFile.model_validate_json(json.dumps(marked.value), strict=True)
    except ValidationError as error:
        raise _told(marked, error) from error
    rights = {name: _rights(marked, name, source) for name, source in file.sources.items()}
    steps: list[FlowStep] = [_reading(marked, name, source, rights[name]) for name, source in file.sources.items()]
    for name, entry in file.steps.items():
        steps.append(_step(marked, name, entry or StepEntry.model_validate({}), steps))
    flow = Flow(path, marked.text, file, rights, tuple(steps))
    _check_decisions(marked, flow)
    return flow


def _told(marked: Marked, error: ValidationError) -> Invalid:
    """One complaint of pydantic in our words: a field nobody knows before the field that it was meant to be."""
    first = min(error.errors(include_url=False), key=lambda e: e["type"] != "extra_forbidden")
    location = tuple(p for p in first["loc"] if p not in ("[key]",))
    if first["type"] == "extra_forbidden":
        return marked.error(
            location, f"{location[-1]!r} is not a field here", nearest(str(location[-1]), _fields_at(location[:-1]))
        )
    if first["type"] == "missing":
        return marked.error(location[:-1], f"the field {location[-1]!r} is missing", f"add `{location[-1]}:`")
    return marked.error(location, _plain(first["msg"], first.get("input")), "see docs/formats/flow.md, or: touyan flow schema")


def _plain(message: str, given: object) -> str:
    shown = repr(given)
    return f"{message[:1].lower()}{message[1:]}, not {shown if len(shown) < 80 else shown[:77] + '...'}"


_SHAPES: dict[str, type[BaseModel]] = {
    "sources": Source, "steps": StepEntry, "review": ReviewEntry, "permit": PermitEntry, "service": ServiceEntry,
    "feedback": FeedbackEntry,
}  # fmt: skip


def _fields_at(location: tuple[str | int, ...]) -> list[str]:
    if "need" in location:
        return list((AcceleratorEntry if "accelerators" in location else NeedEntry).model_fields)
    shape = _SHAPES.get(str(location[0]), FlowFile) if location else FlowFile
    return list(shape.model_fields)


def _rights(marked: Marked, name: str, source: Source) -> Rights:
    place = ("sources", name, "rights")
    try:
        return rights_from_json(source.rights)
    except Invalid as error:
        word = next((w for w in re.findall(r"\w+", error.message) if w in source.rights), "")
        raise marked.error((*place, word) if word else place, error.message, error.hint) from error


def _reading(marked: Marked, name: str, source: Source, rights: Rights) -> FlowStep:
    """Every source is read by a step of its own, `read/NAME`; so one that changes does not repeat the others."""
    spec, place = known_steps()["read"], ("sources", name, "options")
    filled = {"source": name, "provider": source.provider, "reader": source.reader, "rights": rights_digest(rights),
              "rights_record": canonical(rights.to_json()).decode()}  # fmt: skip
    for word in filled:
        if word in source.options:
            raise marked.error((*place, word), "is not an option: it follows from the source", "remove it")
    params = _params(marked, place, spec, {**source.options, **filled})
    return FlowStep(f"read/{name}", spec, params, {"source": (name,)}, own_need(spec))


def _step(marked: Marked, name: str, entry: StepEntry, earlier: Sequence[FlowStep]) -> FlowStep:
    place = ("steps", name)
    spec, given = _spec(marked, place, entry.use or name, entry), dict(entry.model_extra or {})
    fields = {f.name for f in dataclasses.fields(spec.params)}
    # An input may stand beside the parameters where none has its name: `base: ASSET`.
    beside = {role: given.pop(role) for role in spec.inputs if role in given and role not in fields}
    inputs = {role: _names(marked, (*place, role), value) for role, value in {**beside, **entry.inputs}.items()}
    params = _params(marked, place, spec, given)
    wired = wire(marked, place, spec, inputs, {s.name: s.spec.output for s in earlier})
    return FlowStep(name, spec, params, wired, _need(entry.need, spec))


def _spec(marked: Marked, place: tuple[str, ...], use: str, entry: StepEntry) -> StepSpec:
    steps = {name: spec for name, spec in known_steps().items() if name != "read"}
    if use in steps:
        return steps[use]
    hint = "every source is read by itself; its parameters are its `options`" if use == "read" else nearest(use, steps)
    raise marked.error((*place, "use") if entry.use else place, f"there is no step {use!r} to use here", hint)


def _names(marked: Marked, place: tuple[str, ...], value: Any) -> tuple[str, ...]:
    names: list[Any] = value if isinstance(value, list) else [value]
    if not all(isinstance(n, str) and n for n in names):
        raise marked.error(
            place, f"an input is the name of a step, a source or an asset, not {value!r:.80}", "write a name, or a list of names"
        )
    return tuple(names)


def own_need(spec: StepSpec) -> Need:
    """What a step asks for where its flow says nothing."""
    kind = "ai" if spec.purpose == "train" else "general"
    return Need(kind, 1, spec.threads, spec.memory_bytes, spec.limit_s)


def _need(entry: NeedEntry, spec: StepSpec) -> Need:
    own = own_need(spec)
    return Need(
        entry.kind or own.kind,
        entry.nodes,
        own.cpus if entry.cpus is None else math.ceil(entry.cpus),
        own.memory_bytes if entry.memory_gib is None else math.ceil(entry.memory_gib * (1 << 30)),
        own.limit_s if entry.limit_s is None else math.ceil(entry.limit_s),
        tuple(Accelerator(a.model, a.count) for a in entry.accelerators),
    )


def _params(marked: Marked, place: tuple[str, ...], spec: StepSpec, given: Mapping[str, Any]) -> Any:
    """The step's parameters as its own dataclass: every value of its type, and with a canonical form."""
    fields = [f.name for f in dataclasses.fields(spec.params)]
    for word in given:
        if word not in fields:
            raise marked.error((*place, word), f"{spec.name} has no parameter {word!r}", nearest(word, fields))
    hint = f"see: touyan flow steps {spec.name}"
    try:
        params = TypeAdapter(spec.params).validate_json(json.dumps(given), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise marked.error((*place, *first["loc"]), _plain(first["msg"], first.get("input")), hint) from error
    for word in given:
        try:
            canonical(to_canonical(dataclasses.replace(spec.params(), **{word: getattr(params, word)})))
        except Invalid as error:
            raise marked.error((*place, word), error.message, error.hint) from error
    return params


def _check_decisions(marked: Marked, flow: Flow) -> None:
    """What is asked for after the last step can be answered: nobody waits for hours to learn of it."""
    file, made = flow.file, {s.spec.output for s in flow.steps}
    if file.permit and not file.review:
        raise marked.error(
            ("permit",), "a permit comes from a review, and the flow asks for none", "add `review: {roles: [...]}`"
        )
    if file.review and file.review.kind != "project" and not {"model", "checks"} <= made:
        hint = "add the step `check` after a step that makes a model"
        raise marked.error(("review",), f"a {file.review.kind} review needs a model and its checks", hint)
    if file.review and len(set(file.review.roles)) != len(file.review.roles):
        raise marked.error(("review", "roles"), "a role is named twice", "name each role once; for more persons set `quorum`")
    if file.service and "model" not in made:
        raise marked.error(("service",), "no step makes a model to serve", "add a step that makes one, such as `train`")
    makers = [s.name for s in flow.steps if s.spec.output == "model"]
    if file.service and file.service.model and file.service.model not in makers:
        raise marked.error(
            ("service", "model"), f"no step {file.service.model!r} makes a model", nearest(file.service.model, makers)
        )


def purposes_needed(flow: Flow) -> list[Purpose]:
    """The purposes for which a source must be cleared to take part in this flow, in the order of the ring."""
    wanted = {s.spec.purpose for s in flow.steps} | ({"serve"} if flow.file.service else set[str]())
    return [p for p in PURPOSES if p in wanted]
