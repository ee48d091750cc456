"""`touyan jobs`: the jobs of a project and their attempts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from touyan.cli.output import answer, print_json, print_table
from touyan.cli.session import AsOption, HomeOption, JsonOption, ProjectOption, session
from touyan.cli.words import _, example
from touyan.core.errors import error_record
from touyan.store.site_records import LOCAL

if TYPE_CHECKING:
    from touyan.store.job_records import Job


def add_to(app: typer.Typer) -> None:
    @app.command(epilog=example("touyan jobs --cancel 4f2a9c0d11aa22bb"))
    def jobs(
        cancel: Annotated[str, typer.Option(metavar="JOB", help=_("Cancel this job."))] = "",
        reason: Annotated[str, typer.Option(help=_("Why it is cancelled."))] = "cancelled by hand",
        party: AsOption = "",
        project: ProjectOption = "",
        home: HomeOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """List jobs with state, site, tries and reason; or cancel one."""
        with session(home, party, project) as opened:
            if cancel:
                opened.store.jobs.cancel(opened.actor, cancel, reason)
                answer(as_json, {"cancelled": cancel}, _("Cancelled."))
                return
            opened.require_inspect("job")
            found = opened.store.jobs.list(opened.actor.project)
            placed = opened.store.placements.of([j.id for j in found])
            sites = {j.id: placed[j.id].site if j.id in placed else LOCAL if j.tries else "" for j in found}
            if as_json:
                fields = ("id", "name", "step", "state", "tries", "created_at", "ended_at", "asset", "submitter")
                print_json(
                    [
                        {f: getattr(j, f) for f in fields}
                        | {"site": sites[j.id], "error": error_record(j.error) if j.error else None}
                        for j in found
                    ]
                )
                return
            rows = [
                (j.id, j.name, j.state, sites[j.id], j.tries, j.created_at[5:16].replace("T", " "), _reason(j)) for j in found
            ]
            columns = [_("job"), _("step"), _("state"), _("site"), _("tries"), _("made"), _("reason")]
            print_table(columns, rows, _("No jobs yet."))


def _reason(job: Job) -> str:
    return job.error.message[:80] if job.error else ""
