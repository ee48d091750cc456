"""Errors as the OpenAI interface tells them: `{"error": {"message", "type", "param", "code", "hint"}}`.

Owns the one table from our codes to HTTP statuses where a family's own status does not do. Invariant: what a client sees of
damage is a number to report, never the inside; what it sees of its own mistake says what to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from touyan.core.errors import Broken, Invalid, TouyanError
from touyan.core.names import nearest

STATUSES: Mapping[str, int] = {
    "no-key": 401, "wrong-key": 401,
    "rate-limit": 429, "too-many-at-once": 429,
    "humans-only": 503, "not-serving": 503, "service-stopped": 503, "busy": 503, "database-busy": 503,
    "timeout": 504, "body-too-large": 413, "cannot-generate": 422, "cannot-classify": 422,
}  # fmt: skip
_TYPES: Mapping[int, str] = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}
RETRY_AFTER_S = 5


def status_of(error: TouyanError) -> int:
    return STATUSES.get(error.code, error.http_status)


def headers_of(status: int) -> dict[str, str]:
    """Headers that go with a status (RFC 9110, sections 10.2.3 and 11.6.1)."""
    if status == 401:
        return {"WWW-Authenticate": "Bearer"}
    return {"Retry-After": str(RETRY_AFTER_S)} if status in (429, 503) else {}


def body_of(error: TouyanError, request_id: str, param: str | None = None) -> dict[str, Any]:
    """The error as JSON. Damage is told by the number of the request alone: the log of the service has the rest."""
    status = status_of(error)
    message = error.message
    if isinstance(error, Broken) and error.code != "timeout":
        message = f"the service could not answer request {request_id}"
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {
        "error": {
            "message": f"{message}. {error.hint}".strip(),
            "type": kind,
            "param": param,
            "code": error.code,
            "hint": error.hint,
        }
    }


def from_validation(errors: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> tuple[Invalid, str]:
    """The first mistake of a request body, with the field it is in."""
    first = errors[0]
    place = [str(p) for p in first.get("loc", ()) if p != "body"]
    param = ".".join(place)
    if first.get("type") == "extra_forbidden":
        hint = nearest(place[-1], fields) if len(place) == 1 else "leave it out"
        return Invalid("unknown-field", f"the field {param!r} is not known here"[:200], hint), param
    message = str(first.get("msg", "it is not valid")).removeprefix("Value error, ")
    return Invalid(
        "bad-request", f"{param or 'the body'}: {message}"[:300], "see the schema and its examples at /openapi.json"
    ), param
