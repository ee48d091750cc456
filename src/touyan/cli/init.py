"""`touyan init`: a store and a first flow file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from touyan.cli.output import print_json, say
from touyan.cli.session import JsonOption
from touyan.cli.words import _, example
from touyan.core.errors import Conflict

FLOW = """\
touyan: 1
name: mine
title: My documents
sources:
  papers:
    path: documents/            # a folder or a file: text, Markdown, HTML, PDF, DOCX, XLSX, JSONL, CSV, Parquet, SQLite
    provider: my-organisation
    rights:                     # what is not stated is unknown, and unknown blocks
      authority: own-production
      personal: none
      personal_state: none
      security: general
      purposes: [refine, train, evaluate, serve]
steps:
  refine: {recipe: office}
  split: {}
  tokenizer: {}
  pack: {}
  train: {}
  ngram: {}
  evaluate: {}
  check: {}
review: {kind: release, roles: [data-reviewer]}
permit: {audience: internal, days: 90}
service: {name: mine}
"""


def add_to(app: typer.Typer) -> None:
    @app.command(epilog=example("touyan init --organisation city-library"))
    def init(
        organisation: Annotated[str, typer.Option(help=_("Short name of the organisation that owns this store."))] = "local",
        person: Annotated[str, typer.Option(help=_("Short name of its first person; default: your login."))] = "",
        home: Annotated[Path | None, typer.Option(help=_("Folder of the store; default: .touyan here."))] = None,
        as_json: JsonOption = False,
    ) -> None:
        """Make a store here, with an organisation, a first person and a flow file to edit."""
        from touyan.store.home import open_store

        folder = (home or Path(os.environ.get("TOUYAN_HOME") or ".touyan")).absolute()
        flow = Path("flow.yaml")
        is_new = not (folder / "keys" / "root.json").exists()
        if not is_new and flow.exists():
            raise Conflict("store-exists", f"there is a store in {folder} already", "use it, or choose another folder: --home")
        store = open_store(folder, create=True, organisation=organisation, person=person)
        if not flow.exists():
            flow.write_text(FLOW, encoding="utf-8")
        me = store.me()
        store.events.sequence()
        if as_json:
            print_json({"home": str(folder), "party": me.party, "roles": me.roles, "flow": str(flow)})
            return
        words = (
            _("A store was made in {home}. You are {party}.")
            if is_new
            else _("The store in {home} stays as it is. You are {party}.")
        )
        say(words.format(home=folder, party=me.party))
        say(_("Next: put documents into ./documents, look at {flow}, then run: touyan run {flow}").format(flow=flow))
