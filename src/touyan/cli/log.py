"""`touyan log`: the evidence log, its signed head, and proofs from it; or the log of one step."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from touyan.cli.output import answer, named, print_json, print_table
from touyan.cli.session import AsOption, HomeOption, JsonOption, ProjectOption, Session, session
from touyan.cli.words import _, example


def add_to(app: typer.Typer) -> None:
    @app.command(epilog=example("touyan log --last 20"))
    def log(
        step: Annotated[
            str, typer.Argument(help=_("Name of a step or id of a job: print what it wrote; empty: the evidence log."))
        ] = "",
        kind: Annotated[str, typer.Option("--type", help=_("Only events of this type."))] = "",
        subject: Annotated[str, typer.Option(help=_("Only events about this id."))] = "",
        last: Annotated[int, typer.Option(help=_("How many."))] = 30,
        prove: Annotated[int | None, typer.Option(help=_("Print an inclusion proof of this event."))] = None,
        head: Annotated[bool, typer.Option("--head", help=_("Print the signed tree head."))] = False,
        party: AsOption = "",
        project: ProjectOption = "",
        home: HomeOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Show what happened, by whom and when, from the append-only log."""
        from touyan.store.policy import Thing, require

        with session(home, party, project) as opened:
            require(opened.actor, "log", Thing("log", "log", opened.actor.project))
            if step:
                text = _job_log(opened, step)
                answer(as_json, {"step": step, "log": text}, text or _("(empty)"))
            elif head:
                print_json(opened.store.events.head(opened.store.log_key).to_json())
            elif prove is not None:
                proof = opened.store.events.prove(prove, opened.store.log_key)
                path = [p.hex() for p in proof.path]
                print_json({"position": proof.position, "leaf": proof.leaf.decode(), "path": path, "head": proof.head.to_json()})
            else:
                _events(opened, subject, kind, last, as_json)


def _events(opened: Session, subject: str, kind: str, last: int, as_json: bool) -> None:
    opened.store.events.sequence()
    found = opened.store.events.find(opened.actor.project, subject, kind, last)
    if as_json:
        listed = [{"position": e.position, "type": e.event.type, "at": e.event.at, "actor": e.event.actor,
                   "subjects": e.event.subjects, "body": e.body} for e in found]  # fmt: skip
        print_json(listed)
        return
    rows = [
        (
            e.position,
            e.event.at[:19].replace("T", " "),
            e.event.type,
            e.event.actor.rpartition("/")[2],
            " ".join(map(named, e.event.subjects[:2])),
        )
        for e in found
    ]
    print_table(["#", _("when"), _("event"), _("who"), _("about")], rows, _("The log is empty."))


def _job_log(opened: Session, step: str) -> str:
    """The newest attempt's log of a step, by its name or job id."""
    from touyan.core.errors import Missing

    jobs = [j for j in opened.store.jobs.list(opened.actor.project) if step in (j.name, j.id)]
    logs = [
        p for j in jobs for p in sorted((opened.store.home / "jobs" / j.id).glob("*/log.txt"), key=lambda p: p.stat().st_mtime)
    ]
    if not logs:
        raise Missing("no-log", f"no job called {step!r} has left a log here", "see: touyan jobs")
    newest: Path = max(logs, key=lambda p: p.stat().st_mtime)
    return newest.read_text(errors="replace")
