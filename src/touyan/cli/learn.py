"""`touyan learn`: what users said becomes data through the rights gate, the ring turns again, and what changed is told."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from touyan.cli.output import print_json, say
from touyan.cli.run import FlowArgument, facts, tell
from touyan.cli.session import AsOption, HomeOption, JsonOption, ProjectOption, Session, session
from touyan.cli.words import _, example
from touyan.core.errors import Missing

if TYPE_CHECKING:
    from touyan.feedback.collect import Collected
    from touyan.feedback.learn import Change


def add_to(app: typer.Typer) -> None:
    @app.command(epilog=example("touyan learn flow.yaml"))
    def learn(
        flow: FlowArgument = Path("flow.yaml"),
        party: AsOption = "",
        project: ProjectOption = "",
        home: HomeOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Collect feedback through the rights gate, run the flow again with it, and say what changed."""
        from touyan import ring
        from touyan.cli.progress import Shown

        with session(home, party, project) as opened:
            before = _last_evaluation(opened, flow)
            shown = Shown()
            try:
                collected, turn = ring.learn(opened.store, opened.actor, flow, shown)
            finally:
                shown.close()
            changes, why_none = _changes(opened, before, turn.run.asset("evaluation"))
            if as_json:
                print_json({"collected": collected, "changes": changes} | facts(turn))
                return
            _tell_collected(collected)
            tell(turn, False)
            for change in changes:
                say(change.words())
            if why_none:
                say(why_none)


def _tell_collected(collected: Collected) -> None:
    say(_("Feedback taken: {n}").format(n=collected.taken))
    for reason, n in collected.refused.items():
        say(_("  refused {n}: {reason}").format(n=n, reason=reason))
    for block in collected.blocks:
        say(f"  {block.who}: {block.reason}")


def _last_evaluation(opened: Session, flow: Path) -> str:
    """The evaluation of the newest run of this flow; empty where there is none."""
    from sqlalchemy import select

    from touyan.flow.file import read_flow
    from touyan.store import tables as t

    name = read_flow(flow).file.name
    query = (
        select(t.run.c.plan)
        .where(t.run.c.project == opened.actor.project, t.run.c.flow == name)
        .order_by(t.run.c.started_at.desc())
    )
    with opened.store.database.read() as connection:
        plans = [json.loads(p) for p in connection.execute(query.limit(20)).scalars()]
    made = [s["asset"] for p in plans for s in p["steps"] if s["output"] == "evaluation" and s["asset"]]
    return made[0] if made else ""


def _changes(opened: Session, before: str, after: str) -> tuple[tuple[Change, ...], str]:
    """What changed, or why that cannot be said."""
    from touyan.feedback.learn import compare

    if not before or not after:
        return (), _("There is no evaluation to compare with.")
    if before == after:
        return (), _("Nothing changed: the evaluation is the same.")
    with tempfile.TemporaryDirectory() as folder:
        try:
            return compare(opened.store, opened.actor, before, after, Path(folder)), ""
        except Missing as reason:
            return (), reason.message
