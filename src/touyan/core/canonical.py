"""Canonical JSON (RFC 8785) over integers and strings, and the digests of it.

Everything that is signed or that names an Asset passes through here. Floats are refused: two languages print them
differently. Invariant: `parse(canonical(x)) == x`, and equal values give equal bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from touyan.core.errors import Invalid

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"

_scalar = json.JSONEncoder(ensure_ascii=False).encode  # one encoder for all: building it takes longer than using it
MAX_INTEGER = 2**53 - 1  # RFC 8785 section 3.2.2.3: beyond this an IEEE double, and so JavaScript, loses digits


def canonical(value: Json) -> bytes:
    """UTF-8 bytes of `value`: keys sorted by UTF-16 code units, no spaces. Raises Invalid on floats and lone surrogates."""
    try:
        return _text(value).encode("utf-8")
    except UnicodeEncodeError as error:
        raise Invalid("not-canonical", "a string holds a lone surrogate", "give valid Unicode text") from error
    except RecursionError as error:
        raise Invalid("not-canonical", "the value is nested too deeply", "flatten it") from error


def _text(value: Json) -> str:
    if value is None or isinstance(value, (bool, str)):
        return _scalar(value)
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, Mapping):
        members = sorted(((_key(k), v) for k, v in value.items()), key=lambda kv: kv[0].encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{_scalar(k)}:{_text(v)}" for k, v in members) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_text, value)) + "]"
    raise Invalid("not-canonical", f"{type(value).__name__} has no canonical form", "use integers, strings, lists and objects")


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise Invalid("not-canonical", f"the object key {key!r} is not a string", "use string keys")
    return key


def _integer(value: int) -> str:
    if abs(value) > MAX_INTEGER:
        raise Invalid("not-canonical", f"{value} is beyond 2^53 - 1", "write large numbers as strings")
    return str(value)


def parse(data: bytes | str) -> Json:
    """Reads UTF-8 JSON that must be free of floats, duplicate keys, constants such as NaN and integers beyond 2^53 - 1. Raises Invalid."""
    try:
        # json.loads would guess UTF-16 and skip a byte order mark: other bytes must not mean the same.
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        return json.loads(text, object_pairs_hook=_unique, parse_int=_exact, parse_float=_refuse, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Invalid(
            "bad-json", f"not JSON of the allowed kind: {error}", "check that the file is whole and unchanged"
        ) from error


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate key")
    return members


def _exact(digits: str) -> int:
    value = int(digits)
    if abs(value) > MAX_INTEGER:
        raise ValueError(f"{digits[:20]} is beyond 2^53 - 1")
    return value


def _refuse(text: str) -> Json:
    raise ValueError(f"the number {text} is not an integer")


def sha256_hex(data: bytes) -> str:
    """64 lower-case hex digits (FIPS 180-4)."""
    return hashlib.sha256(data).hexdigest()


def digest(value: Json) -> str:
    """sha256 hex of the canonical form."""
    return sha256_hex(canonical(value))


def short(identifier: str) -> str:
    """The first 12 hex digits, for display only."""
    return identifier[:12]
