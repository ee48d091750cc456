"""`touyan serve`: the OpenAI-compatible service of a permitted model."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Annotated

import typer

from touyan.cli.output import say
from touyan.cli.session import AsOption, HomeOption, ProjectOption, session
from touyan.cli.words import _
from touyan.core.errors import Missing

PID_FILE = "serve.pid"


def add_to(app: typer.Typer) -> None:
    @app.command(epilog=_("Example: touyan serve laws --port 8000"))
    def serve(
        name: Annotated[str, typer.Argument(help=_("Name of the service; empty: the only one."))] = "",
        host: Annotated[str, typer.Option(help=_("Address to listen on."))] = "127.0.0.1",
        port: Annotated[int, typer.Option(help=_("Port; 0 takes a free one."))] = 8000,
        demo: Annotated[bool, typer.Option("--demo", help=_("Accept a demonstration permit; loopback only."))] = False,
        audience: Annotated[str, typer.Option(help="named-testers | internal | public")] = "internal",
        domain: Annotated[str, typer.Option(help=_("What it is used for, where the permit names a domain."))] = "",
        stop: Annotated[bool, typer.Option("--stop", help=_("Stop the service that runs on this store."))] = False,
        party: AsOption = "", project: ProjectOption = "", home: HomeOption = None,
    ) -> None:  # fmt: skip
        """Serve a model. Without a valid permit nothing is served; keys: touyan key create."""
        from touyan.core.permit import as_audience
        from touyan.service.run import serve as run
        from touyan.service.settings import Settings

        with session(home, party, project) as opened:
            pid_file = opened.store.home / PID_FILE
            if stop:
                _stop(pid_file)
                return
            service = name or _only(opened.store.services.list(opened.actor.project))
            settings = Settings(audience=as_audience(audience), domain=domain)
            pid_file.write_text(str(os.getpid()))
            try:
                run(opened.store, opened.actor, service, host=host, port=port, demo=demo, settings=settings,
                    on_ready=lambda url: say(_("Serving {name} at {url}").format(name=service, url=url)))  # fmt: skip
            finally:
                pid_file.unlink(missing_ok=True)


def _only(services: list[object]) -> str:
    names = [s.name for s in services]  # type: ignore[attr-defined]
    if len(names) != 1:
        raise Missing("which-service", f"this project has {len(names)} services: {', '.join(names) or 'none'}", "name one, or run a flow that makes one")
    return names[0]


def _stop(pid_file: Path) -> None:
    try:
        pid = int(pid_file.read_text())
        is_ours = b"touyan" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ValueError) as error:
        raise Missing("not-serving", "no service runs on this store", "start it: touyan serve") from error
    if is_ours:
        os.kill(pid, signal.SIGTERM)
    say(_("Stopped."))
