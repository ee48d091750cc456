"""YAML with line numbers: a file becomes plain values plus the line of every node.

Owns what is refused before anybody looks at the content: too large, aliases (a small file can unfold into a large one), keys
given twice, tags, half characters. Knows nothing of flows, rule packs and sites. Invariant: what is returned is what JSON can say.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from touyan.core.errors import Invalid, Missing

MAX_BYTES = 1 << 20
Location: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Marked:
    """A parsed file: values, and where each stands."""

    path: Path
    text: str
    value: Any
    lines: dict[Location, int]
    """Line numbers, from 1, of every node by its location."""
    code: str = "bad-flow"
    """Of the errors: what kind of file it is."""

    def line(self, location: Location) -> int:
        """The line of a location, or of the nearest one around it."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)

    def error(self, location: Location, message: str, hint: str) -> Invalid:
        """An Invalid that names file, line and field."""
        field = ".".join(map(str, location))
        return Invalid(self.code, f"{self.path}:{self.line(location)}: {field + ': ' if field else ''}{message}", hint)


def read_yaml(path: Path, code: str = "bad-flow") -> Marked:
    """Reads one YAML 1.2 file. Raises Missing, or Invalid under `code` with the line."""
    data = _read(path, code)
    try:
        text = data.decode("utf-8-sig")
        node: Node | None = YAML(typ="safe", pure=True).compose(text)
    except UnicodeDecodeError as error:
        raise Invalid(code, f"{path} is not UTF-8", "save it as UTF-8") from error
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Invalid(code, f"{path}:{line}: {error.problem or 'not YAML'}", "check indentation, colons and quotes") from error
    except (YAMLError, RecursionError) as error:
        raise Invalid(code, f"{path}: not YAML: {str(error)[:200]}", "check indentation, colons and quotes") from error
    marked = Marked(path, text, None, {}, code)
    if "*" in text:
        _refuse_aliases(marked, text)
    return Marked(path, text, _value(marked, node, ()) if node else None, marked.lines, code)


def _read(path: Path, code: str) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = "" if isinstance(error, FileNotFoundError) else f": {getattr(error, 'strerror', None) or error}"
        raise Missing(
            "no-file", f"there is no file {path!s:.200}{reason}", "give the path of a flow file; make one: touyan init"
        ) from error
    if len(data) > MAX_BYTES:
        raise Invalid(code, f"{path} is larger than 1 MiB", "a flow file is small: put data into sources")
    return data


def _refuse_aliases(marked: Marked, text: str) -> None:
    from ruamel.yaml.events import AliasEvent

    for event in YAML(typ="safe", pure=True).parse(text):
        if isinstance(event, AliasEvent):
            marked.lines[()] = event.start_mark.line + 1
            raise marked.error((), "aliases (*name) are not used here", "write the value out")


def _value(marked: Marked, node: Node, location: Location) -> Any:
    marked.lines[location] = node.start_mark.line + 1
    if len(location) > 40:
        raise marked.error(location, "nested too deeply", "a flow has at most a few levels")
    if isinstance(node, MappingNode):
        return _mapping(marked, node, location)
    if isinstance(node, SequenceNode):
        return [_value(marked, item, (*location, i)) for i, item in enumerate(node.value)]
    return _scalar(marked, node, location)


def _mapping(marked: Marked, node: MappingNode, location: Location) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, item in node.value:
        name = str(key.value) if isinstance(key, ScalarNode) else ""
        if not name or _is_broken(name):
            raise marked.error(location, "a key must be a plain word", "write `name: value`")
        if name in found:
            marked.lines[(*location, name)] = key.start_mark.line + 1
            raise marked.error((*location, name), "given twice", "remove one of the two")
        found[name] = _value(marked, item, (*location, name))
        marked.lines[(*location, name)] = key.start_mark.line + 1
    return found


def _scalar(marked: Marked, node: Node, location: Location) -> Any:
    if str(node.tag).endswith(":timestamp"):
        return str(node.value)  # dates stay text: canonical JSON has no dates
    try:
        value = YAML(typ="safe", pure=True).constructor.construct_object(node)
    except (YAMLError, ValueError) as error:
        raise marked.error(location, "a value of an unknown type", "write a plain text, number, true or false") from error
    if not (value is None or isinstance(value, (str, int, float))) or _is_broken(value):
        raise marked.error(location, "a value that is no text, number, true or false", "write the value itself, without a tag")
    return value


def _is_broken(value: object) -> bool:
    """Half of a surrogate pair, which an escape can write and UTF-8 cannot."""
    return isinstance(value, str) and any("\ud800" <= c <= "\udfff" for c in value)
