"""`touyan jobs`: the jobs of a project and their attempts."""

from __future__ import annotations

from typing import Annotated

import typer

from touyan.cli.output import print_json, print_table, say
from touyan.cli.session import AsOption, HomeOption, JsonOption, ProjectOption, session
from touyan.cli.words import _


def add_to(app: typer.Typer) -> None:
    @app.command(epilog=_("Example: touyan jobs --cancel 4f2a9c0d11aa22bb"))
    def jobs(
        cancel: Annotated[str, typer.Option(metavar="JOB", help=_("Cancel this job."))] = "",
        reason: Annotated[str, typer.Option(help=_("Why it is cancelled."))] = "cancelled by hand",
        party: AsOption = "",
        project: ProjectOption = "",
        home: HomeOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """List jobs with state, tries and reason; or cancel one."""
        with session(home, party, project) as opened:
            if cancel:
                opened.store.jobs.cancel(opened.actor, cancel, reason)
                say(_("Cancelled."))
                return
            found = opened.store.jobs.list(opened.actor.project)
            if as_json:
                print_json(found)
                return
            rows = [(j.id, j.name, j.state, j.tries, j.created_at[:16].replace("T", " "), j.reason[:80]) for j in found]
            print_table([_("job"), _("step"), _("state"), _("tries"), _("made"), _("reason")], rows, _("No jobs yet."))
