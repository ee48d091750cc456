"""`touyan show`: what is in the store, or one thing in it."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from touyan.cli.output import print_json, print_table, say
from touyan.cli.session import AsOption, HomeOption, JsonOption, ProjectOption, Session, session
from touyan.cli.words import _, example
from touyan.core.canonical import short

SHOWN_FILES = 40


def add_to(app: typer.Typer) -> None:
    @app.command(epilog=example("touyan show train"))
    def show(
        what: Annotated[
            str, typer.Argument(help=_("Id (first digits), name of a step or source, run, or a kind; empty: everything new."))
        ] = "",
        last: Annotated[int, typer.Option(help=_("How many."))] = 30,
        party: AsOption = "",
        project: ProjectOption = "",
        home: HomeOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Show the newest assets and runs, or one asset with its files, inputs, standing and rights."""
        from touyan.core.asset import KINDS

        with session(home, party, project) as opened:
            opened.require_inspect("project")
            if not what or what in KINDS:
                _list(opened, what, last, as_json)
            elif what.startswith("run-"):
                _show_run(opened, what, as_json)
            else:
                _show_asset(opened, opened.resolve(what), as_json)


def _list(opened: Session, kind: str, last: int, as_json: bool) -> None:
    from sqlalchemy import select

    from touyan.store import tables as t

    assets = opened.store.assets.list(opened.actor.project, kind, last)
    query = select(t.run).where(t.run.c.project == opened.actor.project).order_by(t.run.c.started_at.desc()).limit(last)
    with opened.store.database.read() as connection:
        runs = [] if kind else [dict(r) for r in connection.execute(query).mappings()]
    if as_json:
        listed = [
            {"id": a.id, "kind": a.manifest.kind, "name": a.name, "size_bytes": a.manifest.size_bytes, "at": a.published_at}
            for a in assets
        ]
        print_json(
            {
                "assets": listed,
                "runs": [{k: r[k] for k in ("id", "flow", "state", "actor", "started_at", "ended_at")} for r in runs],
            }
        )
        return
    rows = [
        (short(a.id), a.manifest.kind, a.name, f"{a.manifest.size_bytes:,}", a.published_at[:16].replace("T", " "))
        for a in assets
    ]
    print_table(
        [_("asset"), _("kind"), _("name"), _("bytes"), _("made")], rows, _("No assets yet. Run a flow: touyan run flow.yaml")
    )
    if runs:
        say("")
        rows = [(r["id"], r["flow"], r["state"], r["started_at"][:16].replace("T", " ")) for r in runs[:10]]
        print_table([_("run"), _("flow"), _("state"), _("started")], rows, "")


def _show_run(opened: Session, run_id: str, as_json: bool) -> None:
    from sqlalchemy import select

    from touyan.core.errors import Missing
    from touyan.store import tables as t

    query = select(t.run).where(t.run.c.id == run_id, t.run.c.project == opened.actor.project)
    with opened.store.database.read() as connection:
        row = connection.execute(query).mappings().first()
    if row is None:
        raise Missing("no-run", f"there is no run {run_id}", "see: touyan show")
    plan = json.loads(row["plan"])
    if as_json:
        print_json(dict(row) | {"plan": plan})
        return
    say(f"{row['id']}  {row['flow']}  {row['state']}  {row['started_at']}")
    rows = [(s["name"], s["state"], short(s["asset"]), f"{s['wall_ms'] / 1000:.1f} s", s["reason"]) for s in plan["steps"]]
    print_table([_("step"), _("state"), _("asset"), _("time"), _("reason")], rows, "")


def _show_asset(opened: Session, identifier: str, as_json: bool) -> None:
    store, project = opened.store, opened.actor.project
    with store.database.read() as connection:
        asset = store.assets.get(connection, project, identifier)
        standing = store.statements.standing(connection, project, identifier)
        rights = store.gate.effective(connection, project, identifier)
    manifest = asset.manifest
    value: dict[str, Any] = {
        "id": identifier, "kind": manifest.kind, "name": asset.name, "made": asset.published_at,
        "size_bytes": manifest.size_bytes,
        "provider": manifest.provider, "step_key": manifest.step_key, "inputs": [(i.role, i.asset) for i in manifest.inputs],
        "files": [(f.path, f.size_bytes, f.sha256) for f in manifest.files], "purposes": sorted(rights.purposes),
        "duties": sorted(rights.duties),
        "withdrawals": [f"{w.selector} {w.effect}: {w.reason}" for w in standing.withdrawals.values()],
        "is_erased": standing.is_erased,
    }  # fmt: skip
    if as_json:
        print_json(value)
        return
    for name in ("id", "kind", "name", "made", "size_bytes", "provider", "step_key"):
        if value[name] != "":
            say(f"{name:<12} {value[name]}")
    say(f"{_('purposes'):<12} {', '.join(value['purposes']) or _('none')}")
    for line in [f"{_('duty'):<12} {d}" for d in value["duties"]] + [f"{_('withdrawn'):<12} {w}" for w in value["withdrawals"]]:
        say(line)
    for role, one in value["inputs"]:
        say(f"{_('input'):<12} {role} {short(one)}")
    files = value["files"]
    say("")
    print_table(
        [_("file"), _("bytes"), "sha256"],
        [(path, f"{size:,}", digest[:12]) for path, size, digest in files[:SHOWN_FILES]],
        _("No files."),
    )
    if len(files) > SHOWN_FILES:
        say(_("… and {n} more: --json").format(n=len(files) - SHOWN_FILES))
    if manifest.kind != "source":
        say(_("Where it came from: touyan why {id}").format(id=short(identifier)))
