"""`touyan corpus explain`: what happened to one document, step by step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from touyan.cli.output import print_json, say
from touyan.cli.session import JsonOption
from touyan.cli.words import _, example

if TYPE_CHECKING:
    from touyan.core.document import Span
    from touyan.corpus.explain import Deed, Explanation

CONTEXT_CHARS = 12
SHOWN = 8
"""Spans of one label that are shown; `all` shows every one."""


def add_to(group: typer.Typer) -> None:
    @group.command(epilog=example("touyan corpus explain clean law-000123"))
    def explain(
        out: Annotated[Path, typer.Argument(help=_("OUT of `corpus run`."))],
        document: Annotated[str, typer.Argument(help=_("Key of the document, or the first digits of its id."))],
        everything: Annotated[bool, typer.Option("--all", help=_("Show every span, not the first of each kind."))] = False,
        as_json: JsonOption = False,
    ) -> None:
        """Show what happened to one document: every repair, cut, mask and verdict, and where it is now."""
        from touyan.core.errors import Missing
        from touyan.corpus.explain import explain as explained

        if not (out / "corpus" / "summary.json").exists():
            raise Missing("no-corpus", f"{out} holds no refined corpus", "make it: touyan corpus run IN OUT")
        found = explained(out / "documents", out / "corpus", document)
        if as_json:
            print_json(_facts(found))
            return
        say(f"{found.document.natural_key}  {found.document.doc_id[:12]}  {len(found.document.text):,} {_('characters')}")
        for deed in found.deeds:
            _tell(deed, 10**9 if everything else SHOWN)
        say(_("In the corpus.") if found.is_kept else _("Not in the corpus."))


def _tell(deed: Deed, most: int) -> None:
    verdict = deed.verdict
    said = f"{_(verdict['outcome'])}: {verdict['reason']}" if verdict else ""
    score = f" {verdict['score']:.3g}" if verdict and verdict["score"] is not None else ""
    evidence = f"  ({verdict['evidence']})" if verdict and verdict["evidence"] else ""
    say(f"\n{deed.operator} {deed.version}  {said}{score}{evidence}".rstrip())
    by_label: dict[str, list[Span]] = {}
    for span in deed.spans:
        by_label.setdefault(span.label, []).append(span)
    for label, spans in by_label.items():
        say(f"  {label} × {len(spans):,}: {spans[0].reason}")
        for span in spans[:most]:
            say(f"    {span.start:>7,}  {_shown(deed.before, span)}")
        if len(spans) > most:
            say("    " + _("and {n} more: --all").format(n=f"{len(spans) - most:,}"))
    for column, span in deed.beside:
        say(f"  {column}: {span.label}: {span.reason}")


def _shown(text: str, span: Span) -> str:
    """The interval between its neighbours, and what became of it."""
    before, inside, after = text[max(0, span.start - CONTEXT_CHARS) : span.start], text[span.start : span.end], text[span.end :]
    passage = inside if len(inside) <= 60 else f"{inside[:40]} … {inside[-16:]}"
    became = "" if span.replacement is None else f" → 「{span.replacement[:60]}」"
    return f"{before}「{passage}」{after[:CONTEXT_CHARS]}{became}".replace("\n", "⏎")


def _facts(found: Explanation) -> dict[str, Any]:
    deeds = [
        {
            "operator": deed.operator, "version": deed.version, "spans": list(deed.spans), "verdict": deed.verdict,
            "fields": [{"column": column, "span": span} for column, span in deed.beside],
            "text_after": deed.after,
        }
        for deed in found.deeds
    ]  # fmt: skip
    document = found.document
    return {"doc_id": document.doc_id, "key": document.natural_key, "kept": found.is_kept, "text": document.text, "deeds": deeds}
