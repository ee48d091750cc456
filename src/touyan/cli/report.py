"""`touyan report`: writes the report of a run again, or to another place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from touyan.cli.output import answer
from touyan.cli.session import AsOption, HomeOption, JsonOption, ProjectOption, session
from touyan.cli.words import _, example
from touyan.core.errors import Missing


def add_to(app: typer.Typer) -> None:
    @app.command(epilog=example("touyan report --out report.html"))
    def report(
        run: Annotated[str, typer.Argument(help=_("A run; empty: the newest."))] = "",
        out: Annotated[Path, typer.Option(help=_("Where to write it."))] = Path("report.html"),
        party: AsOption = "", project: ProjectOption = "", home: HomeOption = None, as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        """Write the report of a run as one HTML file."""
        from sqlalchemy import select

        from touyan import report as room
        from touyan.store import tables as t

        with session(home, party, project) as opened:
            query = select(t.run.c.id).where(t.run.c.project == opened.actor.project).order_by(t.run.c.started_at.desc())
            with opened.store.database.read() as connection:
                found = connection.execute(query.where(t.run.c.id == run) if run else query).scalars().first()
            if found is None:
                raise Missing("no-run", f"there is no run {run}", "see: touyan show")
            written = room.write(opened.store, opened.actor, found, out)
            answer(as_json, {"run": found, "report": str(written)}, _("Wrote {path}").format(path=written))
