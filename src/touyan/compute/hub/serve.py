"""The hub until it is told to stop: uvicorn around the application, and the upkeep beside it.

Owns the address, TLS, signals and the one thread that looks after time. Knows nothing of the protocol. Invariants: secrets cross no
network in the clear; what is running at a signal is answered, and a hub that is killed instead loses nothing that was answered.
"""

from __future__ import annotations

import ipaddress
import logging
import signal
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from touyan.compute.hub.upkeep import Upkeep
from touyan.core.errors import Conflict, Invalid, Refused, missing_extra
from touyan.store.home import Store

GRACE_S = 10


@dataclass(frozen=True, slots=True)
class Address:
    """Where a hub listens, and how what passes there is kept from others."""

    host: str = "127.0.0.1"
    port: int = 8443
    tls_cert: Path | None = None
    tls_key: Path | None = None
    is_behind_proxy: bool = False
    """Somebody else ends TLS before us."""

    def check(self) -> None:
        """Raises Refused where secrets would cross a network in the clear, Missing without the files of TLS."""
        if (self.tls_cert is None) != (self.tls_key is None):
            raise Invalid("half-tls", "TLS takes a certificate and its key", "give both: --tls-cert FILE --tls-key FILE")
        for file in filter(None, (self.tls_cert, self.tls_key)):
            if not file.is_file():
                raise Invalid("no-tls-file", f"there is no file {file}", "give the PEM file of the certificate and of its key")
        if self.tls_cert is None and not self.is_behind_proxy and not _is_loopback(self.host):
            hint = "give --tls-cert and --tls-key, or --behind-proxy where a proxy ends TLS"
            raise Refused("no-tls", f"without TLS the hub answers on a loopback address, not on {self.host}", hint)

    def url(self, port: int) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' if self.tls_cert else ''}://{host}:{port}"


def serve(store: Store, address: Address, on_ready: Callable[[str], None]) -> None:
    """Serves until a signal; `on_ready` gets the address. Raises Refused without TLS where it is needed, Conflict on a taken port."""
    address.check()
    try:
        import uvicorn

        from touyan.compute.hub.app import make_app
        from touyan.compute.hub.hub import Hub
    except ModuleNotFoundError as error:
        raise missing_extra(error.name or "fastapi", "serve") from error
    hub = Hub(store)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    with _listening(address) as listening, Upkeep(hub):
        config = uvicorn.Config(
            make_app(hub), log_config=None, access_log=False, proxy_headers=False, server_header=False,
            timeout_graceful_shutdown=GRACE_S, ssl_certfile=address.tls_cert, ssl_keyfile=address.tls_key,
        )  # fmt: skip
        on_ready(address.url(listening.getsockname()[1]))
        with _signals_end_once():
            uvicorn.Server(config).run(sockets=[listening])


@contextmanager
def _listening(address: Address) -> Generator[socket.socket]:
    """A listening socket; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((address.host, address.port))
            listening.listen(512)  # every agent may come in the same second, after the hub was away
        except OSError as error:
            words = f"cannot listen on {address.host}:{address.port}: {error.strerror}"
            raise Conflict("address-taken", words, "choose another: --port 8444") from error
        yield listening


@contextmanager
def _signals_end_once() -> Generator[None]:
    """uvicorn raises the signal that stopped it once more when it has stopped: our own closing must still run."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
