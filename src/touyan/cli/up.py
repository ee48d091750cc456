"""`touyan up`: the hub of a compute network, with this machine as its first site."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from touyan.cli.output import answer
from touyan.cli.session import HomeOption, JsonOption, ProjectOption
from touyan.cli.words import _, example


def add_to(app: typer.Typer) -> None:
    @app.command(epilog=example("touyan up --host 10.0.0.1 --tls-cert hub.pem --tls-key hub.key"))
    def up(
        host: Annotated[str, typer.Option(help=_("Address to listen on."))] = "127.0.0.1",
        port: Annotated[int, typer.Option(help=_("Port; 0 takes a free one."))] = 8443,
        tls_cert: Annotated[Path | None, typer.Option(help=_("Certificate chain, PEM; needed on any address but loopback."))] = None,
        tls_key: Annotated[Path | None, typer.Option(help=_("Its private key, PEM."))] = None,
        behind_proxy: Annotated[bool, typer.Option("--behind-proxy", help=_("A proxy before the hub ends TLS."))] = False,
        local: Annotated[bool, typer.Option(help=_("Whether this machine works too while other sites have joined."))] = True,
        slots: Annotated[int, typer.Option(help=_("Jobs at once on this machine."))] = 1,
        project: ProjectOption = "", home: HomeOption = None, as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        """Start the hub: sites join it, ask it for work and bring results. Ends with Ctrl-C; nothing is lost."""
        from touyan.compute.hub.log import log_as_json
        from touyan.compute.hub.serve import Address, serve
        from touyan.compute.local import LocalSite
        from touyan.core.party import DEFAULT_PROJECT
        from touyan.store.home import open_store

        log_as_json()
        store = open_store(home)
        try:
            store.placements.set_local(local)
            with ExitStack() as stack:
                if local:
                    stack.enter_context(LocalSite(store, slots, project=project or DEFAULT_PROJECT))
                serve(store, Address(host, port, tls_cert, tls_key, behind_proxy), lambda url: _ready(url, as_json))
        finally:
            store.events.sequence()
            store.close()


def _ready(url: str, as_json: bool) -> None:
    """Says where, at once: whoever started us may wait for this line."""
    answer(as_json, {"hub": url}, _("Hub at {url}. Invite a site: touyan sites invite NAME --owner PARTY").format(url=url))
    sys.stdout.flush()
