"""The HTTP face of the hub: the agent protocol, over FastAPI.

Routes only: who speaks, the body, the answer. Bytes of objects pass in chunks from and to the disk. Invariant: every call but
`enrol` asks for the site's secret, every refusal is recorded, and every error has the one shape of the protocol.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from touyan.compute.hub import wire
from touyan.compute.hub.hub import Hub
from touyan.compute.hub.uploads import read_content_range
from touyan.compute.hub.views import add_views
from touyan.core.asset import check_digest
from touyan.core.errors import Broken, Invalid, Refused, TouyanError, error_record
from touyan.store.site_records import Site

log = logging.getLogger("touyan.hub")
STATUSES = {
    "no-key": 401, "wrong-key": 401, "wrong-secret": 401, "wrong-token": 401,
    "body-too-large": 413, "disk-full": 507, "database-busy": 503,
}  # fmt: skip
_RANGE = re.compile(r"bytes=(\d{1,19})-(\d{0,19})")


def make_app(hub: Hub) -> FastAPI:
    """The application of one hub."""
    app = FastAPI(title="Touyan 头雁: hub", version="1", docs_url=None, redoc_url=None)
    app.state.hub = hub
    app.add_exception_handler(TouyanError, _told)
    app.add_exception_handler(Exception, _unknown)
    _add_rounds(app, hub)
    _add_objects(app, hub)
    add_views(app, hub)
    return app


def _add_rounds(app: FastAPI, hub: Hub) -> None:
    @app.post("/v1/sites/enrol", tags=["sites"], summary="A token for the secret of a site, once")
    async def enrol(request: Request) -> Response:
        body = await _body(request)
        return _json(await run_in_threadpool(lambda: hub.enrol(wire.read(wire.Enrol, body))))

    @app.post("/v1/sync", tags=["sites"], summary="One round of an agent")
    async def sync(request: Request) -> Response:
        authorization = request.headers.get("authorization", "")
        body = await _body(request, lambda: hub.site(authorization))

        def answer() -> Response:
            began_s = time.thread_time()
            found = _json(hub.sync(authorization, _said(hub, authorization, body)))
            hub.counts.round(time.thread_time() - began_s)
            return found

        return await run_in_threadpool(answer)


def _said(hub: Hub, authorization: str, body: bytes) -> wire.Sync:
    """What is said in a round; who is no site does not hear what is wrong with it."""
    try:
        return wire.read(wire.Sync, body)
    except Invalid:
        hub.site(authorization)
        raise


def _add_objects(app: FastAPI, hub: Hub) -> None:
    @app.get("/v1/objects/{sha256}", tags=["objects"], summary="Bytes of an input, from any offset")
    async def get(request: Request, sha256: str) -> Response:
        asked = request.headers.get("range", "")

        def permitted() -> tuple[int, int, int]:
            _as_site(hub, request, sha256, lambda site, text: hub.may_fetch(site, text, sha256))
            size = hub.store.objects.size(sha256)
            return (size, *_read_range(asked, size))

        size, first, end = await run_in_threadpool(permitted)
        headers = {"content-length": str(end - first), "accept-ranges": "bytes"}
        if asked:
            headers["content-range"] = f"bytes {first}-{end - 1}/{size}"
        chunks = hub.store.objects.chunks(sha256, first, end)
        return StreamingResponse(chunks, 206 if asked else 200, headers, "application/octet-stream")

    @app.head("/v1/objects/{sha256}", tags=["objects"], summary="How much of an object has arrived")
    async def head(request: Request, sha256: str) -> Response:
        def have() -> int:
            attempt, size = _as_site(hub, request, sha256, lambda site, text: hub.may_send(site, text, sha256))
            return hub.uploads.have_bytes(attempt, sha256, size)

        return Response(headers={"upload-offset": str(await run_in_threadpool(have))})

    @app.put("/v1/objects/{sha256}", tags=["objects"], summary="Bytes of a result, from where the hub has them")
    async def put(request: Request, sha256: str) -> Response:
        attempt, size = await run_in_threadpool(
            lambda: _as_site(hub, request, sha256, lambda site, text: hub.may_send(site, text, sha256))
        )
        return _json({"have_bytes": await _receive(hub, request, attempt, sha256, size)})


async def _receive(hub: Hub, request: Request, attempt: str, sha256: str, size: int) -> int:
    """Writes the body where it belongs; how much is here then."""
    if hub.uploads.is_done(attempt, sha256, size):
        return size
    first, last = (0, -1) if size == 0 else read_content_range(request.headers.get("content-range", ""), size)
    with hub.uploads.open(attempt, sha256, first, size) as part:
        async for chunk in request.stream():
            if part.tell() + len(chunk) > last + 1:
                raise Invalid("body-too-large", "the body is longer than its Content-Range", "send what it says")
            hub.uploads.require_room(len(chunk))  # anew each time: another upload may have taken what was free when this began
            await run_in_threadpool(part.write, chunk)
        have = part.tell()
    if have == size:
        await run_in_threadpool(hub.uploads.settle, attempt, sha256, size)
    return have


def _as_site(hub: Hub, request: Request, sha256: str, ask: Callable[[Site, str], Any]) -> Any:
    """What `ask` says for the site that speaks with its capability; a refusal is recorded."""
    site = hub.site(request.headers.get("authorization", ""))
    check_digest(sha256)
    try:
        return ask(site, request.headers.get("touyan-capability", ""))
    except Refused as refusal:
        hub.tell_once(site, sha256, refusal)
        raise


def _read_range(text: str, size: int) -> tuple[int, int]:
    """First byte and end of a `Range` header; a whole object without one. Raises Invalid."""
    if not text:
        return 0, size
    found = _RANGE.fullmatch(text.strip())
    first = int(found[1]) if found else size
    if found is None or first >= size:
        raise Invalid(
            "bad-range", f"{text[:60]!r} does not fit an object of {size} bytes", "send: bytes=FIRST- or bytes=FIRST-LAST"
        )
    return first, min(size, int(found[2]) + 1) if found[2] else size


async def _body(request: Request, admit: Callable[[], object] | None = None) -> bytes:
    """The body, no more of it read than is allowed, whatever its headers claim; and of one who may be a stranger a little only, until
    `admit` has returned. Raises Invalid, and what `admit` raises."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > wire.MOST_OF_STRANGERS and admit is not None:
            await run_in_threadpool(admit)
            admit = None
        if size > wire.MOST_BYTES:
            raise Invalid("body-too-large", f"the body is larger than {wire.MOST_BYTES} bytes", "send fewer things in one round")
        chunks.append(chunk)
    return b"".join(chunks)


def _json(value: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")


async def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, TouyanError)
    request.app.state.hub.counts.refusal()
    if isinstance(error, Broken):
        log.error("%s %s: %s", request.method, request.url.path, error, exc_info=error.__cause__)
    return _json({"error": error_record(error)}, STATUSES.get(error.code, error.http_status))


async def _unknown(request: Request, error: Exception) -> Response:
    log.error("%s %s", request.method, request.url.path, exc_info=error)
    broken = Broken("unexpected", "the hub failed in a way it does not know", "its operator finds it in the hub's log")
    return await _told(request, broken)
