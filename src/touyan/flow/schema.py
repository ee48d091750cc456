"""The published JSON Schema of flow files, with the parameters of every installed step.

Editors use it for completion; `docs/formats/flow.schema.json` is a copy that a test keeps in step.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from touyan.flow.file import FlowFile
from touyan.flow.registry import StepSpec, known_steps

SCHEMA_ID = "urn:touyan:flow:1"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a step, in words."""

    name: str
    type: str
    default: str


def parameters(spec: StepSpec) -> Iterator[Parameter]:
    """The parameters of a step, in the order of their declaration."""
    for field in dataclasses.fields(spec.params):
        default = (
            field.default
            if field.default is not dataclasses.MISSING
            else field.default_factory()
            if field.default_factory is not dataclasses.MISSING
            else ""
        )
        yield Parameter(field.name, field.type if isinstance(field.type, str) else field.type.__name__, repr(default))


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a flow file."""
    schema = FlowFile.model_json_schema()
    definitions = schema.setdefault("$defs", {})
    choices = [_step_schema(definitions, spec) for spec in known_steps().values()]
    schema["properties"]["steps"]["additionalProperties"] = {"anyOf": [*choices, {"type": "null"}]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **schema}


def _step_schema(definitions: dict[str, Any], spec: StepSpec) -> dict[str, Any]:
    """One step's entry: its parameters beside `use`, `inputs` and `need`."""
    params = TypeAdapter(spec.params).json_schema(ref_template="#/$defs/{model}")
    definitions.update(params.pop("$defs", {}))
    roles = {role: {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]} for role in spec.inputs}
    common = {name: definitions["StepEntry"]["properties"][name] for name in ("inputs", "need")}
    properties = {"use": {"const": spec.name}} | common | roles | params.get("properties", {})
    return {
        "title": spec.name,
        "description": spec.summary,
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
