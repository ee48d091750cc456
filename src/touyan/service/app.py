"""The HTTP face of a service: the OpenAI interface, classification, feedback, health, metrics and one page.

Routes only: each opens the door, calls the part that does the work, and gives its answer. Invariant: every route under `/v1`
and `/metrics` asks for a key; every error has the one shape of `refusals`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import Annotated, Any, TypeVar

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, StreamingResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from touyan.core.errors import Broken, Invalid, Missing, Refused, TouyanError
from touyan.core.party import Actor
from touyan.flow.backend import open_model
from touyan.service import page
from touyan.service.address import OpenModel
from touyan.service.answering import Answering, about_model, begin
from touyan.service.classifying import classify
from touyan.service.door import Caller
from touyan.service.label import NOTICE, header
from touyan.service.middleware import BodyLimit, Counted, LoopbackOnly
from touyan.service.refusals import body_of, from_validation, headers_of, status_of
from touyan.service.running import Running, start
from touyan.service.settings import Settings
from touyan.service.watch import watching
from touyan.service.wire import Chat, Classification, Completion, Feedback, Generation
from touyan.store.home import Store

log = logging.getLogger("touyan.service")
T = TypeVar("T")
_BEARER = HTTPBearer(auto_error=False, description="An API key: `ty-...`")


def make_app(
    store: Store,
    actor: Actor,
    service_name: str,
    demo: bool = False,
    settings: Settings | None = None,
    opener: OpenModel = open_model,
) -> FastAPI:
    """The application of one service. Raises Missing where nothing is bound to that name, Refused where `actor` may not serve."""
    running = start(store, actor, service_name, is_demo=demo, settings=settings or Settings(), opener=opener)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        async with watching(running):
            yield

    app = FastAPI(
        title=f"Touyan 头雁: {service_name}", version="1", lifespan=lifespan, description=NOTICE, docs_url=None, redoc_url=None
    )
    app.state.running = running
    if demo:
        app.add_middleware(LoopbackOnly)
    app.add_middleware(BodyLimit, limit=running.settings.limits.body_bytes)
    app.add_middleware(Counted, ledger=running.ledger)
    _add_errors(app)
    _add_generation(app, running)
    _add_judgement(app, running)
    _add_public(app, running)
    return app


def _door(running: Running) -> Callable[..., Caller]:
    def enter(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> Caller:
        return running.door.caller(f"{credentials.scheme} {credentials.credentials}" if credentials else None)

    return enter


def _add_generation(app: FastAPI, running: Running) -> None:
    enter = _door(running)

    @app.post("/v1/completions", tags=["generate"], summary="Text that goes on from a prompt")
    async def completions(request: Request, body: Completion, caller: Caller = Depends(enter)) -> Response:
        return await _generate(running, request, body, caller)

    @app.post("/v1/chat/completions", tags=["generate"], summary="The next turn of a chat")
    async def chat(request: Request, body: Chat, caller: Caller = Depends(enter)) -> Response:
        return await _generate(running, request, body, caller)


async def _generate(running: Running, request: Request, body: Completion | Chat, caller: Caller) -> Response:
    with ExitStack() as stack:
        stack.enter_context(running.door.place(caller))
        answering = await begin(running, caller, body)
        stack.callback(answering.book)
        if not body.stream:
            answer = await _unless_gone(request, answering.whole())
            return JSONResponse(answer, headers=_headers(answering, answer["touyan"]["aigc"]))
        events = answering.events(_wants_usage(body))
        return ClosingStream(events, stack.pop_all(), headers=_headers(answering, answering.about(None)["aigc"]))


def _wants_usage(body: Generation) -> bool:
    return body.stream_options is not None and body.stream_options.include_usage


def _headers(answering: Answering, label: dict[str, dict[str, str]]) -> dict[str, str]:
    """Model, permit and implicit label, for whoever keeps headers and drops bodies."""
    cleared = answering.opened.cleared
    return {
        "x-request-id": answering.head.id,
        "x-touyan-model": cleared.model,
        "x-touyan-permit": cleared.permit,
        "x-touyan-aigc": header(label),
    }


class ClosingStream(StreamingResponse):
    """Server-sent events whose source is closed whatever way the response ends: the client may leave at any moment."""

    def __init__(self, events: AsyncIterator[str], closing: ExitStack, headers: dict[str, str]) -> None:
        super().__init__(
            events, media_type="text/event-stream", headers=headers | {"cache-control": "no-store", "x-accel-buffering": "no"}
        )
        self._closing = closing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._closing:
            await super().__call__(scope, receive, send)


async def _unless_gone(request: Request, work: Awaitable[T]) -> T:
    """The result of `work`, which is cancelled when the client goes away first."""
    task, gone = asyncio.ensure_future(work), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Refused("client-gone", "the client went away", "ask again")
        return task.result()
    finally:
        for one in (task, gone):
            one.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _add_judgement(app: FastAPI, running: Running) -> None:
    enter = _door(running)

    @app.post("/v1/classify", tags=["classify"], summary="Labels for texts")
    async def classification(request: Request, body: Classification, caller: Caller = Depends(enter)) -> Response:
        with running.door.place(caller):
            return JSONResponse(await _unless_gone(request, classify(running, caller, body)))

    @app.post("/v1/feedback", tags=["feedback"], summary="What a user says about an answer", status_code=201)
    def feedback(body: Feedback, caller: Caller = Depends(enter)) -> dict[str, Any]:
        with running.door.place(caller):
            return _keep_feedback(running, caller, body)


def _keep_feedback(running: Running, caller: Caller, body: Feedback) -> dict[str, Any]:
    limit = running.settings.limits.feedback_characters
    if max(len(body.correction), len(body.comment)) > limit:
        raise Invalid("feedback-too-long", f"a correction or comment has at most {limit} characters", "shorten it")
    fields = {"rating": body.rating or "", "correction": body.correction, "comment": body.comment}
    identifier = running.store.answers.say(caller.key, body.response_id, fields)
    terms = caller.key.terms
    use = (
        f"may be used under the terms {terms!r}"
        if terms
        else "is kept apart and never used: no terms were accepted with this key"
    )
    return {
        "id": identifier,
        "object": "feedback",
        "response_id": body.response_id,
        "terms": terms,
        "message": f"Thank you. It {use}.",
    }


def _add_public(app: FastAPI, running: Running) -> None:
    enter = _door(running)

    @app.get("/v1/models", tags=["models"], summary="What is served, by the name of the service and by the model's id")
    def models(caller: Caller = Depends(enter)) -> dict[str, Any]:
        opened = running.address.for_caller(caller.actor.party)
        owner, created_s = running.producer, running.store.seam.now_ms() // 1000
        about = about_model(running, opened) | {"expires_at": opened.cleared.expires_at, "tasks": sorted(opened.engine.tasks)}
        common = {"object": "model", "created": created_s, "owned_by": owner, "touyan": about}
        return {"object": "list", "data": [{"id": running.name} | common, {"id": opened.model} | common]}

    @app.get("/healthz", tags=["operate"], summary="Whether a model answers, and which")
    def healthz() -> Response:
        state = _state(running)
        return JSONResponse(state, 200 if state["status"] == "serving" else 503)

    @app.get("/metrics", tags=["operate"], summary="Counts in the Prometheus text format")
    def metrics(_caller: Caller = Depends(enter)) -> Response:
        return PlainTextResponse(running.ledger.metrics(_gauges(running)), media_type="text/plain; version=0.0.4")

    @app.get("/", include_in_schema=False)
    def home() -> Response:
        return HTMLResponse(page.text(), headers=page.headers())


def _state(running: Running) -> dict[str, Any]:
    common = {"service": running.name, "producer": running.producer, "notice": NOTICE, "notice_place": running.settings.label}
    try:
        opened = running.address.now()
    except TouyanError as error:
        # Whoever asks here shows no key: the reasons name sources and withdrawals, so they are for holders of keys and for the log.
        reason = "no model is cleared to be served now" if isinstance(error, Refused) else "the service cannot tell now"
        return common | {"status": "humans-only", "reason": reason, "hint": error.hint}
    about = about_model(running, opened) | {"tasks": sorted(opened.engine.tasks), "expires_at": opened.cleared.expires_at}
    return common | about | {"status": "serving", "conditions": list(opened.cleared.conditions)}


def _gauges(running: Running) -> dict[str, float]:
    opened = running.address.serving
    active, waiting = (opened.batch.active, opened.batch.waiting) if opened else (0, 0)
    return {"touyan_is_serving": float(opened is not None), "touyan_active_sequences": active, "touyan_waiting_requests": waiting}


def _add_errors(app: FastAPI) -> None:
    def told(request: Request, error: TouyanError, param: str | None = None) -> Response:
        status, number = status_of(error), f"req-{id(request):x}"
        if status >= 500:
            log.error("%s %s: %s", number, request.url.path, error, exc_info=error.__cause__)
        return JSONResponse(body_of(error, number, param), status, headers=headers_of(status))

    async def ours(request: Request, error: Exception) -> Response:
        return told(request, error if isinstance(error, TouyanError) else _unknown(error))

    async def shape(request: Request, error: Exception) -> Response:
        found = error.errors() if isinstance(error, RequestValidationError) else []
        fields = {
            "/v1/completions": Completion,
            "/v1/chat/completions": Chat,
            "/v1/classify": Classification,
            "/v1/feedback": Feedback,
        }
        model = fields.get(request.url.path)
        return told(request, *from_validation(found, list(model.model_fields) if model else []))

    async def http(request: Request, error: Exception) -> Response:
        if isinstance(error.__cause__, TouyanError):  # raised while the body was read
            return told(request, error.__cause__)
        status = error.status_code if isinstance(error, HTTPException) else 500
        refused = Missing("no-route", f"{request.method} {request.url.path[:100]} is not served", "see /openapi.json")
        return JSONResponse(body_of(refused, ""), status)

    app.add_exception_handler(TouyanError, ours)
    app.add_exception_handler(RequestValidationError, shape)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, ours)


def _unknown(error: Exception) -> Broken:
    broken = Broken("unexpected", "the service failed in a way it does not know", "report it with the log of the service")
    broken.__cause__ = error
    return broken
