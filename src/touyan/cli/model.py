"""`touyan model`: foreign base models enter as Assets, with licence, provider and filing number; models leave as folders."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from touyan.cli.output import answer
from touyan.cli.session import AsOption, HomeOption, JsonOption, ProjectOption, session
from touyan.cli.words import _, example
from touyan.core.canonical import short
from touyan.core.rights import Rights, rights_from_json


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help=_("Bring in a foreign base model; export a model."))
    app.add_typer(group, name="model")

    @group.command(epilog=example("touyan model add ./SmolLM2 --name smollm2 --licence Apache-2.0 --provider HuggingFaceTB"))
    def add(
        path: Annotated[Path, typer.Argument(help=_("A folder in Hugging Face layout, or a .gguf file."))],
        name: Annotated[str, typer.Option(help=_("How flows call it: base: NAME."))],
        licence: Annotated[str, typer.Option(help=_("SPDX id of its licence."))],
        provider: Annotated[str, typer.Option(help=_("Who provides it."))],
        filing_number: Annotated[str, typer.Option(help=_("Filing number of an authority, where it has one."))] = "",
        evidence: Annotated[str, typer.Option(help=_("Where the licence can be read."))] = "",
        personal: Annotated[
            str, typer.Option(help=_("Ground for personal information in what it was trained on, or none; unknown blocks."))
        ] = "unknown",
        personal_state: Annotated[str, typer.Option(help="none | contains | pseudonymised | de-identified | unknown")] = "unknown",
        security: Annotated[str, typer.Option(help="public | general | important | unknown")] = "unknown",
        party: AsOption = "", project: ProjectOption = "", home: HomeOption = None, as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        """Make a foreign base model an asset of this project."""
        from touyan.model.foreign import import_base
        from touyan.store.policy import Thing, require

        with session(home, party, project) as opened, tempfile.TemporaryDirectory() as draft:
            store, actor = opened.store, opened.actor
            require(actor, "gather", Thing("model", name, actor.project))
            require(actor, "state", Thing("model", name, actor.project))
            rights = _rights(licence, evidence, personal, personal_state, security)
            folder = Path(draft) / "model"
            import_base(path, folder, licence=licence, provider=provider, filing_number=filing_number or None)
            identifier = store.assets.add_folder(actor, "model", folder, name, provider=f"{provider}/{name}")
            with store.database.write() as connection:
                store.statements.make(connection, actor, identifier, "rights", {"rights": rights.to_json()})
                store.statements.make(connection, actor, identifier, "name", {"name": name})
            words = _("Added {name} as {id}. Use it: train: {{base: {name}}}").format(name=name, id=short(identifier))
            answer(as_json, {"id": identifier, "name": name}, words)

    @group.command(epilog=example("touyan model export train ./model"))
    def export(
        model: Annotated[str, typer.Argument(help=_("Id or name of a model."))],
        out: Annotated[Path, typer.Argument(help=_("A new folder."))],
        party: AsOption = "", project: ProjectOption = "", home: HomeOption = None, as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        """Write the files of a model; it must be cleared for redistribution and you must be an officer."""
        with session(home, party, project) as opened:
            opened.store.gate.open(opened.resolve(model), opened.actor, "redistribute").copy_to(out)
            answer(as_json, {"folder": str(out)}, _("Wrote {path}").format(path=out))


def _rights(licence: str, evidence: str, personal: str, personal_state: str, security: str) -> Rights:
    """The rights of a foreign model as who brings it in states them. Raises Invalid with the nearest word."""
    return rights_from_json({
        "authority": "open-licence", "licence": licence, "evidence": [evidence or f"licence {licence}"],
        "personal": personal, "personal_state": personal_state, "security": security,
        "original_purpose": "" if personal in ("none", "unknown") else "training of the base model",
        "purposes": ["refine", "train", "evaluate", "serve", "retrieve", "redistribute"],
    })  # fmt: skip
