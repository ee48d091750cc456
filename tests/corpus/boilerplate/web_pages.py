"""What the tests of boilerplate share: pages whose lines say what they are, lines of pages and of texts, and one-shard judging.

A line of `data/pages/*.txt` begins with `-` where it is the page's, `+` where it is the text's, `=` where it is the title or tells
something about the text. All sites, persons and numbers in them are made up.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from corpora import batch

from touyan.core.document import Span, Verdict, apply, edits_of
from touyan.corpus.boilerplate.operators import Boilerplate
from touyan.corpus.operator import DocumentBatch, Marks

DATA = Path(__file__).parent / "data"


def lines_of(name: str) -> list[str]:
    return (DATA / name).read_text(encoding="utf-8").splitlines()


PAGE_LINES, TEXT_LINES, UNSEEN_LINES = lines_of("page_lines.txt"), lines_of("body_lines.txt"), lines_of("unseen_lines.txt")
PAGES = {path.stem: [(line[0], line[2:]) for line in lines_of(f"pages/{path.name}")] for path in sorted(DATA.glob("pages/*.txt"))}


def marks_of(documents: DocumentBatch, operator: Boilerplate | None = None) -> Marks:
    """The marks on one shard."""
    operator = operator or Boilerplate()
    (own,) = operator.settle([operator.survey(documents)])
    return own.judge(documents)


def spans_of(text: str, operator: Boilerplate | None = None) -> Sequence[Span]:
    return marks_of(batch(text), operator).spans.get(0, ())


def verdict_of(text: str) -> Verdict | None:
    return marks_of(batch(text)).verdicts.get(0)


def cleaned(text: str, operator: Boilerplate | None = None) -> str:
    return apply(text, edits_of(spans_of(text, operator)))


def kept(lines: Sequence[str], spans: Sequence[Span]) -> list[bool]:
    """Which of the lines of a text, joined by line ends, have a character left."""
    gone = bytearray(len("\n".join(lines)) + 1)
    for span in edits_of(spans):
        gone[span.start : span.end] = b"\1" * (span.end - span.start)
    found, at = [], 0
    for line in lines:
        found.append(not all(gone[at : at + len(line)]))
        at += len(line) + 1
    return found


def told(text: str, label: str) -> list[str]:
    """What the spans with this label cover."""
    return [text[span.start : span.end].strip() for span in spans_of(text) if span.label == label]
