"""`touyan corpus score`: the scorecard of a refinery's result on a planted corpus, ours or another tool's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from touyan.cli.output import print_json, print_table, say
from touyan.cli.session import JsonOption
from touyan.cli.words import _, example

if TYPE_CHECKING:
    from touyan.corpus.plant.scorecard import Line, Scorecard

MARKS = {True: "✓", False: "✗", None: ""}


def add_to(group: typer.Typer) -> None:
    @group.command(epilog=example("touyan corpus score planted.jsonl.zst out"))
    def score(
        planted: Annotated[Path, typer.Argument(help=_("The corpus that `corpus plant` wrote."))],
        result: Annotated[Path, typer.Argument(help=_("OUT of `corpus run`, or JSON Lines {id, text} of any other tool."))],
        as_json: JsonOption = False,
    ) -> None:
        """Score a result on a planted corpus: what was found, what was missed and what was lost."""
        from touyan.cli.corpus_run import Steps
        from touyan.corpus.plant.score import score as scored

        with Steps() as shown:
            card = scored(planted, result, shown.listener("score"))
        print_json(card.to_json()) if as_json else _show(card)


def _show(card: Scorecard) -> None:
    say(_("{kept} of {n} documents kept").format(kept=f"{card.kept:,}", n=f"{card.documents:,}"))
    columns = (_("measure"), _("found"), _("of"), _("share"), _("95 % interval"), _("reach"), "")
    print_table(columns, _rows(card), _("Nothing of this corpus was planted."))
    for operator, kinds in sorted(card.left_by.items()):
        say(
            _("taken out by {operator}: {kinds}").format(
                operator=operator, kinds=", ".join(f"{k} {n:,}" for k, n in kinds.items())
            )
        )


def _rows(card: Scorecard) -> Iterator[tuple[object, ...]]:
    from touyan.core.interval import wilson

    for line in card.lines:
        low, high = wilson(line.hits, line.n)
        interval = f"{low:.2%} – {high:.2%}"
        yield (
            _(line.measure.words),
            f"{line.hits:,}",
            f"{line.n:,}",
            f"{line.share:.2%}",
            interval,
            _reach(line),
            MARKS[line.reached],
        )


def _words(line: Line) -> str:
    """What was counted; identifiers by kind are indented under those with a checksum."""
    from touyan.corpus.plant.scorecard import LEFT

    key = line.measure.key
    return _("  {kind} left").format(kind=key.removeprefix(LEFT)) if key.startswith(LEFT) else _(line.measure.words)


def _reach(line: Line) -> str:
    """The figure asked for, with its direction."""
    reach = line.measure.reach
    if reach is None:
        return ""
    return f"{'≤' if line.measure.better == 'low' else '≥'} {reach:.1%}"
