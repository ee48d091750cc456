"""What stands before every route: the size of a body, and the loopback address of a demonstration.

Plain ASGI, so that a stream passes through untouched. Knows nothing of keys or models. Invariant: no more of a body is read than
is allowed, whatever its headers claim; a demonstration never answers a machine other than its own.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from touyan.core.errors import Invalid, Refused, TouyanError
from touyan.service.ledger import Ledger
from touyan.service.refusals import body_of, headers_of, status_of

FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip"})


class BodyLimit:
    """Refuses a body beyond `limit` bytes."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        told = dict(scope["headers"]).get(b"content-length", b"0")
        if not told.isdigit() or int(told) > self.limit:
            return await refuse(_too_large(self.limit), send)
        await self.app(scope, self._counting(receive), send)

    def _counting(self, receive: Receive) -> Receive:
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.limit:
                raise _too_large(self.limit)
            return message

        return counted


class LoopbackOnly:
    """Refuses whoever does not call from this machine itself, and whatever a proxy hands on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _is_from_here(scope):
            return await refuse(_demo_only_here(), send)
        await self.app(scope, receive, send)


def is_loopback(host: str) -> bool:
    """Whether `host` names this machine itself: `localhost`, `127.0.0.1`, `::1`."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


async def refuse(error: TouyanError, send: Send) -> None:
    """Answers a request with an error, outside of any route."""
    status = status_of(error)
    body = json.dumps(body_of(error, ""), ensure_ascii=False).encode()
    headers: Mapping[str, str] = {"content-type": "application/json", "connection": "close"} | headers_of(status)
    encoded = [(k.lower().encode(), v.encode()) for k, v in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})


def _is_from_here(scope: Scope) -> bool:
    client = scope.get("client")
    was_forwarded = any(name in FORWARDED for name, _ in scope["headers"])
    return client is not None and is_loopback(client[0]) and not was_forwarded


def _too_large(limit: int) -> Invalid:
    return Invalid("body-too-large", f"the body is larger than {limit} bytes", "send less text in one request")


def _demo_only_here() -> Refused:
    return Refused(
        "demo-on-loopback", "a demonstration answers only the machine it runs on", "ask for a release permit to serve others"
    )


class Counted:
    """Counts requests by route and status."""

    def __init__(self, app: ASGIApp, ledger: Ledger) -> None:
        self.app = app
        self.ledger = ledger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                path = getattr(
                    scope.get("route"), "path", "other"
                )  # never the path as sent: anybody could fill the table with it
                self.ledger.count("touyan_requests_total", 1, f'{{route="{path}",status="{message["status"]}"}}')
            await send(message)

        await self.app(scope, receive, watched)
