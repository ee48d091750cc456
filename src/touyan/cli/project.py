"""`touyan project`: projects of this store."""

from __future__ import annotations

from typing import Annotated

import typer

from touyan.cli.output import answer, print_json, print_table
from touyan.cli.session import AsOption, HomeOption, JsonOption, session
from touyan.cli.words import _, example
from touyan.core.errors import Conflict
from touyan.core.seam import iso


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help=_("Projects: every row of the store belongs to one."))
    app.add_typer(group, name="project")

    @group.command("list", epilog=example("touyan project list"))
    def list_(party: AsOption = "", home: HomeOption = None, as_json: JsonOption = False) -> None:
        """List the projects."""
        from sqlalchemy import select

        from touyan.store import tables as t

        with session(home, party) as opened, opened.store.database.read() as connection:
            rows = [tuple(r) for r in connection.execute(select(t.project))]
            print_json(rows) if as_json else print_table([_("project"), _("title"), _("made")], rows, "")

    @group.command(epilog=example("touyan project add hotline --title '12345 hotline'"))
    def add(
        name: Annotated[str, typer.Argument(help=_("Short name of the project."))],
        title: Annotated[str, typer.Option(help=_("What it is about."))] = "",
        party: AsOption = "", home: HomeOption = None, as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        """Make a project in which you have the roles you have here."""
        from sqlalchemy import insert, select

        from touyan.store import tables as t
        from touyan.store.policy import Thing, require

        with session(home, party) as opened:
            store, actor = opened.store, opened.actor
            require(actor, "enrol", Thing("project", name, actor.project))
            with store.database.write() as connection:
                if connection.execute(select(t.project).where(t.project.c.id == name)).first():
                    raise Conflict("project-exists", f"there is a project {name!r} already", "choose another name")
                connection.execute(insert(t.project), {"id": name, "title": title, "created_at": iso(store.seam.now_ms())})
                agent = store.agent(actor.project).party
                rows = [{"project": name, "party": actor.party, "role": r} for r in sorted(actor.roles)] + [
                    {"project": name, "party": agent, "role": "agent"}
                ]
                connection.execute(insert(t.membership), rows)
                store.events.emit(connection, actor, "project.made", [name], {"title": title})
            answer(as_json, {"project": name}, _("Made. Act in it with --project {name}").format(name=name))
