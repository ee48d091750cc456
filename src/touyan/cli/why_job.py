"""`touyan why JOB`: where a Job was placed and what was said of every site."""

from __future__ import annotations

from touyan.cli.output import print_json, print_table, say
from touyan.cli.session import Session
from touyan.cli.words import _
from touyan.store.job_records import Job
from touyan.store.jobs import ACTIVE
from touyan.store.site_records import LOCAL, Placement

NEWEST = 1000
"""Jobs among which one is looked for."""
TOLD = ("id", "site", "state", "started_at", "ended_at", "reason")
"""What is told of an Attempt."""


def why_job(opened: Session, what: str, as_json: bool) -> bool:
    """Answers for a Job by id, or for the one of a step that waits or runs; False where there is none."""
    newest = opened.store.jobs.list(opened.actor.project, last=NEWEST)
    found = [j for j in newest if what == j.id or (what == j.name and j.state in ACTIVE)]
    if not found:
        return False
    placed = opened.store.placements.of([found[0].id]).get(found[0].id)
    attempts = opened.store.jobs.attempts(found[0].id)
    if as_json:
        print_json(_value(found[0], placed) | {"attempts": [{f: getattr(a, f) for f in TOLD} for a in attempts]})
        return True
    _print(found[0], placed)
    rows = [(a.id, a.site, a.state, (a.started_at or "")[:19].replace("T", " "), a.reason) for a in attempts]
    print_table([_("attempt"), _("site"), _("state"), _("started"), _("reason")], rows, _("No attempts yet."))
    return True


def _value(job: Job, placed: Placement | None) -> dict[str, object]:
    said = dict(placed.reasons) if placed else {}
    value: dict[str, object] = {"job": job.id, "name": job.name, "state": job.state, "site": placed.site if placed else LOCAL}
    return value | {"nearest": said.pop("", ""), "sites": said, "at": placed.at if placed else None}


def _print(job: Job, placed: Placement | None) -> None:
    say(_("Job {id}, {name}: {state}").format(id=job.id, name=job.name, state=job.state))
    if job.error is not None:
        say(str(job.error))
    if placed is None:
        say(_("No site has joined, or none was asked yet: this machine runs it."))
        return
    rows = [(site, words) for site, words in placed.reasons.items() if site]
    chosen = sorted(rows, key=lambda row: (row[0] != placed.site, row[1].split(" ")[0], row[0]))
    print_table([_("site"), _("what was said of it")], chosen, "")
    if nearest := placed.reasons.get(""):
        say(_("Nearest: {nearest}").format(nearest=nearest))
