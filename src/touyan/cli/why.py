"""`touyan why`: where a thing came from and by what right; why a Job runs where it runs; or why something was refused."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from touyan.cli.output import named, print_json, say
from touyan.cli.session import AsOption, HomeOption, JsonOption, ProjectOption, Session, session
from touyan.cli.why_job import why_job
from touyan.cli.words import _, example
from touyan.core.canonical import short
from touyan.core.errors import Missing


def add_to(app: typer.Typer) -> None:
    @app.command(epilog=example("touyan why train"))
    def why(
        what: Annotated[str, typer.Argument(help=_("Id or name of an asset or a job; or a source that was refused."))],
        party: AsOption = "",
        project: ProjectOption = "",
        home: HomeOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Show the lineage of an asset and what blocks it; or the sites of a job, each with the reason for or against it."""
        with session(home, party, project) as opened:
            opened.require_inspect("project")
            if why_job(opened, what, as_json):  # a step that waits is asked about before what it made earlier
                return
            try:
                identifier = opened.resolve(what)
            except Missing:
                _refusals(opened, what, as_json)
                return
            value = _lineage(opened, identifier)
            if as_json:
                print_json(value)
            else:
                _print(value, "", set())
                _print_blocks(opened, identifier)


def _lineage(opened: Session, identifier: str) -> dict[str, Any]:
    store, project = opened.store, opened.actor.project
    with store.database.read() as connection:
        asset = store.assets.get(connection, project, identifier)
        inputs = store.assets.inputs(connection, identifier)
        standing = store.statements.standing(connection, project, identifier)
    value: dict[str, Any] = {
        "id": identifier,
        "kind": asset.manifest.kind,
        "name": asset.name,
        "provider": asset.manifest.provider,
    }
    if standing.rights is not None:
        value["rights"] = standing.rights.to_json()
    value["withdrawals"] = [f"{w.selector} {w.effect}: {w.reason}" for w in standing.withdrawals.values()]
    value["inputs"] = [{"role": i.role, **_lineage(opened, i.asset)} for i in inputs]
    return value


def _print(value: dict[str, Any], indent: str, shown: set[str]) -> None:
    """One line an asset; what was shown already is named and not unfolded again."""
    role = f"{value['role']}: " if value.get("role", value["kind"]) != value["kind"] else ""
    line = f"{indent}{role}{value['kind']} {short(value['id'])}  {value['name']}"
    if value["id"] in shown:
        say(f"{line}  {_('(shown above)')}" if value["inputs"] else line)
        return
    shown.add(value["id"])
    say(line)
    if "rights" in value:
        rights = value["rights"]
        proof = rights["article"] or rights["licence"] or ", ".join(rights["evidence"]) or _("no evidence named")
        say(
            f"{indent}    {value['provider']}: {rights['authority']} ({proof}); {_('personal information')}: {rights['personal']}"
        )
    for words in value["withdrawals"]:
        say(f"{indent}    {_('withdrawn')}: {words}")
    for one in value["inputs"]:
        _print(one, indent + "  ", shown)


def _print_blocks(opened: Session, identifier: str) -> None:
    """For what it may be used, and who or what forbids the rest."""
    from touyan.core.rights import PURPOSES

    with opened.store.database.read() as connection:
        found = {p: opened.store.gate.blocks(connection, opened.actor.project, identifier, p) for p in PURPOSES}
    say(
        _("May be used for: {purposes}").format(
            purposes=", ".join(p for p, blocks in found.items() if not blocks) or _("nothing")
        )
    )
    by_reason: dict[str, list[str]] = {}
    for purpose, blocks in found.items():
        if blocks:
            reasons = "; ".join(dict.fromkeys(f"{named(b.who)}: {b.reason}" for b in blocks[:4]))
            by_reason.setdefault(reasons, []).append(purpose)
    for reasons, purposes in by_reason.items():
        say(_("Not for {purposes}: {reasons}").format(purposes=", ".join(purposes), reasons=reasons))


def _refusals(opened: Session, what: str, as_json: bool) -> None:
    """Events of refusal that name `what`: a source is refused before it is an asset."""
    kinds = ("source.refused", "access.refused", "job.failed", "permit.refused")
    events = [e for k in kinds for e in opened.store.events.find(opened.actor.project, kind=k, last=1000)]
    found = [e for e in events if any(what in s for s in e.event.subjects) or what in str(e.body)]
    if not found:
        raise Missing(
            "nothing-known",
            f"nothing here is called {what!r}, and nothing of that name was refused",
            "see: touyan show; touyan log",
        )
    if as_json:
        print_json([{"at": e.event.at, "type": e.event.type, "subjects": e.event.subjects, "body": e.body} for e in found])
        return
    for one in found[-10:]:
        say(f"{one.event.at[:19].replace('T', ' ')}  {one.event.type}  {(one.body or {}).get('message', '')}")
