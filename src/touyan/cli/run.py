"""`touyan run`: one turn of the ring; also how a run is resumed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from touyan.cli.output import print_json, say
from touyan.cli.session import AsOption, HomeOption, JsonOption, ProjectOption, Session, session
from touyan.cli.words import _, example

if TYPE_CHECKING:
    from touyan.ring import Turn

FlowArgument = Annotated[Path, typer.Argument(help=_("The flow file."))]


def add_to(app: typer.Typer) -> None:
    @app.command("run", epilog=example("touyan run flow.yaml"))
    def run(
        flow: FlowArgument = Path("flow.yaml"),
        party: AsOption = "",
        project: ProjectOption = "",
        home: HomeOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Run a flow: gather, refine, train, evaluate, and on to review, permit and service.

        Run it again to resume: what is there is a hit, and the reason of every step is printed.
        """
        with session(home, party, project, create=flow.is_file()) as opened:
            turn = turn_of(opened, flow)
            tell(turn, as_json)


def turn_of(opened: Session, flow: Path, until: str = "") -> Turn:
    """One turn of the ring, shown as it goes."""
    from touyan import ring
    from touyan.cli.progress import Shown

    shown = Shown()
    try:
        return ring.turn(opened.store, opened.actor, flow, shown, until=until)
    except KeyboardInterrupt:
        say(_("Stopped. What is done is kept; run it again to go on."), stderr=True)
        raise
    finally:
        shown.close()


def tell(turn: Turn, as_json: bool) -> None:
    """What the turn came to."""
    if as_json:
        print_json(facts(turn))
        return
    record = turn.run
    for source in record.sources:
        if not source["is_cleared"]:
            blocks = cast("list[dict[str, str]]", source["blocks"])
            reasons = "; ".join(dict.fromkeys(b["reason"] for b in blocks))
            say(_("Refused source {name}: {reasons}").format(name=source["provider"], reasons=reasons))
    width = max(map(len, turn.assets), default=0)
    for name, asset in turn.assets.items():
        say(f"{name:<{width}} {asset[:12]}")
    if record.permit:
        say(_("Permit: {number}").format(number=record.permit["number"]))
    say(_("Report: {path}").format(path=turn.report))
    if words := next_step(turn):
        say(words)


def next_step(turn: Turn) -> str:
    """What a person does next, as a command."""
    review = str((turn.run.review or {}).get("id", ""))[:12]
    service = turn.run.flow.file.service
    if turn.waits_for == "review":
        return _(
            "Waiting for another person's review: touyan review {id} --approve --as NAME   and then run again."
            " Enrol one: touyan party enrol NAME --role reviewer"
        ).format(id=review)
    if turn.waits_for == "permit":
        return _("Waiting for an officer: touyan permit issue {id} --as NAME   then run again.").format(id=review)
    if turn.run.permit and service:
        demo = " --demo" if turn.run.permit["is_demo"] else ""
        return _("Serve it: touyan serve {name}{demo}").format(name=service.name, demo=demo)
    return ""


def facts(turn: Turn) -> dict[str, Any]:
    """The machine's form of a turn."""
    record = turn.run
    steps = [
        {"name": s.name, "state": s.state, "reason": s.reason, "asset": s.asset, "wall_ms": s.wall_ms}
        for s in record.steps.values()
    ]
    return {
        "run": record.id, "state": record.state, "assets": dict(turn.assets), "sources": record.sources, "steps": steps,
        "review": record.review, "permit": record.permit, "report": str(turn.report), "next": next_step(turn),
    }  # fmt: skip
