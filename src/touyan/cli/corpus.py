"""`touyan corpus`: the refinery by itself, on a folder of anybody's files, without a store."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from touyan.cli import corpus_certificate, corpus_explain, corpus_plant, corpus_score
from touyan.cli.output import print_json, print_table, say
from touyan.cli.session import JsonOption
from touyan.cli.words import _, example

if TYPE_CHECKING:
    from touyan.cli.corpus_run import Outcome

RecipeOption = Annotated[str, typer.Option("--recipe", "-r", help=_("Name of a shipped recipe, or the path of a YAML file."))]


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help=_("Refine text by itself: files in, a clean corpus out."))
    app.add_typer(group, name="corpus")
    _add_run(group)
    _add_lists(group)
    corpus_explain.add_to(group)
    corpus_certificate.add_to(group)
    corpus_plant.add_to(group)
    corpus_score.add_to(group)


def _add_run(group: typer.Typer) -> None:
    @group.command("run", epilog=example("touyan corpus run --recipe zh-web pages/ clean/"))
    def run(
        source: Annotated[Path, typer.Argument(help=_("A file or a folder of files of any kind that Touyan reads."))],
        out: Annotated[Path, typer.Argument(help=_("A folder for all that comes of it."))],
        recipe: RecipeOption = "zh-web",
        text: Annotated[str, typer.Option(help=_("Column of the text, for tables and JSON Lines."))] = "",
        key: Annotated[str, typer.Option(help=_("Column of the document's own key; empty: `id` where there is one."))] = "",
        processes: Annotated[int, typer.Option(help=_("Processes; 0: as many as there are processors."))] = 0,
        ray: Annotated[bool, typer.Option(help=_("Refine on the Ray cluster of RAY_ADDRESS instead of processes."))] = False,
        change: Annotated[
            list[str] | None, typer.Option("--set", help=_("Another value for a parameter: length.min_chars=50"))
        ] = None,
        as_json: JsonOption = False,
    ) -> None:
        """Read files, refine them by a recipe, and write the corpus with everything that was dropped, cut and masked.

        Run it again to resume: finished parts are kept.
        """
        from touyan.cli.corpus_run import Order, carry_out

        order = Order(source, out, recipe, text, key, processes or os.cpu_count() or 1, ray, tuple(change or ()))
        outcome = carry_out(order)
        print_json(outcome.summary) if as_json else _tell(outcome)


def _tell(outcome: Outcome) -> None:
    summary = outcome.summary
    rows: list[tuple[str, ...]] = []
    for line in summary["funnel"]:
        lost = ", ".join(f"{reason} {n:,}" for reason, n in sorted(line["reasons"].items(), key=lambda item: -item[1]))
        rows.append((line["operator"], f"{line['in']:,}", f"{line['kept']:,}", lost))
    print_table([_("operator"), _("in"), _("kept"), _("dropped for")], rows, "")
    changed = ", ".join(f"{name} {sum(labels.values()):,}" for name, labels in summary["edits"].items())
    say(_("{documents} documents, {characters} characters kept.").format(
        documents=f"{summary['documents']:,}", characters=f"{summary['characters']:,}"))  # fmt: skip
    if changed:
        say(_("Edits: {changed}").format(changed=changed))
    if outcome.unreadable:
        say(_("{n} files or rows could not be read; see {path}").format(
            n=f"{outcome.unreadable:,}", path=outcome.out / "documents" / "unreadable.jsonl"))  # fmt: skip
    say(_("Corpus: {path}").format(path=outcome.out / "corpus"))
    say(_("What left it, and why: {path}").format(path=outcome.out / "rejected.jsonl"))
    if (outcome.out / "certificate.xlsx").exists():
        say(_("Certificate: {path}").format(path=outcome.out / "certificate.xlsx"))
    say(_("Report: {path}").format(path=outcome.out / "report.html"))


def _add_lists(group: typer.Typer) -> None:
    @group.command(epilog=example("touyan corpus recipes zh-web"))
    def recipes(
        name: Annotated[str, typer.Argument(help=_("A recipe; empty: all that are shipped."))] = "", as_json: JsonOption = False
    ) -> None:
        """List the shipped recipes, or print one, to start your own from."""
        from touyan.corpus.recipe import FOLDER, read_recipe, shipped

        if name:
            found = read_recipe(name)
            path = FOLDER / f"{name}.yaml" if name in shipped() else Path(name)
            print_json(_described(found)) if as_json else say(path.read_text(encoding="utf-8").rstrip())
            return
        listed = [read_recipe(each) for each in shipped()]
        rows = [(each.name, _(each.summary), ", ".join(each.names)) for each in listed]
        print_json([_described(each) for each in listed]) if as_json else print_table([_("recipe"), "", _("operators")], rows, "")

    @group.command(epilog=example("touyan corpus operators near-duplicates"))
    def operators(
        name: Annotated[str, typer.Argument(help=_("An operator; empty: all that are installed."))] = "",
        as_json: JsonOption = False,
    ) -> None:
        """List the installed operators, or the parameters of one with their defaults."""
        from touyan.corpus.operator import described, operator_names

        found = [described(each) for each in ([name] if name else operator_names())]
        if as_json:
            print_json(found)
            return
        rows = [(each.name, each.version, parameter, default) for each in found for parameter, default in each.parameters]
        print_table([_("operator"), _("version"), _("parameter"), _("default")], rows, _("No parameters."))


def _described(recipe: Any) -> dict[str, Any]:
    return {"recipe": recipe.name, "summary": recipe.summary, "operators": [{name: dict(s)} for name, s in recipe.operators]}
