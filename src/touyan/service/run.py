"""Serving until told to stop: uvicorn around the application.

Knows addresses and signals. Invariants: a demonstration binds to a loopback address only; a service that may serve nothing at its
start does not start; on SIGTERM or SIGINT running answers get ten seconds, then what was used is written down.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

from touyan.core.errors import Conflict, Refused, missing_extra
from touyan.core.party import Actor
from touyan.service.middleware import is_loopback
from touyan.service.settings import Settings
from touyan.store.home import Store

GRACE_S = 10


def serve(
    store: Store, actor: Actor, service_name: str, *, host: str = "127.0.0.1", port: int = 8000, demo: bool = False,
    settings: Settings | None = None, on_ready: Callable[[str], None] = print,
) -> None:  # fmt: skip
    """Serves until a signal; `on_ready` gets the address. Raises Refused with nothing to serve, Conflict on a taken port."""
    if demo and not is_loopback(host):
        raise Refused(
            "demo-on-loopback", f"a demonstration is served on a loopback address, not on {host}", "use --host 127.0.0.1"
        )
    try:
        import uvicorn

        from touyan.service.app import make_app
    except ModuleNotFoundError as error:
        raise missing_extra(error.name or "fastapi", "serve") from error
    app = make_app(store, actor, service_name, demo, settings)
    listening = listen_on(host, port)
    try:
        app.state.running.address.now()
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
        )
        on_ready(_url(host, listening.getsockname()[1]))
        with _signals_end_once():
            uvicorn.Server(config).run(sockets=[listening])
    finally:
        listening.close()
        app.state.running.close()


def _already_done(_number: int, _frame: object) -> None:
    """What a signal that has done its work does."""


@contextmanager
def _signals_end_once() -> Generator[None]:
    """uvicorn raises the signal that stopped it once more when it has stopped: the caller's own cleaning up must still run."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _already_done) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def listen_on(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises Conflict."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host.strip("[]"), port))
        listening.listen(128)  # so that whoever was told the address is not turned away before the loop runs
    except OSError as error:
        listening.close()
        raise Conflict(
            "address-taken", f"cannot listen on {host}:{port}: {error.strerror}", "choose another: --port 8001"
        ) from error
    return listening


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
