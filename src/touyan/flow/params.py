"""Parameters of steps, between a frozen dataclass and canonical JSON.

Floats travel as decimal strings, because canonical JSON has none; the field's declared type says which strings are numbers.
Knows nothing of flow files. Invariant: `from_canonical(type(p), to_canonical(p)) == p`, and equal parameters give equal bytes,
so `1` and `1.0` in a float field make one step key.
"""

from __future__ import annotations

import math
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from touyan.core.canonical import Json
from touyan.core.errors import Invalid
from touyan.core.names import nearest

P = TypeVar("P")


def to_canonical(params: object) -> dict[str, Json]:
    """The canonical form of a parameter dataclass, all fields written out. Raises Invalid where a value does not fit."""
    hints = _hints(type(params))
    return {f.name: _write(getattr(params, f.name), hints[f.name], f.name) for f in fields(cast(Any, params))}


def from_canonical(kind: type[P], value: Mapping[str, Json]) -> P:
    """The dataclass `kind` from its canonical form; a missing field takes its default. Raises Invalid, naming the field."""
    hints = _hints(kind)
    known = {f.name: f for f in fields(cast(Any, kind))}
    for name in value:
        if name not in known:
            raise Invalid("bad-params", f"{kind.__name__} has no parameter {name!r}", nearest(name, list(known)))
    absent = [n for n, f in known.items() if n not in value and f.default is MISSING and f.default_factory is MISSING]
    if absent:
        raise Invalid("bad-params", f"{kind.__name__} needs the parameter {absent[0]!r}", f"give a value for {absent[0]}")
    return kind(**{name: _read(item, hints[name], name) for name, item in value.items()})


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _write(value: Any, hint: Any, where: str) -> Json:
    if _is_union(hint):
        return _write(value, _member(hint, _fits, value, where), where)
    origin = get_origin(hint)
    if is_dataclass(value) and hint is type(value):
        return to_canonical(value)
    if hint is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return _decimal(float(value), where)
    if origin in (tuple, list, Sequence) and isinstance(value, (tuple, list)):
        return [_write(v, h, f"{where}[{i}]") for i, (v, h) in enumerate(_items(cast("list[Any]", value), hint, where))]
    if origin in (dict, Mapping) and isinstance(value, Mapping):
        return {str(k): _write(v, get_args(hint)[1], f"{where}.{k}") for k, v in cast("Mapping[str, Any]", value).items()}
    if _is_plain(value, hint):
        return cast(Json, value)
    raise _misfit(value, hint, where)


def _read(value: Json, hint: Any, where: str) -> Any:
    if _is_union(hint):
        return _read(value, _member(hint, _may_read, value, where), where)
    origin = get_origin(hint)
    if is_dataclass(hint) and isinstance(value, Mapping):
        return from_canonical(cast("type[Any]", hint), value)
    if hint is float and isinstance(value, str):
        return _number(value, where)
    if origin in (tuple, list, Sequence) and isinstance(value, Sequence) and not isinstance(value, str):
        items = [_read(v, h, f"{where}[{i}]") for i, (v, h) in enumerate(_items(value, hint, where))]
        return items if origin is list else tuple(items)
    if origin in (dict, Mapping) and isinstance(value, Mapping):
        return {k: _read(v, get_args(hint)[1], f"{where}.{k}") for k, v in value.items()}
    if _is_plain(value, hint):
        return value
    raise _misfit(value, hint, where)


def _is_plain(value: object, hint: Any) -> bool:
    """None, bool, int, str and literals stand for themselves; True is no int here."""
    if get_origin(hint) is Literal:
        return any(value == choice and type(value) is type(choice) for choice in get_args(hint))
    return value is None if hint in (None, type(None)) else hint in (bool, int, str) and type(value) is hint


def _items(value: Sequence[Any], hint: Any, where: str) -> list[tuple[Any, Any]]:
    """Each item with its type: `tuple[int, ...]`, `list[int]`, or `tuple[int, str]` of a fixed length."""
    inner = get_args(hint)
    if get_origin(hint) is not tuple or inner[-1:] == (Ellipsis,):
        return [(v, inner[0]) for v in value]
    if len(inner) != len(value):
        raise _misfit(value, hint, where)
    return list(zip(value, inner, strict=True))


def _is_union(hint: Any) -> bool:
    return get_origin(hint) in (Union, types.UnionType)


def _member(hint: Any, fits: Any, value: Any, where: str) -> Any:
    """The first member of a union that fits; plain types are asked before float, so that a string stays one."""
    if {float, str} <= set(get_args(hint)):
        raise Invalid("bad-params", f"{where} may be a number or text, and '1.5' could be either", "declare one of the two types")
    members = sorted(get_args(hint), key=lambda h: h is float)
    for member in members:
        if fits(value, member, where):
            return member
    raise _misfit(value, hint, where)


def _fits(value: Any, hint: Any, where: str) -> bool:
    try:
        _write(value, hint, where)
    except Invalid:
        return False
    return True


def _may_read(value: Json, hint: Any, where: str) -> bool:
    try:
        _read(value, hint, where)
    except Invalid:
        return False
    return True


def _decimal(value: float, where: str) -> str:
    """The shortest decimal that reads back as the same double (Python's repr)."""
    if not math.isfinite(value):
        raise Invalid("bad-params", f"{where} is {value}", "give a finite number")
    return repr(value + 0.0)  # -0.0 + 0.0 is 0.0: one number, one spelling


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise _misfit(text, float, where) from None
    if not math.isfinite(value):
        raise _misfit(text, float, where)
    return value


def _misfit(value: object, hint: Any, where: str) -> Invalid:
    name = getattr(hint, "__name__", None) if get_origin(hint) is None else None
    return Invalid("bad-params", f"{where} is {value!r}, which is no {name or hint}", f"give {where} a value of that type")
