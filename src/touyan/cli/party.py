"""`touyan party`: who is enrolled, with which roles and keys."""

from __future__ import annotations

from typing import Annotated

import typer

from touyan.cli.output import answer, print_json, print_table
from touyan.cli.session import AsOption, HomeOption, JsonOption, ProjectOption, session
from touyan.cli.words import _, example

NameArgument = Annotated[str, typer.Argument(help=_("Short name of the party."))]
RoleArgument = Annotated[
    str, typer.Argument(help=_("owner, steward, engineer, officer, server, reviewer or another role of this project."))
]


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help=_("Enrol persons and machines; give roles; rotate and revoke keys."))
    app.add_typer(group, name="party")
    _add_enrolment(group)
    _add_roles(group)
    _add_keys(group)


def _add_enrolment(group: typer.Typer) -> None:
    @group.command("list", epilog=example("touyan party list"))
    def list_(party: AsOption = "", project: ProjectOption = "", home: HomeOption = None, as_json: JsonOption = False) -> None:
        """List parties, their roles in this project and their keys."""
        with session(home, party, project) as opened:
            roles = opened.store.parties.roles(opened.actor.project)
            found = [(p, roles.get(p.id, []), opened.store.parties.active(p.id)) for p in opened.store.parties.list()]
            if as_json:
                print_json(
                    [
                        {"id": p.id, "kind": p.kind, "demo": p.is_demo, "roles": r, "keys": [k.public.key_id for k in keys]}
                        for p, r, keys in found
                    ]
                )
                return
            rows = [
                (
                    p.id,
                    p.kind + (" (demo)" if p.is_demo else ""),
                    ", ".join(r),
                    " ".join(k.public.key_id.rpartition(":")[2][:12] for k in keys),
                )
                for p, r, keys in found
            ]
            print_table([_("party"), _("kind"), _("roles"), _("active keys")], rows, "")

    @group.command(epilog=example("touyan party enrol li-wei --role reviewer"))
    def enrol(
        name: NameArgument,
        role: Annotated[list[str], typer.Option(help=_("A role in this project; may be repeated."))] = [],  # noqa: B006
        machine: Annotated[bool, typer.Option("--machine", help=_("A machine, not a person."))] = False,
        demo: Annotated[bool, typer.Option("--demo", help=_("For demonstrations: what it signs is marked demo."))] = False,
        party: AsOption = "", project: ProjectOption = "", home: HomeOption = None, as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        """Enrol a person or machine with a new key in this keyring."""
        with session(home, party, project) as opened:
            made = opened.store.parties.enrol(opened.actor, name, "machine" if machine else "person", role, demo)
            answer(as_json, {"id": made.id}, _("Enrolled {party}.").format(party=made.id))


def _add_roles(group: typer.Typer) -> None:
    @group.command(epilog=example("touyan party grant li-wei reviewer"))
    def grant(
        name: NameArgument, role: RoleArgument,
        party: AsOption = "", project: ProjectOption = "", home: HomeOption = None, as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        """Give a party a role in this project."""
        with session(home, party, project) as opened:
            opened.store.parties.grant(opened.actor, name, role)
            answer(as_json, {"granted": role}, _("Granted."))

    @group.command(epilog=example("touyan party revoke li-wei reviewer"))
    def revoke(
        name: NameArgument, role: RoleArgument,
        party: AsOption = "", project: ProjectOption = "", home: HomeOption = None, as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        """Take a role from a party."""
        with session(home, party, project) as opened:
            opened.store.parties.revoke(opened.actor, name, role)
            answer(as_json, {"revoked": role}, _("Revoked."))


def _add_keys(group: typer.Typer) -> None:
    @group.command(epilog=example("touyan party rotate li-wei"))
    def rotate(
        name: NameArgument,
        party: AsOption = "",
        project: ProjectOption = "",
        home: HomeOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Give a party a new key, endorsed by the one it replaces."""
        with session(home, party, project) as opened:
            key = opened.store.parties.rotate(opened.actor, name).key_id
            answer(as_json, {"key": key}, _("New key: {key}").format(key=key))

    @group.command(epilog=example("touyan party lost li-wei --reason 'laptop stolen'"))
    def lost(
        name: NameArgument, reason: Annotated[str, typer.Option(help=_("What happened."))] = "lost",
        party: AsOption = "", project: ProjectOption = "", home: HomeOption = None, as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        """Revoke the keys of a party from now on, and enrol a new one under the root key."""
        with session(home, party, project) as opened:
            key = opened.store.parties.report_lost(opened.actor, name, reason).key_id
            answer(as_json, {"key": key}, _("New key: {key}").format(key=key))
