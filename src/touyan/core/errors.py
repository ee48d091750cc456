"""The errors of Touyan.

    TouyanError(code, message, hint)
    ├── Invalid    what the user gave is wrong: file, line, nearest valid name      exit 2   HTTP 422
    ├── Refused    rights, permit, quota or policy say no; recorded as an Event      exit 3   HTTP 403
    ├── Missing    a thing, plug-in, tool or extra that is not there                 exit 4   HTTP 404
    ├── Conflict   somebody else was first: a lost lease, a stale fencing token      exit 5   HTTP 409
    └── Broken     the system or its data are damaged: report it                     exit 6   HTTP 500

`code` is a stable slug a program may test. `message` says what happened and where. `hint` says what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class TouyanError(Exception):
    """Base of all errors that Touyan raises on purpose."""

    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} [{self.code}] {self.hint}".rstrip()

    def __reduce__(self) -> tuple[type[TouyanError], tuple[str, str, str]]:
        return (type(self), (self.code, self.message, self.hint))


class Invalid(TouyanError):
    """What the user gave is wrong."""

    exit_code = 2
    http_status = 422


class Refused(TouyanError):
    """Rights, permit, quota or policy say no."""

    exit_code = 3
    http_status = 403


class Missing(TouyanError):
    """A thing, plug-in, tool or extra is not there."""

    exit_code = 4
    http_status = 404


class Conflict(TouyanError):
    """Somebody else was first."""

    exit_code = 5
    http_status = 409


class Broken(TouyanError):
    """The system or its data are damaged."""

    exit_code = 6
    http_status = 500


def missing_extra(package: str, extra: str) -> Missing:
    """The error for an optional package that is not installed; prints the install command."""
    return Missing("missing-extra", f"the package {package!r} is not installed", f"run: pip install 'touyan[{extra}]'")


FAMILIES: dict[str, type[TouyanError]] = {f.__name__: f for f in (Invalid, Refused, Missing, Conflict, Broken)}


def error_record(error: TouyanError) -> dict[str, str]:
    """The form in which an error crosses a process or a table; `error_from` makes the same error again."""
    return {"family": type(error).__name__, "code": error.code, "message": error.message, "hint": error.hint}


def error_from(record: Mapping[str, object]) -> TouyanError:
    """The error of a record; one of an unknown family is Broken."""
    code, message, hint = (str(record.get(n, "")) for n in ("code", "message", "hint"))
    return FAMILIES.get(str(record.get("family", "")), Broken)(code, message, hint)
