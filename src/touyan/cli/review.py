"""`touyan review`: what waits for a review, what it is about, and a person's vote."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from touyan.cli.output import print_json, print_table, say
from touyan.cli.session import AsOption, HomeOption, JsonOption, ProjectOption, Session, session
from touyan.cli.words import _, example
from touyan.core.canonical import short
from touyan.core.errors import Invalid, Missing

if TYPE_CHECKING:
    from touyan.store.reviews import Review


def add_to(app: typer.Typer) -> None:
    @app.command(epilog=example("touyan review 3fa2c1 --approve --comment 'sampled 40 documents' --as li-wei"))
    def review(
        which: Annotated[str, typer.Argument(metavar="REVIEW", help=_("First digits of a review; empty: the open one."))] = "",
        approve: Annotated[bool, typer.Option("--approve", help=_("Vote yes."))] = False,
        reject: Annotated[bool, typer.Option("--reject", help=_("Vote no."))] = False,
        comment: Annotated[str, typer.Option("--comment", "-m", help=_("Why; it is signed with the vote."))] = "",
        role: Annotated[str, typer.Option(help=_("Review role you vote in; default: the first that is open."))] = "",
        dossier: Annotated[Path | None, typer.Option(help=_("Write the file for offices here: .docx, or .xlsx."))] = None,
        party: AsOption = "", project: ProjectOption = "", home: HomeOption = None, as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        """Show reviews, or vote on one. Nobody reviews what he or she submitted."""
        if approve and reject:
            raise Invalid("two-votes", "--approve and --reject together", "give one of them")
        with session(home, party, project) as opened:
            if not which and not approve and not reject and dossier is None:
                _list(opened, as_json)
                return
            found = find(opened, which)
            if approve or reject:
                found = opened.store.reviews.vote(opened.actor, found.id, "approve" if approve else "reject", comment, role)
            if dossier is not None:
                _write_dossier(opened, found.id, dossier)
            _show(opened, found, as_json)


def find(opened: Session, prefix: str) -> Review:
    """A review by its first digits; without them the only one that is open."""
    opened.require_inspect("review")
    listed = opened.store.reviews.list(opened.actor.project)
    fitting = [r for r in listed if (r.id.startswith(prefix) if prefix else r.state == "submitted")]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise Missing("no-review", f"no review begins with {prefix!r}" if prefix else "no review is open", "see: touyan review")
    raise Invalid("which-review", f"{len(fitting)} reviews fit", "give the first digits of one: touyan review")


def _list(opened: Session, as_json: bool) -> None:
    opened.require_inspect("review")
    found = opened.store.reviews.list(opened.actor.project)
    if as_json:
        print_json([facts(r) for r in found])
        return
    rows = [
        (short(r.id), r.request.kind, r.state, ", ".join(r.open_roles), short(r.request.subject.model), r.request.at[:16])
        for r in found
    ]
    print_table([_("review"), _("kind"), _("state"), _("still to vote"), _("model"), _("asked")], rows, _("No reviews yet."))


def facts(found: Review) -> dict[str, Any]:
    votes = [
        {"party": v.vote.party, "role": v.vote.role, "decision": v.vote.decision, "comment": v.vote.comment} for v in found.votes
    ]
    return {
        "id": found.id, "state": found.state, "kind": found.request.kind, "submitter": found.request.submitter,
        "subject": found.request.subject.to_json(), "roles": found.request.roles, "quorum": found.request.quorum, "votes": votes,
    }  # fmt: skip


def _show(opened: Session, found: Review, as_json: bool) -> None:
    from touyan.permit import review as room

    sheet = room.show(opened.store, opened.actor, found.id)
    if as_json:
        print_json(facts(found) | {"checks": sheet.case.checks, "blocks": sheet.blocks, "duties": sheet.duties})
        return
    say(f"{_('review')} {short(found.id)}  {found.request.kind}  {found.state}")
    say(f"  {_('model')} {short(found.request.subject.model)}   {_('corpus')} {short(found.request.subject.corpus)}")
    for source in sheet.sources:
        say(f"  {_('source')} {source.who}: {source.rights.authority if source.rights else _('no rights record')}")
    rows = [(_(c["outcome"]), c["id"], _measured(c), _told(c)) for c in sheet.case.checks]
    print_table([_("outcome"), _("rule"), _("value"), _("evidence")], rows, _("No checks."))
    for winner in sheet.case.winners.values():
        say(f"  {winner['statement'] if isinstance(winner, dict) else winner}")
    for block in sheet.blocks:
        say(f"  {_('blocks')}: {block.who}: {block.reason}")
    for cast in found.votes:
        role = f" ({cast.vote.role})" if cast.vote.role else ""
        say(f"  {cast.vote.party.rpartition('/')[2]}{role}: {cast.vote.decision}  {cast.vote.comment}")
    if found.state == "submitted":
        say(_("Vote: touyan review {id} --approve --as PARTY   (or --reject)").format(id=short(found.id)))


def _told(check: Mapping[str, Any]) -> str:
    """What the rule asks, in the reader's language, and what was found."""
    asked = (check.get("text") or {}).get(_("en"), "")
    return " · ".join(words for words in (asked, evidence_words(check.get("evidence") or {})) if words)


def _measured(check: Mapping[str, Any]) -> str:
    value = check.get("value")
    return f"{value:.4g} ({check.get('threshold', '')})" if isinstance(value, (int, float)) else "–"


def evidence_words(evidence: Mapping[str, Any]) -> str:
    """The evidence of a check as a short sentence; the record has all of it (--json, --dossier)."""
    if "missing" in evidence:
        return _("not measured: {missing}").format(missing=evidence["missing"])
    said = (
        [_("{counted} of {all}").format(counted=f"{evidence['counted']:,}", all=f"{evidence['frame']:,}")]
        if {"counted", "frame"} <= set(evidence)
        else []
    )
    for name, value in evidence.items():
        if isinstance(value, int) and name != "seed" and not (said and name in ("counted", "frame")):
            said.append(f"{name} {value:,}")
        elif isinstance(value, list) and value:
            said.append(f"{name} {', '.join(str(v)[:12] for v in value[:3])}" + (" …" if len(value) > 3 else ""))
        elif name in ("reasons", "kinds") and value:
            said.append(", ".join(f"{k} {v:,}" for k, v in value.items()))
    return "; ".join(said)


def _write_dossier(opened: Session, review: str, target: Path) -> None:
    from touyan.permit import dossier

    write = dossier.write_xlsx if target.suffix == ".xlsx" else dossier.write_docx
    say(_("Wrote {path}").format(path=write(opened.store, opened.actor, review, target)), stderr=True)
