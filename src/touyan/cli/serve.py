"""`touyan serve`: the OpenAI-compatible service of a permitted model."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from touyan.cli.output import answer
from touyan.cli.session import AsOption, HomeOption, JsonOption, ProjectOption, session
from touyan.cli.words import _, example
from touyan.core.errors import Missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from touyan.store.services import Service

RUNNING_FILE = "serve.json"


def add_to(app: typer.Typer) -> None:
    @app.command(epilog=example("touyan serve laws --port 8000"))
    def serve(
        name: Annotated[str, typer.Argument(help=_("Name of the service; empty: the only one."))] = "",
        host: Annotated[str, typer.Option(help=_("Address to listen on."))] = "127.0.0.1",
        port: Annotated[int, typer.Option(help=_("Port; 0 takes a free one."))] = 8000,
        demo: Annotated[bool, typer.Option("--demo", help=_("Accept a demonstration permit; loopback only."))] = False,
        audience: Annotated[str, typer.Option(help="named-testers | internal | public")] = "internal",
        domain: Annotated[str, typer.Option(help=_("What it is used for, where the permit names a domain."))] = "",
        minutes: Annotated[float, typer.Option(help=_("End after so many minutes; 0: never."))] = 0.0,
        stop: Annotated[bool, typer.Option("--stop", help=_("Stop the service that runs on this store."))] = False,
        party: AsOption = "", project: ProjectOption = "", home: HomeOption = None, as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        """Serve a model. Without a valid permit nothing is served; keys: touyan key create."""
        from touyan.core.permit import as_audience
        from touyan.service.run import serve as run
        from touyan.service.settings import Settings

        with session(home, party, project) as opened:
            file = opened.store.home / RUNNING_FILE
            if stop:
                answer(as_json, {"stopped": end(file)}, _("Stopped."))
                return
            service = name or _only(opened.store.services.list(opened.actor.project))
            settings = Settings(audience=as_audience(audience), domain=domain)
            if minutes:
                _end_after(minutes)
            try:
                run(opened.store, opened.actor, service, host=host, port=port, demo=demo, settings=settings,
                    on_ready=lambda url: _ready(file, service, url, as_json))  # fmt: skip
            finally:
                file.unlink(missing_ok=True)


def running(file: Path) -> tuple[int, str] | None:
    """Process id and address of the service that runs on a store, if one does; never of a later process with its id."""
    from touyan.compute.owner import named

    try:
        fields = json.loads(file.read_text())
        pid, url = int(fields["pid"]), str(fields["url"])
        return (pid, url) if fields["process"] == named(pid) else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def end(file: Path) -> str:
    """Stops the service that runs on a store; its address."""
    found = running(file)
    if found is None:
        raise Missing("not-serving", "no service runs on this store", "start it: touyan serve")
    os.kill(found[0], signal.SIGTERM)
    return found[1]


def _ready(file: Path, service: str, url: str, as_json: bool) -> None:
    from touyan.compute.owner import this_process

    file.write_text(json.dumps({"pid": os.getpid(), "process": this_process(), "url": url, "service": service}))
    answer(as_json, {"service": service, "url": url}, _("Serving {name} at {url}").format(name=service, url=url))


def _end_after(minutes: float) -> None:
    timer = threading.Timer(minutes * 60, os.kill, (os.getpid(), signal.SIGTERM))
    timer.daemon = True
    timer.start()


def _only(services: Sequence[Service]) -> str:
    names = [s.name for s in services]
    if len(names) != 1:
        listed = ", ".join(names) or "none"
        raise Missing(
            "which-service", f"this project has {len(names)} services: {listed}", "name one, or run a flow that makes one"
        )
    return names[0]
