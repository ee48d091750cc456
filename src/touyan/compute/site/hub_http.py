"""The calls of the agent protocol over HTTPS (docs/formats/agent-protocol.md).

Owns requests, headers and what a status means. Knows nothing of Attempts. Invariant: no call follows a redirect, none lasts
longer than its limit, and an address that is not loopback is spoken to over TLS only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import urlsplit

import httpx

from touyan.compute.site.home import Membership
from touyan.compute.site.hub_calls import no_answer
from touyan.core.errors import FAMILIES, Invalid, Missing, TouyanError, error_from

TIMEOUT_S = 30.0
MOST_BYTES = 64 << 20
"""Of an answer; one of 1,000 claims with their chains is a tenth of it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that was read whole."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class HubOverHttp:
    """`HubCalls` of one site; a context manager that closes its connections."""

    def __init__(self, hub: str, secret: str = "", ca: str = "", transport: httpx.BaseTransport | None = None) -> None:
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        self._client = httpx.Client(
            base_url=checked_address(hub), headers=headers, timeout=TIMEOUT_S, verify=_trust(ca), transport=transport,
            trust_env=transport is None,
        )  # fmt: skip

    @classmethod
    def of(cls, membership: Membership, transport: httpx.BaseTransport | None = None) -> Self:
        return cls(membership.hub, membership.secret, membership.ca, transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.close()

    def enrol(self, token: str, driver: str, capacity: Mapping[str, Any]) -> Mapping[str, Any]:
        """Trades a token for what makes a Membership."""
        return cast("Mapping[str, Any]", self._json("/v1/sites/enrol", {"token": token, "driver": driver, "capacity": capacity}))

    def sync(self, body: Mapping[str, Any]) -> object:
        return self._json("/v1/sync", body)

    def get(self, sha256: str, capability: str, first: int, count: int) -> bytes:
        headers = {"Touyan-Capability": capability, "Range": f"bytes={first}-{first + count - 1}"}
        reply = self._granted("GET", f"/v1/objects/{sha256}", headers=headers)
        is_whole = reply.status == httpx.codes.OK
        return reply.content[first : first + count] if is_whole else reply.content

    def have(self, sha256: str, capability: str) -> int:
        """A refusal has no body here; whoever sends next hears it."""
        reply = self._reply("HEAD", f"/v1/objects/{sha256}", headers={"Touyan-Capability": capability})
        return _count(reply.headers.get("Upload-Offset", 0)) if reply.status == httpx.codes.OK else 0

    def put(self, sha256: str, capability: str, first: int, total: int, chunk: bytes) -> int:
        place = f"bytes {first}-{first + len(chunk) - 1}/{total}" if chunk else f"bytes */{total}"
        headers = {"Touyan-Capability": capability, "Content-Range": place}
        return _count(_parsed(self._granted("PUT", f"/v1/objects/{sha256}", headers=headers, content=chunk)).get("have_bytes"))

    def _json(self, path: str, body: Mapping[str, Any]) -> object:
        return _parsed(self._granted("POST", path, json=body))

    def _granted(self, method: str, path: str, **given: Any) -> Reply:
        reply = self._reply(method, path, **given)
        if not 200 <= reply.status < 300:
            raise _refusal(reply)
        return reply

    def _reply(self, method: str, path: str, **given: Any) -> Reply:
        try:
            with self._client.stream(method, path, **given) as answer:
                return Reply(answer.status_code, answer.headers, _bounded(answer))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise no_answer(str(error) or type(error).__name__) from error


def _bounded(answer: httpx.Response) -> bytes:
    content = bytearray()
    for chunk in answer.iter_bytes():
        content += chunk
        if len(content) > MOST_BYTES:
            raise no_answer(f"it says more than {MOST_BYTES >> 20} MiB")
    return bytes(content)


def checked_address(hub: str) -> str:
    """`https://host`, or http to this machine itself. Raises Invalid: a secret does not go over an open line."""
    parts = urlsplit(hub if "://" in hub else f"https://{hub}")
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise Invalid("open-line", f"{hub} is not reached over TLS", "give its https:// address")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Invalid("bad-address", f"{hub!r:.120} is no address of a hub", "such as https://hub.example.org")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _trust(ca: str) -> Any:
    import ssl

    if not ca:
        return True
    try:
        return ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise Missing("no-ca", f"{ca} holds no certificates: {error}", "give the file of the authority: --ca FILE") from error


def _parsed(reply: Reply) -> Any:
    try:
        return json.loads(reply.content)
    except (ValueError, RecursionError) as error:
        raise no_answer("something on the way answered in its place") from error


def _refusal(reply: Reply) -> TouyanError:
    """The hub's own error; a status without one is a fault of the way between."""
    try:
        record = json.loads(reply.content)["error"]
        is_known = record["family"] in FAMILIES
    except (ValueError, KeyError, TypeError, RecursionError):
        is_known = False
    return error_from(record) if is_known else no_answer(f"status {reply.status} from the way between")


def _count(value: object) -> int:
    try:
        return max(0, int(cast(str, value)))
    except (TypeError, ValueError) as error:
        raise no_answer("no number of bytes where one belongs") from error
